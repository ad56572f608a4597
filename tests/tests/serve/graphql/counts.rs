//! Tests that connections have the number of their documents, which is read where it is selected.

use async_graphql::{Context, EmptyMutation, EmptySubscription, MergedObject, Object, Schema};
use fraiseql_graphql::{Prepared, TvConnection, Views};
use fraiseql_runtime::list::Page;
use fraiseql_runtime::{Readers, TView};
use fraiseql_tests::world;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::traced::Traced;

macro_rules! posts {
    ($($name:ident $storage:literal $entity:literal;)*) => {$(
        #[derive(TView)]
        #[tview(table = "tb_post", storage = $storage, entity = $entity)]
        #[allow(dead_code)]
        struct $name {
            id: i64,
            #[tview(filter, sort)]
            title: String,
        }
    )*};
}

posts! {
    Post "table" "post";
    LivePost "live" "live_post";
    OldPost "matview" "old_post";
}

#[derive(MergedObject)]
struct Query(Views<(Post, LivePost, OldPost)>, Own);

struct Own(PgPool);

#[Object]
impl Own {
    async fn counted(&self, ctx: &Context<'_>) -> async_graphql::Result<TvConnection<Post>> {
        let list = Post::list().filter(Post::ID.gt(3));
        Ok(TvConnection::read(ctx, &list, Page::first(2), &self.0).await?)
    }

    async fn uncounted(&self) -> async_graphql::Result<TvConnection<Post>> {
        let page = Post::list().page(Page::first(2), &self.0).await?;
        Ok(page.into())
    }
}

type Served = Schema<Query, EmptyMutation, EmptySubscription>;

async fn served(prepared: Prepared) -> Served {
    let pool = world::numbered_blog().rows(30).pool().await;
    let model = fraiseql_runtime::ReadModel::builder()
        .view::<Post>()
        .view::<LivePost>()
        .view::<OldPost>();
    let model = model.build().unwrap();
    model.migrate(&pool).await.unwrap();
    model.sync_all(&pool).await.unwrap();
    model.refresh::<OldPost>(&pool).await.unwrap();
    let views = Views::new(Readers::lending(pool.clone()));
    Schema::build(Query(views, Own(pool)), EmptyMutation, EmptySubscription)
        .extension(prepared)
        .finish()
}

async fn data(schema: &Served, query: &str) -> Value {
    let response = schema.execute(query).await;
    assert_eq!(response.errors, [], "{query}");
    serde_json::to_value(&response.data).unwrap()
}

#[tokio::test]
async fn the_documents_of_the_filter_are_counted_on_every_page() {
    let schema = served(Prepared::default()).await;
    for list in ["posts", "livePosts", "oldPosts"] {
        let query = format!(
            "{{ all: {list}Connection(first: 2) {{ totalCount nodes {{ id }} }}
                few: {list}Connection(where: {{id: {{lte: 7}}}}, last: 1) {{ totalCount edges {{ node {{ id }} }} }}
                none: {list}Connection(where: {{id: {{lt: 0}}}}) {{ n: totalCount pageInfo {{ hasNextPage }} }}
                only: {list}Connection(first: 0) {{ totalCount }} }}"
        );
        assert_eq!(
            data(&schema, &query).await,
            json!({
                "all": {"totalCount": 30, "nodes": [{"id": 1}, {"id": 2}]},
                "few": {"totalCount": 7, "edges": [{"node": {"id": 7}}]},
                "none": {"n": 0, "pageInfo": {"hasNextPage": false}},
                "only": {"totalCount": 30},
            }),
            "{list}"
        );
        let first = format!(
            "{{ page: {list}Connection(first: 20) {{ totalCount pageInfo {{ endCursor }} }} }}"
        );
        let first = data(&schema, &first).await;
        let next = format!(
            "{{ page: {list}Connection(first: 20, after: {}) {{ totalCount nodes {{ id }} }} }}",
            first["page"]["pageInfo"]["endCursor"]
        );
        let next = data(&schema, &next).await;
        assert_eq!(next["page"]["totalCount"], 30);
        assert_eq!(next["page"]["nodes"].as_array().unwrap().len(), 10);
    }
}

#[tokio::test]
async fn documents_are_counted_only_where_the_count_is_selected() {
    let traced = Traced::start("sqlx::query");
    let schema = served(Prepared::default()).await;
    for (query, counts) in [
        (
            "{ postsConnection { nodes { id } pageInfo { hasNextPage } } }",
            0,
        ),
        ("{ postsConnection { totalCount } }", 1),
        ("{ postsConnection { n: totalCount nodes { id } } }", 1),
        ("{ postsConnection { a: totalCount b: totalCount } }", 1),
        (
            "{ postsConnection { ...c } } fragment c on PostConnection { ... { totalCount } }",
            1,
        ),
        (
            "{ postsConnection { nodes { id } totalCount @skip(if: true) } }",
            0,
        ),
        (
            "{ postsConnection { nodes { id } ... @include(if: false) { totalCount } } }",
            0,
        ),
        (
            "{ postsConnection { nodes { id } ... @include(if: true) { totalCount } } }",
            1,
        ),
        (
            "{ postsConnection { nodes { id } } postsConnection { totalCount } }",
            1,
        ),
        (
            "{ a: postsConnection { totalCount } b: postsConnection { nodes { id } } }",
            1,
        ),
        (
            "{ livePostsConnection { totalCount } oldPostsConnection { totalCount } }",
            2,
        ),
        ("{ counted { nodes { id } } }", 0),
        ("{ counted { ... { totalCount } } }", 1),
        ("{ uncounted { nodes { id } } }", 0),
    ] {
        traced.take();
        data(&schema, query).await;
        let mut ran = traced.take();
        ran.retain(|event| event.contains("count(*)"));
        assert_eq!(ran.len(), counts, "{query}: {ran:?}");
    }
}

#[tokio::test]
async fn a_resolver_counts_what_its_query_selects() {
    let schema = served(Prepared::default()).await;
    // The two fields have one response key, and so the fields of both.
    let query = "{ counted { totalCount } counted { nodes { id } } }";
    let expected = json!({"counted": {"totalCount": 27, "nodes": [{"id": 4}, {"id": 5}]}});
    assert_eq!(data(&schema, query).await, expected);

    let response = schema.execute("{ uncounted { totalCount } }").await;
    assert_eq!(
        response.errors[0].message,
        "the documents of this connection are not counted: `totalCount` needs a resolver that calls \
         `TvConnection::read`"
    );
    assert_eq!(response.errors[0].path.len(), 1);
}

#[tokio::test]
async fn a_count_is_a_string_for_clients_whose_numbers_are_floats() {
    let schema = served(Prepared::default().big_ints_as_strings(true)).await;
    let counted = data(&schema, "{ postsConnection { totalCount } }").await;
    assert_eq!(counted, json!({"postsConnection": {"totalCount": "30"}}));
}
