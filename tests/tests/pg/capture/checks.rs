//! Tests that `check` names what is missing for capture, and what it cannot see; and that each remedy that is a statement is
//! accepted and removes its finding.

use fraiseql_runtime::check::{CheckReport, FindingKind, Remedy};
use fraiseql_runtime::{Capture, Embed, ReadModel, TView};
use fraiseql_tests::{run, without_server};
use sqlx::{AssertSqlSafe, PgPool};

use super::{blog, captured, execute, model, version};

async fn check(model: &ReadModel, pool: &PgPool) -> CheckReport {
    without_server(model.check(pool).await.unwrap())
}

/// The kinds of the findings, each once.
fn kinds(report: &CheckReport) -> Vec<FindingKind> {
    let mut kinds: Vec<FindingKind> = report.findings().iter().map(|it| it.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

/// A statement in which `@` is the end of the names of functions and triggers.
async fn fault(pool: &PgPool, sql: &str) {
    let suffix: String = sqlx::query_scalar(
        "SELECT right(proname, 16) FROM pg_proc WHERE proname LIKE 'fraiseql\\_capture\\_tb\\_tag\\_%'",
    )
    .fetch_one(pool)
    .await
    .unwrap();
    execute(pool, &sql.replace('@', &suffix)).await;
}

#[tokio::test]
async fn every_remedy_is_accepted_and_removes_its_finding() {
    use FindingKind::{
        DisabledTrigger, MissingFunction, MissingTrigger, NotCaptured, OutdatedViewTable,
    };
    for (sql, wanted) in [
        (
            "DROP TRIGGER fraiseql_update_@ ON tb_tag",
            &[MissingTrigger][..],
        ),
        (
            "CREATE OR REPLACE TRIGGER fraiseql_update_@ AFTER UPDATE ON tb_tag FOR EACH STATEMENT EXECUTE FUNCTION fraiseql_capture_tb_tag_@()",
            &[MissingTrigger],
        ),
        (
            "ALTER TABLE tb_tag DISABLE TRIGGER fraiseql_delete_@",
            &[DisabledTrigger],
        ),
        (
            "ALTER TABLE tb_tag ENABLE REPLICA TRIGGER fraiseql_delete_@",
            &[DisabledTrigger],
        ),
        (
            "ALTER TABLE tb_tag DISABLE TRIGGER USER",
            &[DisabledTrigger],
        ),
        (
            "CREATE OR REPLACE FUNCTION fraiseql_capture_tb_tag_@() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
            &[MissingFunction],
        ),
        (
            "DROP FUNCTION fraiseql_capture_tb_tag_@ CASCADE",
            &[MissingFunction, MissingTrigger],
        ),
        ("DROP FUNCTION fraiseql_flush_@", &[MissingFunction]),
        ("DROP TABLE fraiseql_change", &[OutdatedViewTable]),
        (
            "CREATE TABLE tb_tag_new (PRIMARY KEY (id)) INHERITS (tb_tag)",
            &[MissingTrigger],
        ),
        (
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET session_replication_role = replica', current_database()); END $$",
            &[NotCaptured],
        ),
        (
            "DO $$ BEGIN EXECUTE format('ALTER ROLE %I IN DATABASE %I SET session_replication_role = replica', current_user, current_database()); END $$",
            &[NotCaptured],
        ),
    ] {
        let pool = blog().await;
        let model = model(Capture::Queue);
        assert_eq!(kinds(&check(&model, &pool).await), []);
        fault(&pool, sql).await;
        let report = check(&model, &pool).await;
        assert_eq!(kinds(&report), wanted, "{sql}\n{report}");
        assert!(report.errors().count() > 0, "{report}");
        let remedies: Vec<Remedy> = report
            .findings()
            .iter()
            .map(|finding| finding.remedies[0].clone())
            .collect();
        for remedy in remedies {
            match remedy {
                Remedy::Sql(sql) => {
                    let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&pool).await;
                    done.unwrap_or_else(|error| panic!("{error}\n{report}"));
                }
                Remedy::Migrate => drop(model.migrate(&pool).await.unwrap()),
                other => panic!("{other}\n{report}"),
            }
        }
        let after = check(&model, &pool).await;
        assert_eq!(kinds(&after), [], "{sql}\n{report}\n{after}");
    }
}

#[tokio::test]
async fn sessions_in_which_no_trigger_runs_are_named() {
    fraiseql_tests::needs_sessions();
    let pool = blog().await;
    let model = model(Capture::Queue);
    let mut session = pool.acquire().await.unwrap();
    sqlx::raw_sql("SET session_replication_role = replica")
        .execute(&mut *session)
        .await
        .unwrap();
    let report = without_server(model.check(&mut *session).await.unwrap());
    let [finding] = report.findings() else {
        panic!("{report}")
    };
    assert_eq!(finding.kind, FindingKind::NotCaptured);
    assert!(
        finding
            .message
            .contains("in this session, session_replication_role is `replica`"),
        "{report}"
    );
    assert!(
        matches!(&finding.remedies[0], Remedy::Sql(sql) if sql.contains("SET session_replication_role = 'origin'")),
        "{report}"
    );
    // Whoever captures nothing is not concerned.
    let off = super::model(Capture::Off);
    off.migrate(&pool).await.unwrap();
    let report = without_server(off.check(&mut *session).await.unwrap());
    assert_eq!(report.findings().len(), 0, "{report}");
}

#[tokio::test]
async fn without_capture_missing_functions_are_a_warning() {
    let pool = blog().await;
    let off = model(Capture::Off);
    off.migrate(&pool).await.unwrap();
    assert_eq!(kinds(&check(&off, &pool).await), []);
    let drop: String = sqlx::query_scalar(
        "SELECT 'DROP FUNCTION ' || oid::regprocedure FROM pg_proc WHERE proname LIKE 'fraiseql\\_sync\\_post\\_%'",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    execute(&pool, &drop).await;
    let report = check(&off, &pool).await;
    assert!(report.is_ok(), "{report}");
    let [finding] = report.findings() else {
        panic!("{report}")
    };
    assert_eq!(
        (finding.kind, finding.remedies.as_slice()),
        (FindingKind::MissingFunction, &[Remedy::Migrate][..])
    );
    assert!(finding.message.contains("fraiseql_sync_post_"), "{report}");
}

#[derive(TView)]
#[allow(dead_code)]
struct Post {
    id: i64,
    #[tview(many(fk = "post_id"))]
    comments: Vec<Comment>,
}

#[derive(Embed)]
#[allow(dead_code)]
struct Comment {
    id: i64,
    content: String,
}

/// What `check` says about comments that are not an ordinary table, each with a word of its advice.
#[tokio::test]
async fn relations_whose_changes_cannot_be_captured_are_named() {
    for (sql, message, advice) in [
        (
            "CREATE TABLE rows (id int8, content text NOT NULL, post_id int8);
             CREATE VIEW tb_comment AS SELECT * FROM rows",
            "tb_comment is a view, and changes of its rows cannot be captured",
            "read the tables that it is made of",
        ),
        (
            "CREATE MATERIALIZED VIEW tb_comment AS SELECT 1::int8 AS id, 'x' AS content, 1::int8 AS post_id",
            "tb_comment is a materialized view, and",
            "after each refresh",
        ),
        (
            "CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
             CREATE FOREIGN TABLE tb_comment (id int8 NOT NULL, content text NOT NULL, post_id int8) SERVER files OPTIONS (filename '/dev/null')",
            "tb_comment is a foreign table, and",
            "sync by code",
        ),
        (
            "CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
             CREATE TABLE tb_comment (id int8 NOT NULL, content text NOT NULL, post_id int8) PARTITION BY RANGE (id);
             CREATE FOREIGN TABLE far PARTITION OF tb_comment FOR VALUES FROM (0) TO (10) SERVER files OPTIONS (filename '/dev/null')",
            "\"public\".\"far\", whose rows are rows of tb_comment, is a foreign table",
            "write it through tb_comment",
        ),
        (
            "CREATE TABLE rows (id int8, content text NOT NULL);
             CREATE TABLE tb_comment (post_id int8) INHERITS (rows)",
            "tb_comment inherits from \"public\".\"rows\": statements that name \"public\".\"rows\" write rows of \
             tb_comment, too",
            "ONLY \"public\".\"rows\"",
        ),
    ] {
        if sql.contains("file_fdw") && !fraiseql_tests::has_extension("file_fdw").await {
            continue;
        }
        let pool = fraiseql_tests::pool().await;
        execute(&pool, &format!("CREATE TABLE tb_post (id int8 PRIMARY KEY); {sql}")).await;
        let model = captured::<Post>();
        model.migrate(&pool).await.unwrap();
        fraiseql_tests::assert_up_to_date(&model.migrate(&pool).await.unwrap());
        let report = check(&model, &pool).await;
        let mut found = report.findings().iter().filter(|it| it.kind == FindingKind::NotCaptured);
        let finding = found.next().unwrap_or_else(|| panic!("{sql}\n{report}"));
        assert!(finding.message.contains(message), "{report}");
        assert!(finding.remedies[0].to_string().contains(advice), "{report}");
        assert!(found.next().is_none(), "{report}");
        let accepted = report.accept(|finding| finding.kind == FindingKind::NotCaptured);
        assert!(accepted.findings().iter().all(|it| it.kind != FindingKind::MissingTrigger), "{accepted}");
    }
}

#[derive(TView)]
#[tview(
    table = "tb_post",
    filter = "EXISTS (SELECT FROM tb_comment AS c WHERE c.post_id = {}.id)"
)]
#[allow(dead_code)]
struct Commented {
    id: i64,
}

