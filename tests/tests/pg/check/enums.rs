//! Tests that enums in columns of every accepted type are migrated and synced, and that others are
//! refused.

use fraiseql_runtime::check::{CheckReport, FindingKind, Remedy, Severity};
use fraiseql_runtime::{TEnum, TView};
use fraiseql_tests::{run, world};
use sqlx::PgPool;

const TABLES: &str = "
CREATE TYPE st AS ENUM ('open', 'in_transit');
CREATE DOMAIN state AS st;
CREATE TABLE tb_parcel (id int4 PRIMARY KEY, st st NOT NULL, state state NOT NULL,
    past st[] NOT NULL, said text NOT NULL, native st NOT NULL, code uuid NOT NULL);
INSERT INTO tb_parcel VALUES
    (1, 'in_transit', 'open', '{open,in_transit}', 'OPEN', 'open', 'a8098c1a-f86e-11da-bd1a-00112444be1e');
";

const CODE: &str = "a8098c1a-f86e-11da-bd1a-00112444be1e";

#[derive(Clone, Copy, Debug, PartialEq, TEnum)]
enum St {
    Open,
    InTransit,
    /// The database type has no label for this variant, which is harmless.
    Returned,
}

#[derive(Debug, PartialEq, TView)]
struct Parcel {
    id: i32,
    #[tview(filter)]
    st: St,
    #[tview(sort)]
    state: St,
    #[tview(filter)]
    past: Vec<St>,
    #[tview(filter)]
    said: St,
    #[tview(filter, expr = "{}.st")]
    computed: St,
    #[tview(filter)]
    native: String,
    #[tview(unique)]
    code: String,
}

async fn check<V: TView>(pool: &PgPool) -> CheckReport {
    let model = world::model::<V>();
    model.migrate(pool).await.unwrap();
    fraiseql_tests::without_server(model.check(pool).await.unwrap())
}

#[tokio::test]
async fn promoted_enums_and_texts_of_other_types_have_no_findings_and_are_synced() {
    let pool = fraiseql_tests::pool().await;
    run(&pool, TABLES).await;
    let report = check::<Parcel>(&pool).await;
    assert_eq!(report.to_string(), "check: 0 errors, 0 warnings");
    let report = sync_parcel(&pool, &[1]).await.unwrap();
    assert_eq!((report.inserted, report.invalid.len()), (1, 0));
    let expected = Parcel {
        id: 1,
        st: St::InTransit,
        state: St::Open,
        past: vec![St::Open, St::InTransit],
        said: St::Open,
        computed: St::InTransit,
        native: "open".to_owned(),
        code: CODE.to_owned(),
    };
    assert_eq!(Parcel::find(&pool, 1).await.unwrap(), Some(expected));
    let stored: (String, String, Vec<String>, String, String, String) =
        sqlx::query_as("SELECT st, state, past, computed, native, code FROM tv_parcel")
            .fetch_one(&pool)
            .await
            .unwrap();
    let past = vec!["OPEN".to_owned(), "IN_TRANSIT".to_owned()];
    let text = str::to_owned;
    assert_eq!(
        stored,
        (
            text("IN_TRANSIT"),
            text("OPEN"),
            past,
            text("IN_TRANSIT"),
            text("open"),
            text(CODE),
        )
    );
    // The stored documents are found to be equal.
    assert_eq!(sync_parcel(&pool, &[1]).await.unwrap().unchanged, 1);
}

#[tokio::test]
async fn a_promoted_string_whose_text_depends_on_the_session_is_an_error() {
    #[derive(TView)]
    #[tview(table = "tb_day")]
    #[allow(dead_code)]
    struct Day {
        id: i32,
        #[tview(filter)]
        day: String,
        free: String,
    }
    let pool = fraiseql_tests::pool().await;
    let table = "CREATE TABLE tb_day (id int4 PRIMARY KEY, day date NOT NULL, free date NOT NULL)";
    run(&pool, table).await;
    let report = check::<Day>(&pool).await;
    let [finding] = report.findings() else {
        panic!("{report}");
    };
    assert_eq!(
        (finding.severity, finding.kind, finding.path.as_str()),
        (Severity::Error, FindingKind::PromotedType, "Day.day")
    );
    assert_eq!(
        finding.remedies,
        [Remedy::Rust("NaiveDate".to_owned())],
        "{finding}"
    );
}

#[derive(Clone, Copy, Debug, PartialEq, TEnum)]
enum Phase {
    Open,
    #[tview(rename = "closed")]
    Done,
    OnHold,
}

#[derive(Clone, Copy, Debug, PartialEq, TEnum)]
#[tview(rename_all = "kebab-case")]
enum Kebab {
    Open,
}

#[derive(Debug, TView)]
#[tview(table = "tb_ticket")]
#[allow(dead_code)]
struct Ticket {
    id: i32,
    phase: Phase,
    phases: Option<Vec<Phase>>,
    #[tview(expr = "({}.phase)")]
    computed: Phase,
    #[tview(max(table = "tb_visit", fk = "ticket_id", expr = "{}.phase"))]
    last: Option<Kebab>,
    said: Phase,
}

#[tokio::test]
async fn labels_without_a_variant_are_a_warning_with_the_variant_to_add() {
    let pool = fraiseql_tests::pool().await;
    run(
        &pool,
        "CREATE TYPE phase AS ENUM ('open', 'closed', 'on hold', 'lost');
         CREATE TABLE tb_ticket (id int4 PRIMARY KEY, phase phase NOT NULL, phases phase[],
             said text NOT NULL);
         CREATE TABLE tb_visit (id int4 PRIMARY KEY,
             ticket_id int4 NOT NULL REFERENCES tb_ticket, phase phase);
         CREATE INDEX ON tb_visit (ticket_id);
         INSERT INTO tb_ticket VALUES (1, 'open', NULL, 'OPEN'), (2, 'lost', NULL, 'OPEN')",
    )
    .await;
    let report = check::<Ticket>(&pool).await;
    assert!(report.is_ok());
    let found: Vec<(FindingKind, &str)> = report
        .findings()
        .iter()
        .map(|finding| (finding.kind, finding.path.as_str()))
        .collect();
    let kind = FindingKind::EnumLabel;
    let paths = ["phase", "phases", "computed", "last"].map(|name| format!("Ticket.{name}"));
    let expected: Vec<_> = paths.iter().map(|path| (kind, path.as_str())).collect();
    assert_eq!(found, expected, "{report}");
    assert_eq!(
        report.findings()[0].to_string(),
        "warning: Ticket.phase: tb_ticket.phase is phase, whose labels `on hold`, `lost` belong \
         to no variant of Phase: a document with such a value is not written, but reported as \
         invalid\n  \
         remedy: write `#[tview(rename = \"on hold\")] OnHold, Lost`\n      \
         or: give the labels to other variants of Phase, with #[tview(rename = \"..\")]"
    );
    assert_eq!(
        report.findings()[3].remedies[0],
        Remedy::Rust(
            "#[tview(rename = \"closed\")] Closed, #[tview(rename = \"on hold\")] OnHold, \
             #[tview(rename = \"lost\")] Lost"
                .to_owned()
        )
    );
    // The sync fails as the finding predicted.
    let synced = sync_ticket(&pool, &[1, 2]).await.unwrap();
    assert_eq!((synced.inserted, synced.invalid.len()), (1, 1));
    assert!(synced.invalid[0].reason.contains("lost is no Phase"));
}
