//! Tests that a role which writes base tables needs no right on what captures its changes, and what a role
//! needs that creates it.

use fraiseql_runtime::{Capture, Error, ReadModel};
use fraiseql_tests::run;
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool};

use super::{Post, TABLES, captured, execute};

/// A role that may only connect, and a pool of its own.
struct Role {
    owner: PgPool,
    name: String,
    pool: PgPool,
}

impl Role {
    async fn new(owner: &PgPool) -> Self {
        let database = owner.connect_options().get_database().unwrap().to_owned();
        let name = format!("writer of {database}");
        execute(
            owner,
            &format!("REVOKE ALL ON SCHEMA public FROM PUBLIC; CREATE ROLE \"{name}\" LOGIN"),
        )
        .await;
        Self {
            pool: PgPoolOptions::new()
                .max_connections(2)
                .connect_lazy_with((*owner.connect_options()).clone().username(&name)),
            owner: owner.clone(),
            name,
        }
    }

    async fn grant(&self, what: &str) {
        execute(&self.owner, &format!("GRANT {what} TO \"{}\"", self.name)).await;
    }

    async fn drop(self) {
        self.pool.close().await;
        execute(
            &self.owner,
            &format!(
                "DROP OWNED BY \"{0}\" CASCADE; DROP ROLE \"{0}\"",
                self.name
            ),
        )
        .await;
    }
}

#[tokio::test]
async fn a_role_that_writes_base_tables_needs_no_right_on_changes_and_documents()
-> anyhow::Result<()> {
    fraiseql_tests::needs_sessions();
    let owner = fraiseql_tests::pool().await;
    run(&owner, TABLES).await;
    captured::<Post>().migrate(&owner).await?;
    let role = Role::new(&owner).await;
    role.grant("USAGE ON SCHEMA public").await;
    role.grant("SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON tb_user, tb_post, tb_comment, tb_tag, tb_post_tag, tb_like").await;
    for setting in [
        "SET search_path = ''",
        "SET search_path = pg_temp",
        "SET DateStyle = 'German, DMY'",
    ] {
        let mut session = role.pool.acquire().await?;
        sqlx::raw_sql(setting).execute(&mut *session).await?;
        // Nothing of the session is found before what the function means.
        sqlx::raw_sql(
            "CREATE TEMP TABLE IF NOT EXISTS fraiseql_change (model int8);
             CREATE TEMP TABLE IF NOT EXISTS fraiseql_new (id int8);
             INSERT INTO public.tb_tag VALUES (7, 'seven');
             UPDATE public.tb_tag SET name = 'x' WHERE id = 7;
             DELETE FROM public.tb_tag WHERE id = 7;
             TRUNCATE public.tb_like",
        )
        .execute(&mut *session)
        .await?;
        session.close().await?;
        let operations: Vec<String> =
            sqlx::query_scalar("DELETE FROM public.fraiseql_change RETURNING operation")
                .fetch_all(&owner)
                .await?;
        assert_eq!(
            operations,
            ["INSERT", "UPDATE", "DELETE", "TRUNCATE"],
            "{setting}"
        );
    }
    for refused in [
        "SELECT FROM fraiseql_change",
        "INSERT INTO fraiseql_change (model, \"table\", operation) VALUES (1, 'x', 'INSERT')",
        "SELECT FROM tv_post",
    ] {
        let error = sqlx::raw_sql(refused)
            .execute(&role.pool)
            .await
            .unwrap_err();
        assert_eq!(
            error.as_database_error().unwrap().code().unwrap(),
            "42501",
            "{refused}"
        );
    }
    // Nobody but its owner can attach the function to a table of his own, and so write changes.
    role.grant("CREATE ON SCHEMA public").await;
    let function: String = sqlx::query_scalar(
        "SELECT oid::regproc::text FROM pg_proc WHERE proname LIKE 'fraiseql_capture_tb_tag_%'",
    )
    .fetch_one(&owner)
    .await?;
    let attach = format!(
        "CREATE TABLE public.mine (id int4); CREATE TRIGGER t AFTER INSERT ON public.mine
         REFERENCING NEW TABLE AS fraiseql_new FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
    );
    let error = sqlx::raw_sql(AssertSqlSafe(attach))
        .execute(&role.pool)
        .await
        .unwrap_err();
    assert_eq!(error.as_database_error().unwrap().code().unwrap(), "42501");
    role.drop().await;
    Ok(())
}

#[tokio::test]
async fn a_migration_without_the_right_to_create_functions_says_so() -> anyhow::Result<()> {
    let owner = fraiseql_tests::pool().await;
    run(&owner, TABLES).await;
    let off = ReadModel::builder().view::<Post>().build()?;
    off.migrate(&owner).await?;
    let role = Role::new(&owner).await;
    for grant in &off.grants(&role.name) {
        execute(&owner, grant).await;
    }
    // Everything is there but the functions.
    let dropped: Vec<String> = sqlx::query_scalar(
        "SELECT 'DROP FUNCTION ' || oid::regprocedure FROM pg_proc WHERE proname LIKE 'fraiseql\\_%'",
    )
    .fetch_all(&owner)
    .await?;
    assert!(dropped.len() >= 4, "{dropped:?}");
    execute(&owner, &dropped.join("; ")).await;

    // Without capture, it goes on.
    let migration = off.migrate(&role.pool).await?;
    assert_eq!(migration.created, Vec::<String>::new());
    let [drift] = migration.drift.as_slice() else {
        panic!("{migration}")
    };
    assert!(
        drift.what.starts_with("function \"public\".\"fraiseql_"),
        "{drift}"
    );
    assert!(drift.why.contains("one by one"), "{drift}");
    assert_eq!(
        drift.remedy,
        format!("GRANT CREATE ON SCHEMA \"public\" TO \"{}\"", role.name)
    );

    // With it, that is an error, and nothing is created.
    let on = captured::<Post>();
    let error = on.migrate(&role.pool).await.unwrap_err();
    assert!(matches!(error, Error::CannotCapture { .. }), "{error}");
    let text = error.to_string();
    assert!(
        text.contains("may not create triggers")
            && text.contains("GRANT TRIGGER ON \"public\".\"tb_comment\""),
        "{text}"
    );
    for table in [
        "tb_user",
        "tb_post",
        "tb_comment",
        "tb_tag",
        "tb_post_tag",
        "tb_like",
    ] {
        role.grant(&format!("TRIGGER ON {table}")).await;
    }
    let error = on.migrate(&role.pool).await.unwrap_err();
    assert!(matches!(error, Error::CannotCapture { .. }), "{error}");
    assert!(
        error.to_string().contains("GRANT CREATE ON SCHEMA"),
        "{error}"
    );
    execute(&owner, &drift.remedy).await;
    on.migrate(&role.pool).await?;
    off.migrate(&role.pool).await?;
    fraiseql_tests::assert_up_to_date(&on.migrate(&role.pool).await?);
    assert_eq!(Capture::default(), Capture::Off);
    role.drop().await;
    Ok(())
}
