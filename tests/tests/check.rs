//! `check`: a clean model has no findings; each fault is exactly one finding, and its remedy
//! removes it.

use fraiseql_runtime::check::report::{CheckReport, Finding, FindingKind, Remedy, Severity};
use fraiseql_runtime::scalar::{Form, ScalarType};
use fraiseql_runtime::{Embed, Error, ReadModel, Scalar, TView};
use fraiseql_tests::{blog, pool_of, run};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
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
#[tview(table = "tb_user")]
#[allow(dead_code)]
struct Author {
    id: i64,
    name: String,
}

#[derive(Embed)]
#[tview(table = "tb_comment")]
#[allow(dead_code)]
struct Comment {
    id: i64,
    content: String,
}

#[derive(Embed)]
#[tview(table = "tb_label")]
#[allow(dead_code)]
struct Label {
    id: i64,
    name: String,
}

fn model<V: TView>() -> ReadModel {
    ReadModel::builder().view::<V>().build().unwrap()
}

async fn check<V: TView>(pool: &PgPool) -> CheckReport {
    fraiseql_tests::without_server(model::<V>().check(pool).await.unwrap())
}

/// A database with the tables and the view table, and then with a fault in it.
async fn planted<V: TView>(fault: &'static str) -> PgPool {
    let pool = fraiseql_tests::pool().await;
    run(&pool, TABLES).await;
    model::<V>().migrate(&pool).await.unwrap();
    run(&pool, fault).await;
    pool
}

/// The one finding, as it is printed. Its SQL remedy, if it has one, removes it.
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
async fn what_fits_has_no_findings() {
    let pool = planted::<Post>("").await;
    let report = check::<Post>(&pool).await;
    assert_eq!(report.to_string(), "check: 0 errors, 0 warnings");
    assert!(report.into_result().is_ok());
}

#[tokio::test]
async fn the_blog_has_no_findings() {
    let pool = blog::blog().await;
    let report = fraiseql_tests::without_server(blog::model().check(&pool).await.unwrap());
    assert_eq!(report.to_string(), "check: 0 errors, 0 warnings");
}

// Base tables.

#[tokio::test]
async fn a_missing_table_is_one_error_without_its_columns() {
    let finding = error::<Post>("DROP TABLE tb_comment", FindingKind::MissingTable).await;
    assert_eq!(finding.message, "there is no table tb_comment");
    assert_eq!(finding.path, "Post.comments");
    assert_eq!(finding.also, ["Post.comment_count"]);
    assert_eq!(finding.view.unwrap().table.name, "tv_post");
}

#[tokio::test]
async fn a_table_with_a_near_name_or_in_another_schema_is_suggested() {
    let renamed = "ALTER TABLE tb_label RENAME TO tb_labels";
    let finding = error::<Post>(renamed, FindingKind::MissingTable).await;
    assert_eq!(
        finding.remedies,
        [Remedy::Rust("table = \"tb_labels\"".into())]
    );
    let moved = "CREATE SCHEMA app; ALTER TABLE tb_label SET SCHEMA app";
    let finding = error::<Post>(moved, FindingKind::MissingTable).await;
    assert_eq!(
        finding.remedies,
        [Remedy::Rust("table = \"app.tb_label\"".into())]
    );
}

#[derive(TView)]
#[tview(table = "aap.tb_thing", view = "aap.tv_thing")]
#[allow(dead_code)]
struct Thing {
    id: i64,
    name: String,
}

#[tokio::test]
async fn a_missing_schema_is_one_error_without_its_tables() {
    let pool = fraiseql_tests::pool().await;
    run(&pool, "CREATE SCHEMA app").await;
    let report = check::<Thing>(&pool).await;
    let [finding] = report.findings() else {
        panic!("{report}");
    };
    assert_eq!(finding.kind, FindingKind::MissingSchema);
    assert_eq!(finding.message, "there is no schema `aap`");
}

#[derive(TView)]
#[tview(table = "tb_label", view = "read.tv_label")]
#[allow(dead_code)]
struct LabelElsewhere {
    id: i64,
    name: String,
}

