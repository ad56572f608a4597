//! Tests that filters, expressions and types that the server refuses are shown with the position of
//! the mistake.

use fraiseql_runtime::check::{FindingKind, Remedy};
use fraiseql_runtime::scalar::{JsonEncoding, ScalarType};
use fraiseql_runtime::{Embed, Scalar, TView};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Author, check, error, planted};

#[derive(TView)]
#[tview(table = "tb_post", filter = "NOT {}.hiden")]
#[allow(dead_code)]
struct BadFilter {
    id: i64,
}

#[derive(TView)]
#[tview(table = "tb_post")]
#[allow(dead_code)]
pub(super) struct BadExpr {
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
async fn refused_sql_is_shown_with_the_position_of_the_error() {
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
async fn sql_that_is_valid_alone_but_not_in_the_query_is_found() {
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
            "the max is text, and the field is Option<i64>: its JSON is different",
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

/// Without a key, its rows are ordered by all columns.
#[derive(Embed)]
#[tview(table = "tb_comment")]
#[allow(dead_code)]
struct Note {
    content: String,
}

#[tokio::test]
async fn a_statement_that_the_server_refuses_is_a_separate_error() {
    let xml = "ALTER TABLE tb_comment ALTER COLUMN content TYPE xml USING NULL";
    let finding = error::<Unordered>(xml, FindingKind::Statement).await;
    assert!(
        finding
            .message
            .contains("could not identify an ordering operator for type xml"),
        "{finding}"
    );
}

struct Mood(String);

impl Scalar for Mood {
    const TYPE: ScalarType = ScalarType::new("mood", JsonEncoding::Native, "Mood");

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
async fn a_type_named_by_a_field_must_exist_and_be_that_of_the_column() {
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
