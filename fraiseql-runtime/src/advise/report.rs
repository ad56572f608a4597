//! `Advice`: what fits each view, and why.

use std::fmt;
use std::time::Duration;

use crate::read::typed::TView;
use crate::schema::{Data, Storage, Table};

/// What fits the views of a read model. Its `Display` is a report of several lines for each view.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Advice {
    /// One for each view, in the order of the read model.
    pub views: Vec<ViewAdvice>,
}

/// What fits one view.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ViewAdvice {
    /// The name of the struct.
    pub view: &'static str,
    /// Its view table.
    pub table: Table,
    /// The storage with the least cost.
    pub storage: Storage,
    /// The type of the documents' column, for a storage that has one.
    pub data: Data,
    /// Whether `sync = "eventual"` fits: one change reaches so many documents that a commit should not
    /// wait for them.
    pub eventual: bool,
    /// The paths whose parts should not be embedded: they cause most of the work.
    pub embed_less: Vec<PathLoad>,
    /// What was measured.
    pub measured: Measured,
    /// What each storage costs.
    pub costs: Costs,
    /// Why, with the numbers.
    pub reasons: Vec<String>,
}

/// What was measured for a view. Times include the round trip to the server.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Measured {
    /// About how many documents there are.
    pub documents: u64,
    /// The time to read one document that is built from the base tables.
    pub read_live: Duration,
    /// The time to read one stored document.
    pub read_jsonb: Duration,
    /// The same, stored as `json`.
    pub read_json: Duration,
    /// The time to build a document among many.
    pub build: Duration,
    /// The time to build a document among many and store it.
    pub store: Duration,
    /// The mean size of a stored document, in bytes.
    pub bytes: f64,
    /// The documents that are read in a day, as given or assumed.
    pub reads_per_day: f64,
    /// The paths from base tables, the heaviest first.
    pub paths: Vec<PathLoad>,
}

/// A path from a base table to documents, and how much comes along it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PathLoad {
    /// `tb_user.id -> Post.author`.
    pub path: String,
    /// The table that the path begins at.
    pub table: Table,
    /// The rows of the table that are written in a day: as given, or of `pg_stat_all_tables`, whatever
    /// columns.
    pub writes_per_day: f64,
    /// For how many days the server has counted. Infinite if it was given.
    pub counted_days: f64,
    /// The mean number of documents that one row reaches. `None` if it could not be measured.
    pub fan_out: Option<f64>,
}

impl PathLoad {
    /// The documents that change in a day because of writes to this table.
    #[must_use]
    pub fn documents_per_day(&self) -> f64 {
        self.writes_per_day * self.fan_out.unwrap_or(1.0)
    }
}

impl fmt::Display for PathLoad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:.0} writes a day", self.path, self.writes_per_day)?;
        match self.fan_out {
            Some(fan_out) => write!(f, ", {fan_out:.1} documents each"),
            None => f.write_str(", documents each unknown"),
        }
    }
}

/// What reads, syncs and refreshes of a view take in a day, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Costs {
    /// With `storage = "table"`.
    pub table: f64,
    /// With `storage = "live"`.
    pub live: f64,
    /// With `storage = "matview"`. `None` if documents must show every commit.
    pub matview: Option<f64>,
}

impl Costs {
    /// That of a storage.
    #[must_use]
    pub fn of(&self, storage: Storage) -> Option<f64> {
        match storage {
            Storage::Table => Some(self.table),
            Storage::Live => Some(self.live),
            Storage::Matview { .. } => self.matview,
        }
    }
}

impl Advice {
    /// The advice for a view.
    #[must_use]
    pub fn of<V: TView>(&self) -> Option<&ViewAdvice> {
        self.views.iter().find(|advice| {
            advice.table.is_declared_as(V::VIEW.table) && advice.view == V::VIEW.shape.name
        })
    }
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, view) in self.views.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{view}")?;
        }
        Ok(())
    }
}

impl fmt::Display for ViewAdvice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.view, attribute(self.storage))?;
        if self.storage != Storage::Live {
            write!(f, ", data = \"{}\"", self.data.sql())?;
        }
        if self.eventual {
            f.write_str(", sync = \"eventual\"")?;
        }
        for reason in &self.reasons {
            write!(f, "\n  {reason}")?;
        }
        Ok(())
    }
}

/// The attribute that chooses a storage.
pub(super) fn attribute(storage: Storage) -> String {
    match storage {
        Storage::Table => "storage = \"table\"".to_owned(),
        Storage::Live => "storage = \"live\"".to_owned(),
        Storage::Matview { refresh: None } => "storage = \"matview\"".to_owned(),
        Storage::Matview {
            refresh: Some(interval),
        } => format!(
            "storage = \"matview\", refresh = \"{}s\"",
            interval.as_secs()
        ),
    }
}
