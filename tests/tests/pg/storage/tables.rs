//! Tests that partitioned and unlogged view tables are synced like any other.

use fraiseql_runtime::{Embed, TView};
use fraiseql_tests::run;
use fraiseql_tests::world::{counts, model};
use sqlx::{AssertSqlSafe, PgPool};

const COUNTERS: &str = "
CREATE TABLE boxes (id int8 PRIMARY KEY, label text NOT NULL);
CREATE TABLE counters (id int8 PRIMARY KEY, n int4 NOT NULL, box_id int8 NOT NULL REFERENCES boxes);
INSERT INTO boxes VALUES (1, 'one');
INSERT INTO counters SELECT n - 100, 0, 1 FROM generate_series(0, 299) AS n";

#[derive(Embed)]
#[tview(table = "boxes")]
#[allow(dead_code)]
struct Box_ {
    id: i64,
    label: String,
}

/// A view of the counters, in a module of its own.
macro_rules! counter_view {
    ($module:ident, $($attribute:tt)*) => {
        mod $module {
            #[derive(fraiseql_runtime::TView)]
            #[tview(table = "counters", view = "tv_counter", entity = "counter", $($attribute)*)]
            #[allow(dead_code)]
            pub(crate) struct Counter {
                pub(crate) id: i64,
                #[tview(sort)]
                pub(crate) n: i32,
                #[tview(one(fk = "box_id"))]
                pub(crate) container: super::Box_,
            }

            pub(crate) async fn check(pool: &sqlx::PgPool) {
                super::every_way_to_sync::<Counter>(pool).await;
            }
        }
    };
}

counter_view!(
    hashed,
    partition(hash = 8),
    index(on = "n, id", unique, name = "n_id")
);
counter_view!(
    ranged,
    partition(range = "-50, 0, 100"),
    unlogged,
    fillfactor = 70
);
counter_view!(whole, unlogged, fillfactor = 50);

async fn counters() -> PgPool {
    let pool = fraiseql_tests::pool().await;
    run(&pool, COUNTERS).await;
    pool
}

/// Asserts that each document equals its row, and that each row has one.
async fn assert_equal_to_rows(pool: &PgPool) {
    let differing: Vec<i64> = sqlx::query_scalar(
        "SELECT coalesce(c.id, v.id) FROM counters AS c FULL JOIN tv_counter AS v USING (id)
         WHERE v.n IS DISTINCT FROM c.n OR (v.data ->> 'n')::int4 IS DISTINCT FROM c.n
            OR v.data -> 'container' ->> 'label' IS DISTINCT FROM
               (SELECT label FROM boxes WHERE id = c.box_id)",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    assert_eq!(
        differing,
        Vec::<i64>::new(),
        "documents that differ from their rows"
    );
}

/// Full sync, keys, transaction, delete, orphans; each compared with the rows.
async fn every_way_to_sync<V: TView<Key = i64>>(pool: &PgPool) {
    use fraiseql_runtime::__private::sync_all;
    use fraiseql_runtime::sync::{delete, sync};

    model::<V>().migrate(pool).await.unwrap();
    let report = sync_all::<V, _>(pool).chunk(70).await.unwrap();
    assert_eq!((report.inserted, report.total()), (300, 300));
    assert_equal_to_rows(pool).await;

    // On the pool: some changed, one new, one gone, one that never existed.
    run(
        pool,
        "UPDATE counters SET n = 5 WHERE id IN (-100, 0, 150); DELETE FROM counters WHERE id = 7;
         INSERT INTO counters VALUES (5000, 1, 1)",
    )
    .await;
    let report = sync::<V>(pool, &[-100, 0, 150, 7, 5000, 8, 9999])
        .await
        .unwrap();
    assert_eq!(counts(&report), [1, 3, 1, 1]);
    assert_equal_to_rows(pool).await;

    // In a transaction, whose changes become visible together or not at all.
    let mut transaction = pool.begin().await.unwrap();
    sqlx::raw_sql("UPDATE counters SET n = 6 WHERE id % 2 = 0 AND id < 200; DELETE FROM counters WHERE id = 9")
        .execute(&mut *transaction)
        .await
        .unwrap();
    let keys: Vec<i64> = (-100..200).collect();
    let report = sync::<V>(&mut transaction, &keys).await.unwrap();
    assert_eq!(counts(&report), [0, 150, 148, 1]);
    transaction.commit().await.unwrap();
    assert_equal_to_rows(pool).await;

    // Orphans whose keys are not given.
    run(pool, "DELETE FROM counters WHERE id BETWEEN 20 AND 29").await;
    let report = sync_all::<V, _>(pool).chunk(64).await.unwrap();
    assert_eq!(counts(&report), [0, 0, 289, 10]);
    assert_equal_to_rows(pool).await;

    let report = delete::<V>(pool, &[-100, 100, 12_345]).await.unwrap();
    assert_eq!(report.deleted, 2);
    assert!(V::find(pool, 100).await.unwrap().is_none());
    assert_eq!(V::find_many(pool, &[150, -99]).await.unwrap().len(), 2);
    let report = sync::<V>(pool, &[-100, 100]).await.unwrap();
    assert_eq!(report.inserted, 2);

    concurrent_writers::<V>(pool).await;
    assert_equal_to_rows(pool).await;
    let report = sync_all::<V, _>(pool).await.unwrap();
    assert_eq!(report.unchanged, 289, "nothing was lost: {report}");
}

