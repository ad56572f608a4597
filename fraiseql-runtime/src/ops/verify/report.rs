//! The results of a verification.

use std::fmt;
use std::time::Duration;

use crate::error::invalid_document::InvalidDocument;
use crate::ops::verify::difference::Explained;
use crate::ops::verify::on_replica::OnReplica;
use crate::read::typed::TView;
use crate::schema::Table;
use crate::schema::key::{Key, Keys};
use crate::sync::report::SyncReport;
use crate::view::Handle;

/// How many keys of each list a report keeps, and how many invalid documents.
const MAX_KEPT: usize = 1_000;

/// The result of verifying one view. Its `Display` is a summary of a few lines.
///
/// ```text
/// "public"."tv_post": 10000 checked in 812ms: 2 drifted, 1 missing, 0 orphaned
///   drifted: 7, 8
///   missing: 10
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifyReport {
    /// The view's entity: `post`.
    pub entity: &'static str,
    /// The view table.
    pub view: Table,
    /// The number of verified keys. Each has a row, or a document, or both.
    pub checked: u64,
    /// Documents that differ from the base tables, in `data` or in a promoted column.
    pub drifted: KeyList,
    /// Rows without a document.
    pub missing: KeyList,
    /// Documents without a row, or with a row that the view's filter excludes.
    pub orphaned: KeyList,
    /// Documents that cannot be built, and therefore not compared, with the reasons: the first
    /// 1,000 of them.
    pub invalid: Vec<InvalidDocument>,
    /// The number of invalid documents beyond those in `invalid`.
    pub more_invalid: u64,
    /// The differences of the first drifted documents, of as many as
    /// [`explain`](super::Verify::explain) sets.
    pub explained: Vec<Explained>,
    /// The result of syncing them, if [`repair`](super::Verify::repair) was set. Documents that are
    /// counted as unchanged were synced by another session meanwhile.
    pub repaired: Option<SyncReport>,
    /// If the server is a replica: what it cannot know.
    pub on_replica: Option<OnReplica>,
    /// The duration, repairs included.
    pub duration: Duration,
}

/// Keys that a verification found: the first 1,000 of them, and the total number.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
/// # #[derive(TView)]
/// # pub struct Post { pub id: i64, pub title: String }
/// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL);
/// #     INSERT INTO tb_post SELECT i, 'Notes' FROM generate_series(1, 5000) AS i", async |pool| {
/// # migrate::<Post>(&pool).await;
/// let missing = verify_post(&pool).await?.missing;
/// assert_eq!(missing.total(), 5000);
/// assert_eq!(missing.of::<Post>()[..3], [1, 2, 3]);
/// assert_eq!(missing.keys().len(), 1000);
/// assert_eq!(missing.to_string(), "1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 4990 more");
/// # Ok(()) }) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyList {
    keys: Keys,
    total: u64,
}

impl KeyList {
    fn new(view: Handle) -> Self {
        Self {
            keys: view.no_keys(),
            total: 0,
        }
    }

    pub(super) fn add(&mut self, keys: &Keys) {
        self.total += keys.len() as u64;
        self.keys.append(keys.first(MAX_KEPT - self.keys.len()));
    }

    /// The total number of keys.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Whether there are no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// The first 1,000 keys, in order.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The first 1,000 keys in the key type of the view `V`. Empty if the keys are of another type.
    #[must_use]
    pub fn of<V: TView>(&self) -> Vec<V::Key> {
        let mut keys = Vec::new();
        V::Key::each(&self.keys, &mut |key| keys.push(key));
        keys
    }
}

