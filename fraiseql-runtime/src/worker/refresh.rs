//! Refreshes materialized views when they are due, beside the batches.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sqlx_core::rt;

use crate::db::lease::Lease;
use crate::error::Result;
use crate::ops::refresh::refresh_if_due;
use crate::schema::Storage;
use crate::sql::matview::MatviewSql;
use crate::view::Handle;
use crate::worker::builder::Queue;
use crate::worker::health::WorkerHealth;
use crate::worker::telemetry;

/// How often a worker looks whether a view is due: ten times in its interval, within these bounds.
const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(10);

/// A materialized view with an interval.
struct Scheduled {
    view: Handle,
    sql: &'static MatviewSql,
    interval: Duration,
}

/// Refreshes views until it is dropped. A refresh that has begun is then rolled back.
pub(super) async fn keep_fresh(
    queue: &Queue,
    health: &WorkerHealth,
    refreshes: &AtomicU64,
) -> Infallible {
    let views: Vec<Scheduled> = queue.matviews.iter().filter_map(scheduled).collect();
    let shortest = views.iter().map(|view| view.interval).min();
    let Some(interval) = shortest else {
        return std::future::pending().await;
    };
    let wait = (interval / 10).clamp(SHORTEST, LONGEST);
    loop {
        for view in &views {
            match refresh(queue, view).await {
                Ok(true) => {
                    health.refreshed();
                    refreshes.fetch_add(1, Ordering::Relaxed);
                }
                Ok(false) => {}
                Err(error) => {
                    health.refresh_failed(&error);
                    telemetry::error(&error);
                }
            }
        }
        rt::sleep(wait).await;
    }
}

fn scheduled(view: &Handle) -> Option<Scheduled> {
    let Storage::Matview { refresh } = view.view.storage else {
        return None;
    };
    Some(Scheduled {
        view: *view,
        sql: view.statements().matview.as_ref()?,
        interval: refresh?,
    })
}

async fn refresh(queue: &Queue, scheduled: &Scheduled) -> Result<bool> {
    let Scheduled {
        view,
        sql,
        interval,
    } = scheduled;
    let mut connection = Lease::acquire(&queue.pool, "refresh").await?;
    let result = refresh_if_due(&mut connection, *view, sql, *interval).await;
    connection.release();
    result
}
