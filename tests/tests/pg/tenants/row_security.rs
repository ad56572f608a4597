//! Tenants that the database separates as well: row level security on the base table and the view table,
//! with readers that see one tenant, and a writer that sees all.

use fraiseql_runtime::check::{FindingKind, Severity};
use fraiseql_runtime::{Capture, ReadModel, TView};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, PgPool};

use super::{Ticket, ids, sync_all_tickets, sync_ticket, verify_ticket};

/// The owner of the tables, and the roles of an application.
struct Roles {
    owner: PgPool,
    /// Reads and writes rows of the tenant in `app.tenant`.
    app: PgConnectOptions,
    /// Syncs: it has BYPASSRLS.
    sync: PgConnectOptions,
    names: [String; 2],
}

/// What the guide shows.
const POLICIES: &str = "
ALTER TABLE tb_ticket ENABLE ROW LEVEL SECURITY;
ALTER TABLE tv_ticket ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON tb_ticket USING (org_id = current_setting('app.tenant', true)::bigint);
CREATE POLICY own ON tv_ticket USING (org_id = current_setting('app.tenant', true)::bigint);
";

impl Roles {
    async fn new(model: &ReadModel) -> Self {
        let owner = fraiseql_tests::pool().await;
        fraiseql_tests::run(&owner, super::TABLES).await;
        model.migrate(&owner).await.unwrap();
        sync_all_tickets(&owner).await.unwrap();
        fraiseql_tests::run(&owner, POLICIES).await;
        let options = (*owner.connect_options()).clone();
        let database = options.get_database().unwrap();
        let names = ["app", "sync"].map(|role| format!("{role}_{database}"));
        let [app, sync] = &names;
        let roles = format!(
            "CREATE ROLE \"{app}\" LOGIN;
             CREATE ROLE \"{sync}\" LOGIN BYPASSRLS;
             GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO \"{app}\", \"{sync}\";
             GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO \"{app}\", \"{sync}\";
             GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO \"{app}\", \"{sync}\""
        );
        sqlx::raw_sql(AssertSqlSafe(roles))
            .execute(&owner)
            .await
            .unwrap();
        Self {
            app: options.clone().username(app),
            sync: options.username(sync),
            owner,
            names,
        }
    }

    /// A pool whose sessions are those of one tenant.
    async fn of(&self, org: i64) -> PgPool {
        PgPoolOptions::new()
            .max_connections(2)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    sqlx::query("SELECT set_config('app.tenant', $1, false)")
                        .bind(org.to_string())
                        .execute(connection)
                        .await?;
                    Ok(())
                })
            })
            .connect_with(self.app.clone())
            .await
            .unwrap()
    }

    async fn pool(&self, options: &PgConnectOptions) -> PgPool {
        fraiseql_tests::pool_of(options.clone()).await
    }

    async fn drop(self) {
        for name in self.names {
            let drop = format!("DROP OWNED BY \"{name}\" CASCADE; DROP ROLE \"{name}\"");
            sqlx::raw_sql(AssertSqlSafe(drop))
                .execute(&self.owner)
                .await
                .unwrap();
        }
    }
}

#[tokio::test]
async fn a_session_of_a_tenant_reads_its_documents_even_across_tenants() -> anyhow::Result<()> {
    let model = fraiseql_tests::world::model::<Ticket>();
    let roles = Roles::new(&model).await;
    let pool = roles.of(2).await;
    let all: Vec<Ticket> = Ticket::across_tenants().list().fetch(&pool).await?;
    assert_eq!(
        all.iter().map(|ticket| ticket.id).collect::<Vec<_>>(),
        ids(2)
    );
    assert!(Ticket::of(1).find(&pool, 3).await?.is_none());
    assert!(Ticket::of(2).find(&pool, 4).await?.is_some());
    pool.close().await;

    // The setting of one transaction, for a pool that several tenants share.
    let shared = roles.pool(&roles.app).await;
    let mut tx = shared.begin().await?;
    sqlx::query("SELECT set_config('app.tenant', $1, true)")
        .bind("3")
        .execute(&mut *tx)
        .await?;
    assert_eq!(Ticket::of(3).list().read(&mut tx).await?.len(), 20);
    assert_eq!(Ticket::of(1).list().read(&mut tx).await?.len(), 0);
    tx.commit().await?;
    assert_eq!(Ticket::of(3).list().read(&shared).await?.len(), 0);
    shared.close().await;
    roles.drop().await;
    Ok(())
}

#[tokio::test]
async fn a_sync_by_a_role_with_bypassrls_sees_every_row() -> anyhow::Result<()> {
    let model = fraiseql_tests::world::model::<Ticket>();
    let roles = Roles::new(&model).await;
    let (app, sync) = (roles.of(2).await, roles.pool(&roles.sync).await);
    sqlx::query("UPDATE tb_ticket SET title = 'Mine'")
        .execute(&app)
        .await?;
    let report = sync_all_tickets(&sync).await?;
    assert_eq!(
        (report.updated, report.unchanged, report.deleted),
        (20, 40, 0)
    );
    assert_eq!(Ticket::of(2).find(&app, 4).await?.unwrap().title, "Mine");
    assert!(verify_ticket(&sync).await?.is_clean());
    // What a sync deletes if it does not see.
    sync_ticket(&app, &[3, 4]).await?;
    assert!(
        Ticket::of(1).find(&sync, 3).await?.is_some(),
        "the document is hidden, too"
    );
    for pool in [app, sync] {
        pool.close().await;
    }
    roles.drop().await;
    Ok(())
}