/// Two writers of the same rows on the pool, and one in transactions: documents in every partition,
/// each batch in another order.
async fn concurrent_writers<V: TView<Key = i64>>(pool: &PgPool) {
    use fraiseql_runtime::sync::sync;

    let tasks: Vec<_> = (0..3_i64)
        .map(|writer| {
            let pool = pool.clone();
            tokio::spawn(async move {
                for round in 0..40_i64 {
                    let mut keys: Vec<i64> =
                        (0..12).map(|n| (n * 31 + round * 7) % 300 - 100).collect();
                    if writer == 1 {
                        keys.reverse();
                    }
                    // The writer locks in its own order, so that only the order of the syncs is
                    // tested.
                    let change = "WITH locked AS MATERIALIZED (
                             SELECT id FROM counters WHERE id = ANY ($1) ORDER BY id FOR UPDATE)
                         UPDATE counters SET n = n + 1 FROM locked WHERE counters.id = locked.id";
                    if writer == 2 {
                        let mut transaction = pool.begin().await.unwrap();
                        sqlx::query(change)
                            .bind(&keys)
                            .execute(&mut *transaction)
                            .await
                            .unwrap();
                        sync::<V>(&mut transaction, &keys).await.unwrap();
                        transaction.commit().await.unwrap();
                    } else {
                        sqlx::query(change)
                            .bind(&keys)
                            .execute(&pool)
                            .await
                            .unwrap();
                        sync::<V>(&pool, &keys).await.unwrap();
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

/// Name, whether unlogged, options and compression of each table of the view.
async fn tables(pool: &PgPool) -> Vec<(String, bool, Option<Vec<String>>, String)> {
    sqlx::query_as(
        "SELECT c.relname::text, c.relpersistence = 'u', c.reloptions, a.attcompression::text
         FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'data'
         WHERE c.relname ~ '^tv_counter' AND c.relkind IN ('r', 'p') ORDER BY 1",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_partitioned_by_hash_is_synced_in_every_way() {
    let pool = counters().await;
    hashed::check(&pool).await;
    let tables = tables(&pool).await;
    assert_eq!(tables.len(), 9);
    for (name, unlogged, options, _) in &tables {
        let expected = (name != "tv_counter").then(|| vec!["fillfactor=85".to_owned()]);
        assert_eq!((*unlogged, options), (false, &expected), "{name}");
        let rows: i64 = sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM {name}")))
            .fetch_one(&pool)
            .await
            .unwrap();
        assert!(rows > 10, "{name} has {rows}");
    }
    // The stored settings are the requested ones.
    let again = model::<hashed::Counter>().migrate(&pool).await.unwrap();
    fraiseql_tests::assert_up_to_date(&again);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_partitioned_by_range_is_synced_in_every_way() {
    let pool = counters().await;
    ranged::check(&pool).await;
    let tables = tables(&pool).await;
    let [parent, partitions @ ..] = tables.as_slice() else {
        panic!("there is a table");
    };
    assert_eq!((parent.1, &parent.2), (false, &None));
    assert_eq!(partitions.len(), 4);
    for (name, unlogged, options, compression) in partitions {
        assert!(unlogged, "{name}");
        assert_eq!(options, &Some(vec!["fillfactor=70".to_owned()]), "{name}");
        assert_eq!(compression, &parent.3, "{name}");
    }
    let bounds: Vec<(String, i64, i64)> = sqlx::query_as(
        "SELECT tableoid::regclass::text, min(id), max(id) FROM tv_counter GROUP BY 1 ORDER BY 1",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let named = |index: u8, min, max| (format!("tv_counter_p{index}"), min, max);
    assert_eq!(
        bounds,
        [
            named(0, -100, -51),
            named(1, -50, -1),
            named(2, 0, 99),
            named(3, 100, 5000)
        ]
    );
    let again = model::<ranged::Counter>().migrate(&pool).await.unwrap();
    fraiseql_tests::assert_up_to_date(&again);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unlogged_table_is_synced_in_every_way() {
    let pool = counters().await;
    whole::check(&pool).await;
    let tables = tables(&pool).await;
    assert_eq!(tables.len(), 1);
    assert!(tables[0].1);
    assert_eq!(tables[0].2, Some(vec!["fillfactor=50".to_owned()]));
}

#[tokio::test]
async fn a_partition_that_was_detached_is_created_again() {
    let pool = counters().await;
    model::<ranged::Counter>().migrate(&pool).await.unwrap();
    run(&pool, "DROP TABLE tv_counter_p2").await;
    let report = ranged::sync_counter(&pool, &[5]).await.unwrap();
    assert_eq!(
        report.invalid[0].reason,
        "no partition of relation \"tv_counter\" found for row"
    );
    let migration = model::<ranged::Counter>().migrate(&pool).await.unwrap();
    assert_eq!(
        migration.created,
        [r#"partition "public"."tv_counter_p2" of "public"."tv_counter""#]
    );
    assert_eq!(ranged::sync_counter(&pool, &[5]).await.unwrap().inserted, 1);
}

#[tokio::test]
async fn a_table_with_other_storage_is_reported_with_the_statement_that_repairs_it() {
    let pool = counters().await;
    model::<whole::Counter>().migrate(&pool).await.unwrap();

    // Unlogged and fillfactor are repaired with one statement each.
    run(
        &pool,
        "ALTER TABLE tv_counter SET LOGGED; ALTER TABLE tv_counter SET (fillfactor = 100)",
    )
    .await;
    let left = model::<whole::Counter>()
        .migrate(&pool)
        .await
        .unwrap()
        .drift;
    let remedies: Vec<&str> = left.iter().map(|left| left.remedy.as_str()).collect();
    assert_eq!(
        remedies,
        [
            r#"ALTER TABLE "public"."tv_counter" SET UNLOGGED"#,
            r#"ALTER TABLE "public"."tv_counter" SET (fillfactor = 50)"#,
        ]
    );
    repair(&pool, &left).await;
    let again = model::<whole::Counter>().migrate(&pool).await.unwrap();
    fraiseql_tests::assert_up_to_date(&again);

    // One table instead of partitions: created anew.
    whole::sync_all_counters(&pool).await.unwrap();
    let left = model::<hashed::Counter>()
        .migrate(&pool)
        .await
        .unwrap()
        .drift;
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(
        left[0]
            .why
            .contains("it is one table, and the struct's is partitioned by HASH"),
        "{}",
        left[0]
    );
    repair(&pool, &left).await;
    let migration = model::<hashed::Counter>().migrate(&pool).await.unwrap();
    assert_eq!(migration.drift, []);
    assert_eq!(migration.created.len(), 11, "{migration}");
    hashed::sync_all_counters(&pool).await.unwrap();
    assert_equal_to_rows(&pool).await;

    // From hash to range, and from other bounds.
    let left = model::<ranged::Counter>()
        .migrate(&pool)
        .await
        .unwrap()
        .drift;
    assert!(
        left.iter().any(|left| left
            .why
            .contains("it is partitioned by HASH, and the struct's is partitioned by RANGE")),
        "{left:?}"
    );
    repair(&pool, &left).await;
    run(
        &pool,
        "CREATE TABLE tv_counter (id int8 PRIMARY KEY, n int4, data jsonb NOT NULL, version int8
             NOT NULL, synced_xid xid8 NOT NULL, updated_at timestamptz NOT NULL)
             PARTITION BY RANGE (id);
         CREATE TABLE tv_counter_all PARTITION OF tv_counter FOR VALUES FROM (-1000) TO (1000)",
    )
    .await;
    let left = model::<ranged::Counter>()
        .migrate(&pool)
        .await
        .unwrap()
        .drift;
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(left[0].why.contains("into other partitions"), "{}", left[0]);
}

/// Runs the remedies, as an operator would.
async fn repair(pool: &PgPool, left: &[fraiseql_runtime::migrate::Drift]) {
    for left in left {
        if let Err(error) = sqlx::raw_sql(AssertSqlSafe(left.remedy.clone()))
            .execute(pool)
            .await
        {
            panic!("{error}: {left}");
        }
    }
}
