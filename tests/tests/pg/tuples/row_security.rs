//! Marks of rows that row security may hide from the second connection.

use fraiseql_runtime::Error;
use fraiseql_tests::run;
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool};

use super::world::Ticket;
use super::{assert_right, synced};

/// A pool whose sessions see the rows of an organization, if it is set for them.
async fn sessions(pool: &PgPool, org: Option<i64>) -> anyhow::Result<PgPool> {
    let options = pool.connect_options();
    let role = format!("org_of_{}", options.get_database().unwrap());
    let sql = format!(
        "ALTER TABLE tb_ticket ENABLE ROW LEVEL SECURITY;
         CREATE POLICY own ON tb_ticket USING (org_id = nullif(current_setting('app.org', true), '')::int8);
         CREATE ROLE \"{role}\" LOGIN;
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO \"{role}\""
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(pool).await?;
    let set = org.map(|org| format!("SET app.org = '{org}'"));
    let pool = PgPoolOptions::new()
        .max_connections(3)
        .after_connect(move |connection, _| {
            let set = set.clone();
            Box::pin(async move {
                if let Some(set) = set {
                    sqlx::raw_sql(AssertSqlSafe(set))
                        .execute(connection)
                        .await?;
                }
                Ok(())
            })
        })
        .connect_with((*options).clone().username(&role))
        .await?;
    Ok(pool)
}

const MOVE: &str = "UPDATE tb_ticket SET assignee_no = 3 WHERE org_id = 1 AND no = 1";

#[tokio::test]
async fn rows_that_the_second_connection_sees_are_not_refused() -> anyhow::Result<()> {
    fraiseql_tests::needs_sessions();
    let (pool, model) = synced(None).await?;
    let keys: Vec<(i64, String, i16)> = sqlx::query_as(
        "SELECT org_id, project_code, no FROM tb_ticket WHERE org_id = 1 AND no = 1",
    )
    .fetch_all(&pool)
    .await?;
    assert!(
        keys.len() > 1 && keys.iter().any(|key| key.1.contains('"')),
        "{keys:?}"
    );
    let org = sessions(&pool, Some(1)).await?;
    let mut m = model.mutation(&org).await?;
    sqlx::query(MOVE).execute(&mut *m).await?;
    m.changed::<Ticket>(&keys);
    m.commit().await?;
    assert_right(&pool, "rows that are seen").await;
    Ok(())
}

#[tokio::test]
async fn rows_that_it_may_not_see_are_named() -> anyhow::Result<()> {
    fraiseql_tests::needs_sessions();
    let (pool, model) = synced(None).await?;
    let nobody = sessions(&pool, None).await?;
    let mut m = model.mutation(&nobody).await?;
    run(&pool, "SELECT 1").await;
    sqlx::query("SELECT set_config('app.org', '1', true)")
        .execute(&mut *m)
        .await?;
    sqlx::query("UPDATE tb_ticket SET assignee_no = 3 WHERE org_id = 1 AND no = 1 AND project_code = 'plain'").execute(&mut *m).await?;
    m.changed::<Ticket>(&[(1, "plain".to_owned(), 1)]);
    let error = m.commit().await.unwrap_err();
    assert!(matches!(error, Error::HiddenRows { .. }), "{error}");
    assert!(error.to_string().contains("[1, \"plain\", 1]"), "{error}");
    Ok(())
}
