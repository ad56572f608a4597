//! The query `syncMetrics`: statistics from the sync log.

use async_graphql::{Context, Object, SimpleObject};

use super::error::Result;
use crate::app::App;
use crate::ops::syncs::{SyncStats, last_day};
use crate::service::Error;

/// The root fields about syncs.
#[derive(Debug, Default)]
pub struct SyncQueries;

/// Statistics of the syncs of the last 24 hours. A sync is here one batch of documents, written by
/// one statement.
#[derive(Debug, SimpleObject)]
pub struct SyncMetrics {
    /// The number of syncs.
    #[graphql(name = "totalSyncs24h")]
    total_syncs_24h: i64,
    /// Their average duration in milliseconds; null if there were none.
    avg_duration_ms: Option<f64>,
    /// How many of them succeeded, in percent; null if there were none.
    success_rate: Option<f64>,
    /// The number of syncs that failed.
    #[graphql(name = "failures24h")]
    failures_24h: i64,
}

#[Object]
impl SyncQueries {
    /// Statistics of the syncs of the last 24 hours: of one entity, such as `post`, or of all.
    async fn sync_metrics(
        &self,
        ctx: &Context<'_>,
        entity_type: Option<String>,
    ) -> Result<SyncMetrics> {
        let app: &App = ctx.data_unchecked();
        if let Some(entity) = &entity_type {
            let known: Vec<&str> = app.blog.views().map(|view| view.entity).collect();
            if !known.contains(&entity.as_str()) {
                let known = known.join("`, `");
                let message = format!("there is no entity `{entity}`; the entities are `{known}`");
                Err(Error::Invalid(message))?;
            }
        }
        let day = last_day(&app.pool, &app.blog).await?;
        let syncs = match &entity_type {
            Some(entity) => day.of(entity).unwrap_or_default(),
            None => day.overall,
        };
        Ok(syncs.into())
    }
}

impl From<SyncStats> for SyncMetrics {
    fn from(syncs: SyncStats) -> Self {
        Self {
            total_syncs_24h: syncs.total,
            avg_duration_ms: syncs.avg_duration_ms,
            success_rate: syncs.success_rate(),
            failures_24h: syncs.failures,
        }
    }
}
