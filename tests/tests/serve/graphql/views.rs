//! Tests that each view has root fields that read it by key, as a list and in pages.

use async_graphql::{
    EmptyMutation, EmptySubscription, MergedObject, Object, Request, Schema, Variables,
};
use fraiseql_graphql::{self, Prepared, TvConnection, TvList, TvOrderBy, TvWhere, Views};
use fraiseql_runtime::list::{List, Page};
use fraiseql_runtime::{Embed, ReadModel, TEnum, TView};
use fraiseql_tests::{pool, run};
use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

use crate::traced::Traced;

#[derive(Clone, Copy, Debug, PartialEq, TEnum)]
pub(crate) enum Status {
    Draft,
    InReview,
    Published,
}

#[derive(TView)]
pub(crate) struct BlogPost {
    pub(crate) id: Uuid,
    #[tview(filter, sort)]
    pub(crate) title: String,
    #[tview(filter)]
    pub(crate) status: Status,
    #[tview(sort)]
    pub(crate) rating: Option<i32>,
    #[tview(sort)]
    pub(crate) created_at: chrono::DateTime<chrono::Utc>,
    #[tview(one(fk = "author_id"))]
    pub(crate) author: Author,
    #[tview(many(fk = "blog_post_id", order_by = "number"))]
    pub(crate) comments: Vec<Comment>,
    #[tview(sort, count(table = "tb_comment", fk = "blog_post_id"))]
    pub(crate) comment_count: i64,
}

#[derive(TView)]
#[tview(table = "tb_user", entity = "user", type_name = "User")]
pub(crate) struct Author {
    pub(crate) id: Uuid,
    #[tview(unique)]
    pub(crate) username: String,
}

#[derive(Embed)]
#[tview(table = "tb_comment")]
pub(crate) struct Comment {
    pub(crate) number: i64,
    pub(crate) content: String,
}

const TABLES: &str = "
    CREATE TABLE tb_user (id uuid PRIMARY KEY, username text NOT NULL);
    CREATE TABLE tb_blog_post (
        id uuid PRIMARY KEY, title text NOT NULL, status text NOT NULL, rating int4,
        created_at timestamptz NOT NULL, author_id uuid NOT NULL REFERENCES tb_user
    );
    CREATE TABLE tb_comment (
        number int8 PRIMARY KEY, content text NOT NULL,
        blog_post_id uuid NOT NULL REFERENCES tb_blog_post
    );
    CREATE INDEX ON tb_comment (blog_post_id);
    INSERT INTO tb_user SELECT lpad(n::text, 32, '0')::uuid, 'user' || n FROM generate_series(1, 3) n;
    INSERT INTO tb_blog_post
    SELECT lpad(n::text, 32, '0')::uuid, 'Post ' || n,
           (ARRAY['draft', 'in_review', 'published'])[n % 3 + 1], nullif(n % 5, 0),
           timestamptz '2026-01-01 00:00:00.123456Z' + n * interval '1 hour',
           lpad((n % 3 + 1)::text, 32, '0')::uuid
    FROM generate_series(1, 30) n;
    INSERT INTO tb_comment
    SELECT n, 'Comment ' || n, lpad((n % 30 + 1)::text, 32, '0')::uuid
    FROM generate_series(1, 60) n;";

type Query = fraiseql_graphql::Query<(BlogPost, Author)>;
type Served = Schema<Query, EmptyMutation, EmptySubscription>;

async fn blog() -> PgPool {
    let pool = pool().await;
    run(&pool, TABLES).await;
    let model = ReadModel::builder()
        .view::<BlogPost>()
        .view::<Author>()
        .build()
        .unwrap();
    model.migrate(&pool).await.unwrap();
    sync_all_blog_posts(&pool).await.unwrap();
    sync_all_users(&pool).await.unwrap();
    pool
}

async fn served() -> (Served, PgPool) {
    let pool = blog().await;
    let schema = Schema::build(Query::new(pool.clone()), EmptyMutation, EmptySubscription)
        .extension(Prepared::default())
        .finish();
    (schema, pool)
}

fn id(number: u32) -> String {
    Uuid::from_u128(u128::from_str_radix(&number.to_string(), 16).unwrap()).to_string()
}

async fn answer(schema: &Served, request: impl Into<Request>) -> Value {
    let answer = schema.execute(request).await;
    assert_eq!(answer.errors, []);
    serde_json::to_value(&answer.data).unwrap()
}

