//! Tests that each remedy is accepted by the server on tables with rows, and removes its finding.

use fraiseql_runtime::check::{FindingKind, Remedy};
use fraiseql_runtime::{Embed, ReadModel, TView};
use fraiseql_tests::{run, world};
use sqlx::{AssertSqlSafe, PgPool};
use uuid::Uuid;

use super::{Post, TABLES, check};

const ROWS: &str = "
INSERT INTO tb_user VALUES (1, 'Ada'), (2, 'Bob');
INSERT INTO tb_post VALUES (1, 'one', 7, 1), (2, 'two', NULL, 2);
INSERT INTO tb_comment VALUES (1, 1, 'first', now()), (2, 1, 'second', now());
INSERT INTO tb_label VALUES (1, 'new'), (2, 'old');
INSERT INTO tb_post_label VALUES (1, 1), (1, 2), (2, 1)";

/// A fault, and the kind of its finding. Each of its remedies that is not Rust is run.
const FAULTS: &[(&str, FindingKind)] = &[
    (
        "ALTER TABLE tb_post DROP COLUMN title",
        FindingKind::MissingColumn,
    ),
    (
        "ALTER TABLE tb_post DROP COLUMN rank",
        FindingKind::MissingColumn,
    ),
    (
        "ALTER TABLE tb_comment DROP COLUMN content",
        FindingKind::MissingColumn,
    ),
    (
        "ALTER TABLE tb_post ALTER COLUMN title DROP NOT NULL",
        FindingKind::Nullable,
    ),
    (
        "ALTER TABLE tb_post ALTER COLUMN rank TYPE int8",
        FindingKind::Type,
    ),
    (
        "ALTER TABLE tb_post ALTER COLUMN title TYPE date USING now()",
        FindingKind::PromotedType,
    ),
    (
        "ALTER TABLE tb_comment ALTER COLUMN content TYPE int4 USING 1",
        FindingKind::Type,
    ),
    (
        "ALTER TABLE tb_post ALTER COLUMN author_id DROP NOT NULL",
        FindingKind::NullableLink,
    ),
    (
        "ALTER TABLE tb_post DROP CONSTRAINT tb_post_author_id_fkey",
        FindingKind::NoForeignKey,
    ),
    (
        "ALTER TABLE tb_user DROP CONSTRAINT tb_user_pkey CASCADE",
        FindingKind::NotUnique,
    ),
    (
        "ALTER TABLE tb_post DROP CONSTRAINT tb_post_pkey CASCADE",
        FindingKind::NotUnique,
    ),
    (
        "ALTER TABLE tb_post DROP CONSTRAINT tb_post_pkey CASCADE; ALTER TABLE tb_post ALTER COLUMN id DROP NOT NULL",
        FindingKind::NotUnique,
    ),
    ("DROP INDEX tb_post_author", FindingKind::MissingIndex),
    ("DROP INDEX tb_comment_post", FindingKind::MissingIndex),
    ("DROP INDEX tb_post_label_label", FindingKind::MissingIndex),
    (
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'tb_post_author'::regclass",
        FindingKind::MissingIndex,
    ),
    (
        "ALTER TABLE tb_comment DROP CONSTRAINT tb_comment_post_id_fkey;
         ALTER TABLE tb_comment ALTER COLUMN post_id TYPE text",
        FindingKind::LinkType,
    ),
    (
        "ALTER TABLE tb_post ALTER COLUMN id TYPE numeric",
        FindingKind::KeyType,
    ),
    ("ALTER TABLE tb_comment SET UNLOGGED", FindingKind::Unlogged),
    ("DROP TABLE tv_post", FindingKind::MissingViewTable),
    (
        "ALTER TABLE tv_post DROP COLUMN title",
        FindingKind::OutdatedViewTable,
    ),
    (
        "ALTER TABLE tv_post DROP COLUMN synced_xid",
        FindingKind::OutdatedViewTable,
    ),
    (
        "DROP INDEX tv_post_title_idx",
        FindingKind::OutdatedViewTable,
    ),
    ("DROP TABLE fraiseql_view", FindingKind::OutdatedViewTable),
    (
        "ALTER TABLE tv_post ALTER COLUMN title TYPE int4 USING 1",
        FindingKind::ViewColumnType,
    ),
    (
        "ALTER TABLE tv_post ALTER COLUMN id TYPE text",
        FindingKind::ViewColumnType,
    ),
    (
        "ALTER TABLE tv_post ALTER COLUMN data TYPE json",
        FindingKind::ViewColumnType,
    ),
    (
        "ALTER TABLE tv_post DROP CONSTRAINT tv_post_pkey",
        FindingKind::ViewKey,
    ),
    (
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'tv_post_title_idx'::regclass",
        FindingKind::InvalidIndex,
    ),
    ("TRUNCATE tv_post", FindingKind::Unfilled),
];