#[tokio::test]
async fn the_schema_of_a_view_table_can_be_created() {
    let pool = fraiseql_tests::pool().await;
    run(&pool, TABLES).await;
    let finding = only::<LabelElsewhere>(&pool, Severity::Error, FindingKind::MissingSchema).await;
    assert_eq!(sql(&finding), ["CREATE SCHEMA \"read\""]);
    let missing = only::<LabelElsewhere>(&pool, Severity::Error, FindingKind::MissingViewTable);
    assert_eq!(missing.await.remedies, [Remedy::Migrate]);
}

#[tokio::test]
async fn a_missing_column_is_found_under_its_near_name() {
    let renamed = "ALTER TABLE tb_post RENAME title TO \"titleText\";
        ALTER TABLE tb_post RENAME \"titleText\" TO titel";
    let finding = error::<Post>(renamed, FindingKind::MissingColumn).await;
    assert_eq!(finding.path, "Post.title");
    assert_eq!(
        finding.message,
        "tb_post has no column `title`; did you mean `titel`?"
    );
    assert_eq!(
        finding.remedies,
        [Remedy::Rust("#[tview(column = \"titel\")]".into())]
    );
    let renamed = "ALTER TABLE tb_post RENAME author_id TO author";
    let finding = error::<Post>(renamed, FindingKind::MissingColumn).await;
    assert_eq!(finding.path, "Post.author");
}

#[tokio::test]
async fn a_missing_column_can_be_added() {
    let finding = error::<Post>(
        "ALTER TABLE tb_post DROP COLUMN rank",
        FindingKind::MissingColumn,
    )
    .await;
    assert_eq!(
        sql(&finding),
        ["ALTER TABLE \"public\".\"tb_post\" ADD COLUMN \"rank\" int4"]
    );
}

#[tokio::test]
async fn a_column_to_order_by_must_be_there_and_have_an_order() {
    let dropped = "ALTER TABLE tb_comment DROP COLUMN created_at";
    let finding = error::<Post>(dropped, FindingKind::MissingColumn).await;
    assert!(
        finding.message.contains("which is its order_by"),
        "{finding}"
    );
    let json = "ALTER TABLE tb_comment ALTER COLUMN created_at TYPE json USING to_json(created_at)";
    let finding = error::<Post>(json, FindingKind::OrderBy).await;
    assert_eq!(
        finding.message,
        "tb_comment.created_at is json, which has no order to sort by"
    );
}

#[tokio::test]
async fn a_view_as_base_table_is_one_warning() {
    let view = "ALTER TABLE tb_label RENAME TO labels;
        CREATE VIEW tb_label AS SELECT * FROM labels";
    let finding = warning::<Post>(view, FindingKind::NotATable).await;
    assert!(
        finding.message.starts_with("tb_label is a view"),
        "{finding}"
    );
    let view = "ALTER TABLE tb_user RENAME TO users;
        CREATE MATERIALIZED VIEW tb_user AS SELECT * FROM users;
        CREATE UNIQUE INDEX ON tb_user (id)";
    let finding = warning::<Post>(view, FindingKind::NotATable).await;
    assert!(finding.message.contains("cannot be locked"), "{finding}");
}

// Types and nulls.

#[tokio::test]
async fn a_type_that_does_not_fit_names_both_and_the_rust_type_that_does() {
    let wide = "ALTER TABLE tb_post ALTER COLUMN rank TYPE int8";
    let finding = error::<Post>(wide, FindingKind::Type).await;
    assert_eq!(
        finding.message,
        "tb_post.rank is bigint, and the field is Option<i32>: larger values could not be read"
    );
    assert_eq!(
        finding.remedies,
        [
            Remedy::Rust("Option<i64>".into()),
            Remedy::Sql(
                "ALTER TABLE \"public\".\"tb_post\" ALTER COLUMN \"rank\" TYPE int4 \
                 USING \"rank\"::int4"
                    .into()
            ),
        ]
    );
}

