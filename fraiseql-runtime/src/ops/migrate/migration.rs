//! The report of a migration.

use std::fmt;

use crate::schema::Table;

/// What a migration created, and the differences that it did not touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Migration {
    /// What was created: `table "public"."tv_post"`, `index "public"."tv_post_title_idx"`.
    pub created: Vec<String>,
    /// Objects in the database that differ from what the views declare, or that no view declares
    /// any more. None of them was touched.
    pub drift: Vec<Drift>,
    /// Functions, triggers and captured changes of other releases of the read model, or of another setting of
    /// [`capture`](crate::model::ReadModelBuilder::capture). None of them was touched, because such a release may still run.
    /// When it does not, run the remedies in this order. Pending changes become changes of this release, so that none is
    /// lost.
    ///
    /// Run them before a column is dropped that only the older release reads: its triggers would fail every UPDATE of
    /// that table.
    pub left_over: Vec<Drift>,
    /// The view tables with stale documents, according to the bookkeeping of rebuilds:
    /// [`ReadModel::rebuild`](crate::ReadModel::rebuild) replaces the documents while they are
    /// read.
    pub stale: Vec<Table>,
    /// The view tables that lack documents of rows that exist, according to the bookkeeping of
    /// rebuilds: the view is new over such rows, a rebuild that was filling it has not ended, or its
    /// table was emptied. [`ReadModel::rebuild`](crate::ReadModel::rebuild) fills them. Until then,
    /// reads do not find those documents.
    pub unfilled: Vec<Table>,
}

impl Migration {
    /// Whether [`ReadModel::rebuild`](crate::ReadModel::rebuild) has documents to replace or to
    /// insert: a view is [stale](Self::stale) or [unfilled](Self::unfilled).
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
    /// # #[derive(TView)]
    /// # pub struct Post { pub id: i64, pub title: String }
    /// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL);
    /// #     INSERT INTO tb_post VALUES (7, 'Notes')", async |pool| {
    /// let blog = ReadModel::builder().view::<Post>().build()?;
    /// let migration = blog.migrate(&pool).await?;
    /// assert_eq!(migration.unfilled, [Post::VIEW.table]); // the post is older than its view
    /// if migration.needs_rebuild() {
    ///     println!("{}", blog.rebuild(&pool).await?);
    /// }
    /// assert!(Post::find(&pool, 7).await?.is_some());
    /// assert!(!blog.migrate(&pool).await?.needs_rebuild());
    /// # Ok(()) }) }
    /// ```
    #[must_use]
    pub fn needs_rebuild(&self) -> bool {
        !self.stale.is_empty() || !self.unfilled.is_empty()
    }
}

impl fmt::Display for Migration {
    /// One line for each object.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::default() {
            return f.write_str("nothing was missing");
        }
        let created = self.created.iter().map(|what| format!("created {what}"));
        let drift = self.drift.iter().map(|drift| format!("drift {drift}"));
        let left_over = self
            .left_over
            .iter()
            .map(|left| format!("left over {left}"));
        let stale = self.stale.iter().map(|table| {
            format!(
                "stale {table}: its documents were built for another version of the struct; run \
                 ReadModel::rebuild"
            )
        });
        let unfilled = self.unfilled.iter().map(|table| {
            format!(
                "unfilled {table}: it lacks documents of rows that exist; run ReadModel::rebuild"
            )
        });
        let lines = created
            .chain(drift)
            .chain(left_over)
            .chain(stale)
            .chain(unfilled);
        for (index, line) in lines.enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{line}")?;
        }
        Ok(())
    }
}

/// A difference between the database and the views that a migration does not repair, because the
/// repair drops or rewrites something.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drift {
    /// The object: `column "stars" of "public"."tv_post"`.
    pub what: String,
    /// How it differs, and the cost of the remedy.
    pub why: String,
    /// The statement that removes or repairs it, for an operator to run. If it drops an object
    /// that the views still declare, `migrate` creates that object again.
    pub remedy: String,
}

impl Drift {
    pub(super) fn new(what: String, why: impl Into<String>, remedy: String) -> Self {
        Self {
            what,
            why: why.into(),
            remedy,
        }
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.what, self.why, self.remedy)
    }
}
