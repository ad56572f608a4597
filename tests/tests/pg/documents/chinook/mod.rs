//! Tests that documents of the Chinook sample database equal those of SQL written by hand.
//!
//! Nobody here designed its tables: integer keys, nullable and self-referencing foreign keys, a
//! join table, decimals and timestamps.

mod expected;
mod structs;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::PathBuf;

use fraiseql_runtime::{ReadModel, SyncReport, TView};
use fraiseql_tests::world::counts;
use sqlx::{AssertSqlSafe, PgPool};

use self::expected::{ALBUMS, ALL, CUSTOMER_TEXTS, CUSTOMERS, EMPLOYEES, PLAYLISTS};
use self::structs::{
    Album, Customer, CustomerText, Employee, Playlist, sync_album, sync_all_albums,
    sync_all_customer_texts, sync_all_customers, sync_all_employees, sync_all_playlists,
    sync_customer, sync_customer_text, sync_employee, sync_playlist,
};

fn model() -> fraiseql_runtime::Result<ReadModel> {
    ReadModel::builder()
        .view::<Album>()
        .view::<Playlist>()
        .view::<Customer>()
        .view::<CustomerText>()
        .view::<Employee>()
        .build()
}

/// The SQL of the sample database, where it is there.
fn chinook_sql() -> Option<PathBuf> {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/chinook.sql");
    std::env::var_os("CHINOOK_SQL")
        .map(PathBuf::from)
        .into_iter()
        .chain([here])
        .find(|path| path.is_file())
}

/// The sample database with empty view tables; `None`, said aloud, where there is no sample
/// database.
async fn chinook(test: &str) -> anyhow::Result<Option<PgPool>> {
    let Some(path) = chinook_sql() else {
        // Not `eprintln`, which is captured: nobody would see it.
        writeln!(
            std::io::stderr(),
            "SKIPPED {test}: no chinook.sql; its path goes into CHINOOK_SQL"
        )?;
        return Ok(None);
    };
    let sql = std::fs::read_to_string(path)?;
    let pool = fraiseql_tests::pool().await;
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&pool).await?;
    model()?.migrate(&pool).await?;
    Ok(Some(pool))
}

/// Syncs every view; the reports are in the order of [`ALL`].
async fn sync_everything(pool: &PgPool) -> fraiseql_runtime::Result<[SyncReport; 5]> {
    Ok([
        sync_all_albums(pool).await?,
        sync_all_playlists(pool).await?,
        sync_all_customers(pool).await?,
        sync_all_customer_texts(pool).await?,
        sync_all_employees(pool).await?,
    ])
}

#[tokio::test]
async fn every_album_with_artist_and_tracks_equals_sql_written_by_hand() -> anyhow::Result<()> {
    let test = "every_album_with_artist_and_tracks_equals_sql_written_by_hand";
    let Some(pool) = chinook(test).await? else {
        return Ok(());
    };
    let report = sync_all_albums(&pool).await?;
    assert_eq!(counts(&report), [347, 0, 0, 0]);
    ALBUMS.assert_complete(&pool).await?;
    ALBUMS.assert_right(&pool).await?;
    Ok(())
}

#[tokio::test]
async fn every_playlist_through_its_join_table_equals_sql_written_by_hand() -> anyhow::Result<()> {
    let test = "every_playlist_through_its_join_table_equals_sql_written_by_hand";
    let Some(pool) = chinook(test).await? else {
        return Ok(());
    };
    let report = sync_all_playlists(&pool).await?;
    assert_eq!(counts(&report), [18, 0, 0, 0]);
    PLAYLISTS.assert_complete(&pool).await?;
    PLAYLISTS.assert_right(&pool).await?;
    Ok(())
}