impl fmt::Display for KeyList {
    /// At most ten keys: `1, 2, 3 and 20 more`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.keys.first(10);
        write!(f, "{shown}")?;
        match self.total - shown.len() as u64 {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

impl VerifyReport {
    pub(super) fn new(view: Handle) -> Self {
        Self {
            entity: view.view.entity,
            view: view.view.table,
            checked: 0,
            drifted: KeyList::new(view),
            missing: KeyList::new(view),
            orphaned: KeyList::new(view),
            invalid: Vec::new(),
            more_invalid: 0,
            explained: Vec::new(),
            repaired: None,
            on_replica: None,
            duration: Duration::ZERO,
        }
    }

    pub(super) fn add_invalid(&mut self, documents: Vec<InvalidDocument>) {
        self.checked += documents.len() as u64;
        let room = MAX_KEPT - self.invalid.len();
        self.more_invalid += documents.len().saturating_sub(room) as u64;
        self.invalid.extend(documents.into_iter().take(room));
    }

    /// Whether every verified document was correct: none drifted, missing, orphaned or invalid.
    /// Documents that were repaired count as incorrect.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.wrong() == 0
    }

    /// The number of documents that were not correct.
    #[must_use]
    pub fn wrong(&self) -> u64 {
        self.drifted.total
            + self.missing.total
            + self.orphaned.total
            + self.invalid.len() as u64
            + self.more_invalid
    }

    /// Whether a sync would change any document.
    pub(crate) fn can_be_synced(&self) -> bool {
        self.drifted.total + self.missing.total + self.orphaned.total > 0
    }

    /// Writes the counts, without the duration.
    pub(crate) fn write_found(&self, f: &mut impl fmt::Write) -> fmt::Result {
        write!(
            f,
            "{} drifted, {} missing, {} orphaned",
            self.drifted.total, self.missing.total, self.orphaned.total
        )?;
        let invalid = self.invalid.len() as u64 + self.more_invalid;
        if invalid > 0 {
            write!(f, ", {invalid} invalid")?;
        }
        Ok(())
    }

    /// Writes a line for each list, and for each document that is explained or invalid.
    pub(crate) fn write_details(&self, f: &mut impl fmt::Write) -> fmt::Result {
        for (what, list) in [
            ("drifted", &self.drifted),
            ("missing", &self.missing),
            ("orphaned", &self.orphaned),
        ] {
            if !list.is_empty() {
                write!(f, "\n  {what}: {list}")?;
            }
        }
        for explained in &self.explained {
            write!(f, "\n  {}:", explained.key)?;
            for difference in &explained.differences {
                write!(f, "\n    {difference}")?;
            }
            if explained.more > 0 {
                write!(f, "\n    and {} more", explained.more)?;
            }
        }
        const SHOWN: usize = 5;
        for document in self.invalid.iter().take(SHOWN) {
            write!(f, "\n  {}: {}", document.key, document.reason)?;
        }
        match self.invalid.len().saturating_sub(SHOWN) as u64 + self.more_invalid {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more invalid"),
        }
    }
}

impl fmt::Display for VerifyReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} checked in {:.1?}: ",
            self.view, self.checked, self.duration
        )?;
        self.write_found(f)?;
        self.write_details(f)?;
        if let Some(on_replica) = &self.on_replica {
            write!(f, "\n  {on_replica}")?;
        }
        match &self.repaired {
            Some(repaired) => write!(f, "\n  repaired: {repaired}"),
            None => Ok(()),
        }
    }
}

/// The results of verifying all views of a read model, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyReports(Vec<VerifyReport>);

impl VerifyReports {
    /// Whether every verified document was correct.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.0.iter().all(VerifyReport::is_clean)
    }

    /// The report of the view `V`; `None` if the read model has no such view.
    #[must_use]
    pub fn of<V: TView>(&self) -> Option<&VerifyReport> {
        self.0
            .iter()
            .find(|report| report.view.is_declared_as(V::VIEW.table))
    }

    /// The reports of all views.
    pub fn iter(&self) -> std::slice::Iter<'_, VerifyReport> {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a VerifyReports {
    type Item = &'a VerifyReport;
    type IntoIter = std::slice::Iter<'a, VerifyReport>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl IntoIterator for VerifyReports {
    type Item = VerifyReport;
    type IntoIter = std::vec::IntoIter<VerifyReport>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl fmt::Display for VerifyReports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, report) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{report}")?;
        }
        Ok(())
    }
}

/// The output of awaiting a [`Verify`](super::Verify): the report of one view, or those of all
/// views.
pub trait FromReports: Sized {
    #[doc(hidden)]
    fn from_reports(reports: Vec<VerifyReport>) -> Self;
}

impl FromReports for VerifyReports {
    fn from_reports(reports: Vec<VerifyReport>) -> Self {
        Self(reports)
    }
}

impl FromReports for VerifyReport {
    fn from_reports(mut reports: Vec<VerifyReport>) -> Self {
        // `verify_post` verifies one view, so there is one report.
        reports.swap_remove(0)
    }
}

/// The progress of a verification.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct VerifyProgress {
    /// The entity of the view that is being verified.
    pub entity: &'static str,
    /// How many of its documents were verified so far.
    pub checked: u64,
    /// How many of them were not correct.
    pub wrong: u64,
    /// The approximate number of documents to verify. It is taken from the statistics of the base
    /// table; without statistics, the rows are counted.
    pub expected: u64,
    /// The time since the verification of this view began.
    pub duration: Duration,
}

impl fmt::Display for VerifyProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let expected = self.expected.max(self.checked);
        write!(f, "{} of {expected}, {} wrong", self.checked, self.wrong)
    }
}