#[tokio::test]
async fn a_filter_that_reads_other_tables_is_named() {
    let pool = blog().await;
    let model = captured::<Commented>();
    model.migrate(&pool).await.unwrap();
    let report = check(&model, &pool).await;
    let finding = report
        .findings()
        .iter()
        .find(|it| it.kind == FindingKind::NotCaptured);
    let finding = finding.unwrap_or_else(|| panic!("{report}"));
    assert_eq!(finding.path, "Commented");
    assert!(
        finding.message.contains("the filter has a sub-select"),
        "{report}"
    );
    assert!(
        finding.remedies[0].to_string().contains("embed the rows"),
        "{report}"
    );
}

#[tokio::test]
async fn a_subscription_that_writes_a_base_table_is_named() {
    let pool = blog().await;
    let name: String = sqlx::query_scalar("SELECT 'of_' || current_database()")
        .fetch_one(&pool)
        .await
        .unwrap();
    execute(&pool, &format!("CREATE SUBSCRIPTION {name} CONNECTION 'dbname=nowhere' PUBLICATION p WITH (connect = false)")).await;
    run(
        &pool,
        "INSERT INTO pg_subscription_rel (srsubid, srrelid, srsubstate)
         SELECT oid, 'tb_comment'::regclass, 'r' FROM pg_subscription WHERE subname = 'of_' || current_database()",
    )
    .await;
    let report = check(&model(Capture::Queue), &pool).await;
    // Subscriptions are removed with their database only if they have no slot.
    execute(
        &pool,
        &format!("ALTER SUBSCRIPTION {name} SET (slot_name = NONE); DROP SUBSCRIPTION {name}"),
    )
    .await;
    let [finding] = report.findings() else {
        panic!("{report}")
    };
    assert_eq!(finding.kind, FindingKind::NotCaptured);
    assert!(
        finding.message.starts_with(&format!(
            "the subscription {name} writes \"public\".\"tb_comment\""
        )),
        "{report}"
    );
    assert_eq!(kinds(&check(&model(Capture::Queue), &pool).await), []);
}

#[derive(TView)]
#[tview(table = "sums")]
#[allow(dead_code)]
struct Sum {
    id: i64,
    total: i32,
}

#[tokio::test]
async fn a_virtual_generated_column_is_named() {
    let pool = fraiseql_tests::pool().await;
    if version(&pool).await < 18 {
        return; // It has none.
    }
    run(
        &pool,
        "CREATE TABLE sums (id int8 PRIMARY KEY, a int4 NOT NULL, total int4 GENERATED ALWAYS AS (a + 1) VIRTUAL NOT NULL)",
    )
    .await;
    let model = captured::<Sum>();
    model.migrate(&pool).await.unwrap();
    let report = check(&model, &pool).await;
    assert_eq!(kinds(&report), [FindingKind::NotCaptured], "{report}");
    assert!(
        report
            .to_string()
            .contains("sums.total is a virtual generated column"),
        "{report}"
    );
    run(&pool, "ALTER TABLE sums DROP COLUMN total, ADD COLUMN total int4 NOT NULL GENERATED ALWAYS AS (a + 1) STORED").await;
    assert_eq!(kinds(&check(&model, &pool).await), []);
}
