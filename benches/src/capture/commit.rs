//! Clients that share few documents, which are synced when they commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::ensure;
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use sqlx::Connection as _;

use super::{World, load};
use crate::blog::verify_post;

const CLIENTS: u64 = 8;
/// The documents that all clients change.
const DOCUMENTS: usize = 20;

/// Half of all commits edit a comment, and half move one to another document.
const EDIT: &str = "UPDATE tb_comment SET content = 'edited ' || random() || $2::uuid
    WHERE id = (SELECT id FROM tb_comment WHERE post_id = $1 ORDER BY created_at LIMIT 1)";
const MOVE: &str = "UPDATE tb_comment SET post_id = $2
    WHERE id = (SELECT id FROM tb_comment WHERE post_id = $1 ORDER BY created_at DESC LIMIT 1)";

pub(super) async fn run(world: &World, quick: bool) -> anyhow::Result<()> {
    let seconds = Duration::from_secs(if quick { 1 } else { 10 });
    let commits = Arc::<AtomicU64>::default();
    let mut clients = Vec::new();
    let start = Instant::now();
    for client in 0..CLIENTS {
        let commits = Arc::clone(&commits);
        let options = world.pool.connect_options();
        let posts = world.posts[..DOCUMENTS].to_vec();
        clients.push(tokio::spawn(async move {
            let mut connection = sqlx::PgConnection::connect_with(&options).await?;
            let mut rng = SmallRng::seed_from_u64(client);
            while start.elapsed() < seconds {
                let [post, to] = [0, 1].map(|_| posts[rng.random_range(0..DOCUMENTS)]);
                let sql = if rng.random() { EDIT } else { MOVE };
                sqlx::query(sql)
                    .bind(post)
                    .bind(to)
                    .execute(&mut connection)
                    .await?;
                commits.fetch_add(1, Ordering::Relaxed);
            }
            anyhow::Ok(())
        }));
    }
    for client in clients {
        client.await??;
    }
    let rate = commits.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64();
    let left = world.model.changes(&world.pool).await?;
    let drained = world.model.worker(&world.pool).drain().await?;
    let verified = verify_post(&world.pool).await?;
    println!(
        "{CLIENTS} clients on {DOCUMENTS} documents, synced at the commit: **{rate:.0} commits a second**, \
         {} changes left to the worker, {}; {}",
        left.pending,
        load(),
        verified
    );
    ensure!(verified.is_clean(), "{verified}");
    ensure!(drained.dead == 0, "{drained}");
    Ok(())
}
