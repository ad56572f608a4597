//! Tests that a role with exactly the printed GRANTs, and the right to write base tables, can sync.

use fraiseql_runtime::Capture;
use fraiseql_tests::run;
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool};

use super::changes::Changes;
use super::expected::assert_right;
use super::{TABLES, Way, commit, structs};

async fn execute(pool: &PgPool, sql: String) {
    let done = sqlx::raw_sql(AssertSqlSafe(sql.clone()))
        .execute(pool)
        .await;
    done.unwrap_or_else(|error| panic!("{error}\n{sql}"));
}

#[tokio::test]
async fn a_role_with_the_printed_grants_can_sync() -> anyhow::Result<()> {
    let owner = fraiseql_tests::pool().await;
    run(&owner, TABLES).await;
    // Roles belong to the whole server.
    let database = owner.connect_options().get_database().unwrap().to_owned();
    let role = format!("{database}_other_rows");
    let model = structs::model().capture(Capture::Queue).build()?;
    model.migrate(&owner).await?;
    execute(
        &owner,
        format!(
            "REVOKE ALL ON SCHEMA public FROM PUBLIC; CREATE ROLE \"{role}\" LOGIN;
             GRANT INSERT, UPDATE, DELETE ON tb_project, tb_ticket, tb_hours, tb_label, tb_project_label
             TO \"{role}\""
        ),
    )
    .await;
    for grant in &model.grants(&role) {
        execute(&owner, grant.to_string()).await;
    }
    let pool = PgPoolOptions::new()
        .max_connections(3)
        .connect_lazy_with((*owner.connect_options()).clone().username(&role));
    model.sync_all(&pool).await?;
    model.check(&pool).await?.into_result()?;
    let mut changes = Changes::new(7);
    for _ in 0..20 {
        let statements = changes.transaction(false);
        commit(&pool, &model, Way::Mutation, &statements).await?;
        assert_right(&owner, &format!("{statements:#?}")).await;
    }
    pool.close().await;
    execute(
        &owner,
        format!("DROP OWNED BY \"{role}\"; DROP ROLE \"{role}\""),
    )
    .await;
    Ok(())
}
