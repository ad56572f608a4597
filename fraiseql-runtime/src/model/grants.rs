//! `ReadModel::grants`: the privileges that a role needs.

use std::fmt;

use crate::model::read_model::ReadModel;
use crate::ops::migrate::ModelObjects;
use crate::schema::View;
use crate::sql::function::change::change_table;
use crate::sql::privileges::{self, BaseTables, Purpose, SyncObjects};

/// GRANT statements for one role: [`ReadModel::grants`] and [`ReadModel::read_grants`].
///
/// It is a list of statements. Its `Display` has a line for each, with a semicolon at the end, for a
/// file of migrations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grants {
    statements: Vec<String>,
}

impl Grants {
    /// The statements, without semicolons.
    #[must_use]
    pub fn statements(&self) -> &[String] {
        &self.statements
    }
}

impl IntoIterator for Grants {
    type Item = String;
    type IntoIter = std::vec::IntoIter<String>;

    fn into_iter(self) -> Self::IntoIter {
        self.statements.into_iter()
    }
}

impl<'a> IntoIterator for &'a Grants {
    type Item = &'a String;
    type IntoIter = std::slice::Iter<'a, String>;

    fn into_iter(self) -> Self::IntoIter {
        self.statements.iter()
    }
}

impl fmt::Display for Grants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, statement) in self.statements.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{statement};")?;
        }
        Ok(())
    }
}

impl ReadModel {
    /// The GRANT statements for a role that syncs: on a pool, in transactions and in mutations, by
    /// full syncs, rebuilds and verifications, with the sync log, and that reads and checks.
    ///
    /// They do not include what the application itself does with base tables, such as INSERT, and
    /// not what [`migrate`](Self::migrate) needs: it creates tables, functions and triggers, and is called by their owner.
    /// Run the statements as the owner, after `migrate`, and again for each release: the names of functions end with a hash of
    /// their text. A role that only writes base tables needs none of them, also if its changes are captured.
    ///
    /// UPDATE of one column is the privilege to lock rows, `FOR SHARE`: a sync locks the rows that
    /// documents embed, and a mutation those on its way to documents.
    ///
    /// Two things are not in the structs, and [`check`](Self::check) finds what is missing: functions
    /// that `expr` and `filter` call, and tables that are only reached by a foreign key with `ON DELETE
    /// CASCADE` and are not in any struct.
    ///
    /// ```
    /// use fraiseql_runtime::{Embed, ReadModel, TView};
    ///
    /// #[derive(TView)]
    /// pub struct Post {
    ///     pub id: i64,
    ///     #[tview(one(fk = "author_id"))]
    ///     pub author: Author,
    /// }
    ///
    /// #[derive(Embed)]
    /// #[tview(table = "tb_user")]
    /// pub struct Author { pub id: i64, pub name: String }
    ///
    /// # fn main() -> fraiseql_runtime::Result<()> {
    /// let blog = ReadModel::builder().view::<Post>().build()?;
    /// let grants = blog.grants("app").to_string();
    /// assert!(grants.starts_with(
    ///     r#"GRANT USAGE ON SCHEMA "public" TO "app";
    /// GRANT SELECT ON "public"."tb_post" TO "app";
    /// GRANT UPDATE ("id") ON "public"."tb_post" TO "app";
    /// GRANT SELECT ON "public"."tb_user" TO "app";
    /// GRANT UPDATE ("id") ON "public"."tb_user" TO "app";
    /// GRANT SELECT, INSERT, UPDATE, DELETE ON "public"."tv_post" TO "app";
    /// GRANT SELECT, INSERT, UPDATE ON "public"."fraiseql_view" TO "app";
    /// GRANT SELECT, INSERT, UPDATE, DELETE ON "public"."fraiseql_change" TO "app";
    /// GRANT EXECUTE ON FUNCTION "public"."fraiseql_lock_post_"#
    /// ), "{grants}");
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn grants(&self, role: &str) -> Grants {
        self.grants_for(Purpose::Sync, role)
    }

    /// The GRANT statements for a role that only reads documents. It may read base tables, too, from
    /// which stale documents are built.
    ///
    /// ```
    /// # use fraiseql_runtime::{ReadModel, TView};
    /// # #[derive(TView)]
    /// # pub struct Post { pub id: i64 }
    /// # fn main() -> fraiseql_runtime::Result<()> {
    /// # let blog = ReadModel::builder().view::<Post>().build()?;
    /// assert_eq!(
    ///     blog.read_grants("web").to_string(),
    ///     r#"GRANT USAGE ON SCHEMA "public" TO "web";
    /// GRANT SELECT ON "public"."tb_post" TO "web";
    /// GRANT SELECT ON "public"."tv_post" TO "web";"#
    /// );
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn read_grants(&self, role: &str) -> Grants {
        self.grants_for(Purpose::Read, role)
    }

    fn grants_for(&self, purpose: Purpose, role: &str) -> Grants {
        let views: Vec<&View> = self.views().map(|view| view as &View).collect();
        let base = self.base_tables();
        let log = self.context.observers.log.as_ref();
        let log = log.and_then(|log| log.table_name());
        let model = self.objects();
        let objects = SyncObjects {
            log: log.map(|(schema, _, table)| (schema, table)),
            changes: model.as_ref().map(|model| change_table(model.schema)),
            feed: self.context.feed().map(|feed| &feed.sql),
            functions: model
                .iter()
                .flat_map(ModelObjects::called_functions)
                .collect(),
        };
        let statements = privileges::grants(&views, &base, &objects, purpose, role);
        Grants { statements }
    }

    /// The base tables, with those that syncs and mutations lock.
    pub(super) fn base_tables(&self) -> BaseTables {
        let views = self.views.iter().map(|handle| handle.view);
        BaseTables::of(views, self.context.index.locked_tables())
    }
}
