//! Tests that documents can exchange unique values: of a column, of an enum, of an index.

use fraiseql_runtime::{ReadModel, TEnum, TView};
use fraiseql_tests::{run, world};
use sqlx::{Executor as _, PgPool};

#[derive(Clone, Copy, Debug, PartialEq, TEnum)]
enum Part {
    Early,
    Late,
}

/// Its column in the view table has the JSON names, not the labels of the base table.
#[derive(Debug, TView)]
#[tview(table = "shift")]
#[allow(dead_code)]
struct Shift {
    id: i32,
    #[tview(unique)]
    part: Part,
}

#[derive(Debug, TView)]
#[tview(table = "seat", index(on = "place", unique, name = "places"))]
#[allow(dead_code)]
struct Seat {
    id: i32,
    #[tview(filter)]
    place: i32,
    #[tview(filter)]
    price: i32,
}

async fn hall() -> PgPool {
    let pool = fraiseql_tests::pool().await;
    run(
        &pool,
        "CREATE TYPE part AS ENUM ('early', 'late');
         CREATE TABLE shift (id int4 PRIMARY KEY, part part NOT NULL);
         INSERT INTO shift VALUES (1, 'early'), (2, 'late');
         CREATE TABLE seat (id int4 PRIMARY KEY, place int4 NOT NULL, price int4 NOT NULL);
         INSERT INTO seat SELECT i, i, 10 FROM generate_series(1, 3) AS i",
    )
    .await;
    let model = ReadModel::builder().view::<Shift>().view::<Seat>().build();
    model.unwrap().migrate(&pool).await.unwrap();
    pool
}

#[tokio::test]
async fn documents_exchange_values_of_a_unique_enum() -> anyhow::Result<()> {
    let pool = hall().await;
    sync_all_shifts(&pool).await?;
    run(
        &pool,
        "UPDATE shift SET part = CASE part WHEN 'early' THEN 'late' ELSE 'early' END::part",
    )
    .await;
    let report = sync_shift(&pool, &[1, 2]).await?;
    assert_eq!((report.updated, &report.invalid[..]), (2, &[][..]));
    let parts: Vec<String> = sqlx::query_scalar("SELECT part FROM tv_shift ORDER BY id")
        .fetch_all(&pool)
        .await?;
    assert_eq!(parts, ["LATE", "EARLY"]);
    Ok(())
}

#[tokio::test]
async fn documents_exchange_values_of_a_unique_index() -> anyhow::Result<()> {
    let pool = hall().await;
    sync_all_seats(&pool).await?;
    run(&pool, "UPDATE seat SET place = 4 - place").await;
    let report = sync_seat(&pool, &[1, 2, 3]).await?;
    assert_eq!(
        (report.updated, report.unchanged, &report.invalid[..]),
        (2, 1, &[][..])
    );
    let places: Vec<i32> = sqlx::query_scalar("SELECT place FROM tv_seat ORDER BY id")
        .fetch_all(&pool)
        .await?;
    assert_eq!(places, [3, 2, 1]);
    Ok(())
}

#[tokio::test]
async fn documents_exchange_values_of_a_unique_list() -> anyhow::Result<()> {
    #[derive(TView)]
    #[tview(table = "flag")]
    #[allow(dead_code)]
    struct Flag {
        id: i32,
        #[tview(unique)]
        colours: Vec<String>,
    }
    let pool = fraiseql_tests::pool().await;
    run(
        &pool,
        "CREATE TABLE flag (id int4 PRIMARY KEY, colours text[] NOT NULL);
         INSERT INTO flag VALUES (1, '{red,white}'), (2, '{blue}')",
    )
    .await;
    let model = world::model::<Flag>();
    model.migrate(&pool).await?;
    sync_all_flags(&pool).await?;
    run(
        &pool,
        "UPDATE flag SET colours = CASE id WHEN 1 THEN '{blue}' ELSE '{red,white}' END::text[]",
    )
    .await;
    let report = sync_flag(&pool, &[1, 2]).await?;
    assert_eq!((report.updated, &report.invalid[..]), (2, &[][..]));
    Ok(())
}

