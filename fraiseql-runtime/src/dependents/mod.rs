//! Dependents: the documents that are made of given rows.
//!
//! [`index`] reads from the constant tables which ways lead from a table up to documents,
//! [`find`] follows them. [`cascade`] finds the rows that go with deleted ones. [`composed`] keeps
//! their statements.

pub(crate) mod cascade;
mod composed;
pub(crate) mod find;
pub(crate) mod index;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use sqlx::{Acquire, PgConnection, Postgres};

use self::find::{Found, find};
use crate::check::findings::{name, near};
use crate::error::{Error, Result};
use crate::key::{Key, Keys};
use crate::model::ReadModel;
use crate::row_key::Keyed;
use crate::schema::{Table, View};
use crate::view::{Handle, TView};

/// The documents that are made of some rows: each once, in the order in which they are written
/// when they are synced.
///
/// Made by [`ReadModel::dependents`].
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Dependents {
    views: BTreeMap<Table, (Handle, Keys)>,
}

impl Dependents {
    /// The views that have such documents, and their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&'static View, &Keys)> + '_ {
        self.views
            .values()
            .map(|(handle, keys)| (handle.view, keys))
    }

    /// The keys of the documents of one view.
    #[must_use]
    pub fn keys<V: TView>(&self) -> Vec<V::Key> {
        let mut keys = Vec::new();
        if let Some((_, found)) = self.views.get(&V::VIEW.table) {
            V::Key::each(found, &mut |key| keys.push(key));
        }
        keys
    }

    /// How many documents there are, of all views.
    #[must_use]
    pub fn len(&self) -> usize {
        self.views.values().map(|(_, keys)| keys.len()).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.views.is_empty()
    }

    /// Adds others, as those that were looked up before a row was moved.
    pub fn extend(&mut self, others: Self) {
        for (handle, keys) in others.views.into_values() {
            self.add(handle, keys);
        }
    }

    pub(crate) fn handles(&self) -> impl Iterator<Item = Handle> + '_ {
        self.views.values().map(|(handle, _)| *handle)
    }

    /// The keys of one view.
    pub(crate) fn keys_of(&self, view: Handle) -> Keys {
        let found = self.views.get(&view.view.table);
        found.map_or_else(|| view.no_keys(), |(_, keys)| keys.clone())
    }

    /// The views in the order in which they are synced, with the keys of their documents.
    pub(crate) fn into_views(self) -> impl Iterator<Item = (Handle, Keys)> {
        self.views.into_values()
    }

    pub(crate) fn add(&mut self, handle: Handle, keys: Keys) {
        if keys.is_empty() {
            return;
        }
        match self.views.entry(handle.view.table) {
            Entry::Vacant(entry) => {
                entry.insert((handle, keys));
            }
            Entry::Occupied(mut entry) => entry.get_mut().1.unite(keys),
        }
    }
}

impl From<Found> for Dependents {
    fn from(found: Found) -> Self {
        let mut dependents = Self::default();
        for way in found.ways {
            dependents.add(way.view, way.keys);
        }
        dependents
    }
}

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
        self.look_up(database, shape.table, shape.key_column(), &Keys::of(keys))
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
        let table = self.table_named(table)?;
        self.look_up(database, table, column, &Keys::of(values))
            .await
    }

    /// The table of this name that documents are made of.
    pub(crate) fn table_named(&self, wanted: &str) -> Result<Table> {
        let is_named = |table: &Table| {
            name(*table) == wanted
                || wanted == format!("{}.{}", table.schema, table.name)
                || wanted == table.to_string()
        };
        let index = &self.dependents;
        index.tables().find(is_named).ok_or_else(|| {
            let names: Vec<String> = index.tables().map(name).collect();
            Error::NoSuchTable {
                table: wanted.to_owned(),
                near: near(wanted, names.iter().map(String::as_str)).map(ToOwned::to_owned),
            }
        })
    }

    async fn look_up<'a>(
        &self,
        database: impl Acquire<'a, Database = Postgres>,
        table: Table,
        column: &str,
        rows: &Keys,
    ) -> Result<Dependents> {
        let mut connection = database
            .acquire()
            .await
            .map_err(Error::database("connecting to look for dependents"))?;
        let connection: &mut PgConnection = &mut connection;
        let found = find(
            &self.dependents,
            connection,
            table,
            column,
            rows,
            false,
            usize::MAX,
        );
        Ok(found.await?.into())
    }
}
