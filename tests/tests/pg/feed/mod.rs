//! Tests of the feed of documents.

mod histories;
mod idle;
mod migrations;
mod sinks;
mod streams;
mod writers;

use std::fmt::Debug;
use std::pin::pin;
use std::time::Duration;

use fraiseql_runtime::feed::Feed;
use fraiseql_runtime::{Embed, ReadModel, TView};
use futures_util::{Stream, StreamExt as _};
use sqlx::PgPool;

#[derive(Clone, Debug, PartialEq, TView)]
struct Post {
    id: i64,
    #[tview(sort)]
    title: String,
    #[tview(one(fk = "author_id"))]
    author: Author,
}

#[derive(Clone, Debug, PartialEq, Embed)]
#[tview(table = "tb_user")]
struct Author {
    id: i64,
    name: String,
}

#[derive(Clone, Debug, PartialEq, TView)]
struct Ticket {
    #[tview(key, tenant)]
    org_id: i32,
    #[tview(key)]
    number: String,
    subject: String,
}

const TABLES: &str = "
    CREATE TABLE tb_user (id int8 PRIMARY KEY, name text NOT NULL);
    CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL, author_id int8 NOT NULL REFERENCES tb_user);
    CREATE INDEX ON tb_post (author_id);
    CREATE TABLE tb_ticket (org_id int4, number text, subject text NOT NULL, PRIMARY KEY (org_id, number));
    INSERT INTO tb_user SELECT i, 'User ' || i FROM generate_series(1, 5) AS i;
    INSERT INTO tb_post SELECT i, 'Post ' || i, i % 5 + 1 FROM generate_series(1, 20) AS i;
    INSERT INTO tb_ticket SELECT i % 3, 'T-' || i, 'Ticket ' || i FROM generate_series(1, 12) AS i;
";

fn model() -> ReadModel {
    let builder = ReadModel::builder().view::<Post>().view::<Ticket>();
    builder.feed().build().unwrap()
}

/// A database with documents, and the model.
async fn world() -> (PgPool, ReadModel) {
    let pool = fraiseql_tests::pool().await;
    fraiseql_tests::run(&pool, TABLES).await;
    let model = model();
    model.migrate(&pool).await.unwrap();
    model.sync_all(&pool).await.unwrap();
    (pool, model)
}

async fn start(model: &ReadModel, pool: &PgPool) -> Feed {
    model.feed(pool).start().await.unwrap()
}

/// The next element, which has to come soon.
async fn next<S: Stream + Unpin>(stream: &mut S) -> S::Item {
    let next = tokio::time::timeout(Duration::from_secs(20), stream.next());
    let next = next.await.expect("nothing comes");
    next.expect("a feed never ends")
}

/// Asserts that nothing comes for a while.
async fn nothing<S: Stream<Item: Debug> + Unpin>(stream: &mut S) {
    let next = pin!(stream.next());
    if let Ok(next) = tokio::time::timeout(Duration::from_millis(300), next).await {
        panic!("unexpected: {next:?}");
    }
}
