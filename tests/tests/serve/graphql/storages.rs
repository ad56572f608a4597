//! Tests that the storage of a view makes no difference to a GraphQL client.

use async_graphql::{EmptyMutation, EmptySubscription, Schema};
use axum::body::to_bytes;
use axum::http::Request;
use fraiseql_graphql::Prepared;
use fraiseql_graphql::http::GraphQl;
use fraiseql_runtime::{Embed, ReadModel, TView};
use fraiseql_tests::{pool, run};
use serde_json::{Value, json};
use tower_service::Service as _;

const TABLES: &str = "
    CREATE TABLE tb_user (id int8 PRIMARY KEY, name text NOT NULL);
    CREATE TABLE tb_note (id int8 PRIMARY KEY, title text NOT NULL, rating int4,
        created_at timestamptz NOT NULL, author_id int8 NOT NULL REFERENCES tb_user);
    CREATE TABLE tb_reply (id int8 PRIMARY KEY, content text NOT NULL, note_id int8 NOT NULL REFERENCES tb_note);
    CREATE INDEX ON tb_reply (note_id);
    INSERT INTO tb_user VALUES (1, 'Ada'), (2, 'Bob');
    INSERT INTO tb_note SELECT n, 'Note ' || n, nullif(n % 4, 0),
        '2026-01-01T00:00:00Z'::timestamptz + n * interval '1 hour', 1 + n % 2 FROM generate_series(1, 30) AS n;
    INSERT INTO tb_reply SELECT n, 'Reply ' || n, 1 + n % 30 FROM generate_series(1, 90) AS n;";

#[derive(Embed)]
#[tview(table = "tb_user")]
#[allow(dead_code)]
pub(crate) struct Writer {
    id: i64,
    name: String,
}

#[derive(Embed)]
#[tview(table = "tb_reply")]
#[allow(dead_code)]
pub(crate) struct Reply {
    id: i64,
    content: String,
}

macro_rules! notes {
    ($($name:ident $storage:tt $entity:tt $plural:tt;)*) => {$(
        #[derive(TView)]
        #[tview(table = "tb_note", storage = $storage, entity = $entity, plural = $plural)]
        #[allow(dead_code)]
        pub(crate) struct $name {
            id: i64,
            #[tview(filter, sort)]
            title: String,
            #[tview(filter, sort)]
            rating: Option<i32>,
            #[tview(sort)]
            created_at: chrono::DateTime<chrono::Utc>,
            #[tview(one(fk = "author_id"))]
            author: Writer,
            #[tview(many(fk = "note_id", order_by = "id DESC", limit = 2))]
            replies: Vec<Reply>,
            #[tview(filter, count(table = "tb_reply", fk = "note_id"))]
            reply_count: i64,
        }
    )*};
}

notes! {
    Note "table" "note" "notes";
    LiveNote "live" "live_note" "live_notes";
    OldNote "matview" "old_note" "old_notes";
}

type Query = fraiseql_graphql::Query<(Note, LiveNote, OldNote)>;

const FIELDS: &str =
    "{ __typename id title rating createdAt author { name } replies { content } replyCount }";

/// Fields that are read from columns, if there are any.
const PROMOTED: &str = "{ __typename id r: rating title createdAt replyCount }";

/// The requests, for root fields with one document, with many, and with pages.
fn requests(one: &str, many: &str, pages: &str) -> Vec<String> {
    let field = |field: &str, arguments: &str| format!("{{ it: {field}{arguments} {FIELDS} }}");
    vec![
        field(one, "(id: 7)"),
        field(one, "(id: 99)"),
        field(many, ""),
        field(
            many,
            "(where: {rating: {gte: 2}, replyCount: {eq: 3}}, orderBy: [{rating: DESC_NULLS_LAST}, {title: ASC}], limit: 5, offset: 1)",
        ),
        field(
            many,
            "(where: {rating: {isNull: true}}, orderBy: [{createdAt: DESC}])",
        ),
        format!(
            "{{ it: {many}(limit: 3) {{ id }} two: {many}(limit: 2, orderBy: [{{title: DESC}}]) {{ title }} }}"
        ),
        format!(
            "{{ it: {pages}(first: 3, orderBy: [{{rating: ASC}}]) {{ edges {{ node {FIELDS} }} pageInfo {{ hasNextPage hasPreviousPage }} }} }}"
        ),
        format!("{{ it: {pages}(last: 4) {{ nodes {{ id }} pageInfo {{ hasPreviousPage }} }} }}"),
        format!(
            "{{ it: {pages}(first: 1, where: {{replyCount: {{eq: 3}}}}) {{ totalCount nodes {{ id }} }} }}"
        ),
        format!("{{ it: {one}(id: 7) {PROMOTED} }}"),
        format!("{{ it: {many}(orderBy: [{{rating: DESC}}], limit: 9) {PROMOTED} }}"),
        format!(
            "{{ it: {pages}(first: 4, orderBy: [{{title: ASC}}]) {{
                 nodes {{ n: title }} edges {{ node {PROMOTED} }} pageInfo {{ hasNextPage }} }} }}"
        ),
    ]
}