/// The first attempt empties the unique columns, and then finds that the session prints times as
/// documents must not.
#[tokio::test]
async fn documents_exchange_unique_values_in_a_transaction_with_another_time_zone()
-> anyhow::Result<()> {
    #[derive(Debug, PartialEq, TView)]
    #[tview(table = "slot")]
    struct Slot {
        id: i32,
        #[tview(unique)]
        starts: chrono::DateTime<chrono::Utc>,
    }
    let pool = fraiseql_tests::pool().await;
    run(
        &pool,
        "CREATE TABLE slot (id int4 PRIMARY KEY, starts timestamptz NOT NULL);
         INSERT INTO slot VALUES (1, '2026-01-01 10:00Z'), (2, '2026-01-01 11:00Z')",
    )
    .await;
    let model = world::model::<Slot>();
    model.migrate(&pool).await?;
    sync_all_slots(&pool).await?;
    let before = Slot::find_many(&pool, &[1, 2]).await?;

    let mut tx = pool.begin().await?;
    tx.execute("SET LOCAL TIME ZONE 'Asia/Tokyo'").await?;
    tx.execute("UPDATE slot SET starts = '2026-01-01 21:00Z'::timestamptz - (starts - '2026-01-01 00:00Z')")
        .await?;
    let report = sync_slot(&mut tx, &[1, 2]).await?;
    assert_eq!((report.updated, &report.invalid[..]), (2, &[][..]));
    let zone: String = sqlx::query_scalar("SELECT current_setting('TimeZone')")
        .fetch_one(&mut *tx)
        .await?;
    assert_eq!(zone, "Asia/Tokyo", "the caller's setting is as it was");
    tx.commit().await?;

    let after = Slot::find_many(&pool, &[1, 2]).await?;
    assert_eq!(
        (after[0].starts, after[1].starts),
        (before[1].starts, before[0].starts)
    );
    let columns: i64 = sqlx::query_scalar("SELECT count(starts) FROM tv_slot")
        .fetch_one(&pool)
        .await?;
    assert_eq!(columns, 2, "no unique column is left empty");
    Ok(())
}

#[derive(Debug, TView)]
#[tview(table = "member", index(expr = "lower(nick)", unique, name = "nicks"))]
#[allow(dead_code)]
struct Member {
    id: i32,
    #[tview(unique)]
    email: String,
    #[tview(filter)]
    nick: String,
}

async fn members() -> (PgPool, ReadModel) {
    let pool = fraiseql_tests::pool().await;
    run(
        &pool,
        "CREATE TABLE member (id int4 PRIMARY KEY, email text NOT NULL UNIQUE, nick text NOT NULL);
         INSERT INTO member SELECT i, 'm' || i, 'N' || i FROM generate_series(1, 4) AS i",
    )
    .await;
    let model = world::model::<Member>();
    model.migrate(&pool).await.unwrap();
    sync_all_members(&pool).await.unwrap();
    (pool, model)
}

async fn assert_verified(pool: &PgPool) {
    let report = verify_member(pool).await.unwrap();
    assert!(report.is_clean(), "{report}");
}

/// Member 1 takes another address, 2 that of 1, 3 that of 2, and the name of 4 in other letters,
/// which 4 has given up.
const PASS_ON: [&str; 4] = [
    "UPDATE member SET email = 'new' WHERE id = 1",
    "UPDATE member SET email = 'm1' WHERE id = 2",
    "UPDATE member SET nick = 'N5' WHERE id = 4",
    "UPDATE member SET email = 'm2', nick = 'n4' WHERE id = 3",
];

#[tokio::test]
async fn a_unique_value_is_passed_on_whichever_document_is_synced_first() -> anyhow::Result<()> {
    let (pool, _) = members().await;
    for statement in PASS_ON {
        run(&pool, statement).await;
    }
    let report = sync_member(&pool, &[3]).await?;
    assert_eq!((report.updated, &report.invalid[..]), (4, &[][..]));
    for id in [2, 1, 4] {
        let report = sync_member(&pool, &[id]).await?;
        assert_eq!((report.unchanged, &report.invalid[..]), (1, &[][..]));
    }
    assert_verified(&pool).await;
    Ok(())
}

#[tokio::test]
async fn a_unique_value_is_passed_on_in_a_transaction_and_in_a_mutation() -> anyhow::Result<()> {
    let (pool, model) = members().await;
    let mut tx = pool.begin().await?;
    for statement in &PASS_ON[..2] {
        tx.execute(*statement).await?;
    }
    let report = sync_member(&mut tx, &[2]).await?;
    assert_eq!((report.updated, &report.invalid[..]), (2, &[][..]));
    tx.commit().await?;
    assert_verified(&pool).await;

    let mut m = model.mutation(&pool).await?;
    for statement in &PASS_ON[2..] {
        m.execute(*statement).await?;
    }
    m.resync::<Member>(&[3]);
    m.commit().await?;
    assert_verified(&pool).await;
    Ok(())
}

#[tokio::test]
async fn a_unique_value_of_a_deleted_row_is_passed_on() -> anyhow::Result<()> {
    let (pool, _) = members().await;
    run(
        &pool,
        "DELETE FROM member WHERE id = 1; INSERT INTO member VALUES (9, 'm1', 'N1')",
    )
    .await;
    let report = sync_member(&pool, &[9]).await?;
    assert_eq!((report.inserted, report.deleted), (1, 1));
    assert_verified(&pool).await;
    Ok(())
}

#[tokio::test]
async fn a_value_that_two_rows_have_is_reported_for_the_second() -> anyhow::Result<()> {
    let (pool, _) = members().await;
    run(&pool, "UPDATE member SET nick = 'N1' WHERE id = 2").await;
    let report = sync_member(&pool, &[2]).await?;
    assert_eq!((report.updated, report.invalid.len()), (0, 1));
    assert!(report.invalid[0].reason.contains("nicks"), "{report:?}");
    Ok(())
}
