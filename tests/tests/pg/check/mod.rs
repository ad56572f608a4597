//! Tests that `check` finds nothing in a database that fits its model, that each fault is exactly
//! one finding, and that the remedy it prints removes it.

mod columns;
mod enums;
mod expressions;
mod indexes;
mod inherited;
mod keys;
mod mutability;
mod remedies;
mod server;
mod session;
mod tables;
mod twenty;
mod types;
mod view_tables;

use fraiseql_runtime::check::{CheckReport, Finding, FindingKind, Remedy, Severity};
use fraiseql_runtime::{Embed, TView};
use fraiseql_tests::run;
use fraiseql_tests::world::numbered::{Author, Comment};
use fraiseql_tests::world::{blog, model};
use sqlx::{AssertSqlSafe, PgPool};

const TABLES: &str = "
CREATE TABLE tb_user (id int8 PRIMARY KEY, name text NOT NULL, hidden boolean NOT NULL DEFAULT false);
CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL, rank int4,
    author_id int8 NOT NULL REFERENCES tb_user);
CREATE INDEX tb_post_author ON tb_post (author_id);
CREATE TABLE tb_comment (id int8 PRIMARY KEY, post_id int8 NOT NULL REFERENCES tb_post,
    content text NOT NULL, created_at timestamptz NOT NULL);
CREATE INDEX tb_comment_post ON tb_comment (post_id);
CREATE TABLE tb_label (id int8 PRIMARY KEY, name text NOT NULL);
CREATE TABLE tb_post_label (post_id int8 REFERENCES tb_post, label_id int8 REFERENCES tb_label,
    PRIMARY KEY (post_id, label_id));
CREATE INDEX tb_post_label_label ON tb_post_label (label_id);
";

#[derive(TView)]
#[allow(dead_code)]
struct Post {
    id: i64,
    #[tview(filter, sort)]
    title: String,
    rank: Option<i32>,
    #[tview(one(fk = "author_id"))]
    author: Author,
    #[tview(many(fk = "post_id", order_by = "created_at DESC", limit = 9))]
    comments: Vec<Comment>,
    #[tview(many(through(table = "tb_post_label", fk = "post_id", to = "label_id")))]
    labels: Vec<Label>,
    #[tview(count(table = "tb_comment", fk = "post_id"))]
    comment_count: i64,
}

#[derive(Embed)]
#[tview(table = "tb_label")]
#[allow(dead_code)]
struct Label {
    id: i64,
    name: String,
}

async fn check<V: TView>(pool: &PgPool) -> CheckReport {
    fraiseql_tests::without_server(model::<V>().check(pool).await.unwrap())
}

/// A database with the tables and the view table, changed by the given statements.
async fn planted<V: TView>(fault: &'static str) -> PgPool {
    let pool = fraiseql_tests::pool().await;
    run(&pool, TABLES).await;
    model::<V>().migrate(&pool).await.unwrap();
    run(&pool, fault).await;
    pool
}

/// Returns the only finding, as printed. Asserts that its SQL remedy, if it has one, removes it.
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
    assert_eq!(report.is_ok(), severity == Severity::Warning);
    assert!(!finding.remedies.is_empty(), "{report}");
    for remedy in &finding.remedies {
        match remedy {
            Remedy::Sql(sql) => {
                sqlx::raw_sql(AssertSqlSafe(sql.clone()))
                    .execute(pool)
                    .await
                    .unwrap_or_else(|error| panic!("{error}\n{sql}"));
            }
            Remedy::Migrate => drop(model::<V>().migrate(pool).await.unwrap()),
            _ => continue,
        }
        let after = check::<V>(pool).await;
        assert!(
            after.findings().iter().all(|other| other.kind != kind),
            "the remedy did not help\n{report}\n\n{after}"
        );
        assert!(
            after.is_ok() || kind == FindingKind::MissingSchema,
            "the remedy made it worse\n{report}\n\n{after}"
        );
        break;
    }
    finding.clone()
}

async fn error<V: TView>(fault: &'static str, kind: FindingKind) -> Finding {
    only::<V>(&planted::<V>(fault).await, Severity::Error, kind).await
}

async fn warning<V: TView>(fault: &'static str, kind: FindingKind) -> Finding {
    only::<V>(&planted::<V>(fault).await, Severity::Warning, kind).await
}

fn sql(finding: &Finding) -> Vec<&str> {
    finding
        .remedies
        .iter()
        .filter_map(|remedy| match remedy {
            Remedy::Sql(sql) => Some(sql.as_str()),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn a_matching_database_has_no_findings() {
    let pool = planted::<Post>("").await;
    let report = check::<Post>(&pool).await;
    assert_eq!(report.to_string(), "check: 0 errors, 0 warnings");
    assert!(report.into_result().is_ok());
}

#[tokio::test]
async fn the_blog_has_no_findings() {
    let pool = blog::migrated(0).await;
    let report = fraiseql_tests::without_server(blog::model().check(&pool).await.unwrap());
    assert_eq!(report.to_string(), "check: 0 errors, 0 warnings");
}
