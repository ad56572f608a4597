//! Tests that `check` names what in an `expr` or `filter` does not follow from its row.

use chrono::NaiveDate;
use fraiseql_runtime::TView;
use fraiseql_runtime::check::{CheckReport, Finding, FindingKind, Remedy, Severity};
use fraiseql_tests::{run, world};
use rust_decimal::Decimal;
use sqlx::PgPool;

const TABLES: &str = "
CREATE SCHEMA app;
CREATE FUNCTION app.slug(title text) RETURNS text LANGUAGE plpgsql
    AS $$ BEGIN RETURN lower(title); END $$;
CREATE FUNCTION tax() RETURNS numeric STABLE LANGUAGE plpgsql AS $$ BEGIN RETURN 0.2; END $$;
-- Declared VOLATILE; the planner replaces the call by its body.
CREATE FUNCTION loud(title text) RETURNS text LANGUAGE sql AS $$ SELECT upper(title) $$;
CREATE TABLE tb_item (id int4 PRIMARY KEY, title text NOT NULL, status text NOT NULL,
    \"user\" text NOT NULL, at timestamptz NOT NULL, day date NOT NULL, span interval NOT NULL,
    price numeric NOT NULL, tags text[] NOT NULL, extra hstore_like NOT NULL);
CREATE INDEX tb_item_parent ON tb_item ((id + 0));
";

macro_rules! fragments {
    ($($name:ident($attribute:ident = $text:literal) $ty:ty;)*) => {
        $(fragments!(@one $name $attribute $text $ty);)*
    };
    (@one $name:ident expr $text:literal $ty:ty) => {
        #[derive(TView)]
        #[tview(table = "tb_item")]
        #[allow(dead_code)]
        struct $name {
            id: i32,
            #[tview(expr = $text)]
            value: $ty,
        }
    };
    (@one $name:ident filter $text:literal $ty:ty) => {
        #[derive(TView)]
        #[tview(table = "tb_item", filter = $text)]
        #[allow(dead_code)]
        struct $name {
            id: i32,
        }
    };
}

fragments! {
    Today(expr = "{}.day = CURRENT_DATE") bool;
    Recent(filter = "{}.at > now() - interval '1 day'") ();
    Frozen(filter = "{}.at > 'today'") ();
    Word(filter = "{}.status = 'today'") ();
    Random(expr = "{}.id + (random() * 10)::int4") i32;
    Age(expr = "extract(year FROM age({}.day))::int4") i32;
    Role(filter = "{}.title = current_user") ();
    Setting(filter = "{}.title = current_setting('app.tenant', true)") ();
    Reserved(filter = "user = 'ada'") ();
    Column(filter = "{}.user = 'ada'") ();
    Slug(expr = "app.slug({}.title)") String;
    Tax(expr = "{}.price * (1 + tax())") Decimal;
    Loud(expr = "loud({}.title)") String;
    Day(expr = "{}.at::date") NaiveDate;
    Month(expr = "date_trunc('month', {}.at)::date") NaiveDate;
    Since(filter = "{}.at >= '2022-02-01'") ();
    Later(filter = "{}.at > {}.day") ();
    Text(expr = "{}.day::text") String;
    Joined(expr = "concat({}.title, ' ', {}.day)") String;
    Json(expr = "to_jsonb({}.tags)") serde_json::Value;
    Plain(expr = "lower({}.title) || coalesce({}.status, '-')") String;
    Total(expr = "{}.price * 2") Decimal;
    Query(expr = "(SELECT count(*) FROM public.tb_item AS i WHERE i.at < now() AND i.id < {}.id)") i64;
}

async fn items() -> PgPool {
    let pool = fraiseql_tests::pool().await;
    run(&pool, "CREATE DOMAIN hstore_like AS text").await;
    run(&pool, TABLES).await;
    pool
}

async fn check<V: TView>(pool: &PgPool) -> CheckReport {
    let model = world::model::<V>();
    model.migrate(pool).await.unwrap();
    fraiseql_tests::without_server(model.check(pool).await.unwrap())
}

async fn only<V: TView>(pool: &PgPool, severity: Severity, kind: FindingKind) -> Finding {
    let report = check::<V>(pool).await;
    let [finding] = report.findings() else {
        panic!("not one finding\n{report}");
    };
    assert_eq!(
        (finding.severity, finding.kind),
        (severity, kind),
        "{report}"
    );
    assert!(!finding.remedies.is_empty(), "{report}");
    finding.clone()
}

async fn none<V: TView>(pool: &PgPool) {
    let report = check::<V>(pool).await;
    assert_eq!(report.to_string(), "check: 0 errors, 0 warnings");
}