async fn error(schema: &Served, query: &str) -> String {
    let answer = schema.execute(query).await;
    assert_eq!(answer.errors.len(), 1, "{query}: {:?}", answer.errors);
    answer.errors[0].message.clone()
}

fn titles(list: &Value) -> Vec<String> {
    let list = list.as_array().unwrap();
    list.iter()
        .map(|one| one["title"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn the_schema_has_root_fields_for_each_view() {
    let (schema, pool) = served().await;
    insta::assert_snapshot!(schema.sdl());
    pool.close().await;
}

#[tokio::test]
async fn a_document_is_read_by_its_key() {
    let (schema, pool) = served().await;
    let query = format!(
        "{{ blogPost(id: \"{}\") {{ title author {{ username }} comments {{ content }} }} user(id: \"{}\") {{ username }} }}",
        id(7),
        id(2)
    );
    assert_eq!(
        answer(&schema, query).await,
        json!({
            "blogPost": {
                "title": "Post 7",
                "author": {"username": "user2"},
                "comments": [{"content": "Comment 6"}, {"content": "Comment 36"}],
            },
            "user": {"username": "user2"},
        })
    );
    let nobody = format!("{{ user(id: \"{}\") {{ username }} }}", id(99));
    assert_eq!(answer(&schema, nobody).await, json!({"user": null}));
    assert!(
        error(&schema, "{ user(id: \"me\") { username } }")
            .await
            .contains("`id` cannot be compared with \"me\"")
    );
    pool.close().await;
}

#[tokio::test]
async fn documents_are_filtered_ordered_and_limited() {
    let (schema, pool) = served().await;
    let query = "{ blogPosts(
            where: {status: {in: [PUBLISHED, IN_REVIEW]}, or: [{rating: {gte: 4}}, {title: {ilike: \"post 1\"}}]}
            orderBy: [{rating: DESC_NULLS_LAST}, {createdAt: ASC}] limit: 4
        ) { title status rating } }";
    assert_eq!(
        answer(&schema, query).await["blogPosts"],
        json!([
            {"title": "Post 4", "status": "IN_REVIEW", "rating": 4},
            {"title": "Post 14", "status": "PUBLISHED", "rating": 4},
            {"title": "Post 19", "status": "IN_REVIEW", "rating": 4},
            {"title": "Post 29", "status": "PUBLISHED", "rating": 4},
        ])
    );
    let request = Request::new(
        "query ($where: BlogPostWhere, $order: [BlogPostOrderBy!], $n: Int!) {
            blogPosts(where: $where, orderBy: $order, limit: $n, offset: 1) { title } }",
    )
    .variables(Variables::from_json(json!({
        "where": {"not": {"status": {"eq": "DRAFT"}}, "rating": {"isNull": true}},
        "order": [{"createdAt": "DESC"}],
        "n": 2,
    })));
    assert_eq!(
        titles(&answer(&schema, request).await["blogPosts"]),
        ["Post 20", "Post 10"]
    );
    // By default: ordered by the key, twenty of them.
    let all = answer(&schema, "{ blogPosts { title } }").await;
    assert_eq!(titles(&all["blogPosts"])[..2], ["Post 1", "Post 2"]);
    assert_eq!(all["blogPosts"].as_array().unwrap().len(), 20);
    pool.close().await;
}

#[tokio::test]
async fn pages_are_walked_in_both_directions() {
    let (schema, pool) = served().await;
    let fields = "edges { cursor node { title } } nodes { n: title } \
                  pageInfo { hasNextPage hasPreviousPage startCursor endCursor }";
    let order = "orderBy: [{rating: ASC_NULLS_FIRST}]";
    let mut seen = Vec::new();
    let mut after = "null".to_owned();
    loop {
        let query = format!(
            "{{ p: blogPostsConnection(first: 7, after: {after}, {order}) {{ {fields} }} }}"
        );
        let page = answer(&schema, query).await["p"].take();
        let edges = page["edges"].as_array().unwrap();
        for (edge, node) in edges.iter().zip(page["nodes"].as_array().unwrap()) {
            assert_eq!(edge["node"]["title"], node["n"]);
            seen.push(edge["node"]["title"].as_str().unwrap().to_owned());
        }
        assert_eq!(
            page["pageInfo"]["endCursor"],
            edges.last().unwrap()["cursor"]
        );
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].to_string();
    }
    let whole = answer(
        &schema,
        format!("{{ blogPosts(limit: 100, {order}) {{ title }} }}"),
    )
    .await;
    assert_eq!(seen, titles(&whole["blogPosts"]));
    assert_eq!(seen.len(), 30);

    let mut back = Vec::new();
    let mut before = "null".to_owned();
    loop {
        let query = format!(
            "{{ p: blogPostsConnection(last: 7, before: {before}, {order}) {{ {fields} }} }}"
        );
        let page = answer(&schema, query).await["p"].take();
        let edges = page["edges"].as_array().unwrap();
        let titles = edges
            .iter()
            .rev()
            .map(|edge| edge["node"]["title"].as_str().unwrap().to_owned());
        back.extend(titles);
        if page["pageInfo"]["hasPreviousPage"] == false {
            break;
        }
        before = page["pageInfo"]["startCursor"].to_string();
    }
    back.reverse();
    assert_eq!(back, seen);
    pool.close().await;
}

#[tokio::test]
async fn invalid_arguments_are_refused_with_a_reason() {
    let (schema, pool) = served().await;
    for (query, reason) in [
        (
            "{ blogPosts(limit: 101) { id } }",
            "limit is 101, and at most 100",
        ),
        ("{ blogPosts(limit: -1) { id } }", "cannot be negative"),
        (
            "{ blogPosts(offset: 99999999999) { id } }",
            "int cannot represent",
        ),
        (
            "{ blogPosts(where: {author: {eq: 1}}) { id } }",
            "field `author` does not exist on `BlogPostWhere`",
        ),
        (
            "{ blogPosts(where: {title: {eq: null}}) { id } }",
            "{isNull: true}",
        ),
        (
            "{ blogPosts(where: {title: {}}) { id } }",
            "compares with nothing",
        ),
        (
            "{ blogPosts(where: 5) { id } }",
            "expected value of type BlogPostWhere, found an integer",
        ),
        (
            "{ blogPosts(where: {title: 5}) { id } }",
            "expected value of type StringFilter, found an integer",
        ),
        (
            "{ blogPosts(where: {rating: {eq: 3000000000}}) { id } }",
            "int cannot represent",
        ),
        (
            "{ blogPosts(where: {createdAt: {gt: \"yesterday\"}}) { id } }",
            "`createdAt` cannot be compared with \"yesterday\"",
        ),
        (
            "{ blogPosts(where: {status: {eq: \"DRAFT\"}}) { id } }",
            "expected value of type Status, found a string",
        ),
        (
            "{ blogPosts(orderBy: [{rating: ASC, title: ASC}]) { id } }",
            "exactly one key",
        ),
        (
            "{ blogPosts(orderBy: [{status: ASC}]) { id } }",
            "field `status` does not exist on `BlogPostOrderBy`",
        ),
        (
            "{ blogPostsConnection(first: 1, last: 1) { pageInfo { endCursor } } }",
            "cannot both be given",
        ),
        (
            "{ blogPostsConnection(after: \"x'; DROP TABLE tb_user --\") { pageInfo { endCursor } } }",
            "cursor",
        ),
    ] {
        let message = error(&schema, query).await;
        assert!(message.contains(reason), "{query}: {message}");
    }
    pool.close().await;
}

#[tokio::test]
async fn a_required_field_that_fails_twice_makes_the_enclosing_value_null() {
    let (schema, pool) = served().await;
    let answer = schema
        .execute("{ users { id } blogPosts(limit: 101) { id } blogPosts(limit: 101) { title } }")
        .await;
    assert_eq!(answer.data, async_graphql::Value::Null);
    assert_eq!(answer.errors.len(), 1);
    pool.close().await;
}

#[tokio::test]
async fn arguments_whose_variable_is_omitted_are_dropped() {
    let (schema, pool) = served().await;
    let request = Request::new(
        "query ($least: Int, $most: Int, $n: Int, $order: [BlogPostOrderBy!], $title: StringFilter) {
            blogPosts(where: {rating: {gte: $least, lte: $most}, title: $title}, limit: $n,
                      orderBy: $order) { rating } }",
    )
    .variables(Variables::from_json(json!({"least": 4})));
    let answer = answer(&schema, request).await;
    assert_eq!(answer["blogPosts"].as_array().unwrap().len(), 6);
    pool.close().await;
}

#[tokio::test]
async fn a_single_value_is_accepted_as_a_list() {
    let (schema, pool) = served().await;
    let request = Request::new(
        "query ($by: OrderDirection = DESC, $ratings: [Int!] = 4) {
            blogPosts(where: {status: {in: DRAFT}, rating: {in: $ratings}}, orderBy: {title: $by})
            { title }
            none: blogPosts(where: {status: {notIn: DRAFT}, title: {in: \"Post 9\"}}) { title } }",
    );
    let answer = answer(&schema, request).await;
    assert_eq!(titles(&answer["blogPosts"]), ["Post 9", "Post 24"]);
    assert_eq!(answer["none"], json!([]));
    pool.close().await;
}

#[tokio::test]
async fn each_root_field_runs_one_statement() {
    let traced = Traced::start("sqlx::query");
    let (schema, pool) = served().await;
    for (query, count) in [
        (format!("{{ blogPost(id: \"{}\") {{ title }} }}", id(1)), 1),
        ("{ blogPosts(limit: 5) { id title author { username } commentCount comments { content } } }".to_owned(), 1),
        ("{ blogPosts { id } blogPosts { title } ... { blogPosts { author { id } } } }".to_owned(), 1),
        ("{ blogPostsConnection(first: 3) { nodes { id } edges { node { title } } } }".to_owned(), 1),
        ("{ a: blogPosts { id } b: blogPosts { id } users { id } }".to_owned(), 3),
    ] {
        traced.take();
        let answer = answer(&schema, query.as_str()).await;
        let mut ran = traced.take();
        ran.retain(|event| event.contains(" summary="));
        assert_eq!(ran.len(), count, "{query}: {ran:?}");
        if query.contains("... {") {
            assert_eq!(
                answer["blogPosts"][0],
                json!({"id": id(1), "title": "Post 1", "author": {"id": id(2)}})
            );
        }
    }
    pool.close().await;
}

/// A schema may have the root fields of views more than once.
#[derive(MergedObject)]
#[graphql(name = "Query")]
struct Root(Views<(BlogPost,)>, Views<(Author,)>, Own);

struct Own {
    pool: PgPool,
}

#[Object]
impl Own {
    /// Published posts, with the caller's filter, order and page.
    async fn published(
        &self,
        r#where: Option<TvWhere<BlogPost>>,
        order_by: Option<Vec<TvOrderBy<BlogPost>>>,
    ) -> async_graphql::Result<TvList<BlogPost>> {
        let mut list = List::of::<BlogPost>()
            .filter(fraiseql_runtime::list::Filter::eq("status", "PUBLISHED"));
        if let Some(filter) = r#where {
            list = list.filter(filter.into_filter());
        }
        for term in order_by.into_iter().flatten() {
            list = list.order_by(term.into_order_by());
        }
        Ok(list.limit(3).read(&self.pool).await?.into_iter().collect())
    }

    async fn newest(&self) -> async_graphql::Result<TvConnection<BlogPost>> {
        let list =
            List::of::<BlogPost>().order_by(fraiseql_runtime::list::OrderBy::desc("createdAt"));
        Ok(list.page(Page::first(2), &self.pool).await?.into())
    }
}

#[tokio::test]
async fn views_compose_with_custom_roots() {
    let pool = blog().await;
    let root = Root(
        Views::new(pool.clone()),
        Views::new(pool.clone()),
        Own { pool: pool.clone() },
    );
    let schema = Schema::build(root, EmptyMutation, EmptySubscription)
        .extension(Prepared::default())
        .finish();
    let answer = schema
        .execute(
            "{ __typename users(where: {username: {eq: \"user1\"}}) { username }
               published(where: {rating: {isNull: false}}, orderBy: [{title: DESC}]) { title }
               newest { nodes { title } pageInfo { hasNextPage } } }",
        )
        .await;
    assert_eq!(answer.errors, []);
    assert_eq!(
        serde_json::to_value(&answer.data).unwrap(),
        json!({
            "__typename": "Query",
            "users": [{"username": "user1"}],
            "published": [{"title": "Post 8"}, {"title": "Post 29"}, {"title": "Post 26"}],
            "newest": {"nodes": [{"title": "Post 30"}, {"title": "Post 29"}], "pageInfo": {"hasNextPage": true}},
        })
    );
    pool.close().await;
}