#[tokio::test]
async fn a_domain_is_the_type_below_it() {
    let domain = "CREATE DOMAIN score AS int8; CREATE DOMAIN rank AS score;
        ALTER TABLE tb_post ALTER COLUMN rank TYPE rank";
    let finding = error::<Post>(domain, FindingKind::Type).await;
    assert!(finding.message.contains("is rank (bigint)"), "{finding}");
    let domain = "CREATE DOMAIN score AS int2;
        ALTER TABLE tb_post ALTER COLUMN rank TYPE score";
    let pool = planted::<Post>(domain).await;
    assert_eq!(check::<Post>(&pool).await.findings().len(), 0);
}

#[tokio::test]
async fn a_key_of_another_type_is_one_error() {
    let text = "ALTER TABLE tb_label DROP CONSTRAINT tb_label_pkey CASCADE;
        ALTER TABLE tb_label ALTER COLUMN id TYPE text;
        ALTER TABLE tb_label ADD PRIMARY KEY (id)";
    let finding = error::<LabelHere>(text, FindingKind::KeyType).await;
    assert_eq!(
        finding.message,
        "tb_label.id is text, and the key is i64 (int8): its JSON is another one"
    );
    assert_eq!(finding.path, "LabelHere.id");
}

#[derive(TView)]
#[tview(table = "tb_label")]
#[allow(dead_code)]
struct LabelHere {
    id: i64,
    name: String,
}

#[derive(TView)]
#[tview(table = "tb_label")]
#[allow(dead_code)]
struct LabelByName {
    #[tview(key)]
    name: String,
}

#[tokio::test]
async fn a_key_that_is_compared_in_another_way_is_an_error() {
    let padded = "ALTER TABLE tb_label ALTER COLUMN name TYPE char(9);
        CREATE UNIQUE INDEX ON tb_label (name)";
    let finding = error::<LabelByName>(padded, FindingKind::KeyType).await;
    assert!(
        finding.message.contains("its padding gets lost"),
        "{finding}"
    );
}

#[tokio::test]
async fn columns_that_cannot_be_compared_are_one_error() {
    let text = "ALTER TABLE tb_comment DROP CONSTRAINT tb_comment_post_id_fkey;
        ALTER TABLE tb_comment ALTER COLUMN post_id TYPE text";
    let finding = error::<Post>(text, FindingKind::LinkType).await;
    assert_eq!(
        finding.message,
        "tb_comment.post_id is text, and cannot be compared with tb_post.id, which is bigint"
    );
}

#[derive(TView)]
#[tview(table = "tb_post")]
#[allow(dead_code)]
struct PromotedExpr {
    id: i64,
    #[tview(filter, expr = "pg_catalog.int4range({}.rank, NULL)")]
    ranks: String,
}

#[tokio::test]
async fn a_promoted_column_must_be_comparable_with_its_source() {
    // What is a String is compared as text.
    let native = "CREATE TYPE mood AS ENUM ('a', 'b');
        ALTER TABLE tb_post ALTER COLUMN title TYPE mood USING title::mood";
    let report = check::<Post>(&planted::<Post>(native).await).await;
    assert_eq!(report.to_string(), "check: 0 errors, 0 warnings");
    // An expression stands as it was written.
    let finding = error::<PromotedExpr>("", FindingKind::PromotedType).await;
    assert_eq!(
        finding.remedies,
        [Remedy::Rust("expr = \"(..)::text\"".into())]
    );
}

#[tokio::test]
async fn a_nullable_column_needs_an_option() {
    let finding = error::<Post>(
        "ALTER TABLE tb_post ALTER COLUMN title DROP NOT NULL",
        FindingKind::Nullable,
    )
    .await;
    assert_eq!(finding.remedies[0], Remedy::Rust("Option<String>".into()));
    // In a part, at any depth.
    let finding = error::<Post>(
        "ALTER TABLE tb_comment ALTER COLUMN content DROP NOT NULL",
        FindingKind::Nullable,
    )
    .await;
    assert_eq!(finding.path, "Post.comments.content");
}