#[tokio::test]
async fn what_changes_while_the_row_does_not_is_an_error() {
    let pool = items().await;
    let changing = (Severity::Error, FindingKind::ChangingFragment);
    for (finding, what) in [
        (
            only::<Today>(&pool, changing.0, changing.1).await,
            "CURRENT_DATE",
        ),
        (only::<Recent>(&pool, changing.0, changing.1).await, "now()"),
        (
            only::<Frozen>(&pool, changing.0, changing.1).await,
            "the constant 'today'",
        ),
        (
            only::<Random>(&pool, changing.0, changing.1).await,
            "random()",
        ),
        (only::<Age>(&pool, changing.0, changing.1).await, "age()"),
        (
            only::<Role>(&pool, changing.0, changing.1).await,
            "current_user",
        ),
        (
            only::<Setting>(&pool, changing.0, changing.1).await,
            "current_setting()",
        ),
        (only::<Query>(&pool, changing.0, changing.1).await, "now()"),
    ] {
        assert!(
            finding
                .message
                .contains(&format!("reads {what}, which changes")),
            "{finding}"
        );
    }
}

#[tokio::test]
async fn a_reserved_name_that_is_a_column_is_an_error() {
    let pool = items().await;
    let finding = only::<Reserved>(&pool, Severity::Error, FindingKind::ChangingFragment).await;
    assert_eq!(finding.remedies, [Remedy::Rust("{}.user".to_owned())]);
    none::<Column>(&pool).await;
}

#[tokio::test]
async fn a_function_that_is_not_immutable_is_a_warning_with_the_statement_that_declares_it() {
    let pool = items().await;
    let warning = (Severity::Warning, FindingKind::ChangingFragment);
    for (finding, name) in [
        (
            only::<Slug>(&pool, warning.0, warning.1).await,
            "app.slug(text)",
        ),
        (only::<Tax>(&pool, warning.0, warning.1).await, "tax()"),
    ] {
        let Remedy::Sql(sql) = &finding.remedies[0] else {
            panic!("{finding}");
        };
        assert_eq!(*sql, format!("ALTER FUNCTION {name} IMMUTABLE"));
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql.clone()))
            .execute(&pool)
            .await
            .unwrap();
    }
    none::<Slug>(&pool).await;
    none::<Tax>(&pool).await;
}

#[tokio::test]
async fn what_depends_on_settings_is_a_warning_with_the_expression_that_does_not() {
    let pool = items().await;
    let warning = (Severity::Warning, FindingKind::SessionFragment);
    for (finding, written) in [
        (
            only::<Day>(&pool, warning.0, warning.1).await,
            "expr = \"({}.at AT TIME ZONE 'UTC')::date\"",
        ),
        (
            only::<Month>(&pool, warning.0, warning.1).await,
            "expr = \"date_trunc('month', ({}.at AT TIME ZONE 'UTC'))::date\"",
        ),
        (
            only::<Later>(&pool, warning.0, warning.1).await,
            "filter = \"({}.at AT TIME ZONE 'UTC') > {}.day\"",
        ),
    ] {
        assert_eq!(finding.remedies, [Remedy::Rust(written.to_owned())]);
    }
    for finding in [
        only::<Text>(&pool, warning.0, warning.1).await,
        only::<Joined>(&pool, warning.0, warning.1).await,
    ] {
        assert!(
            matches!(finding.remedies[..], [Remedy::Other(_)]),
            "{finding}"
        );
    }
}

#[tokio::test]
async fn what_follows_from_the_row_is_no_finding() {
    let pool = items().await;
    none::<Word>(&pool).await;
    none::<Loud>(&pool).await;
    none::<Since>(&pool).await;
    none::<Json>(&pool).await;
    none::<Plain>(&pool).await;
    none::<Total>(&pool).await;
}

#[tokio::test]
async fn fragments_are_judged_alike_in_all_sessions() {
    let pool = items().await;
    world::model::<Day>().migrate(&pool).await.unwrap();
    let mut connection = pool.acquire().await.unwrap();
    sqlx::raw_sql(world::ODD_SESSION)
        .execute(&mut *connection)
        .await
        .unwrap();
    let report = world::model::<Day>().check(&mut *connection).await.unwrap();
    let kinds: Vec<_> = report.warnings().map(|finding| finding.kind).collect();
    assert!(kinds.contains(&FindingKind::SessionFragment), "{report}");
}

#[derive(TView)]
#[tview(table = "ages", entity = "age_of_item")]
#[allow(dead_code)]
struct AgeOfItem {
    id: i32,
    days: i32,
}

#[derive(TView)]
#[tview(table = "titles", entity = "title_of_item")]
#[allow(dead_code)]
struct TitleOfItem {
    id: i32,
    title: String,
}

#[tokio::test]
async fn a_view_of_the_database_that_reads_the_clock_is_a_warning() {
    let pool = items().await;
    run(
        &pool,
        "CREATE VIEW ages AS SELECT id, current_date - day AS days FROM tb_item;
         CREATE VIEW titles AS SELECT id, lower(title) || \"user\" AS title FROM tb_item",
    )
    .await;
    let report = check::<AgeOfItem>(&pool).await;
    let found = report
        .warnings()
        .find(|finding| finding.kind == FindingKind::ChangingFragment)
        .unwrap_or_else(|| panic!("{report}"));
    assert!(
        found
            .message
            .starts_with("the view ages reads CURRENT_DATE, which changes"),
        "{found}"
    );
    let report = check::<TitleOfItem>(&pool).await;
    assert!(
        report
            .findings()
            .iter()
            .all(|finding| finding.kind != FindingKind::ChangingFragment),
        "{report}"
    );
}
