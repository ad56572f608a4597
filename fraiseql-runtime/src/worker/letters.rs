//! Dead letters: documents that could not be written after all attempts.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};

use crate::db::statement::Statement;
use crate::error::{Operation, Result};
use crate::read::typed::TView;
use crate::schema::Table;
use crate::schema::default_schema::DefaultSchema;
use crate::schema::key::Keys;
use crate::sql::queue::QueueSql;
use crate::view::Handle;

/// The keys that a group of dead letters lists.
const MAX_KEYS: i32 = 100;

/// Documents of one view that could not be written for one reason: one line of
/// [`ReadModel::dead_letters`](crate::ReadModel::dead_letters).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadLetter {
    /// The view's entity: `post`. Empty for a change whose documents could not be looked for.
    pub entity: &'static str,
    /// The quoted name of the view table, or of the base table of such a change.
    pub table: String,
    /// The error of the database, with its SQLSTATE.
    pub error: String,
    /// The number of documents.
    pub documents: u64,
    /// The keys of the first hundred, as texts.
    pub keys: Vec<String>,
    /// How often a document was tried, at most.
    pub attempts: u32,
    /// When the first change was written that leads to one of them.
    pub first: SystemTime,
    /// When the last one was written.
    pub last: SystemTime,
}

impl fmt::Display for DeadLetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} documents", self.table, self.documents)?;
        let shown = self.keys.iter().take(10).map(String::as_str);
        let shown: Vec<&str> = shown.collect();
        if !shown.is_empty() {
            write!(f, " ({}", shown.join(", "))?;
            let more = self.documents.saturating_sub(shown.len() as u64);
            match more {
                0 => write!(f, ")")?,
                more => write!(f, " and {more} more)")?,
            }
        }
        write!(f, " after {} attempts: {}", self.attempts, self.error)
    }
}

/// Which dead letters [`retry`](crate::ReadModel::retry) and [`discard`](crate::ReadModel::discard) are about.
///
/// ```
/// use fraiseql_runtime::worker::Letters;
/// # #[derive(fraiseql_runtime::TView)]
/// # struct Post { id: i64 }
/// # fn main() {
/// let all = Letters::all();
/// let of_posts = Letters::of::<Post>();
/// let two = Letters::keys::<Post>(&[7, 8]);
/// # drop((all, of_posts, two));
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Letters {
    table: Option<Table>,
    table_name: Option<String>,
    keys: Option<Vec<String>>,
    error: Option<String>,
}

impl Letters {
    /// All dead letters.
    pub fn all() -> Self {
        Self::default()
    }

    /// The dead letters of one view.
    pub fn of<V: TView>() -> Self {
        Self {
            table: Some(V::VIEW.table),
            ..Self::default()
        }
    }

    /// These documents of one view.
    pub fn keys<V: TView>(keys: &[V::Key]) -> Self {
        Self {
            keys: Some(Keys::of(keys).texts().collect()),
            ..Self::of::<V>()
        }
    }

    /// Of these, the dead letters with this error: [`DeadLetter::error`].
    pub fn with_error(mut self, error: impl Into<String>) -> Self {
        self.error = Some(error.into());
        self
    }

    fn table(&self, schema: DefaultSchema) -> Option<String> {
        let table = self.table.map(|table| schema.table(table).to_string());
        table.or_else(|| self.table_name.clone())
    }
}

/// All dead letters of a group.
impl From<&DeadLetter> for Letters {
    fn from(group: &DeadLetter) -> Self {
        Self {
            table_name: Some(group.table.clone()),
            error: Some(group.error.clone()),
            ..Self::default()
        }
    }
}

/// Reads the dead letters of a read model, by view and error.
pub(crate) async fn dead_letters(
    queue: &QueueSql,
    views: &[Handle],
    connection: &mut PgConnection,
) -> Result<Vec<DeadLetter>> {
    Statement::composed(queue.dead_letters.clone(), Operation::Changes)
        .bind(queue.model)
        .bind(MAX_KEYS)
        .fetch_each(connection, |row| read(row, views))
        .await
}

fn read(row: &PgRow, views: &[Handle]) -> sqlx::Result<DeadLetter> {
    let table: String = row.try_get("table")?;
    let is_view = |view: &&Handle| view.view.table.to_string() == table;
    let view = views.iter().find(is_view);
    let time = |column: &str| {
        let seconds: f64 = row.try_get(column)?;
        let since = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        Ok::<_, sqlx::Error>(UNIX_EPOCH + since)
    };
    let documents: i64 = row.try_get("documents")?;
    let attempts: i32 = row.try_get("attempts")?;
    let keys: Option<Vec<Option<String>>> = row.try_get("keys")?;
    Ok(DeadLetter {
        entity: view.map_or("", |view| view.view.entity),
        error: row.try_get::<Option<_>, _>("error")?.unwrap_or_default(),
        documents: u64::try_from(documents).unwrap_or(0),
        keys: keys.into_iter().flatten().flatten().collect(),
        attempts: u32::try_from(attempts).unwrap_or(0),
        first: time("first")?,
        last: time("last")?,
        table,
    })
}

/// Runs the statement that retries or discards dead letters. Returns the number of rows.
pub(crate) async fn change(
    sql: &std::sync::Arc<str>,
    model: i64,
    letters: &Letters,
    schema: DefaultSchema,
    connection: &mut PgConnection,
) -> Result<u64> {
    Statement::composed(std::sync::Arc::clone(sql), Operation::Changes)
        .bind(model)
        .bind(letters.table(schema))
        .bind(letters.keys.clone())
        .bind(letters.error.clone())
        .execute(connection)
        .await
}