#[tokio::test]
async fn a_domain_or_a_check_can_say_that_a_column_is_never_null() {
    let domain = "CREATE DOMAIN given AS text NOT NULL; CREATE DOMAIN label AS given;
        ALTER TABLE tb_label ALTER COLUMN name DROP NOT NULL;
        ALTER TABLE tb_label ALTER COLUMN name TYPE public.label";
    let pool = planted::<Post>(domain).await;
    assert_eq!(
        check::<Post>(&pool).await.to_string(),
        "check: 0 errors, 0 warnings"
    );
    let with_check = "ALTER TABLE tb_label ALTER COLUMN name DROP NOT NULL;
        ALTER TABLE tb_label ADD CHECK (name IS NOT NULL)";
    let pool = planted::<Post>(with_check).await;
    assert_eq!(
        check::<Post>(&pool).await.to_string(),
        "check: 0 errors, 0 warnings"
    );
    error::<Post>(
        "ALTER TABLE tb_label ALTER COLUMN name DROP NOT NULL;
         ALTER TABLE tb_label ADD CHECK (name IS NOT NULL) NOT VALID",
        FindingKind::Nullable,
    )
    .await;
}

#[derive(TView)]
#[tview(table = "tb_post", filter = "{}.rank IS NOT NULL AND title <> ''")]
#[allow(dead_code)]
struct Ranked {
    id: i64,
    rank: i32,
}

#[tokio::test]
async fn a_filter_can_say_that_a_column_is_never_null() {
    let pool = planted::<Ranked>("").await;
    assert_eq!(
        check::<Ranked>(&pool).await.to_string(),
        "check: 0 errors, 0 warnings"
    );
}

#[tokio::test]
async fn a_required_part_needs_a_foreign_key_that_is_never_null() {
    let finding = error::<Post>(
        "ALTER TABLE tb_post ALTER COLUMN author_id DROP NOT NULL",
        FindingKind::NullableLink,
    )
    .await;
    assert_eq!(finding.remedies[0], Remedy::Rust("Option<Author>".into()));
    let dropped = "ALTER TABLE tb_post DROP CONSTRAINT tb_post_author_id_fkey";
    let finding = warning::<Post>(dropped, FindingKind::NoForeignKey).await;
    assert_eq!(
        sql(&finding),
        [
            "ALTER TABLE \"public\".\"tb_post\" ADD FOREIGN KEY (\"author_id\") \
          REFERENCES \"public\".\"tb_user\" (\"id\")"
        ]
    );
    let not_valid = "ALTER TABLE tb_post DROP CONSTRAINT tb_post_author_id_fkey;
        ALTER TABLE tb_post ADD FOREIGN KEY (author_id) REFERENCES tb_user NOT VALID";
    warning::<Post>(not_valid, FindingKind::NoForeignKey).await;
}

#[derive(TView)]
#[tview(table = "tb_post")]
#[allow(dead_code)]
struct PostOfVisible {
    id: i64,
    #[tview(one(fk = "author_id"))]
    author: Visible,
}

#[derive(Embed)]
#[tview(table = "tb_user", filter = "NOT hidden")]
#[allow(dead_code)]
struct Visible {
    id: i64,
}

#[tokio::test]
async fn a_required_part_with_a_filter_is_a_warning() {
    let finding = warning::<PostOfVisible>("", FindingKind::FilteredOne).await;
    assert_eq!(finding.remedies, [Remedy::Rust("Option<Visible>".into())]);
}

// Keys and indexes.

#[tokio::test]
async fn keys_must_be_unique() {
    let dropped = "ALTER TABLE tb_post DROP CONSTRAINT tb_post_pkey CASCADE;
        ALTER TABLE tb_post ALTER COLUMN id SET NOT NULL";
    let finding = error::<Post>(dropped, FindingKind::NotUnique).await;
    assert_eq!(
        sql(&finding),
        ["CREATE UNIQUE INDEX ON \"public\".\"tb_post\" (\"id\")"]
    );
    let nullable = "ALTER TABLE tb_post DROP CONSTRAINT tb_post_pkey CASCADE;
        ALTER TABLE tb_post ALTER COLUMN id DROP NOT NULL";
    let finding = error::<Post>(nullable, FindingKind::NotUnique).await;
    assert_eq!(
        sql(&finding),
        ["ALTER TABLE \"public\".\"tb_post\" ADD PRIMARY KEY (\"id\")"]
    );
    // That of a part: no foreign key can be without it, so that is no second finding.
    let part = "ALTER TABLE tb_user DROP CONSTRAINT tb_user_pkey CASCADE;
        ALTER TABLE tb_user ALTER COLUMN id SET NOT NULL;
        CREATE UNIQUE INDEX ON tb_user (id) WHERE NOT hidden";
    let finding = error::<Post>(part, FindingKind::NotUnique).await;
    assert_eq!(finding.path, "Post.author");
}

