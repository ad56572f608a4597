//! What `ON DELETE` does to other rows.

use super::*;

const DELETE_BOB: &str = "DELETE FROM tb_user WHERE id = 2";

async fn holds_after_a_delete(author_id: &str) {
    let model = blog();
    let pool = filled(&tables(author_id), &model).await;
    correct_after(&model, &pool, DELETE_BOB, |m| m.changed::<User>(&[2])).await;
}

#[tokio::test]
async fn cascade_is_followed() {
    holds_after_a_delete("REFERENCES tb_user ON DELETE CASCADE").await;
}

#[tokio::test]
async fn set_null_is_followed() {
    holds_after_a_delete("REFERENCES tb_user ON DELETE SET NULL").await;
}

/// The posts fall to Ada, whose document counts them.
#[tokio::test]
async fn set_default_is_followed_to_the_row_that_it_leads_to() {
    holds_after_a_delete("DEFAULT 1 REFERENCES tb_user ON DELETE SET DEFAULT").await;
}

#[tokio::test]
async fn a_deferrable_key_is_followed() {
    holds_after_a_delete("REFERENCES tb_user ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED")
        .await;
}

#[tokio::test]
async fn a_key_that_is_not_valid_yet_is_followed() {
    let model = blog();
    let pool = filled(&tables(""), &model).await;
    script(
        &pool,
        "ALTER TABLE tb_post ADD FOREIGN KEY (author_id) REFERENCES tb_user ON DELETE CASCADE
         NOT VALID",
    )
    .await;
    correct_after(&model, &pool, DELETE_BOB, |m| m.changed::<User>(&[2])).await;
}

/// The key exists again, so only the rows that were lost show that it was deleted.
#[tokio::test]
async fn a_row_that_is_deleted_and_inserted_again_has_lost_its_children() {
    for action in ["CASCADE", "SET NULL"] {
        let model = blog();
        let pool = filled(
            &tables(&format!("REFERENCES tb_user ON DELETE {action}")),
            &model,
        )
        .await;
        correct_after(
            &model,
            &pool,
            "DELETE FROM tb_user WHERE id = 2; INSERT INTO tb_user VALUES (2, 'Bob')",
            |m| m.changed::<User>(&[2]),
        )
        .await;
    }
}

/// The author has another post, so the marked value still has a row.
#[tokio::test]
async fn rows_marked_by_another_column_are_followed_one_by_one() {
    let model = ReadModel::builder()
        .view::<Comment>()
        .view::<Post>()
        .build()
        .unwrap();
    let pool = filled(&tables("REFERENCES tb_user"), &model).await;
    correct_after(&model, &pool, "DELETE FROM tb_post WHERE id = 20", |m| {
        m.changed_rows("tb_post", "author_id", &[2_i64]).unwrap();
    })
    .await;
}

#[derive(TView)]
#[allow(dead_code)]
struct Comment {
    id: i64,
    post_id: Option<i64>,
}

#[tokio::test]
async fn a_table_that_refers_to_itself_is_followed_to_the_end() {
    #[derive(TView)]
    #[allow(dead_code)]
    struct Node {
        id: i64,
        up: Option<i64>,
        #[tview(count(table = "tb_node", fk = "up"))]
        below: i64,
    }
    let model = ReadModel::builder().view::<Node>().build().unwrap();
    let tables = "CREATE TABLE tb_node (id int8 PRIMARY KEY,
             up int8 REFERENCES tb_node ON DELETE CASCADE);
         CREATE INDEX ON tb_node (up);
         INSERT INTO tb_node VALUES (1, NULL), (2, 1), (3, 2), (4, 3), (5, NULL), (6, 5), (7, 7)";
    let pool = filled(tables, &model).await;
    let report = correct_after(
        &model,
        &pool,
        "DELETE FROM tb_node WHERE id IN (2, 7)",
        |m| m.changed::<Node>(&[2, 7]),
    )
    .await;
    assert_eq!(report.of::<Node>().unwrap().deleted, 4, "{report}");
}

#[tokio::test]
async fn keys_of_several_columns_are_followed() {
    #[derive(TView)]
    #[allow(dead_code)]
    struct Ticket {
        id: i64,
        org: Option<i32>,
        project_id: Option<i32>,
    }
    #[derive(TView)]
    #[allow(dead_code)]
    struct Project {
        #[tview(key)]
        pk: i64,
        name: String,
    }
    for action in ["CASCADE", "SET NULL", "SET NULL (project_id)"] {
        let model = ReadModel::builder()
            .view::<Ticket>()
            .view::<Project>()
            .build()
            .unwrap();
        if action.ends_with(')') && server_version().await < 150_000 {
            continue;
        }
        let tables = format!(
            "CREATE TABLE tb_project (pk int8 PRIMARY KEY, org int4 NOT NULL, id int4 NOT NULL,
                 name text NOT NULL, UNIQUE (org, id));
             CREATE TABLE tb_ticket (id int8 PRIMARY KEY, org int4, project_id int4,
                 FOREIGN KEY (org, project_id) REFERENCES tb_project (org, id) ON DELETE {action});
             INSERT INTO tb_project VALUES (1, 1, 1, 'a'), (2, 1, 2, 'b'), (3, 2, 1, 'c');
             INSERT INTO tb_ticket VALUES (1, 1, 1), (2, 1, 2), (3, 2, 1), (4, 1, NULL)"
        );
        let pool = filled(&tables, &model).await;
        let report = correct_after(&model, &pool, "DELETE FROM tb_project WHERE pk = 1", |m| {
            m.changed::<Project>(&[1]);
        })
        .await;
        // The others have one of the two values, and are not looked at.
        assert_eq!(report.of::<Ticket>().unwrap().total(), 1, "{report}");
    }
}

async fn server_version() -> i32 {
    sqlx::query_scalar("SELECT current_setting('server_version_num')::int4")
        .fetch_one(&fraiseql_tests::pool().await)
        .await
        .unwrap()
}
