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

#[cfg(test)]
mod tests {
    use dev_postgres::Server;
    use fraiseql_runtime::SyncLog;
    use sqlx::AssertSqlSafe;

    use super::*;

    #[tokio::test]
    async fn the_day_is_found_by_the_index_in_a_long_log() {
        let server = Server::shared().unwrap();
        let database = server.create_database().await.unwrap();
        let pool = PgPool::connect_with(database).await.unwrap();
        for sql in SyncLog::new(pool.clone()).ddl().unwrap() {
            sqlx::raw_sql(AssertSqlSafe(sql))
                .execute(&pool)
                .await
                .unwrap();
        }
        // A month, of which a day is asked for: 3,000 rows, far from its beginning.
        sqlx::raw_sql(
            "INSERT INTO sync_log (at, entity, mode, keys, inserted, updated, unchanged, deleted,
                                   invalid, duration, retries, success)
             SELECT now() - i * interval '27 seconds' - i / 3000 * interval '3 hours',
                    ('{user,post,comment}'::text[])[i % 3 + 1],
                    'sync', 1, 0, 1, 0, 0, 0, i % 50 * interval '1 millisecond', 0, i % 100 > 0
             FROM generate_series(0, 99999) AS i;
             ANALYZE sync_log",
        )
        .execute(&pool)
        .await
        .unwrap();
        let plan: Vec<String> =
            sqlx::query_scalar(AssertSqlSafe(format!("EXPLAIN (ANALYZE) {DAY}")))
                .bind(["user", "post", "comment"].as_slice())
                .fetch_all(&pool)
                .await
                .unwrap();
        let plan = plan.join("\n");
        assert!(plan.contains("sync_log_at_idx"), "{plan}");
        assert!(!plan.contains("Seq Scan"), "{plan}");

        let model = crate::views::read_model().build().unwrap();
        let day = last_day(&pool, &model).await.unwrap();
        let sum: i64 = day.by_entity.iter().map(|(_, syncs)| syncs.total).sum();
        assert_eq!((day.overall.total, sum), (3_000, 3_000));
        assert_eq!(day.overall.failures, 30);
        assert_eq!(day.of("post").map(|syncs| syncs.total), Some(1_000));
        assert_eq!(day.of("posts"), None);
    }
}