#[tokio::test]
async fn a_unique_key_that_can_be_null_is_one_error() {
    let nullable = "ALTER TABLE tb_post DROP CONSTRAINT tb_post_pkey CASCADE;
        CREATE UNIQUE INDEX ON tb_post (id);
        ALTER TABLE tb_post ALTER COLUMN id DROP NOT NULL";
    let finding = error::<Post>(nullable, FindingKind::Nullable).await;
    assert_eq!(
        finding.message,
        "tb_post.id is the key of the documents, and can be null"
    );
}

#[tokio::test]
async fn a_lookup_needs_an_index_and_the_statement_that_creates_it_is_exact() {
    let finding = warning::<Post>("DROP INDEX tb_comment_post", FindingKind::MissingIndex).await;
    assert_eq!(
        sql(&finding),
        ["CREATE INDEX ON \"public\".\"tb_comment\" (\"post_id\", \"created_at\" DESC)"],
        "a list with an order and a limit needs it in the index too"
    );
    assert_eq!(finding.also, ["Post.comment_count"]);
    let partial = "DROP INDEX tb_comment_post;
        CREATE INDEX newest ON tb_comment (post_id) WHERE created_at > '2026-01-01'";
    let finding = warning::<Post>(partial, FindingKind::MissingIndex).await;
    assert!(
        finding.message.ends_with("newest has not all rows"),
        "{finding}"
    );
    let second = "DROP INDEX tb_comment_post; CREATE INDEX ON tb_comment (content, post_id)";
    warning::<Post>(second, FindingKind::MissingIndex).await;
    let invalid = "UPDATE pg_index SET indisvalid = false
        WHERE indexrelid = 'tb_comment_post'::regclass";
    let finding = warning::<Post>(invalid, FindingKind::MissingIndex).await;
    assert_eq!(
        sql(&finding),
        ["REINDEX INDEX \"public\".\"tb_comment_post\""]
    );
    let through = "ALTER TABLE tb_post_label DROP CONSTRAINT tb_post_label_pkey";
    let finding = warning::<Post>(through, FindingKind::MissingIndex).await;
    assert_eq!(finding.path, "Post.labels");
    assert_eq!(
        sql(&finding),
        ["CREATE INDEX ON \"public\".\"tb_post_label\" (\"post_id\")"]
    );
}

#[tokio::test]
async fn the_way_up_from_changed_rows_needs_an_index_too() {
    for (drop, path, table, column, changed) in [
        (
            "tb_post_author",
            "Post.author",
            "tb_post",
            "author_id",
            "tb_user",
        ),
        (
            "tb_post_label_label",
            "Post.labels",
            "tb_post_label",
            "label_id",
            "tb_label",
        ),
    ] {
        let drop = format!("DROP INDEX {drop}");
        let finding = warning::<Post>(drop.leak(), FindingKind::MissingIndex).await;
        assert_eq!(finding.path, path);
        assert!(
            finding
                .message
                .contains(&format!("depend on a row of {changed}, ")),
            "{finding}"
        );
        assert_eq!(
            sql(&finding),
            [format!(
                "CREATE INDEX ON \"public\".\"{table}\" (\"{column}\")"
            )]
        );
    }
}

// SQL of the user.

#[derive(TView)]
#[tview(table = "tb_post", filter = "NOT {}.hiden")]
#[allow(dead_code)]
struct BadFilter {
    id: i64,
}

