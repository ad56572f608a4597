//! A search index that is kept up to date with documents.

pub mod index;

use anyhow::Result;
use fraiseql_runtime::{Capture, Embed, ReadModel, TView};
use serde::Deserialize;
use sqlx::PgPool;

/// An article as it is found: with the name of its author.
#[derive(Clone, Debug, PartialEq, TView)]
pub struct Article {
    /// Its key.
    pub id: i64,
    /// Its title.
    pub title: String,
    /// Its text.
    pub body: String,
    /// Who has written it.
    #[tview(one(fk = "author_id"))]
    pub author: Author,
}

/// The author of an article.
#[derive(Clone, Debug, PartialEq, Embed)]
pub struct Author {
    /// The key.
    pub id: i64,
    /// The name.
    pub name: String,
}

/// What is indexed of an article.
#[derive(Debug, Deserialize)]
pub struct Words {
    title: String,
    body: String,
    author: AuthorName,
}

#[derive(Debug, Deserialize)]
struct AuthorName {
    name: String,
}

impl Words {
    /// All of it as one text.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{} {} {}", self.title, self.body, self.author.name)
    }
}

/// The read model: documents are written with each commit, and there is a feed of those that change.
///
/// # Errors
/// None, as long as the names of the views differ.
pub fn model() -> fraiseql_runtime::Result<ReadModel> {
    let builder = ReadModel::builder().view::<Article>();
    builder.capture(Capture::AtCommit).feed().build()
}

/// Creates the tables, with articles.
///
/// # Errors
/// If the database refuses a statement.
pub async fn create(pool: &PgPool, articles: i32) -> Result<()> {
    sqlx::raw_sql(
        "CREATE TABLE tb_author (id int8 PRIMARY KEY, name text NOT NULL);
         CREATE TABLE tb_article (
             id int8 PRIMARY KEY,
             title text NOT NULL,
             body text NOT NULL,
             author_id int8 NOT NULL REFERENCES tb_author
         );
         CREATE INDEX ON tb_article (author_id);
         INSERT INTO tb_author VALUES (1, 'Ada Lovelace'), (2, 'Edgar Codd'), (3, 'Grace Hopper')",
    )
    .execute(pool)
    .await?;
    sqlx::query(
        "INSERT INTO tb_article
         SELECT i,
             (ARRAY['On engines', 'A relational model', 'A compiler', 'Large data banks'])[i % 4 + 1] || ' ' || i,
             (ARRAY['notes about a machine', 'tables of a database', 'words of a program'])[i % 3 + 1],
             i % 3 + 1
         FROM generate_series(1, $1) AS i",
    )
    .bind(articles)
    .execute(pool)
    .await?;
    let model = model()?;
    model.migrate(pool).await?;
    model.sync_all(pool).await?;
    Ok(())
}
