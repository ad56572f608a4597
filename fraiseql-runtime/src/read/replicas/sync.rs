//! Syncs on the primary, with the position in the report.

use crate::db::wal_position::WalPosition;
use crate::error::Result;
use crate::read::replicas::Replicas;
use crate::sync::report::SyncReport;
use crate::sync::request::SyncRequest;
use crate::sync::target::SyncTarget;
use crate::sync::watch::Watch;

/// Syncs on the primary, as on its pool, and then reads the position by one more statement:
/// [`SyncReport::position`].
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
/// # #[derive(TView)]
/// # pub struct Post { pub id: i64, pub title: String }
/// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL);
/// #     INSERT INTO tb_post VALUES (7, 'Notes')", async |pool| {
/// # migrate::<Post>(&pool).await;
/// # let replicas = fraiseql_runtime::Replicas::new(pool.clone()).replica(pool);
/// let report = sync_post(&replicas, &[7]).await?;
/// let post = Post::find(replicas.at_least(report.position()), 7).await?;
/// # assert!(report.position().is_some());
/// # assert_eq!(post.unwrap().title, "Notes");
/// # Ok(()) }) }
/// ```
impl SyncTarget for &Replicas {
    async fn run(self, request: SyncRequest<'_>, watch: &Watch<'_>) -> Result<SyncReport> {
        let mut report = self.primary().run(request, watch).await?;
        // What was synced stays so, whether its position is known or not.
        if let Ok(mut connection) = self.set.primary.readers.acquire().await
            && let Ok(position) = WalPosition::current(&mut connection).await
        {
            connection.give_back();
            report.position = Some(position);
        }
        Ok(report)
    }
}
