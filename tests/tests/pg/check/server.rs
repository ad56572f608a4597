//! Tests that server settings and privileges of the role that prevent syncs are found.

use fraiseql_runtime::check::{FindingKind, Severity};
use fraiseql_tests::{pool_of, run};
use sqlx::{AssertSqlSafe, PgPool};

use super::{Post, TABLES, check, model, only, planted, sql};

#[tokio::test]
async fn defaults_that_forbid_syncs_are_errors() {
    fraiseql_tests::needs_sessions();
    for (setting, kind) in [
        (
            "default_transaction_isolation = 'repeatable read'",
            FindingKind::Isolation,
        ),
        ("default_transaction_read_only = on", FindingKind::ReadOnly),
    ] {
        let options = fraiseql_tests::database().await;
        let pool = pool_of(options.clone()).await;
        run(&pool, TABLES).await;
        model::<Post>().migrate(&pool).await.unwrap();
        let database = options.get_database().unwrap();
        let alter = format!("ALTER DATABASE \"{database}\" SET {setting}");
        sqlx::raw_sql(AssertSqlSafe(alter))
            .execute(&pool)
            .await
            .unwrap();
        // Open sessions keep the settings that they began with.
        let report = check::<Post>(&pool_of(options.clone()).await).await;
        let [finding] = report.findings() else {
            panic!("{report}");
        };
        assert_eq!((finding.severity, finding.kind), (Severity::Error, kind));
        assert!(finding.view.is_none());
        let repair = AssertSqlSafe(sql(finding)[0].to_owned());
        sqlx::raw_sql(repair).execute(&pool).await.unwrap();
        let report = check::<Post>(&pool_of(options).await).await;
        assert_eq!(report.findings().len(), 0, "{report}");
    }
}

#[tokio::test]
async fn a_database_with_encoding_sql_ascii_is_an_error() {
    fraiseql_tests::needs_sessions();
    let options = fraiseql_tests::database().await;
    let name = format!("{}_ascii", options.get_database().unwrap());
    let pool = pool_of(options.clone()).await;
    let create =
        format!("CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'");
    sqlx::raw_sql(AssertSqlSafe(create))
        .execute(&pool)
        .await
        .unwrap();
    let ascii = pool_of(options.database(&name)).await;
    run(&ascii, TABLES).await;
    model::<Post>().migrate(&ascii).await.unwrap();
    only::<Post>(&ascii, Severity::Error, FindingKind::Encoding).await;
    ascii.close().await;
    let drop = format!("DROP DATABASE \"{name}\"");
    sqlx::raw_sql(AssertSqlSafe(drop))
        .execute(&pool)
        .await
        .unwrap();
}

/// A new role in a new database; the test grants its privileges.
struct Role {
    name: String,
    owner: PgPool,
    own: PgPool,
}

impl Role {
    async fn new(grants: &str) -> Self {
        let options = fraiseql_tests::database().await;
        let owner = pool_of(options.clone()).await;
        run(&owner, TABLES).await;
        model::<Post>().migrate(&owner).await.unwrap();
        let name = format!("role_of_{}", options.get_database().unwrap());
        let role = Self {
            own: sqlx::PgPool::connect_lazy_with(options.username(&name)),
            owner,
            name,
        };
        role.run("CREATE ROLE {role} LOGIN").await;
        role.run(grants).await;
        role
    }

    async fn run(&self, sql: &str) {
        let sql = sql.replace("{role}", &format!("\"{}\"", self.name));
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&self.owner).await;
        done.unwrap();
    }

    /// Returns the findings, without the role's name. Asserts that their SQL remedies, run by the
    /// owner, remove them.
    async fn findings(self) -> Vec<String> {
        let report = check::<Post>(&self.own).await;
        let shown = report
            .findings()
            .iter()
            .map(|finding| finding.to_string().replace(&self.name, "app"))
            .collect();
        for finding in report.findings() {
            for repair in sql(finding) {
                self.run(repair).await;
            }
        }
        if report
            .findings()
            .iter()
            .any(|finding| !sql(finding).is_empty())
        {
            let after = check::<Post>(&self.own).await;
            assert_eq!(after.findings().len(), 0, "{after}");
        }
        self.own.close().await;
        self.run("DROP OWNED BY {role}; DROP ROLE {role}").await;
        shown
    }
}

const ALL_GRANTS: &str = "GRANT SELECT, UPDATE ON ALL TABLES IN SCHEMA public TO {role};
    GRANT INSERT, DELETE ON tv_post, fraiseql_change TO {role};
    GRANT INSERT ON fraiseql_view TO {role};";

#[tokio::test]
async fn missing_privileges_are_reported_with_their_grant() {
    let role = Role::new(ALL_GRANTS).await;
    role.run(
        "REVOKE SELECT ON tb_comment FROM {role}; REVOKE INSERT, DELETE ON tv_post FROM {role}",
    )
    .await;
    assert_eq!(
        role.findings().await,
        [
            "error: Post: the role app lacks privileges on the view table tv_post: INSERT, DELETE
  remedy: GRANT INSERT, DELETE ON \"public\".\"tv_post\" TO \"app\";",
            "error: Post.comments: the role app may not read tb_comment
  remedy: GRANT SELECT ON \"public\".\"tb_comment\" TO \"app\";",
        ]
        .map(str::to_owned)
        .into_iter()
        .rev()
        .collect::<Vec<_>>()
    );
    let role = Role::new(ALL_GRANTS).await;
    role.run("REVOKE UPDATE ON ALL TABLES IN SCHEMA public FROM {role}; GRANT UPDATE ON tv_post, fraiseql_view, fraiseql_change TO {role}")
        .await;
    let findings = role.findings().await;
    // The root and what it embeds, for syncs, and the join table, for mutations. Not the list.
    let tables = ["tb_label", "tb_post", "tb_post_label", "tb_user"];
    assert_eq!(findings.len(), tables.len(), "{findings:?}");
    for (finding, table) in findings.iter().zip(tables) {
        let message = format!("the role app may not lock rows of {table}, ");
        assert!(finding.contains(&message), "{findings:?}");
    }
    let role = Role::new(ALL_GRANTS).await;
    role.run("REVOKE USAGE ON SCHEMA public FROM PUBLIC").await;
    let findings = role.findings().await;
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(
        findings[0].contains("GRANT USAGE ON SCHEMA"),
        "{findings:?}"
    );
}

#[tokio::test]
async fn privileges_on_the_used_columns_are_enough() {
    let role = Role::new(ALL_GRANTS).await;
    role.run(
        "REVOKE SELECT ON tb_comment FROM {role};
         GRANT SELECT (id, post_id, content, created_at) ON tb_comment TO {role}",
    )
    .await;
    assert_eq!(role.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn row_level_security_is_a_warning() {
    let role = Role::new(ALL_GRANTS).await;
    role.run("ALTER TABLE tb_comment ENABLE ROW LEVEL SECURITY")
        .await;
    let findings = role.findings().await;
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(
        findings[0].starts_with(
            "warning: Post.comments: row level security is active on tb_comment for the role app"
        ),
        "{findings:?}"
    );
    let pool = planted::<Post>("ALTER TABLE tb_comment ENABLE ROW LEVEL SECURITY").await;
    assert_eq!(
        check::<Post>(&pool).await.findings().len(),
        0,
        "a superuser sees all"
    );
}