#[tokio::test]
async fn every_customer_with_invoices_and_aggregates_equals_sql_written_by_hand()
-> anyhow::Result<()> {
    let test = "every_customer_with_invoices_and_aggregates_equals_sql_written_by_hand";
    let Some(pool) = chinook(test).await? else {
        return Ok(());
    };
    let report = sync_all_customers(&pool).await?;
    assert_eq!(counts(&report), [59, 0, 0, 0]);
    CUSTOMERS.assert_complete(&pool).await?;
    CUSTOMERS.assert_right(&pool).await?;
    Ok(())
}

#[tokio::test]
async fn every_customer_stored_as_json_text_equals_sql_written_by_hand() -> anyhow::Result<()> {
    let test = "every_customer_stored_as_json_text_equals_sql_written_by_hand";
    let Some(pool) = chinook(test).await? else {
        return Ok(());
    };
    let report = sync_all_customer_texts(&pool).await?;
    assert_eq!(counts(&report), [59, 0, 0, 0]);
    CUSTOMER_TEXTS.assert_complete(&pool).await?;
    CUSTOMER_TEXTS.assert_right(&pool).await?;
    Ok(())
}

#[tokio::test]
async fn every_employee_with_manager_and_reports_equals_sql_written_by_hand() -> anyhow::Result<()>
{
    let test = "every_employee_with_manager_and_reports_equals_sql_written_by_hand";
    let Some(pool) = chinook(test).await? else {
        return Ok(());
    };
    let report = sync_all_employees(&pool).await?;
    assert_eq!(counts(&report), [8, 0, 0, 0]);
    EMPLOYEES.assert_complete(&pool).await?;
    EMPLOYEES.assert_right(&pool).await?;
    Ok(())
}

