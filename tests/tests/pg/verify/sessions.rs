//! Tests that a verification finds the same in any session and transaction, and writes nothing.

use fraiseql_tests::run;
use fraiseql_tests::world::ODD_SESSION;
use sqlx::PgConnection;
use sqlx::postgres::PgPoolOptions;

use super::samples::Word;
use super::{HARM, found, model, posts, verify_post};

async fn settings(connection: &mut PgConnection) -> String {
    sqlx::query_scalar(
        "SELECT concat_ws(' ', current_setting('TimeZone'), current_setting('DateStyle'),
             current_setting('extra_float_digits'), current_setting('search_path'))",
    )
    .fetch_one(connection)
    .await
    .unwrap()
}

#[tokio::test]
async fn sessions_with_unusual_settings_find_the_same_and_keep_their_settings() -> anyhow::Result<()>
{
    fraiseql_tests::needs_sessions();
    let pool = posts().await;
    let unusual = PgPoolOptions::new()
        .max_connections(1)
        .after_connect(|connection, _| {
            Box::pin(async move {
                sqlx::raw_sql(ODD_SESSION).execute(connection).await?;
                Ok(())
            })
        })
        .connect_with((*pool.connect_options()).clone())
        .await?;
    let before = settings(&mut *unusual.acquire().await?).await;
    for harm in ["", HARM] {
        run(&pool, harm).await;
        let expected = found(&verify_post(&pool).await?);
        assert_eq!(expected.0.len(), usize::from(!harm.is_empty()));
        // On the pool, ..
        assert_eq!(found(&verify_post(&unusual).await?), expected);
        assert_eq!(settings(&mut *unusual.acquire().await?).await, before);
        // .. on a connection without a transaction, ..
        let mut connection = unusual.acquire().await?;
        assert_eq!(found(&verify_post(&mut connection).await?), expected);
        assert_eq!(settings(&mut connection).await, before);
        assert_eq!(found(&verify_post(&mut *connection).await?), expected);
        drop(connection);
        // .. and in a transaction, with settings of its own.
        let mut transaction = unusual.begin().await?;
        sqlx::raw_sql("SET LOCAL TimeZone = 'America/Lima'")
            .execute(&mut *transaction)
            .await?;
        let own = settings(&mut transaction).await;
        assert!(own.starts_with("America/Lima "));
        assert_eq!(found(&verify_post(&mut transaction).await?), expected);
        assert_eq!(settings(&mut transaction).await, own);
        transaction.commit().await?;
        assert_eq!(settings(&mut *unusual.acquire().await?).await, before);
    }
    Ok(())
}

#[tokio::test]
async fn a_verification_assigns_no_transaction_id() -> anyhow::Result<()> {
    let pool = posts().await;
    run(&pool, HARM).await;
    run(&pool, "UPDATE post SET score = 'NaN' WHERE id = 3").await;
    for begin in [
        "BEGIN",
        "BEGIN READ ONLY",
        "BEGIN ISOLATION LEVEL REPEATABLE READ",
        "BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY",
    ] {
        let mut transaction = pool.begin_with(begin).await?;
        let report = verify_post(&mut transaction).explain(9).sample(1.0).await?;
        assert_eq!(found(&report), (vec![7], vec![8], vec![9]), "{begin}");
        assert_eq!((report.invalid.len(), report.explained.len()), (1, 1));
        let sampled = verify_post(&mut transaction).sample(0.999).seed(1).await?;
        assert!(sampled.checked > 40);
        let id: Option<String> =
            sqlx::query_scalar("SELECT pg_current_xact_id_if_assigned()::text")
                .fetch_one(&mut *transaction)
                .await?;
        assert_eq!(id, None, "{begin}");
        transaction.commit().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_pool_whose_transactions_are_read_only_can_verify() -> anyhow::Result<()> {
    fraiseql_tests::needs_sessions();
    let pool = posts().await;
    run(&pool, HARM).await;
    let options = (*pool.connect_options()).clone().options([
        ("default_transaction_read_only", "on"),
        ("default_transaction_isolation", "serializable"),
    ]);
    let replica = PgPoolOptions::new().connect_with(options).await?;
    let report = verify_post(&replica).await?;
    assert_eq!(found(&report), (vec![7], vec![8], vec![9]));
    let error = verify_post(&replica).repair().await.unwrap_err();
    assert!(
        error.to_string().contains("in a read-only transaction"),
        "{error}"
    );
    Ok(())
}

#[tokio::test]
async fn a_transaction_verifies_what_it_sees() -> anyhow::Result<()> {
    let pool = posts().await;
    let mut transaction = pool.begin().await?;
    sqlx::raw_sql("UPDATE author SET name = 'Ada L' WHERE id = 1")
        .execute(&mut *transaction)
        .await?;
    let report = verify_post(&mut transaction).await?;
    assert!(report.drifted.total() >= 30, "{report}");
    assert!(verify_post(&pool).await?.is_clean());
    transaction.rollback().await?;
    Ok(())
}

#[tokio::test]
async fn a_read_model_has_a_report_of_each_view() -> anyhow::Result<()> {
    let pool = posts().await;
    let model = model();
    assert!(model.verify(&pool).await?.is_clean());
    run(&pool, HARM).await;
    let mut transaction = pool.begin().await?;
    let reports = model.verify(&mut transaction).await?;
    transaction.commit().await?;
    assert!(!reports.is_clean());
    let found: Vec<_> = reports
        .iter()
        .map(|report| (report.entity, found(report)))
        .collect();
    assert_eq!(
        found,
        [
            ("post", (vec![7], vec![8], vec![9])),
            ("published", (vec![7], vec![], vec![9])),
            ("part", (vec![7], vec![], vec![9])),
        ]
    );
    assert!(reports.of::<Word>().is_none());
    assert_eq!(reports.to_string().lines().count(), 4 + 3 + 3);
    // Held by value, and used by reference.
    let held = model.on(pool.clone());
    assert_eq!(verify_post(&held).await?.wrong(), 3);
    Ok(())
}

#[tokio::test]
async fn a_pool_without_a_free_connection_is_an_error() -> anyhow::Result<()> {
    let pool = posts().await;
    let small = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(std::time::Duration::from_millis(100))
        .connect_with((*pool.connect_options()).clone())
        .await?;
    let held = small.acquire().await?;
    let error = verify_post(&small).await.unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("acquiring a connection to verify: "),
        "{error}"
    );
    drop(held);
    assert!(verify_post(&small).await?.is_clean());
    Ok(())
}