#[derive(TView)]
#[tview(table = "tb_post")]
#[allow(dead_code)]
struct BadExpr {
    id: i64,
    #[tview(expr = "upper({}.title) || {}.titel")]
    loud: String,
}

#[derive(TView)]
#[tview(table = "tb_post")]
#[allow(dead_code)]
struct BadAggregate {
    id: i64,
    #[tview(sum(table = "tb_comment", fk = "post_id", expr = "{}.content"))]
    total: i64,
}

#[derive(TView)]
#[tview(table = "tb_post")]
#[allow(dead_code)]
struct Ambiguous {
    id: i64,
    #[tview(expr = "upper({}.title || name)")]
    loud: Option<String>,
    #[tview(one(fk = "author_id"))]
    author: Author,
}

#[derive(TView)]
#[tview(table = "tb_post")]
#[allow(dead_code)]
struct WrongExpr {
    id: i64,
    #[tview(expr = "{}.rank / 2.0")]
    half: Option<i32>,
    #[tview(max(table = "tb_comment", fk = "post_id", expr = "{}.content"))]
    last: Option<i64>,
    #[tview(sum(table = "tb_comment", fk = "post_id", expr = "DISTINCT {}.id / 2.0"))]
    halves: i64,
    #[tview(sum(table = "tb_comment", fk = "post_id", expr = "DISTINCT {}.id"))]
    fits: i64,
}

#[tokio::test]
async fn refused_sql_is_shown_with_a_mark_at_its_mistake() {
    let finding = error::<BadFilter>("", FindingKind::Fragment).await;
    assert_eq!(
        finding.message,
        "the server refuses the filter: column {}.hiden does not exist
  NOT {}.hiden
      ^"
    );
    let finding = error::<BadExpr>("", FindingKind::Fragment).await;
    assert_eq!(finding.path, "BadExpr.loud");
    assert_eq!(
        finding.message,
        "the server refuses the expr: column {}.titel does not exist; did you mean `title`?
  upper({}.title) || {}.titel
                     ^"
    );
    assert_eq!(finding.remedies, [Remedy::Rust("{}.title".into())]);
    let finding = error::<BadAggregate>("", FindingKind::Fragment).await;
    assert!(
        finding.message.contains("sum(text) does not exist"),
        "{finding}"
    );
}

#[tokio::test]
async fn sql_that_works_alone_but_not_in_the_document_is_found_in_it() {
    let finding = error::<Ambiguous>(
        "ALTER TABLE tb_post ADD COLUMN name text",
        FindingKind::Fragment,
    )
    .await;
    assert_eq!(finding.path, "Ambiguous.loud");
    assert_eq!(
        finding.message,
        "the server refuses the expr where it stands in the document: \
         column reference \"name\" is ambiguous\n  upper({}.title || name)\n                    ^"
    );
}

#[tokio::test]
async fn the_type_of_an_expression_must_fit_its_field() {
    let pool = planted::<WrongExpr>("").await;
    let report = check::<WrongExpr>(&pool).await;
    let messages: Vec<&str> = report
        .findings()
        .iter()
        .map(|f| f.message.as_str())
        .collect();
    assert_eq!(
        messages,
        [
            "the expr is numeric, and the field is Option<i32>: values that are not whole could \
             not be read",
            "the max is text, and the field is Option<i64>: its JSON is another one",
            "the summed expr is numeric, and the field is i64: values that are not whole could \
             not be read",
        ]
    );
}

#[derive(TView)]
#[tview(table = "tb_post")]
#[allow(dead_code)]
struct Unordered {
    id: i64,
    #[tview(many(fk = "post_id"))]
    notes: Vec<Note>,
}

/// Without a key its rows are ordered by all columns.
#[derive(Embed)]
#[tview(table = "tb_comment")]
#[allow(dead_code)]
struct Note {
    content: String,
}

#[tokio::test]
async fn a_statement_that_the_server_refuses_is_an_error_of_its_own() {
    let xml = "ALTER TABLE tb_comment ALTER COLUMN content TYPE xml USING NULL";
    let finding = error::<Unordered>(xml, FindingKind::Statement).await;
    assert!(
        finding
            .message
            .contains("could not identify an ordering operator for type xml"),
        "{finding}"
    );
}

