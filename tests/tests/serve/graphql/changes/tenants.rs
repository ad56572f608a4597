//! Changes of views with tenants: only those of the tenant are shown, whoever has made them.

use async_graphql::{Context, EmptyMutation, EmptySubscription, Object, Request, Schema};
use fraiseql_graphql::{Prepared, Query, TvChanges};
use fraiseql_runtime::{GlobalId, MutationReport, ReadModel, TView};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};

const TABLES: &str = "
CREATE TABLE tb_ticket (org_id int4, no int4, title text NOT NULL, PRIMARY KEY (org_id, no));
CREATE TABLE tb_note (id int4 PRIMARY KEY, org_id int4 NOT NULL, text text NOT NULL);
CREATE TABLE tb_country (id int4 PRIMARY KEY, name text NOT NULL);
INSERT INTO tb_ticket SELECT o, n, o || '/' || n FROM generate_series(1, 2) AS o, generate_series(1, 3) AS n;
INSERT INTO tb_note SELECT n, 1 + n % 2, 'Note ' || n FROM generate_series(1, 6) AS n;
INSERT INTO tb_country VALUES (1, 'Norway'), (2, 'Chile');
";

/// The tenant is of the key.
#[derive(Debug, TView)]
#[allow(dead_code)]
struct Ticket {
    #[tview(key, tenant)]
    org_id: i32,
    #[tview(key)]
    no: i32,
    #[tview(global_id)]
    id: GlobalId,
    title: String,
}

/// The tenant is not of the key, and not shown.
#[derive(Debug, TView)]
#[allow(dead_code)]
struct Note {
    id: i32,
    #[tview(tenant, hidden)]
    org_id: i32,
    text: String,
}

#[derive(Debug, TView)]
#[tview(plural = "countries")]
#[allow(dead_code)]
struct Country {
    id: i32,
    name: String,
}

type Set = (Ticket, Note, Country);

/// The tenant of a request; an operator has none.
struct Session(Option<i32>);

struct Mutation {
    model: ReadModel,
    pool: PgPool,
}

impl Mutation {
    /// Changes documents of both tenants.
    async fn commit(&self, sql: &[String]) -> async_graphql::Result<MutationReport> {
        let mut m = self.model.mutation(&self.pool).await?;
        m.changing::<Ticket>(&[(1, 1), (2, 1)]).await?;
        m.changing::<Note>(&[1, 2]).await?;
        m.changing::<Country>(&[1]).await?;
        for sql in sql {
            sqlx::query(AssertSqlSafe(sql.as_str()))
                .execute(&mut *m)
                .await?;
        }
        Ok(m.commit().await?)
    }
}

#[Object]
impl Mutation {
    async fn run(
        &self,
        ctx: &Context<'_>,
        sql: Vec<String>,
    ) -> async_graphql::Result<TvChanges<Set>> {
        let report = self.commit(&sql).await?;
        let pool = self.pool.clone();
        Ok(match ctx.data::<Session>()?.0 {
            Some(org) => TvChanges::scoped(report, pool, &org),
            None => TvChanges::across_tenants(report, pool),
        })
    }
}

async fn answer(pool: &PgPool, org: Option<i32>, sql: &[&str]) -> Value {
    let model = ReadModel::builder().view::<Ticket>().view::<Note>();
    let model = model.view::<Country>().build().unwrap();
    let mutation = Mutation {
        model,
        pool: pool.clone(),
    };
    let query = Query::<Set>::across_tenants(pool.clone());
    let schema = Schema::build(query, mutation, EmptySubscription)
        .extension(Prepared::default())
        .finish();
    let sql = json!(sql);
    let query = format!(
        "mutation {{ run(sql: {sql}) {{
            tickets {{ orgId no title }} notes {{ id text }} countries {{ name }}
            deleted {{ type deletedId key }} incomplete {{ type reason }}
        }} }}"
    );
    let response = schema.execute(Request::new(query).data(Session(org))).await;
    assert!(response.errors.is_empty(), "{:?}", response.errors);
    serde_json::to_value(&response).unwrap()["data"]["run"].take()
}

async fn world() -> PgPool {
    let pool = fraiseql_tests::pool().await;
    fraiseql_tests::run(&pool, TABLES).await;
    let model = ReadModel::builder().view::<Ticket>().view::<Note>();
    let model = model.view::<Country>().build().unwrap();
    model.migrate(&pool).await.unwrap();
    model.sync_all(&pool).await.unwrap();
    pool
}

const UPDATE: [&str; 3] = [
    "UPDATE tb_ticket SET title = title || '!' WHERE no = 1",
    "UPDATE tb_note SET text = text || '!' WHERE id < 3",
    "UPDATE tb_country SET name = name || '!' WHERE id = 1",
];
const DELETE: [&str; 2] = [
    "DELETE FROM tb_ticket WHERE no = 1",
    "DELETE FROM tb_note WHERE id < 3",
];

#[tokio::test]
async fn changed_documents_of_other_tenants_are_not_shown() {
    let pool = world().await;
    assert_eq!(
        answer(&pool, Some(2), &UPDATE).await,
        json!({
            "tickets": [{ "orgId": 2, "no": 1, "title": "2/1!" }],
            "notes": [{ "id": 1, "text": "Note 1!" }],
            "countries": [{ "name": "Norway!" }],
            "deleted": [],
            "incomplete": [],
        })
    );
    let all = answer(&pool, None, &UPDATE).await;
    assert_eq!(all["tickets"].as_array().unwrap().len(), 2, "{all}");
    assert_eq!(all["notes"].as_array().unwrap().len(), 2, "{all}");
    pool.close().await;
}

#[tokio::test]
async fn deleted_documents_are_shown_if_their_key_says_whose_they_were() {
    let pool = world().await;
    let ticket = |org: i32| {
        let id = GlobalId::of::<Ticket>(&(org, 1)).to_string();
        json!({ "type": "Ticket", "deletedId": id, "key": { "orgId": org, "no": 1, "id": id } })
    };
    assert_eq!(
        answer(&pool, Some(2), &DELETE).await,
        json!({
            "tickets": [],
            "notes": [],
            "countries": [],
            "deleted": [ticket(2)],
            "incomplete": [{ "type": "Note", "reason": "DELETED" }],
        })
    );
    pool.close().await;
}

#[tokio::test]
async fn an_operator_sees_what_was_deleted_of_all_tenants() {
    let pool = world().await;
    let all = answer(&pool, None, &DELETE).await;
    let deleted = all["deleted"].as_array().unwrap();
    assert_eq!(deleted.len(), 4, "{all}");
    let note = json!({ "type": "Note", "deletedId": "2", "key": { "id": 2 } });
    assert!(deleted.contains(&note), "{all}");
    assert_eq!(all["incomplete"], json!([]));
    pool.close().await;
}

#[tokio::test]
async fn the_types_of_changes_are_documented() {
    let pool = PgPool::connect_lazy("postgres://").unwrap();
    let schema = Schema::build(
        Query::<(Country,)>::new(pool),
        EmptyMutation,
        EmptySubscription,
    )
    .register_output_type::<TvChanges<Set>>()
    .finish();
    let sdl = schema.sdl();
    for line in [
        "type TicketNoteCountryChanges {",
        "tickets: [Ticket!]\n",
        "countries: [Country!]\n",
        "deleted: [DeletedDocument!]\n",
        "incomplete: [IncompleteChanges!]!\n",
        "key: JSON!",
    ] {
        assert!(sdl.contains(line), "{line}: {sdl}");
    }
}