#[tokio::test]
async fn every_storage_gives_the_same_answers() {
    let pool = pool().await;
    run(&pool, TABLES).await;
    let model = ReadModel::builder()
        .view::<Note>()
        .view::<LiveNote>()
        .view::<OldNote>()
        .build()
        .unwrap();
    model.migrate(&pool).await.unwrap();
    sync_all_notes(&pool).await.unwrap();
    let schema = Schema::build(Query::new(pool.clone()), EmptyMutation, EmptySubscription)
        .extension(Prepared::default())
        .finish();
    let answers = async |one: &str, many: &str, pages: &str, ty: &str| -> Vec<String> {
        let mut answers = Vec::new();
        // Twice: a request that is sent again is answered in another way.
        for query in requests(one, many, pages).iter().cycle().take(24) {
            let answer = schema.execute(query.as_str()).await;
            assert_eq!(answer.errors, [], "{query}");
            let data: Value = serde_json::to_value(&answer.data).unwrap();
            answers.push(data.to_string().replace(&format!("\"{ty}\""), "\"Note\""));
        }
        answers
    };
    let stored = answers("note", "notes", "notesConnection", "Note").await;
    assert!(stored[0].contains("\"title\":\"Note 7\""), "{}", stored[0]);
    assert!(stored[3].matches("title").count() == 5, "{}", stored[3]);
    let live = answers("liveNote", "liveNotes", "liveNotesConnection", "LiveNote").await;
    assert_eq!(live, stored);
    let old = answers("oldNote", "oldNotes", "oldNotesConnection", "OldNote").await;
    assert_eq!(old, stored);
    pool.close().await;
}

#[tokio::test]
async fn documents_are_not_read_for_promoted_fields() {
    let pool = pool().await;
    run(&pool, TABLES).await;
    let model = ReadModel::builder().view::<Note>().build().unwrap();
    model.migrate(&pool).await.unwrap();
    sync_all_notes(&pool).await.unwrap();
    let query = fraiseql_graphql::Query::<(Note,)>::new(pool.clone());
    let prepared = Prepared::default().validate_once(true).direct(true);
    let schema = Schema::build(query, EmptyMutation, EmptySubscription)
        .extension(prepared)
        .finish();
    let mut router = axum::Router::new().route_service("/", GraphQl::new(schema));
    let mut ask = async |query: &str| {
        let body = json!({"query": query}).to_string();
        let request = Request::post("/")
            .header("content-type", "application/json")
            .body(body)
            .unwrap();
        let response = router.call(request).await.unwrap();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        String::from_utf8(body.to_vec()).unwrap()
    };
    let queries = &requests("note", "notes", "notesConnection")[9..];
    let mut before = Vec::new();
    for query in queries {
        before.push(ask(query).await);
    }
    let author = ask("{ notes { author { name } } }").await;
    run(&pool, "UPDATE tv_note SET data = '{\"unread\": true}'").await;
    // Directly: first with a test of the types of columns, then without.
    for _ in 0..4 {
        for (query, before) in queries.iter().zip(&before) {
            assert!(before.contains("Note "), "{before}");
            assert_eq!(ask(query).await, *before);
        }
    }
    assert_ne!(ask("{ notes { author { name } } }").await, author);
    pool.close().await;
}
