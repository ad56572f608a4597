//! Named sets of base tables, and helpers for them.
//!
//! ```text
//! let pool = world::numbered_blog()
//!     .column("tb_post", "rating int4 NOT NULL DEFAULT 0")
//!     .rows(3)
//!     .pool()
//!     .await;
//! ```

pub mod blog;
pub mod numbered;
pub mod worked;

use std::fmt::Write as _;
use std::time::Duration;

use fraiseql_runtime::{ReadModel, SyncReport, TView};
use sqlx::{AssertSqlSafe, PgPool};

pub use blog::blog;
pub use numbered::numbered_blog;

/// Settings of a session that change how PostgreSQL prints values, and where it looks for tables.
pub const ODD_SESSION: &str = "SET TimeZone = 'Asia/Kathmandu'; SET DateStyle = 'German, DMY';
    SET IntervalStyle = 'sql_standard'; SET extra_float_digits = -10;
    SET bytea_output = 'escape'; SET search_path = ''";

/// A builder for base tables in a database.
#[derive(Clone, Debug)]
#[must_use]
pub struct World {
    sql: String,
    rows: fn(i64) -> String,
}

impl World {
    fn new(tables: &str, rows: fn(i64) -> String) -> Self {
        Self {
            sql: tables.to_owned(),
            rows,
        }
    }

    /// Adds a column, as the last of its table.
    pub fn column(mut self, table: &str, column: &str) -> Self {
        write!(self.sql, ";\nALTER TABLE {table} ADD COLUMN {column}").unwrap();
        self
    }

    /// Sets the number of posts; their authors are created with them.
    pub fn rows(mut self, posts: i64) -> Self {
        let rows = (self.rows)(posts);
        self.sql.push_str(";\n");
        self.sql.push_str(&rows);
        self
    }

    /// Adds statements, to run after everything requested so far.
    pub fn sql(mut self, sql: &str) -> Self {
        self.sql.push_str(";\n");
        self.sql.push_str(sql);
        self
    }

    /// Creates the world in a new database.
    ///
    /// # Panics
    /// If the database refuses.
    pub async fn pool(self) -> PgPool {
        let pool = crate::pool().await;
        self.on(&pool).await;
        pool
    }

    /// Creates the world in the given database.
    ///
    /// # Panics
    /// If the database refuses.
    pub async fn on(self, pool: &PgPool) {
        let done = sqlx::raw_sql(AssertSqlSafe(self.sql.as_str()))
            .execute(pool)
            .await;
        if let Err(error) = done {
            panic!("{error}\n{}", self.sql);
        }
    }
}

/// The read model of one view.
///
/// # Panics
/// Never: two views could conflict, but there is only one.
#[must_use]
pub fn model<V: TView>() -> ReadModel {
    ReadModel::builder().view::<V>().build().unwrap()
}

/// Inserted, updated, unchanged, deleted.
#[must_use]
pub fn counts(report: &SyncReport) -> [u64; 4] {
    [
        report.inserted,
        report.updated,
        report.unchanged,
        report.deleted,
    ]
}

/// Waits until a session of this database waits for a lock.
///
/// # Panics
/// If none does within some seconds.
pub async fn wait_for_a_lock(pool: &PgPool) {
    for _ in 0..1_000 {
        let waiting: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM pg_stat_activity
             WHERE datname = current_database() AND wait_event_type = 'Lock')",
        )
        .fetch_one(pool)
        .await
        .unwrap();
        if waiting {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("nobody waits for a lock");
}
