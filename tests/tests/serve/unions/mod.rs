//! Tests of unions and interfaces of documents.

mod federation;
mod fragments;
mod node;
mod nulls;
mod own_fields;
mod root_fields;
mod sdl;

use async_graphql::{EmptyMutation, EmptySubscription, MergedObject, Object, Request, Schema};
use fraiseql_graphql::{Prepared, TvAny, TvDoc, TvExtended, Views};
use fraiseql_runtime::{Embed, ReadModel, TUnion, TView};
use sqlx::PgPool;

const TABLES: &str = "
CREATE TABLE tb_user (id int4 PRIMARY KEY, name text NOT NULL);
CREATE TABLE tb_post (
    id int4 PRIMARY KEY, title text NOT NULL, rating int4 NOT NULL, author_id int4 NOT NULL REFERENCES tb_user);
CREATE TABLE tb_page (
    id int4 PRIMARY KEY, title text NOT NULL, path text, author_id int4 NOT NULL REFERENCES tb_user);
CREATE TABLE tb_comment (
    id int4 PRIMARY KEY, post_id int4 NOT NULL REFERENCES tb_post, author_id int4 NOT NULL REFERENCES tb_user);
CREATE INDEX ON tb_comment (post_id);
INSERT INTO tb_user VALUES (1, 'Ada'), (2, 'Bob');
INSERT INTO tb_post VALUES (1, 'Notes', 5, 1), (2, 'More notes', 3, 2);
INSERT INTO tb_page VALUES (1, 'Imprint', '/imprint', 2), (2, 'Notes on notes', NULL, 1);
INSERT INTO tb_comment VALUES (10, 1, 2), (11, 1, 1);
";

#[derive(Debug, TView)]
#[allow(dead_code)]
pub(crate) struct Post {
    id: i32,
    /// What it is called.
    #[tview(filter, sort)]
    title: String,
    rating: i32,
    #[tview(one(fk = "author_id"))]
    author: Author,
    #[tview(many(fk = "post_id"))]
    comments: Vec<Comment>,
}

#[derive(Debug, TView)]
#[allow(dead_code)]
pub(crate) struct Page {
    id: i32,
    #[tview(filter, sort)]
    title: String,
    // Not `rating`, and `path` is in no post.
    path: Option<String>,
    #[tview(one(fk = "author_id"))]
    author: Author,
}

#[derive(Debug, TView)]
#[allow(dead_code)]
pub(crate) struct User {
    id: i32,
    name: String,
}

#[derive(Debug, Embed)]
#[tview(table = "tb_user")]
#[allow(dead_code)]
pub(crate) struct Author {
    id: i32,
    name: String,
}

#[derive(Debug, Embed)]
#[tview(table = "tb_comment")]
#[allow(dead_code)]
pub(crate) struct Comment {
    id: i32,
    #[tview(one(fk = "author_id"))]
    author: Author,
}

/// What a search finds.
#[derive(TUnion)]
enum Found {
    Post(Post),
    User(User),
}

/// What has an author.
#[derive(TUnion)]
#[tview(interface)]
enum Content {
    Post(Post),
    Page(Box<Page>),
}

#[derive(TUnion)]
#[tview(interface = "title", type_name = "HasTitle")]
enum Titled {
    Page(Page),
    Post(Post),
}

/// A part is a member as well.
#[derive(TUnion)]
#[tview(interface = "author")]
enum Written {
    Comment(Comment),
    Post(Post),
}

/// What fields of the application need of a post.
#[derive(Debug, Embed)]
#[tview(table = "tb_post", shape_of = Post)]
struct PostFields {
    id: i32,
}

#[Object]
impl PostFields {
    async fn link(&self) -> String {
        format!("/posts/{}", self.id)
    }
}

struct Own(PgPool);

impl Own {
    async fn page(&self, id: i32) -> async_graphql::Result<Option<TvDoc<Page>>> {
        Ok(TvDoc::find(&self.0, id).await?)
    }

    async fn post(&self, id: i32) -> async_graphql::Result<Option<TvDoc<Post>>> {
        Ok(TvDoc::find(&self.0, id).await?)
    }
}