#[tokio::test]
async fn check_names_the_tables_whose_rows_a_role_does_not_see() -> anyhow::Result<()> {
    let model = fraiseql_tests::world::model::<Ticket>();
    let roles = Roles::new(&model).await;
    let (app, sync) = (roles.of(2).await, roles.pool(&roles.sync).await);
    let hidden = |report: fraiseql_runtime::check::CheckReport| {
        let findings = report.findings().iter();
        let of_rls = findings.filter(|finding| finding.kind == FindingKind::RowSecurity);
        of_rls
            .map(|finding| {
                assert_eq!(finding.severity, Severity::Warning);
                finding.to_string()
            })
            .collect::<Vec<_>>()
    };
    let found = hidden(model.check(&app).await?);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(
        found.iter().any(|finding| finding.contains("tb_ticket")),
        "{found:#?}"
    );
    assert!(
        found.iter().any(|finding| finding.contains("tv_ticket")),
        "{found:#?}"
    );
    assert_eq!(hidden(model.check(&sync).await?), Vec::<String>::new());
    assert_eq!(
        hidden(model.check(&roles.owner).await?),
        Vec::<String>::new()
    );
    for pool in [app, sync] {
        pool.close().await;
    }
    roles.drop().await;
    Ok(())
}

/// The functions run as their owner, who sees every row of his tables unless they force him.
#[tokio::test]
async fn check_names_the_tables_whose_rows_the_owner_of_the_functions_does_not_see()
-> anyhow::Result<()> {
    let model = ReadModel::builder()
        .view::<Ticket>()
        .capture(Capture::Queue)
        .build()?;
    let roles = Roles::new(&model).await;
    let sync = roles.pool(&roles.sync).await;
    let hidden = async || -> anyhow::Result<Vec<String>> {
        let report = model.check(&sync).await?;
        let findings = report.findings().iter();
        let of_rls = findings.filter(|finding| finding.kind == FindingKind::RowSecurity);
        Ok(of_rls.map(ToString::to_string).collect())
    };
    assert_eq!(hidden().await?, Vec::<String>::new());
    // A role that sees no row owns the functions now.
    let [app, _] = &roles.names;
    let give = format!(
        "DO $$ DECLARE f regprocedure; BEGIN
            FOR f IN SELECT oid::regprocedure FROM pg_proc WHERE proname LIKE 'fraiseql%' LOOP
                EXECUTE format('ALTER FUNCTION %s OWNER TO \"{app}\"', f);
            END LOOP; END $$"
    );
    sqlx::raw_sql(AssertSqlSafe(format!(
        "GRANT CREATE ON SCHEMA public TO \"{app}\"; {give}"
    )))
    .execute(&roles.owner)
    .await?;
    let found = hidden().await?;
    assert_eq!(found.len(), 2, "{found:#?}");
    for table in ["tb_ticket", "tv_ticket"] {
        assert!(
            found.iter().any(|finding| finding.contains(table)),
            "{found:#?}"
        );
    }
    assert!(
        found
            .iter()
            .all(|finding| finding.contains("owns the functions that sync"))
    );
    sync.close().await;
    roles.drop().await;
    Ok(())
}

/// The functions that sync run with the rights of their owner, who sees every row.
#[tokio::test]
async fn a_captured_change_of_a_tenant_is_synced() -> anyhow::Result<()> {
    for capture in [Capture::AtCommit, Capture::Queue] {
        let model = ReadModel::builder()
            .view::<Ticket>()
            .capture(capture)
            .build()?;
        let roles = Roles::new(&model).await;
        let (app, sync) = (roles.of(2).await, roles.pool(&roles.sync).await);
        let written = "UPDATE tb_ticket SET title = 'Captured'";
        assert_eq!(
            sqlx::query(written).execute(&app).await?.rows_affected(),
            20
        );
        model.worker(&sync).drain().await?;
        assert_eq!(
            Ticket::of(2).find(&app, 4).await?.unwrap().title,
            "Captured"
        );
        assert!(verify_ticket(&sync).await?.is_clean());
        assert_eq!(Ticket::across_tenants().list().read(&sync).await?.len(), 60);

        // A mutation in a session of the tenant.
        let mut m = model.mutation(&app).await?;
        sqlx::query("UPDATE tb_ticket SET title = 'Mutated' WHERE id = 4")
            .execute(&mut *m)
            .await?;
        m.commit().await?;
        assert_eq!(Ticket::of(2).find(&app, 4).await?.unwrap().title, "Mutated");
        assert!(verify_ticket(&sync).await?.is_clean());
        for pool in [app, sync] {
            pool.close().await;
        }
        roles.drop().await;
    }
    Ok(())
}
