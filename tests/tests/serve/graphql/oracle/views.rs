//! Tests that views on a server give the responses of graphql-js.

use async_graphql::{EmptyMutation, EmptySubscription, Schema, SchemaBuilder};
use fraiseql_graphql::{self, Prepared};
use fraiseql_runtime::{Embed, ReadModel, TEnum, TView};
use fraiseql_tests::{pool, run};
use serde_json::{Map, Value, json};
use sqlx::PgPool;
use uuid::Uuid;

use crate::graphql::oracle::compare::compare;
use crate::graphql::oracle::generate::Pools;

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
    pub(crate) score: Option<f64>,
    #[tview(filter)]
    pub(crate) pinned: bool,
    #[tview(sort)]
    pub(crate) created_at: chrono::DateTime<chrono::Utc>,
    #[tview(filter)]
    pub(crate) tags: Vec<String>,
    #[tview(filter)]
    pub(crate) marks: Option<Vec<Option<i32>>>,
    #[tview(filter)]
    pub(crate) history: Vec<Status>,
    pub(crate) meta: Option<Value>,
    #[tview(one(fk = "author_id"))]
    pub(crate) author: User,
    #[tview(one(fk = "editor_id"))]
    pub(crate) editor: Option<Editor>,
    #[tview(many(fk = "blog_post_id", order_by = "number"))]
    pub(crate) comments: Vec<Comment>,
    #[tview(sort, count(table = "tb_comment", fk = "blog_post_id"))]
    pub(crate) comment_count: i64,
}

#[derive(TView)]
#[tview(data = "json")]
pub(crate) struct User {
    pub(crate) id: Uuid,
    #[tview(unique, sort)]
    pub(crate) username: String,
    pub(crate) bio: Option<String>,
}

#[derive(Embed)]
#[tview(table = "tb_user")]
pub(crate) struct Editor {
    pub(crate) id: Uuid,
    pub(crate) username: String,
}

#[derive(Embed)]
#[tview(table = "tb_comment")]
pub(crate) struct Comment {
    pub(crate) number: i64,
    pub(crate) content: String,
    #[tview(one(fk = "author_id"))]
    pub(crate) author: Option<Editor>,
}

const TABLES: &str = r#"
    CREATE TABLE tb_user (id uuid PRIMARY KEY, username text NOT NULL, bio text);
    CREATE TABLE tb_blog_post (
        id uuid PRIMARY KEY, title text NOT NULL, status text NOT NULL, rating int4, score float8,
        pinned boolean NOT NULL, created_at timestamptz NOT NULL, tags text[] NOT NULL,
        marks int4[], history text[] NOT NULL, meta jsonb,
        author_id uuid NOT NULL REFERENCES tb_user, editor_id uuid REFERENCES tb_user
    );
    CREATE TABLE tb_comment (
        number int8 PRIMARY KEY, content text NOT NULL, author_id uuid REFERENCES tb_user,
        blog_post_id uuid NOT NULL REFERENCES tb_blog_post
    );
    CREATE INDEX ON tb_comment (blog_post_id);
    CREATE INDEX ON tb_comment (author_id);
    CREATE INDEX ON tb_blog_post (author_id);
    CREATE INDEX ON tb_blog_post (editor_id);
    INSERT INTO tb_user
    SELECT lpad(n::text, 32, 'a')::uuid, 'user' || n,
           (ARRAY[NULL, 'with "quotes", { braces }: ' || chr(92) || ' and ' || chr(10) || chr(1), 'ä 😀'])[n % 3 + 1]
    FROM generate_series(1, 5) n;
    -- Numbers that JavaScript writes as PostgreSQL does: 1e-7 is 0.0000001 in jsonb.
    INSERT INTO tb_blog_post
    SELECT lpad(n::text, 32, 'b')::uuid, 'post ' || lpad(n::text, 2, '0'),
           (ARRAY['draft', 'in_review', 'published'])[n % 3 + 1], nullif(n % 5, 0),
           (ARRAY[NULL, 0.25, -17, 0.5, 12345.678])[n % 5 + 1], n % 4 = 0,
           timestamptz '2026-01-01 00:00:00Z' + (n % 6) * interval '90 minutes',
           (ARRAY['{}', '{a}', '{a,"b c"}'])[n % 3 + 1]::text[],
           (ARRAY[NULL, '{}', '{1,NULL,-3}'])[n % 3 + 1]::int4[],
           (ARRAY['{}', '{draft}', '{draft,in_review}'])[n % 3 + 1]::text[],
           (ARRAY[NULL, '{"a": [1, null, {"b": "c: d, e"}], "": {}}', '[]', '"text"', 'null'])[n % 5 + 1]::jsonb,
           lpad((n % 5 + 1)::text, 32, 'a')::uuid,
           CASE WHEN n % 2 = 0 THEN lpad((n % 3 + 1)::text, 32, 'a')::uuid END
    FROM generate_series(1, 15) n;
    INSERT INTO tb_comment
    SELECT n, 'comment ' || n,
           CASE WHEN n % 3 > 0 THEN lpad((n % 5 + 1)::text, 32, 'a')::uuid END,
           lpad((n % 7 + 1)::text, 32, 'b')::uuid
    FROM generate_series(1, 20) n;"#;

