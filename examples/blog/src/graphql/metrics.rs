//! How syncs went, as the log of syncs has it.

use async_graphql::{Context, Object, SimpleObject};

use super::error::Result;
use crate::app::App;
use crate::ops::syncs::{Syncs, last_day};
use crate::service::Error;

/// Queries about syncs.
#[derive(Debug, Default)]
pub struct SyncQueries;

/// How the syncs of the last 24 hours went. A sync is a batch of documents, written by one
/// statement.
#[derive(Debug, SimpleObject)]
pub struct SyncMetrics {
    /// How many there were.
    #[graphql(name = "totalSyncs24h")]
    total_syncs_24h: i64,
    /// How long one took on average, in milliseconds; null where there were none.
    avg_duration_ms: Option<f64>,
    /// The part of them that succeeded, from 0 to 1; null where there were none.
    success_rate: Option<f64>,
    /// How many failed.
    #[graphql(name = "failures24h")]
    failures_24h: i64,
}

#[Object]
impl SyncQueries {
    /// How syncs went in the last 24 hours: those of one entity, such as `post`, or all.
    async fn sync_metrics(
        &self,
        ctx: &Context<'_>,
        entity_type: Option<String>,
    ) -> Result<SyncMetrics> {
        let app: &App = ctx.data_unchecked();
        if let Some(asked) = &entity_type {
            let known: Vec<&str> = app.blog.views().map(|view| view.entity).collect();
            if !known.contains(&asked.as_str()) {
                let known = known.join("`, `");
                let what = format!("there is no entity `{asked}`: it is one of `{known}`");
                Err(Error::Invalid(what))?;
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

impl From<Syncs> for SyncMetrics {
    fn from(syncs: Syncs) -> Self {
        Self {
            total_syncs_24h: syncs.total,
            avg_duration_ms: syncs.avg_duration_ms,
            success_rate: syncs.success_rate(),
            failures_24h: syncs.failures,
        }
    }
}
