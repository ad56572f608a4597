//! Tests that documents of the Chinook sample database equal those of SQL written by hand.
//!
//! Its tables were not designed for fraiseql: integer keys, nullable and self-referencing foreign
//! keys, a join table, decimals and timestamps.

mod captured;
mod changes;
mod expected;
mod storages;
mod structs;

use std::io::Write as _;
use std::path::PathBuf;

use fraiseql_runtime::{ReadModel, SyncReport, TView as _};
use fraiseql_tests::world::counts;
use sqlx::{AssertSqlSafe, PgPool};

use self::expected::{ALBUMS, ALL, CUSTOMER_TEXTS, CUSTOMERS, EMPLOYEES, PLAYLISTS};
use self::structs::{
    Album, Customer, CustomerText, Employee, Playlist, sync_all_albums, sync_all_customer_texts,
    sync_all_customers, sync_all_employees, sync_all_playlists, sync_customer_text,
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

/// The SQL of the sample database, if it is available.
fn chinook_sql() -> Option<PathBuf> {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/chinook.sql");
    std::env::var_os("CHINOOK_SQL")
        .map(PathBuf::from)
        .into_iter()
        .chain([here])
        .find(|path| path.is_file())
}

/// The sample database with empty view tables. `None`, which is printed, if the sample database is
/// not available.
async fn chinook(test: &str) -> anyhow::Result<Option<PgPool>> {
    let pool = chinook_tables(test).await?;
    if let Some(pool) = &pool {
        model()?.migrate(pool).await?;
    }
    Ok(pool)
}

/// The sample database.
async fn chinook_tables(test: &str) -> anyhow::Result<Option<PgPool>> {
    let Some(path) = chinook_sql() else {
        // Not `eprintln`, which the test harness captures.
        writeln!(
            std::io::stderr(),
            "SKIPPED {test}: no chinook.sql; its path goes into CHINOOK_SQL"
        )?;
        return Ok(None);
    };
    let sql = std::fs::read_to_string(path)?;
    let pool = fraiseql_tests::pool().await;
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&pool).await?;
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
async fn a_second_full_sync_writes_no_row() -> anyhow::Result<()> {
    let test = "a_second_full_sync_writes_no_row";
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

/// Its foreign keys are complete and indexed, and its types and nulls are those of the structs.
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
            // The tracks of a changed album are looked up by it, too.
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
