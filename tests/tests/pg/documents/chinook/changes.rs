//! Tests that changes of the sample data reach every affected document, and no other.

use std::collections::BTreeSet;

use fraiseql_runtime::{SyncReport, TView as _};
use fraiseql_tests::world::counts;
use sqlx::PgPool;

use super::expected::{ALBUMS, ALL};
use super::structs::{
    Album, Playlist, sync_album, sync_all_albums, sync_customer, sync_customer_text, sync_employee,
    sync_playlist,
};
use super::{chinook, sync_everything};

/// One change of each kind. In the sample data, track 1 is on album 1, album 4 is of the
/// same artist, track 2 is on album 2, track 3 is in playlist 5, the support representative
/// of customer 1 is employee 3, and playlist 2 is empty.
pub(super) const CHANGES: &str = "
UPDATE artist SET name = 'The Iron Maidens' WHERE artist_id = 90;
UPDATE track SET album_id = 4 WHERE track_id = 1;
UPDATE track SET genre_id = NULL WHERE track_id = 2;
DELETE FROM playlist_track WHERE playlist_id = 5 AND track_id = 3;
DELETE FROM playlist WHERE playlist_id = 2;
UPDATE customer SET support_rep_id = NULL WHERE customer_id = 1;
INSERT INTO customer (customer_id, first_name, last_name, email)
VALUES (60, 'Ada', 'Lovelace', 'ada@example.org');
";

/// The keys that [`CHANGES`] affect, for each view.
struct Affected {
    albums: Vec<i32>,
    playlists: Vec<i32>,
    customers: Vec<i32>,
    employees: Vec<i32>,
}

impl Affected {
    /// The affected keys, read from the base tables before the changes.
    async fn find(pool: &PgPool) -> sqlx::Result<Self> {
        let of_artist: Vec<i32> =
            sqlx::query_scalar("SELECT album_id FROM album WHERE artist_id = 90")
                .fetch_all(pool)
                .await?;
        // Both albums of the track that moves.
        let albums: BTreeSet<i32> = of_artist.into_iter().chain([1, 2, 4]).collect();
        let with_tracks: Vec<i32> = sqlx::query_scalar(
            "SELECT DISTINCT pt.playlist_id
             FROM playlist_track pt
             JOIN track t ON t.track_id = pt.track_id
             JOIN album al ON al.album_id = t.album_id
             WHERE al.artist_id = 90 OR t.track_id = 1",
        )
        .fetch_all(pool)
        .await?;
        let playlists: BTreeSet<i32> = with_tracks.into_iter().chain([2, 5]).collect();
        Ok(Self {
            albums: albums.into_iter().collect(),
            playlists: playlists.into_iter().collect(),
            customers: vec![1, 60],
            employees: vec![3],
        })
    }

    /// In the order of [`ALL`].
    fn keys(&self) -> [&[i32]; 5] {
        [
            &self.albums,
            &self.playlists,
            &self.customers,
            &self.customers,
            &self.employees,
        ]
    }

    fn assert_reports(&self, reports: &[SyncReport; 5]) {
        let albums = self.albums.len() as u64;
        let playlists = self.playlists.len() as u64;
        assert_eq!(
            reports.each_ref().map(counts),
            [
                [0, albums, 0, 0],
                [0, playlists - 1, 0, 1],
                [1, 1, 0, 0],
                [1, 1, 0, 0],
                [0, 1, 0, 0],
            ]
        );
    }
}

#[tokio::test]
async fn changes_synced_after_the_commit_reach_every_affected_document() -> anyhow::Result<()> {
    let test = "changes_synced_after_the_commit_reach_every_affected_document";
    let Some(pool) = chinook(test).await? else {
        return Ok(());
    };
    sync_everything(&pool).await?;
    let affected = Affected::find(&pool).await?;
    fraiseql_tests::run(&pool, CHANGES).await;
    for (view, keys) in ALL.iter().zip(affected.keys()) {
        assert_eq!(view.wrong(&pool).await?, keys, "{}", view.view);
    }
    let reports = [
        sync_album(&pool, &affected.albums).await?,
        sync_playlist(&pool, &affected.playlists).await?,
        sync_customer(&pool, &affected.customers).await?,
        sync_customer_text(&pool, &affected.customers).await?,
        sync_employee(&pool, &affected.employees).await?,
    ];
    affected.assert_reports(&reports);
    for view in ALL {
        view.assert_right(&pool).await?;
    }
    assert!(Playlist::find(&pool, 2).await?.is_none());
    assert_eq!(
        counts(&sync_all_albums(&pool).await?),
        [0, 0, ALBUMS.rows as u64, 0]
    );
    Ok(())
}

#[tokio::test]
async fn changes_synced_in_the_writers_transaction_become_visible_with_its_commit()
-> anyhow::Result<()> {
    let test = "changes_synced_in_the_writers_transaction_become_visible_with_its_commit";
    let Some(pool) = chinook(test).await? else {
        return Ok(());
    };
    sync_everything(&pool).await?;
    let affected = Affected::find(&pool).await?;
    let mut tx = pool.begin().await?;
    sqlx::raw_sql(CHANGES).execute(&mut *tx).await?;
    for (view, keys) in ALL.iter().zip(affected.keys()) {
        assert_eq!(view.wrong(&mut *tx).await?, keys, "{}", view.view);
    }
    let reports = [
        sync_album(&mut tx, &affected.albums).await?,
        sync_playlist(&mut tx, &affected.playlists).await?,
        sync_customer(&mut tx, &affected.customers).await?,
        sync_customer_text(&mut tx, &affected.customers).await?,
        sync_employee(&mut tx, &affected.employees).await?,
    ];
    affected.assert_reports(&reports);
    for view in ALL {
        view.assert_right(&mut *tx).await?;
        // Other sessions see neither the changed rows nor the documents.
        view.assert_right(&pool).await?;
        view.assert_complete(&pool).await?;
    }
    tx.commit().await?;
    for view in ALL {
        view.assert_right(&pool).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_moved_track_stays_on_its_old_album_until_that_is_synced_too() -> anyhow::Result<()> {
    let test = "a_moved_track_stays_on_its_old_album_until_that_is_synced_too";
    let Some(pool) = chinook(test).await? else {
        return Ok(());
    };
    sync_all_albums(&pool).await?;
    let holds = async |album| -> anyhow::Result<bool> {
        let album = Album::find(&pool, album).await?.expect("it was synced");
        Ok(album.tracks.iter().any(|track| track.track_id == 1))
    };
    assert!(holds(1).await? && !holds(4).await?);
    sqlx::query("UPDATE track SET album_id = 4 WHERE track_id = 1")
        .execute(&pool)
        .await?;
    sync_album(&pool, &[4]).await?;
    assert!(holds(1).await? && holds(4).await?);
    assert_eq!(ALBUMS.wrong(&pool).await?, [1]);
    sync_album(&pool, &[1]).await?;
    assert!(!holds(1).await? && holds(4).await?);
    ALBUMS.assert_right(&pool).await?;
    Ok(())
}
