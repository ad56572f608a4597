//! `ReadModel::dependents`: the documents that embed, list or count given rows.

use sqlx::{Acquire, Postgres};

use crate::error::Result;
use crate::model::read_model::ReadModel;
use crate::mutation::dependents::documents::Dependents;
use crate::mutation::dependents::find;
use crate::mutation::marker::named_columns;
use crate::schema::key::{Key, Keys};
use crate::schema::row_key::Keyed;

impl ReadModel {
    /// Finds the documents of this read model that embed, list or count the rows of `T`'s table with
    /// these keys, at any depth, also through join tables.
    ///
    /// The result reflects the tables as they are **now**. For a row that is about to be moved to
    /// another parent, look before and after the move; for a row that is about to be deleted, look
    /// before:
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
    /// // Ada's name is in the comments of two posts.
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
    /// The result may contain documents that have not changed, because the filters and limits of
    /// lists are ignored: a row may have begun to pass a filter. Tables that only the SQL of an
    /// `expr` or a `filter` reads are unknown, and their rows have no dependents.
    ///
    /// # Errors
    /// If a query fails.
    pub async fn dependents<'a, T: Keyed>(
        &self,
        database: impl Acquire<'a, Database = Postgres>,
        keys: &[T::RowKey],
    ) -> Result<Dependents> {
        let index = &self.context.index;
        let table = index.schema().table(T::SHAPE.table);
        let columns = T::SHAPE.key_columns().into();
        find::dependents(index, database, table, &columns, &Keys::of(keys)).await
    }

    /// Finds the dependents of rows of a table without a struct, such as a join table: the rows whose
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
    ///     "no document of this read model depends on rows of `tb_post_tags`; \
    ///      did you mean `tb_post_tag`?"
    /// );
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    /// If no document is made of rows of that table, or if a query fails.
    pub async fn dependents_of_rows<'a, K: Key>(
        &self,
        database: impl Acquire<'a, Database = Postgres>,
        table: &str,
        column: &str,
        values: &[K],
    ) -> Result<Dependents> {
        let index = &self.context.index;
        let table = index.table_named(table)?;
        let columns = named_columns::<K>(table, column)?;
        find::dependents(index, database, table, &columns, &Keys::of(values)).await
    }
}
