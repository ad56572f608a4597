//! `ReadModel::dependents`: the documents that are made of given rows.

use sqlx::{Acquire, Postgres};

use crate::error::Result;
use crate::model::ReadModel;
use crate::mutation::dependents::Dependents;
use crate::schema::key::{Key, Keys};
use crate::schema::row_key::Keyed;

impl ReadModel {
    /// The documents of this read model that embed, list or count the rows of `T`'s table with
    /// these keys: at any depth, through join tables too.
    ///
    /// These are the documents as the tables are **now**. A row that is about to be moved to
    /// another parent, or deleted, is looked up before and, if it was moved, after:
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
    /// #[derive(TView)]
    /// struct Post {
    ///     id: i64,
    ///     #[tview(many(fk = "post_id"))]
    ///     comments: Vec<Comment>,
    /// }
    ///
    /// #[derive(Embed)]
    /// struct Comment {
    ///     id: i64,
    ///     content: String,
    ///     #[tview(one(fk = "author_id"))]
    ///     author: Author,
    /// }
    ///
    /// #[derive(Embed)]
    /// #[tview(table = "tb_user")]
    /// struct Author { id: i64, name: String }
    ///
    /// # fn main() { on("CREATE TABLE tb_user (id int8 PRIMARY KEY, name text NOT NULL);
    /// #     CREATE TABLE tb_post (id int8 PRIMARY KEY);
    /// #     CREATE TABLE tb_comment (id int8 PRIMARY KEY, content text NOT NULL,
    /// #         post_id int8 NOT NULL REFERENCES tb_post, author_id int8 NOT NULL REFERENCES tb_user);
    /// #     INSERT INTO tb_user VALUES (1, 'Ada'); INSERT INTO tb_post VALUES (7), (8), (9);
    /// #     INSERT INTO tb_comment VALUES (70, 'First!', 7, 1), (80, 'Yes', 8, 1)", async |pool| {
    /// let blog = ReadModel::builder().view::<Post>().build()?;
    ///
    /// // Ada's name stands in the comments of two posts.
    /// let dependents = blog.dependents::<Author>(&pool, &[1]).await?;
    /// assert_eq!(dependents.keys::<Post>(), [7, 8]);
    ///
    /// // A comment is moved from the post 7 to the post 9.
    /// let mut tx = pool.begin().await?;
    /// let mut dependents = blog.dependents::<Comment>(&mut tx, &[70]).await?;
    /// sqlx::query("UPDATE tb_comment SET post_id = 9 WHERE id = 70").execute(&mut *tx).await?;
    /// dependents.extend(blog.dependents::<Comment>(&mut tx, &[70]).await?);
    /// assert_eq!(dependents.keys::<Post>(), [7, 9]);
    /// # Ok(()) }) }
    /// ```
    ///
    /// More documents may be found than have changed, because filters and limits of lists are
    /// not looked at: a row that did not pass a filter may do so now. Tables that only the SQL of
    /// an `expr` or a `filter` reads are not known here.
    ///
    /// # Errors
    /// When the database refuses the lookup.
    pub async fn dependents<'a, T: Keyed>(
        &self,
        database: impl Acquire<'a, Database = Postgres>,
        keys: &[T::RowKey],
    ) -> Result<Dependents> {
        let shape = T::SHAPE;
        self.context
            .index
            .look_up(database, shape.table, shape.key_column(), &Keys::of(keys))
            .await
    }

    /// The same for a table that no struct stands for, as a join table: for its rows whose
    /// `column` is one of `values`. A table in another schema than `public` is written
    /// `schema.table`.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
    /// #[derive(TView)]
    /// struct Post {
    ///     id: i64,
    ///     #[tview(many(through(table = "tb_post_tag", fk = "post_id", to = "tag_id")))]
    ///     tags: Vec<Tag>,
    /// }
    ///
    /// #[derive(Embed)]
    /// struct Tag { id: i32, name: String }
    ///
    /// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY);
    /// #     CREATE TABLE tb_tag (id int4 PRIMARY KEY, name text NOT NULL);
    /// #     CREATE TABLE tb_post_tag (post_id int8, tag_id int4, PRIMARY KEY (post_id, tag_id));
    /// #     INSERT INTO tb_post_tag VALUES (7, 1), (8, 1), (8, 2)", async |pool| {
    /// let blog = ReadModel::builder().view::<Post>().build()?;
    /// let dependents = blog.dependents_of_rows(&pool, "tb_post_tag", "tag_id", &[1]).await?;
    /// assert_eq!(dependents.keys::<Post>(), [7, 8]);
    ///
    /// let error = blog.dependents_of_rows(&pool, "tb_post_tags", "tag_id", &[1]).await.unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "no document of this read model is made of rows of `tb_post_tags`; \
    ///      did you mean `tb_post_tag`?"
    /// );
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    /// When no document is made of rows of that table, or the database refuses the lookup.
    pub async fn dependents_of_rows<'a, K: Key>(
        &self,
        database: impl Acquire<'a, Database = Postgres>,
        table: &str,
        column: &str,
        values: &[K],
    ) -> Result<Dependents> {
        let table = self.context.index.table_named(table)?;
        self.context
            .index
            .look_up(database, table, column, &Keys::of(values))
            .await
    }
}