pub(crate) type Query = fraiseql_graphql::Query<(BlogPost, User)>;
type Served = Schema<Query, EmptyMutation, EmptySubscription>;

/// The documents of the views, and values that occur in them.
pub(crate) struct Blog {
    pub(crate) pool: PgPool,
    posts: Vec<Value>,
    users: Vec<Value>,
    post_cursors: Value,
    user_cursors: Value,
    pub(crate) pools: Pools,
}

impl Blog {
    pub(crate) async fn new() -> Self {
        let pool = pool().await;
        run(&pool, TABLES).await;
        let model = ReadModel::builder().view::<BlogPost>().view::<User>();
        model.build().unwrap().migrate(&pool).await.unwrap();
        sync_all_blog_posts(&pool).await.unwrap();
        sync_all_users(&pool).await.unwrap();
        let schema = schema(&pool, Prepared::default()).finish();
        let posts = documents(&pool, "SELECT data::text FROM tv_blog_post").await;
        let users = documents(&pool, "SELECT data::text FROM tv_user").await;
        assert_eq!((posts.len(), users.len()), (15, 5));
        let strings = |of: &[Value], field: &str| -> Vec<String> {
            let all = of.iter().map(|one| one[field].as_str().unwrap().to_owned());
            all.collect()
        };
        let post_fields = ["id", "title", "rating", "createdAt", "commentCount"];
        let post_cursors = cursors(&schema, "blogPostsConnection", &post_fields).await;
        let user_cursors = cursors(&schema, "usersConnection", &["id", "username"]).await;
        let by_key = |cursors: &Value| -> Vec<String> {
            let all = cursors["id false false"].as_object().unwrap().values();
            all.map(|one| one.as_str().unwrap().to_owned()).collect()
        };
        let pools = Pools {
            ids: [strings(&posts, "id"), strings(&users, "id")].concat(),
            texts: [
                "post 03",
                "POST 1_",
                "user3",
                "%",
                "",
                "post\\_01",
                "a \"b\" \\ 😀",
            ]
            .map(str::to_owned)
            .to_vec(),
            times: strings(&posts, "createdAt"),
            cursors: [by_key(&post_cursors), by_key(&user_cursors)].concat(),
        };
        Self {
            pool,
            posts,
            users,
            post_cursors,
            user_cursors,
            pools,
        }
    }
}

/// A schema of the views.
pub(crate) fn schema(
    pool: &PgPool,
    prepared: Prepared,
) -> SchemaBuilder<Query, EmptyMutation, EmptySubscription> {
    let query = Query::new(pool.clone());
    Schema::build(query, EmptyMutation, EmptySubscription).extension(prepared)
}

#[tokio::test]
async fn views_give_the_responses_of_graphql_js() {
    let blog = Blog::new().await;
    let schema = schema(&blog.pool, Prepared::default()).finish();
    let sdl = schema.sdl();
    let served = json!({
        "sdl": sdl,
        "views": [
            {"type": "BlogPost", "one": "blogPost", "many": "blogPosts", "key": "id",
             "documents": blog.posts, "cursors": blog.post_cursors},
            {"type": "User", "one": "user", "many": "users", "key": "id",
             "documents": blog.users, "cursors": blog.user_cursors},
        ],
    });
    compare("views", &schema, &sdl, &blog.pools, served).await;
    blog.pool.close().await;
}

async fn documents(pool: &PgPool, sql: &'static str) -> Vec<Value> {
    let texts: Vec<String> = sqlx::query_scalar(sql).fetch_all(pool).await.unwrap();
    let documents = texts.iter().map(|text| serde_json::from_str(text));
    documents.collect::<Result<_, _>>().unwrap()
}

/// The cursors of each order by one field, for each document's key.
async fn cursors(schema: &Served, connection: &str, fields: &[&str]) -> Value {
    let mut all = Map::new();
    for field in fields {
        for direction in ["ASC_NULLS_FIRST", "ASC", "DESC", "DESC_NULLS_LAST"] {
            let query = format!(
                "{{ page: {connection}(first: 100, orderBy: [{{{field}: {direction}}}])
                    {{ edges {{ cursor node {{ id }} }} }} }}"
            );
            let answer = schema.execute(query).await;
            assert_eq!(answer.errors, []);
            let answer = serde_json::to_value(&answer.data).unwrap();
            let edges = answer["page"]["edges"].as_array().unwrap();
            let of_order: Map<_, _> = edges
                .iter()
                .map(|edge| {
                    let id = edge["node"]["id"].as_str().unwrap().to_owned();
                    (id, edge["cursor"].clone())
                })
                .collect();
            let descending = direction.starts_with("DESC");
            let nulls_first = direction == "ASC_NULLS_FIRST" || direction == "DESC";
            all.insert(
                format!("{field} {descending} {nulls_first}"),
                of_order.into(),
            );
        }
    }
    all.into()
}
