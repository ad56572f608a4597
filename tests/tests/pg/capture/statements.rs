//! Tests which changes each kind of statement writes.

use std::collections::BTreeSet;

use sqlx::postgres::PgPoolCopyExt as _;

use super::{blog, changes, changes_of, execute, lines, version};

/// Runs statements, each in a transaction of its own, one after the other.
async fn expect(cases: &[(&str, &[&str])]) {
    let pool = blog().await;
    for (sql, wanted) in cases {
        assert_eq!(changes_of(&pool, sql).await, *wanted, "{sql}");
    }
}

#[tokio::test]
async fn inserted_rows_are_captured_with_the_values_that_lead_to_documents() {
    expect(&[
        (
            "INSERT INTO tb_user VALUES (4, 'Dan'), (5, 'Eve')",
            &[r#"INSERT tb_user null {"id":[4,5]}"#],
        ),
        // Each value once, and no null.
        (
            "INSERT INTO tb_post VALUES (4, 'four', 0, 4), (5, 'five', 0, 4), (6, 'six', 0, NULL)",
            &[r#"INSERT tb_post null {"author_id":[4],"id":[4,5,6]}"#],
        ),
        // A column that has nothing but nulls is left out.
        (
            "INSERT INTO tb_post VALUES (7, 'seven', 0, NULL)",
            &[r#"INSERT tb_post null {"id":[7]}"#],
        ),
        (
            "INSERT INTO tb_post_tag VALUES (4, 1), (4, 2)",
            &[r#"INSERT tb_post_tag null {"post_id":[4],"tag_id":[1,2]}"#],
        ),
        // It leads to no document.
        ("INSERT INTO tb_like VALUES (9, NULL)", &[]),
        ("UPDATE tb_like SET weight = 7 WHERE id = 9", &[]),
        ("DELETE FROM tb_like WHERE id = 9", &[]),
    ])
    .await;
}

#[tokio::test]
async fn an_update_counts_only_rows_in_which_a_column_of_documents_differs() {
    expect(&[
        (
            "UPDATE tb_post SET title = 'new' WHERE id < 3",
            &[r#"UPDATE tb_post {"author_id":[1],"id":[1,2]} {"author_id":[1],"id":[1,2]}"#],
        ),
        // Counters and notes are in no document.
        ("UPDATE tb_post SET views = views + 1", &[]),
        ("UPDATE tb_user SET seen_at = now()", &[]),
        ("UPDATE tb_comment SET likes = likes + 1", &[]),
        ("UPDATE tb_post_tag SET note = 'x'", &[]),
        ("UPDATE tb_like SET ip = '::1'", &[]),
        ("UPDATE tb_post SET title = title, id = id", &[]),
        (
            "UPDATE tb_post SET title = 'new', views = 7",
            &[r#"UPDATE tb_post {"author_id":[1],"id":[3]} {"author_id":[1],"id":[3]}"#],
        ),
        // It is read by the expression of an aggregate.
        (
            "UPDATE tb_like SET weight = 2 WHERE id = 1",
            &[r#"UPDATE tb_like {"post_id":[1]} {"post_id":[1]}"#],
        ),
        // From null, and to null.
        (
            "UPDATE tb_post SET author_id = NULL WHERE id = 2",
            &[r#"UPDATE tb_post {"author_id":[1],"id":[2]} {"id":[2]}"#],
        ),
        (
            "UPDATE tb_post SET author_id = 3 WHERE id = 2",
            &[r#"UPDATE tb_post {"id":[2]} {"author_id":[3],"id":[2]}"#],
        ),
    ])
    .await;
}

#[tokio::test]
async fn keys_and_foreign_keys_are_captured_before_and_after() {
    expect(&[
        (
            "UPDATE tb_comment SET post_id = 2 WHERE id = 11",
            &[r#"UPDATE tb_comment {"author_id":[2],"post_id":[1]} {"author_id":[2],"post_id":[2]}"#],
        ),
        (
            "UPDATE tb_post_tag SET tag_id = 3 - tag_id WHERE post_id = 9",
            &[],
        ),
        (
            "DELETE FROM tb_post_tag WHERE (post_id, tag_id) = (1, 1);
             UPDATE tb_post_tag SET tag_id = 1 WHERE post_id = 1",
            &[
                r#"DELETE tb_post_tag {"post_id":[1],"tag_id":[1]} null"#,
                r#"UPDATE tb_post_tag {"post_id":[1],"tag_id":[2]} {"post_id":[1],"tag_id":[1]}"#,
            ],
        ),
        // Keys that are exchanged, with nothing else.
        (
            "ALTER TABLE tb_user DROP CONSTRAINT tb_user_pkey CASCADE;
             ALTER TABLE tb_user ADD PRIMARY KEY (id) DEFERRABLE;
             UPDATE tb_user SET id = 3 - id WHERE id < 3",
            &[r#"UPDATE tb_user {"id":[1,2]} {"id":[1,2]}"#],
        ),
    ])
    .await;
}

#[tokio::test]
async fn rows_that_foreign_keys_change_are_captured() {
    expect(&[
        (
            "UPDATE tb_post SET id = 31 WHERE id = 3",
            &[
                r#"UPDATE tb_post {"author_id":[1],"id":[3]} {"author_id":[1],"id":[31]}"#,
                r#"UPDATE tb_comment {"author_id":[2,3],"post_id":[3]} {"author_id":[2,3],"post_id":[31]}"#,
                r#"UPDATE tb_post_tag {"post_id":[3],"tag_id":[1,2]} {"post_id":[31],"tag_id":[1,2]}"#,
                r#"UPDATE tb_like {"post_id":[3]} {"post_id":[31]}"#,
            ],
        ),
        (
            "DELETE FROM tb_post WHERE id = 31",
            &[
                r#"DELETE tb_post {"author_id":[1],"id":[31]} null"#,
                r#"DELETE tb_comment {"author_id":[2,3],"post_id":[31]} null"#,
                r#"DELETE tb_post_tag {"post_id":[31],"tag_id":[1,2]} null"#,
                r#"DELETE tb_like {"post_id":[31]} null"#,
            ],
        ),
        (
            "DELETE FROM tb_user WHERE id = 3",
            &[
                r#"DELETE tb_user {"id":[3]} null"#,
                r#"UPDATE tb_comment {"author_id":[3],"post_id":[1,2]} {"post_id":[1,2]}"#,
            ],
        ),
        (
            "UPDATE tb_user SET id = 20 WHERE id = 2",
            &[
                r#"UPDATE tb_user {"id":[2]} {"id":[20]}"#,
                r#"UPDATE tb_comment {"author_id":[2],"post_id":[1,2]} {"author_id":[20],"post_id":[1,2]}"#,
            ],
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_truncated_table_is_one_change() {
    expect(&[
        ("TRUNCATE tb_like", &["TRUNCATE tb_like null null"]),
        // It says that the table was truncated, which the table may have been before.
        ("TRUNCATE tb_like", &["TRUNCATE tb_like null null"]),
        (
            "TRUNCATE tb_post CASCADE",
            &[
                "TRUNCATE tb_post null null",
                "TRUNCATE tb_comment null null",
                "TRUNCATE tb_post_tag null null",
                "TRUNCATE tb_like null null",
            ],
        ),
        (
            "INSERT INTO tb_tag VALUES (3, 'three'); TRUNCATE tb_tag, tb_post_tag; INSERT INTO tb_tag VALUES (4, 'four'); TRUNCATE tb_tag CASCADE",
            &[
                r#"INSERT tb_tag null {"id":[3]}"#,
                "TRUNCATE tb_tag null null",
                "TRUNCATE tb_post_tag null null",
                r#"INSERT tb_tag null {"id":[4]}"#,
            ],
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_statement_that_changes_no_row_writes_nothing() {
    expect(&[
        ("UPDATE tb_post SET title = 'x' WHERE false", &[]),
        ("DELETE FROM tb_post WHERE id = 99", &[]),
        (
            "INSERT INTO tb_tag SELECT id, name FROM tb_tag WHERE false",
            &[],
        ),
        (
            "INSERT INTO tb_tag VALUES (1, 'x') ON CONFLICT DO NOTHING",
            &[],
        ),
    ])
    .await;
}

#[tokio::test]
async fn an_upsert_is_captured_as_what_it_does_to_each_row() {
    expect(&[
        (
            "INSERT INTO tb_tag VALUES (1, 'newer'), (3, 'three'), (2, 'old')
             ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name",
            &[
                r#"UPDATE tb_tag {"id":[1]} {"id":[1]}"#,
                r#"INSERT tb_tag null {"id":[3]}"#,
            ],
        ),
        (
            "INSERT INTO tb_tag VALUES (1, 'x'), (4, 'four') ON CONFLICT DO NOTHING",
            &[r#"INSERT tb_tag null {"id":[4]}"#],
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_merge_is_captured_as_what_it_does_to_each_row() {
    let pool = blog().await;
    if version(&pool).await < 15 {
        return; // It has no MERGE.
    }
    let done = changes_of(
        &pool,
        "MERGE INTO tb_comment AS c
         USING (VALUES (11, 'edited', 2), (12, '', 1), (40, 'added', 3)) AS s (id, content, post_id) ON c.id = s.id
         WHEN MATCHED AND s.content = '' THEN DELETE
         WHEN MATCHED THEN UPDATE SET content = s.content, post_id = s.post_id
         WHEN NOT MATCHED THEN INSERT (id, content, post_id) VALUES (s.id, s.content, s.post_id)",
    )
    .await;
    let done: BTreeSet<&str> = done.iter().map(String::as_str).collect();
    assert_eq!(
        done,
        BTreeSet::from([
            r#"DELETE tb_comment {"author_id":[3],"post_id":[1]} null"#,
            r#"INSERT tb_comment null {"post_id":[3]}"#,
            r#"UPDATE tb_comment {"author_id":[2],"post_id":[1]} {"author_id":[2],"post_id":[2]}"#,
        ])
    );
}

#[tokio::test]
async fn copied_rows_are_captured() -> anyhow::Result<()> {
    let pool = blog().await;
    let mut copy = pool
        .copy_in_raw("COPY tb_tag FROM STDIN WITH (FORMAT csv)")
        .await?;
    copy.send("7,seven\n8,eight\n".as_bytes()).await?;
    copy.finish().await?;
    let mut connection = pool.acquire().await?;
    assert_eq!(
        lines(changes(&mut connection).await),
        [r#"INSERT tb_tag null {"id":[7,8]}"#]
    );
    Ok(())
}

#[tokio::test]
async fn statements_inside_of_statements_are_captured() {
    let pool = blog().await;
    execute(
        &pool,
        "CREATE FUNCTION move_comments(a int8, b int8) RETURNS void LANGUAGE plpgsql AS $$
         BEGIN
           UPDATE tb_comment SET post_id = b WHERE post_id = a;
           UPDATE tb_post SET title = 'empty' WHERE id = a;
         END $$;
         CREATE FUNCTION count_likes() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN
           UPDATE tb_post SET title = title || '!' WHERE id = NEW.post_id;
           RETURN NULL;
         END $$;
         CREATE TRIGGER count_likes AFTER INSERT ON tb_like FOR EACH ROW EXECUTE FUNCTION count_likes();
         CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN NEW.name := upper(NEW.name); RETURN NEW; END $$;
         CREATE TRIGGER shout BEFORE UPDATE ON tb_tag FOR EACH ROW EXECUTE FUNCTION shout()",
    )
    .await;
    for (sql, wanted) in [
        (
            "SELECT move_comments(1, 2)",
            &[
                r#"UPDATE tb_comment {"author_id":[2,3],"post_id":[1]} {"author_id":[2,3],"post_id":[2]}"#,
                r#"UPDATE tb_post {"author_id":[1],"id":[1]} {"author_id":[1],"id":[1]}"#,
            ][..],
        ),
        (
            "INSERT INTO tb_like VALUES (7, 1)",
            &[
                r#"UPDATE tb_post {"author_id":[1],"id":[1]} {"author_id":[1],"id":[1]}"#,
                r#"INSERT tb_like null {"post_id":[1]}"#,
            ],
        ),
        // The new values are those that a BEFORE trigger has changed.
        (
            "UPDATE tb_tag SET id = id WHERE id = 1",
            &[r#"UPDATE tb_tag {"id":[1]} {"id":[1]}"#],
        ),
        (
            "WITH gone AS (DELETE FROM tb_comment WHERE id = 21 RETURNING *)
             UPDATE tb_comment SET content = gone.content || '2' FROM gone WHERE tb_comment.id = 22",
            &[
                r#"DELETE tb_comment {"author_id":[2],"post_id":[2]} null"#,
                r#"UPDATE tb_comment {"author_id":[3],"post_id":[2]} {"author_id":[3],"post_id":[2]}"#,
            ],
        ),
    ] {
        let mut done = changes_of(&pool, sql).await;
        let mut wanted: Vec<String> = wanted.iter().map(|&line| line.to_owned()).collect();
        // PostgreSQL does not say in which order the statements of one command end.
        done.sort();
        wanted.sort();
        assert_eq!(done, wanted, "{sql}");
    }
}