#[tokio::test]
async fn json_text_keeps_the_order_of_the_struct_s_fields() -> anyhow::Result<()> {
    let test = "json_text_keeps_the_order_of_the_struct_s_fields";
    let Some(pool) = chinook(test).await? else {
        return Ok(());
    };
    sync_customer_text(&pool, &[1]).await?;
    let json = CustomerText::find_json(&pool, 1)
        .await?
        .expect("it was synced");
    let start = r#"{"customerId":1,"firstName":"Luís","lastName":"Gonçalves",
        "company":"Embraer - Empresa Brasileira de Aeronáutica S.A.","country":"Brazil",
        "email":"luisg@embraer.com.br","supportRep":{"employeeId":3,"firstName":"Jane",
        "lastName":"Peacock","hireDate":"2002-04-01T00:00:00","manager":{"employeeId":2,"#
        .replace("\n        ", "");
    assert!(json.get().starts_with(&start), "{json}");
    Ok(())
}

#[tokio::test]
async fn promoted_aggregates_are_typed_columns_with_the_documents_values() -> anyhow::Result<()> {
    let test = "promoted_aggregates_are_typed_columns_with_the_documents_values";
    let Some(pool) = chinook(test).await? else {
        return Ok(());
    };
    sync_all_customers(&pool).await?;
    let wrong: i64 = sqlx::query_scalar(
        "SELECT count(*)
         FROM (SELECT customer_id, total_spent, last_invoice FROM tv_customer) AS a
         FULL JOIN (
             SELECT customer_id, sum(total) AS total_spent, max(invoice_date) AS last_invoice
             FROM invoice GROUP BY customer_id
         ) AS b USING (customer_id)
         WHERE a IS DISTINCT FROM b",
    )
    .fetch_one(&pool)
    .await?;
    assert_eq!(wrong, 0);
    let types: Vec<(String, String)> = sqlx::query_as(
        "SELECT attname::text, atttypid::regtype::text FROM pg_attribute
         WHERE attrelid = 'tv_customer'::regclass
             AND attname IN ('customer_id', 'total_spent', 'last_invoice')
         ORDER BY attname",
    )
    .fetch_all(&pool)
    .await?;
    let types: Vec<(&str, &str)> = types.iter().map(|(a, b)| (&**a, &**b)).collect();
    assert_eq!(
        types,
        [
            ("customer_id", "integer"),
            ("last_invoice", "timestamp without time zone"),
            ("total_spent", "numeric"),
        ]
    );
    Ok(())
}

#[tokio::test]
async fn every_document_reads_back_as_its_struct_which_writes_the_same_json() -> anyhow::Result<()>
{
    let test = "every_document_reads_back_as_its_struct_which_writes_the_same_json";
    let Some(pool) = chinook(test).await? else {
        return Ok(());
    };
    sync_everything(&pool).await?;
    ALBUMS.assert_reads_back::<Album>(&pool).await?;
    PLAYLISTS.assert_reads_back::<Playlist>(&pool).await?;
    CUSTOMERS.assert_reads_back::<Customer>(&pool).await?;
    CUSTOMER_TEXTS
        .assert_reads_back::<CustomerText>(&pool)
        .await?;
    EMPLOYEES.assert_reads_back::<Employee>(&pool).await?;
    Ok(())
}

#[tokio::test]
async fn a_second_full_sync_finds_every_document_equal_and_touches_no_row() -> anyhow::Result<()> {
    let test = "a_second_full_sync_finds_every_document_equal_and_touches_no_row";
    let Some(pool) = chinook(test).await? else {
        return Ok(());
    };
    let first = sync_everything(&pool).await?;
    let mut before = Vec::new();
    for (view, report) in ALL.iter().zip(&first) {
        assert_eq!(counts(report), [view.rows as u64, 0, 0, 0], "{}", view.view);
        before.push(view.stored(&pool).await?);
    }
    let second = sync_everything(&pool).await?;
    for ((view, report), before) in ALL.iter().zip(&second).zip(&before) {
        assert_eq!(report.unchanged, view.rows as u64, "{}", view.view);
        assert_eq!(report.changed(), 0, "{}", view.view);
        assert_eq!(&view.stored(&pool).await?, before, "{}", view.view);
        view.assert_right(&pool).await?;
    }
    Ok(())
}

/// One change of each kind. In the sample data, track 1 is on album 1, album 4 is of the
/// same artist, track 2 is on album 2, track 3 is in playlist 5, the support representative
/// of customer 1 is employee 3, and playlist 2 is empty.
const CHANGES: &str = "
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
    /// Found by the base tables, before the changes.
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
        // Outside, neither the rows nor the documents have changed.
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

/// Its foreign keys are complete and indexed, its types and nulls are those of the structs.
#[tokio::test]
async fn a_check_of_the_sample_database_has_no_findings() -> anyhow::Result<()> {
    let test = "a_check_of_the_sample_database_has_no_findings";
    let Some(pool) = chinook(test).await? else {
        return Ok(());
    };
    let report = fraiseql_tests::without_server(model()?.check(&pool).await?);
    assert_eq!(report.to_string(), "check: 0 errors, 0 warnings");
    sqlx::raw_sql(
        "DROP INDEX track_album_id_idx; DROP INDEX invoice_line_invoice_id_idx;
         ALTER TABLE invoice ALTER COLUMN total TYPE float8;
         ALTER TABLE customer ALTER COLUMN email DROP NOT NULL",
    )
    .execute(&pool)
    .await?;
    let report = fraiseql_tests::without_server(model()?.check(&pool).await?);
    let found: Vec<(&str, &[String])> = report
        .findings()
        .iter()
        .map(|finding| (finding.path.as_str(), finding.also.as_slice()))
        .collect();
    assert_eq!(
        found,
        [
            // The tracks of a changed album are found by it, too.
            ("Album.tracks", &["Playlist.tracks.album".to_owned()][..]),
            ("Customer.email", &["CustomerText.email".to_owned()]),
            (
                "Customer.invoices.total",
                &["CustomerText.invoices.total".to_owned()]
            ),
            (
                "Customer.invoices.lines",
                &["CustomerText.invoices.lines".to_owned()]
            ),
        ],
        "{report}"
    );
    Ok(())
}
