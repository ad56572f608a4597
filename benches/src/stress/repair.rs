//! Maintenance beside the clients: full syncs, and rebuilds of documents that are made stale.

use std::ops::AddAssign;
use std::sync::atomic::Ordering;
use std::time::Duration;

use fraiseql_runtime::{Result, SyncReport};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::Stress;
use super::finish::{database_error, error_name};
use super::schema::{sync_all_comments, sync_all_posts, sync_all_users};

/// The results of the maintenance.
#[derive(Debug, Default)]
pub(super) struct Repairs {
    pub(super) full_syncs: u64,
    pub(super) rebuilds: u64,
    /// Documents that rebuilds processed.
    pub(super) rebuilt: u64,
    /// Names of the retryable errors.
    pub(super) errors: Vec<String>,
}

impl AddAssign for Repairs {
    fn add_assign(&mut self, other: Self) {
        self.full_syncs += other.full_syncs;
        self.rebuilds += other.rebuilds;
        self.rebuilt += other.rebuilt;
    }
}

impl Stress {
    /// Runs full syncs in every second burst, and rebuilds in every third. Full syncs would hide lost
    /// updates by repairing them, so they must not run in all bursts.
    pub(super) async fn repairs(&self, burst: u64) -> anyhow::Result<Repairs> {
        let mut rng = SmallRng::seed_from_u64(burst);
        let mut repairs = Repairs::default();
        let (syncs, rebuilds) = (burst % 2 == 1, burst % 3 == 2);
        while (syncs || rebuilds) && !self.over.load(Ordering::Relaxed) {
            let chunk = rng.random_range(1..40);
            if syncs {
                match self.full_sync(rng.random_range(0..3), chunk).await {
                    Ok(_) => repairs.full_syncs += 1,
                    Err(error) if error.is_retryable() => {
                        let error = format!("{} in a full sync", error_name(&error));
                        repairs.errors.push(error);
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            if rebuilds {
                match self.rebuild(&mut rng, chunk).await {
                    Ok(rebuilt) => {
                        repairs.rebuilds += 1;
                        repairs.rebuilt += rebuilt;
                    }
                    Err(error) if error.is_retryable() => {
                        repairs
                            .errors
                            .push(format!("{} in a rebuild", error_name(&error)));
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            tokio::time::sleep(Duration::from_millis(rng.random_range(0..20))).await;
        }
        Ok(repairs)
    }

    pub(super) async fn full_sync(&self, view: u32, chunk: usize) -> Result<SyncReport> {
        match view {
            0 => sync_all_users(&self.pool).chunk(chunk).await,
            1 => sync_all_posts(&self.pool).chunk(chunk).await,
            _ => sync_all_comments(&self.pool).chunk(chunk).await,
        }
    }

    /// Makes some documents stale, or forgets the progress of all rebuilds, and then rebuilds.
    /// Returns the number of processed documents.
    async fn rebuild(&self, rng: &mut SmallRng, chunk: usize) -> Result<u64> {
        let age = match rng.random_range(0..4) {
            0 => "UPDATE tv_user SET shape = shape - 1 WHERE random() < 0.2",
            1 => "UPDATE tv_post SET shape = shape - 1 WHERE random() < 0.2",
            2 => "UPDATE tv_comment SET shape = shape - 1 WHERE random() < 0.2",
            _ => "DELETE FROM fraiseql_view",
        };
        sqlx::query(age)
            .execute(&self.pool)
            .await
            .map_err(database_error)?;
        let report = self.model.rebuild(&self.pool).chunk(chunk).await?;
        Ok(report.views.iter().map(|view| view.report.total()).sum())
    }
}
