//! The syncs of the last 24 hours, as the log of syncs has them.

use fraiseql_runtime::ReadModel;
use sqlx::PgPool;

/// What one row of the log says of each batch, summed up. An index on `at` finds the day.
const DAY: &str = "
    SELECT entity, count(*) AS total, count(*) FILTER (WHERE NOT success) AS failures,
           (extract(epoch FROM avg(duration)) * 1000)::float8 AS avg_ms
    FROM sync_log
    WHERE at > now() - interval '24 hours' AND entity = ANY ($1)
    GROUP BY GROUPING SETS ((), (entity))";

/// Syncs of 24 hours.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Syncs {
    /// How many batches were written, or failed.
    pub total: i64,
    /// Those that failed.
    pub failures: i64,
    /// How long they took; none where there were none.
    pub avg_duration_ms: Option<f64>,
}

/// Syncs of 24 hours, of all views and of each.
#[derive(Clone, Debug, PartialEq)]
pub struct Day {
    /// Of all views.
    pub overall: Syncs,
    /// Of each view, in the order of the read model; also of one that was not synced.
    pub by_entity: Vec<(&'static str, Syncs)>,
}

#[derive(sqlx::FromRow)]
struct Row {
    /// None in the row of all.
    entity: Option<String>,
    total: i64,
    failures: i64,
    avg_ms: Option<f64>,
}

/// The last 24 hours.
///
/// # Errors
/// When the log cannot be read.
pub async fn last_day(pool: &PgPool, model: &ReadModel) -> sqlx::Result<Day> {
    let entities: Vec<&'static str> = model.views().map(|view| view.entity).collect();
    let rows: Vec<Row> = sqlx::query_as(DAY).bind(&entities).fetch_all(pool).await?;
    let of = |entity: Option<&str>| {
        rows.iter()
            .find(|row| row.entity.as_deref() == entity)
            .map_or_else(Syncs::default, |row| Syncs {
                total: row.total,
                failures: row.failures,
                avg_duration_ms: row.avg_ms,
            })
    };
    Ok(Day {
        overall: of(None),
        by_entity: entities
            .iter()
            .map(|entity| (*entity, of(Some(entity))))
            .collect(),
    })
}

impl Syncs {
    /// The part that did not fail, from 0 to 1; none where there were none.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a day has no 2^53 syncs")]
    pub fn success_rate(&self) -> Option<f64> {
        (self.total > 0).then(|| (self.total - self.failures) as f64 / self.total as f64)
    }
}

impl Day {
    /// Those of one view, if there is one of this name.
    #[must_use]
    pub fn of(&self, entity: &str) -> Option<Syncs> {
        self.by_entity
            .iter()
            .find_map(|(name, syncs)| (*name == entity).then_some(*syncs))
    }
}