// Types of others.

struct Mood(String);

impl Scalar for Mood {
    const TYPE: ScalarType = ScalarType::new("mood", Form::Native, "Mood");

    fn serialize_json<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }

    fn deserialize_json<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(Self)
    }
}

#[derive(TView)]
#[tview(table = "tb_label")]
#[allow(dead_code)]
struct Moody {
    id: i64,
    name: Mood,
}

#[tokio::test]
async fn a_type_that_a_field_names_must_be_there_and_be_the_columns() {
    let finding = error::<Moody>("", FindingKind::MissingType).await;
    assert_eq!(
        finding.message,
        "there is no type `mood`, which the field names"
    );
    error::<Moody>("CREATE TYPE mood AS ENUM ('calm')", FindingKind::Type).await;
    let right = "CREATE TYPE mood AS ENUM ('calm'); CREATE DOMAIN my_mood AS mood;
        ALTER TABLE tb_label ALTER COLUMN name TYPE my_mood USING name::mood";
    let pool = planted::<Moody>(right).await;
    assert_eq!(
        check::<Moody>(&pool).await.to_string(),
        "check: 0 errors, 0 warnings"
    );
}

// View tables.

#[tokio::test]
async fn a_view_table_is_compared_with_what_migrate_would_make() {
    let finding = error::<Post>("DROP TABLE tv_post", FindingKind::MissingViewTable).await;
    assert_eq!(finding.path, "Post");
    let finding = error::<Post>(
        "ALTER TABLE tv_post DROP COLUMN title",
        FindingKind::OutdatedViewTable,
    )
    .await;
    assert_eq!(
        finding.message,
        "tv_post is older than the struct: it lacks the column title and the index \
         tv_post_title_idx"
    );
    warning::<Post>(
        "DROP INDEX tv_post_title_idx",
        FindingKind::OutdatedViewTable,
    )
    .await;
    warning::<Post>(
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'tv_post_title_idx'::regclass",
        FindingKind::InvalidIndex,
    )
    .await;
    for changed in [
        "ALTER TABLE tv_post ALTER COLUMN title TYPE varchar",
        "ALTER TABLE tv_post ALTER COLUMN data TYPE json",
        "ALTER TABLE tv_post ALTER COLUMN id TYPE int4",
    ] {
        error::<Post>(changed, FindingKind::ViewColumnType).await;
    }
    error::<Post>(
        "ALTER TABLE tv_post DROP CONSTRAINT tv_post_pkey",
        FindingKind::ViewKey,
    )
    .await;
    let pool = planted::<Post>("ALTER TABLE tv_post RENAME id TO post_id").await;
    let report = check::<Post>(&pool).await;
    assert_eq!(report.findings().len(), 1, "{report}");
    assert_eq!(
        sql(&report.findings()[0]),
        ["DROP TABLE \"public\".\"tv_post\""]
    );
    let view = "DROP TABLE tv_post; CREATE VIEW tv_post AS SELECT 1 AS id";
    error::<Post>(view, FindingKind::NotATable).await;
}

#[tokio::test]
async fn a_promoted_column_of_another_type_has_one_remedy_that_keeps_its_values() {
    let pool = planted::<Post>(
        "INSERT INTO tv_post (id, title, data, version, synced_xid, updated_at)
             VALUES (1, '7', '{}', 1, pg_current_xact_id(), now());
         ALTER TABLE tv_post ALTER COLUMN title TYPE int8 USING title::int8",
    )
    .await;
    let migration = model::<Post>().migrate(&pool).await.unwrap();
    let [left] = migration.left_over.as_slice() else {
        panic!("{migration}");
    };
    let afterwards = "all of posts are to be synced afterwards";
    assert!(left.why.contains(afterwards), "{left}");
    let finding = only::<Post>(&pool, Severity::Error, FindingKind::ViewColumnType).await;
    assert_eq!(sql(&finding), [left.remedy.as_str()]);
    assert_eq!(
        left.remedy,
        "ALTER TABLE \"public\".\"tv_post\" ALTER COLUMN \"title\" TYPE text USING \"title\"::text"
    );
    assert_eq!(
        finding.message,
        "tv_post.title is bigint, and the struct says text; after the change, sync all of posts"
    );
    let kept: String = sqlx::query_scalar("SELECT title FROM tv_post")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(kept, "7");
}