async fn faulty(fault: &'static str) -> PgPool {
    let pool = fraiseql_tests::pool().await;
    run(&pool, TABLES).await;
    run(&pool, ROWS).await;
    let model = world::model::<Post>();
    model.migrate(&pool).await.unwrap();
    model.rebuild(&pool).await.unwrap();
    run(&pool, fault).await;
    pool
}

async fn findings(pool: &PgPool) -> fraiseql_runtime::check::CheckReport {
    let report = world::model::<Post>().check(pool).await.unwrap();
    report.accept(|finding| finding.kind == FindingKind::NoLz4)
}

#[tokio::test]
async fn every_remedy_is_accepted_on_tables_with_rows_and_removes_its_finding() {
    for (fault, kind) in FAULTS {
        let pool = faulty(fault).await;
        let report = findings(&pool).await;
        let finding = report
            .findings()
            .iter()
            .find(|finding| finding.kind == *kind);
        let finding = finding.unwrap_or_else(|| panic!("no {kind:?} after {fault}\n{report}"));
        let mut tried = 0;
        for remedy in &finding.remedies {
            // Each alone is enough, so each has tables of its own.
            let pool = faulty(fault).await;
            let model = world::model::<Post>();
            match remedy {
                Remedy::Sql(sql) => {
                    let done = sqlx::raw_sql(AssertSqlSafe(sql.clone()))
                        .execute(&pool)
                        .await;
                    done.unwrap_or_else(|error| panic!("{fault}: {error}\n{report}"));
                }
                Remedy::Migrate => drop(model.migrate(&pool).await.unwrap()),
                Remedy::Rebuild => drop(model.rebuild(&pool).await.unwrap()),
                // Other Rust is in the tests below, and advice names no statement.
                _ => continue,
            }
            tried += 1;
            let after = findings(&pool).await;
            let path = &finding.path;
            // A table that was dropped is missing now, and an index: `migrate` creates it.
            let mut same = after
                .findings()
                .iter()
                .filter(|other| other.kind == *kind && other.path == *path);
            assert!(
                same.all(|other| other.message != finding.message),
                "after {fault}\nand {remedy}\n{report}\n\n{after}"
            );
        }
        assert!(
            tried > 0
                || finding
                    .remedies
                    .iter()
                    .any(|it| matches!(it, Remedy::Rust(_))),
            "{report}"
        );
    }
}

/// The keys of rows are numbers, those of the API are UUIDs.
const TWO_KEYS: &str = "
CREATE TABLE tb_user (pk int8 PRIMARY KEY, id uuid NOT NULL UNIQUE, name text NOT NULL);
CREATE TABLE tb_post (pk int8 PRIMARY KEY, id uuid NOT NULL UNIQUE, author_pk int8 NOT NULL REFERENCES tb_user);
CREATE INDEX ON tb_post (author_pk);
CREATE TABLE tb_reader (post_pk int8 REFERENCES tb_post, user_pk int8 REFERENCES tb_user, PRIMARY KEY (post_pk, user_pk));
CREATE INDEX ON tb_reader (user_pk);
INSERT INTO tb_user VALUES (1, gen_random_uuid(), 'Ada');
INSERT INTO tb_post VALUES (7, gen_random_uuid(), 1);
INSERT INTO tb_reader VALUES (7, 1)";

