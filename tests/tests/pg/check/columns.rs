//! Tests that columns whose type or nullability does not fit their field are found.

use fraiseql_runtime::check::{FindingKind, Remedy};
use fraiseql_runtime::{Embed, TView};

use super::{Post, check, error, planted, sql, warning};

#[tokio::test]
async fn a_mismatched_type_is_reported_with_the_rust_type_that_fits() {
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
async fn a_domain_counts_as_its_base_type() {
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
        "tb_label.id is text, and the key is i64 (int8): its JSON is different"
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
async fn a_key_with_a_different_comparison_is_an_error() {
    let padded = "ALTER TABLE tb_label ALTER COLUMN name TYPE char(9);
        CREATE UNIQUE INDEX ON tb_label (name)";
    let finding = error::<LabelByName>(padded, FindingKind::KeyType).await;
    assert!(
        finding.message.contains("comparisons ignore its padding"),
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
    // A `String` is compared as text.
    let native = "CREATE TYPE mood AS ENUM ('a', 'b');
        ALTER TABLE tb_post ALTER COLUMN title TYPE mood USING title::mood";
    let report = check::<Post>(&planted::<Post>(native).await).await;
    assert_eq!(report.to_string(), "check: 0 errors, 0 warnings");
    // An expression is quoted as it was written.
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
async fn a_domain_or_a_check_constraint_can_make_a_column_not_null() {
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
async fn a_filter_can_make_a_column_not_null() {
    let pool = planted::<Ranked>("").await;
    assert_eq!(
        check::<Ranked>(&pool).await.to_string(),
        "check: 0 errors, 0 warnings"
    );
}

#[tokio::test]
async fn a_required_part_needs_a_foreign_key_that_is_not_null() {
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