#[Object]
impl Own {
    async fn found(&self, title: Option<String>) -> async_graphql::Result<Vec<TvAny<Found>>> {
        let mut posts = Post::list();
        if let Some(title) = title {
            posts = posts.filter(Post::TITLE.eq(title));
        }
        let posts = posts.read(&self.0).await?;
        let users = User::list().read(&self.0).await?;
        let posts = posts
            .into_iter()
            .map(|post| TvDoc::<Post>::from(post).into());
        let users = users
            .into_iter()
            .map(|user| TvDoc::<User>::from(user).into());
        Ok(posts.chain(users).collect())
    }

    async fn contents(&self) -> async_graphql::Result<Vec<TvAny<Content>>> {
        let (post, page) = (self.post(1).await?, self.page(1).await?);
        let both = post.map(TvAny::from).into_iter();
        Ok(both.chain(page.map(TvAny::from)).collect())
    }

    /// The page with this id, or else the post.
    async fn content(&self, id: i32) -> async_graphql::Result<Option<TvAny<Content>>> {
        match self.page(id - 10).await? {
            Some(page) => Ok(Some(page.into())),
            None => Ok(self.post(id).await?.map(TvAny::from)),
        }
    }

    async fn titled(&self) -> async_graphql::Result<Option<TvAny<Titled>>> {
        Ok(self.page(2).await?.map(TvAny::from))
    }

    async fn written(&self) -> async_graphql::Result<Vec<TvAny<Written>>> {
        let comment = r#"{"id": 12, "author": {"id": 9, "name": "Eve"}}"#;
        let comment = TvDoc::<Comment>::from(raw(comment)?);
        let post = self.post(2).await?.map(TvAny::from);
        Ok([comment.into()].into_iter().chain(post).collect())
    }

    /// Documents whose title is null, which is not allowed.
    async fn broken(&self) -> async_graphql::Result<Vec<Option<TvAny<Content>>>> {
        let page = r#"{"id": 7, "title": null, "path": null, "author": {"id": 1, "name": "Ada"}}"#;
        let page = TvDoc::<Page>::from(raw(page)?);
        Ok(vec![
            self.post(1).await?.map(TvAny::from),
            Some(page.into()),
        ])
    }

    async fn broken_list(&self) -> async_graphql::Result<Option<Vec<TvAny<Content>>>> {
        let page = r#"{"id": 7, "title": null, "path": null, "author": {"id": 1, "name": "Ada"}}"#;
        Ok(Some(vec![TvDoc::<Page>::from(raw(page)?).into()]))
    }
}

fn raw(json: &str) -> serde_json::Result<Box<serde_json::value::RawValue>> {
    serde_json::value::RawValue::from_string(json.to_owned())
}

type Set = (Post, Page, User);

#[derive(MergedObject)]
struct Query(Views<Set>, Own);

type Served = Schema<Query, EmptyMutation, EmptySubscription>;

async fn world() -> PgPool {
    let pool = fraiseql_tests::pool().await;
    fraiseql_tests::run(&pool, TABLES).await;
    let model = ReadModel::builder().view::<Post>().view::<Page>();
    let model = model.view::<User>().build().unwrap();
    model.migrate(&pool).await.unwrap();
    model.sync_all(&pool).await.unwrap();
    pool
}

fn schema(pool: &PgPool, prepared: Prepared) -> Served {
    let query = Query(Views::new(pool.clone()), Own(pool.clone()));
    Schema::build(query, EmptyMutation, EmptySubscription)
        .register_output_type::<TvExtended<Post, PostFields>>()
        .extension(prepared)
        .finish()
}

/// Asserts the answers to queries: from a schema that keeps its queries, twice, and from one that does not.
async fn assert_answers(cases: &[(&str, &str)]) {
    let pool = world().await;
    let kept = schema(&pool, Prepared::default().validate_once(true).direct(true));
    let unkept = schema(&pool, Prepared::default().keep(0));
    for (query, expected) in cases {
        for schema in [&kept, &kept, &unkept] {
            let response = schema.execute(Request::new(*query)).await;
            assert_eq!(response.errors, [], "{query}");
            let text = serde_json::to_string(&response).unwrap();
            let expected = format!("{{\"data\":{expected}}}");
            assert_eq!(text, expected, "{query}");
        }
    }
    pool.close().await;
}
