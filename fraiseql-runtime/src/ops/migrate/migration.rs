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
    /// The view tables with stale documents, according to the bookkeeping of rebuilds:
    /// [`ReadModel::rebuild`](crate::ReadModel::rebuild) replaces the documents while they are
    /// read.
    pub stale: Vec<Table>,
}

impl fmt::Display for Migration {
    /// One line for each object.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::default() {
            return f.write_str("nothing was missing");
        }
        let created = self.created.iter().map(|what| format!("created {what}"));
        let drift = self.drift.iter().map(|drift| format!("drift {drift}"));
        let stale = self.stale.iter().map(|table| {
            format!(
                "stale {table}: its documents were built for another version of the struct; run \
                 ReadModel::rebuild"
            )
        });
        for (index, line) in created.chain(drift).chain(stale).enumerate() {
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