// The server and the role.

#[tokio::test]
async fn defaults_that_forbid_syncs_are_errors() {
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
        // Sessions that are there keep what they began with.
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
async fn a_database_that_does_not_know_its_encoding_is_an_error() {
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

/// A role of its own in a database of its own: what it may do is up to the test.
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

    /// The findings, each without the role's name; and its SQL, run by the owner, removes it.
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
    GRANT INSERT, DELETE ON tv_post TO {role};";

#[tokio::test]
async fn privileges_that_are_missing_are_named_with_their_grant() {
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
    role.run("REVOKE UPDATE ON ALL TABLES IN SCHEMA public FROM {role}; GRANT UPDATE ON tv_post TO {role}")
        .await;
    let findings = role.findings().await;
    assert_eq!(
        findings.len(),
        2,
        "the root and the author, no lists: {findings:?}"
    );
    assert!(
        findings[0].starts_with("warning: Post: the role app may not lock rows of tb_post"),
        "{findings:?}"
    );
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
async fn a_column_that_may_be_read_is_enough_where_no_more_is_used() {
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

// The check itself.

#[tokio::test]
async fn a_check_leaves_nothing_behind() {
    let pool = planted::<BadExpr>("").await;
    let mut connection = pool.acquire().await.unwrap();
    let report =
        fraiseql_tests::without_server(model::<BadExpr>().check(&mut *connection).await.unwrap());
    assert!(!report.is_ok());
    let (prepared, read_only): (i64, String) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM pg_prepared_statements WHERE from_sql),
                current_setting('transaction_read_only')",
    )
    .fetch_one(&mut *connection)
    .await
    .unwrap();
    assert_eq!((prepared, read_only.as_str()), (0, "off"));
}

#[tokio::test]
async fn a_check_inside_a_transaction_leaves_it_as_it_was() {
    let pool = planted::<Post>("").await;
    let mut transaction = pool.begin().await.unwrap();
    sqlx::query("ALTER TABLE tb_post ALTER COLUMN title DROP NOT NULL")
        .execute(&mut *transaction)
        .await
        .unwrap();
    let report =
        fraiseql_tests::without_server(model::<Post>().check(&mut *transaction).await.unwrap());
    assert_eq!(
        report.findings().len(),
        1,
        "it sees what is not committed\n{report}"
    );
    sqlx::query("INSERT INTO tb_user VALUES (1, 'Ada')")
        .execute(&mut *transaction)
        .await
        .expect("it can write again");
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn a_check_does_not_depend_on_the_search_path() {
    let pool = planted::<Post>("").await;
    let mut connection = pool.acquire().await.unwrap();
    sqlx::query("SET search_path = ''")
        .execute(&mut *connection)
        .await
        .unwrap();
    let report =
        fraiseql_tests::without_server(model::<Post>().check(&mut *connection).await.unwrap());
    assert_eq!(report.to_string(), "check: 0 errors, 0 warnings");
}

#[tokio::test]
async fn the_error_lists_everything() {
    let pool = planted::<Post>("DROP INDEX tb_comment_post; DROP TABLE tv_post").await;
    let report = check::<Post>(&pool).await;
    let all = report.to_string();
    let error = report.into_result().unwrap_err();
    assert!(matches!(error, Error::Check(_)));
    assert_eq!(
        error.to_string(),
        format!("the read model does not fit the database\n{all}")
    );
    let pool = planted::<Post>("DROP INDEX tb_comment_post").await;
    let report = check::<Post>(&pool)
        .await
        .into_result()
        .expect("a warning is no error");
    assert_eq!(report.warnings().count(), 1);
}