/// Views with and without the keys that foreign keys refer to.
macro_rules! two_keys {
    ($($module:ident { $($key:tt)* })*) => {$(
        #[allow(dead_code)]
        mod $module {
            use super::*;

            #[derive(TView)]
            pub(super) struct Post {
                pub id: Uuid,
                #[tview(one(fk = "author_pk" $($key)*))]
                pub author: User,
                #[tview(many(through(table = "tb_reader", fk = "post_pk", to = "user_pk" $($key)*) $($key)*))]
                pub readers: Vec<User>,
            }

            #[derive(TView)]
            #[tview(table = "tb_user")]
            pub(super) struct Author {
                pub id: Uuid,
                #[tview(many(fk = "author_pk" $($key)*))]
                pub posts: Vec<Written>,
                #[tview(count(table = "tb_post", fk = "author_pk" $($key)*))]
                pub number: i64,
            }
        }
    )*};
}

two_keys! {
    wrong {}
    right { , key = "pk" }
}

#[derive(Embed)]
#[tview(table = "tb_user")]
#[allow(dead_code)]
struct User {
    id: Uuid,
    name: String,
}

#[derive(Embed)]
#[tview(table = "tb_post")]
#[allow(dead_code)]
struct Written {
    id: Uuid,
}

#[tokio::test]
async fn a_foreign_key_to_another_column_than_the_key_is_recognized() -> anyhow::Result<()> {
    let pool = fraiseql_tests::pool().await;
    run(&pool, TWO_KEYS).await;
    let wrong = ReadModel::builder()
        .view::<wrong::Post>()
        .view::<wrong::Author>()
        .build()?;
    wrong.migrate(&pool).await?;
    let report = fraiseql_tests::without_server(wrong.check(&pool).await?);
    for finding in report.findings() {
        assert_eq!(finding.kind, FindingKind::LinkType, "{report}");
        assert_eq!(
            finding.remedies,
            [Remedy::Rust("key = \"pk\"".to_owned())],
            "{report}"
        );
    }
    let paths: Vec<&str> = report
        .findings()
        .iter()
        .flat_map(|finding| std::iter::once(&finding.path).chain(&finding.also))
        .map(String::as_str)
        .collect();
    for path in [
        "Post.author",
        "Post.readers",
        "Author.posts",
        "Author.number",
    ] {
        assert!(paths.contains(&path), "{path}: {report}");
    }
    assert!(
        report.to_string().contains(
            "tb_post.author_pk references tb_user.pk, and the field compares it with tb_user.id"
        ),
        "{report}"
    );

    let right = ReadModel::builder()
        .view::<right::Post>()
        .view::<right::Author>()
        .build()?;
    right.migrate(&pool).await?;
    let report = fraiseql_tests::without_server(right.check(&pool).await?);
    assert_eq!(report.findings().len(), 0, "{report}");
    assert_eq!(right.sync_all(&pool).await?.changed(), 2);
    Ok(())
}

/// There can be no foreign key between these columns, so none is proposed.
#[tokio::test]
async fn no_foreign_key_is_proposed_between_columns_of_two_types() {
    let pool = fraiseql_tests::pool().await;
    run(&pool, TWO_KEYS).await;
    run(
        &pool,
        "ALTER TABLE tb_post DROP CONSTRAINT tb_post_author_pk_fkey",
    )
    .await;
    let report = check::<wrong::Post>(&pool).await;
    let text = report.to_string();
    assert!(
        text.contains("cannot be compared with tb_user.id"),
        "{report}"
    );
    assert!(!text.contains("ADD FOREIGN KEY"), "{report}");
}

#[tokio::test]
async fn seconds_of_an_interval_are_read_as_the_compiler_proposes() -> anyhow::Result<()> {
    #[derive(TView)]
    #[tview(table = "tb_run")]
    struct Run {
        #[allow(dead_code)]
        id: i64,
        #[tview(expr = "extract(epoch from {}.length)::float8")]
        length: f64,
    }

    let pool = fraiseql_tests::pool().await;
    run(
        &pool,
        "CREATE TABLE tb_run (id int8 PRIMARY KEY, length interval NOT NULL);
         INSERT INTO tb_run VALUES (1, '1 minute 1.5 seconds')",
    )
    .await;
    world::model::<Run>().migrate(&pool).await?;
    let report = check::<Run>(&pool).await;
    assert_eq!(report.findings().len(), 0, "{report}");
    sync_run(&pool, &[1]).await?;
    assert_eq!(Run::find(&pool, 1).await?.unwrap().length, 61.5);
    Ok(())
}
