//! Tests that keys that are not unique and lookups without an index are found.

use fraiseql_runtime::check::FindingKind;

use super::{Post, error, sql, warning};

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
    // The key of a part: no foreign key can exist without its index, so a missing one is no second
    // finding.
    let part = "ALTER TABLE tb_user DROP CONSTRAINT tb_user_pkey CASCADE;
        ALTER TABLE tb_user ALTER COLUMN id SET NOT NULL;
        CREATE UNIQUE INDEX ON tb_user (id) WHERE NOT hidden";
    let finding = error::<Post>(part, FindingKind::NotUnique).await;
    assert_eq!(finding.path, "Post.author");
}

#[tokio::test]
async fn a_nullable_unique_key_is_one_error() {
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
async fn a_lookup_without_an_index_is_reported_with_the_statement_that_creates_it() {
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
    assert!(finding.message.ends_with("newest is partial"), "{finding}");
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
async fn the_lookup_of_dependents_needs_an_index_too() {
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
