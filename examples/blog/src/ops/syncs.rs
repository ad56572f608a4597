//! Statistics of the syncs of the last 24 hours, from the sync log.

use fraiseql_runtime::ReadModel;
use sqlx::PgPool;

/// The log has a row for each batch. An index on `created_at` finds the rows of the day. The grouping set
/// `()` is the total of all entities, whose `entity` is null.
const LAST_DAY: &str = "
    SELECT entity, count(*) AS total, count(*) FILTER (WHERE NOT success) AS failures,
           (extract(epoch FROM avg(duration)) * 1000)::float8 AS avg_ms
    FROM sync_log
    WHERE created_at > now() - interval '24 hours' AND entity = ANY ($1)
    GROUP BY GROUPING SETS ((), (entity))";

/// Statistics of one entity, or of all.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SyncStats {
    /// The number of batches, failures included.
    pub total: i64,
    /// The number of batches that failed.
    pub failures: i64,
    /// Average duration of a batch; `None` if there were none.
    pub avg_duration_ms: Option<f64>,
}

/// Statistics of all views together, and of each.
#[derive(Clone, Debug, PartialEq)]
pub struct DailyStats {
    /// All views together.
    pub overall: SyncStats,
    /// Each view, in the order of the read model, including those without a sync.
    pub by_entity: Vec<(&'static str, SyncStats)>,
}

#[derive(sqlx::FromRow)]
struct Row {
    /// `None` in the row of all views.
    entity: Option<String>,
    total: i64,
    failures: i64,
    avg_ms: Option<f64>,
}

/// Reads the statistics of the last 24 hours.
///
/// # Errors
/// If the log cannot be read.
pub async fn last_day(pool: &PgPool, model: &ReadModel) -> sqlx::Result<DailyStats> {
    let entities: Vec<&'static str> = model.views().map(|view| view.entity).collect();
    let rows: Vec<Row> = sqlx::query_as(LAST_DAY)
        .bind(&entities)
        .fetch_all(pool)
        .await?;
    let of = |entity: Option<&str>| {
        rows.iter()
            .find(|row| row.entity.as_deref() == entity)
            .map_or_else(SyncStats::default, |row| SyncStats {
                total: row.total,
                failures: row.failures,
                avg_duration_ms: row.avg_ms,
            })
    };
    Ok(DailyStats {
        overall: of(None),
        by_entity: entities
            .iter()
            .map(|entity| (*entity, of(Some(entity))))
            .collect(),
    })
}

impl SyncStats {
    /// The batches that succeeded, in percent; `None` if there were none.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "a day has fewer than 2^53 syncs"
    )]
    pub fn success_rate(&self) -> Option<f64> {
        (self.total > 0).then(|| (self.total - self.failures) as f64 * 100.0 / self.total as f64)
    }
}

impl DailyStats {
    /// Statistics of one view, or `None` if there is no such entity.
    #[must_use]
    pub fn of(&self, entity: &str) -> Option<SyncStats> {
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
    async fn the_query_uses_the_index_on_a_long_log() {
        let server = Server::shared().unwrap();
        let database = server.create_database().await.unwrap();
        let pool = PgPool::connect_with(database).await.unwrap();
        for sql in SyncLog::new(pool.clone()).ddl().unwrap() {
            sqlx::raw_sql(AssertSqlSafe(sql))
                .execute(&pool)
                .await
                .unwrap();
        }
        // 100,000 rows of about a month; the last 24 hours are 3,000 of them.
        sqlx::raw_sql(
            "INSERT INTO sync_log (created_at, entity, mode, keys, inserted, updated, unchanged, deleted,
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
            sqlx::query_scalar(AssertSqlSafe(format!("EXPLAIN (ANALYZE) {LAST_DAY}")))
                .bind(["user", "post", "comment"].as_slice())
                .fetch_all(&pool)
                .await
                .unwrap();
        let plan = plan.join("\n");
        assert!(plan.contains("sync_log_created_at_idx"), "{plan}");
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
