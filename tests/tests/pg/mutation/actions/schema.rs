//! Keys that are declared on inheriting tables and partitions, and keys that appear while the
//! application runs.

use super::*;

const DELETE_BOB: &str = "DELETE FROM tb_user WHERE id = 2";

fn model() -> ReadModel {
    ReadModel::builder()
        .view::<Counted>()
        .view::<Note>()
        .build()
        .unwrap()
}

#[derive(TView)]
#[tview(
    table = "tb_user",
    view = "tv_counted",
    entity = "counted",
    plural = "counted"
)]
#[allow(dead_code)]
struct Counted {
    id: i64,
    #[tview(count(table = "tb_note", fk = "user_id"))]
    notes: i64,
}

#[derive(TView)]
#[allow(dead_code)]
struct Note {
    id: i64,
    user_id: Option<i64>,
}

const ROWS: &str = "
    INSERT INTO tb_user VALUES (1), (2), (3);
    INSERT INTO tb_note VALUES (1, 1), (2, 2), (3, 3)";

#[tokio::test]
async fn a_key_of_an_inheriting_table_is_followed() {
    let model = model();
    let pool = filled(
        "CREATE TABLE tb_user (id int8 PRIMARY KEY);
         CREATE TABLE tb_note (id int8 PRIMARY KEY, user_id int8);
         CREATE INDEX ON tb_note (user_id);
         CREATE TABLE tb_old_note (PRIMARY KEY (id),
             FOREIGN KEY (user_id) REFERENCES tb_user ON DELETE CASCADE) INHERITS (tb_note);
         CREATE INDEX ON tb_old_note (user_id);
         INSERT INTO tb_user VALUES (1), (2); INSERT INTO tb_note VALUES (1, 1);
         INSERT INTO tb_old_note VALUES (2, 2), (3, 2)",
        &model,
    )
    .await;
    let report = correct_after(&model, &pool, DELETE_BOB, |m| m.changed::<Counted>(&[2])).await;
    assert_eq!(report.of::<Note>().unwrap().deleted, 2, "{report}");
}

#[tokio::test]
async fn a_key_of_one_partition_is_followed() {
    let model = model();
    let tables = "CREATE TABLE tb_user (id int8 PRIMARY KEY);
         CREATE TABLE tb_note (id int8 PRIMARY KEY, user_id int8) PARTITION BY RANGE (id);
         CREATE TABLE tb_note_1 PARTITION OF tb_note FOR VALUES FROM (0) TO (3);
         CREATE TABLE tb_note_2 PARTITION OF tb_note FOR VALUES FROM (3) TO (9);
         CREATE INDEX ON tb_note (user_id);
         ALTER TABLE tb_note_1 ADD FOREIGN KEY (user_id) REFERENCES tb_user ON DELETE SET NULL;"
        .to_owned();
    let pool = filled(&(tables + ROWS), &model).await;
    correct_after(&model, &pool, DELETE_BOB, |m| m.changed::<Counted>(&[2])).await;
}

#[tokio::test]
async fn keys_between_partitioned_tables_are_followed() {
    let model = model();
    let tables = "CREATE TABLE tb_user (id int8 PRIMARY KEY) PARTITION BY HASH (id);
         CREATE TABLE tb_user_0 PARTITION OF tb_user FOR VALUES WITH (MODULUS 2, REMAINDER 0);
         CREATE TABLE tb_user_1 PARTITION OF tb_user FOR VALUES WITH (MODULUS 2, REMAINDER 1);
         CREATE TABLE tb_note (id int8 PRIMARY KEY,
             user_id int8 REFERENCES tb_user ON DELETE CASCADE) PARTITION BY RANGE (id);
         CREATE TABLE tb_note_1 PARTITION OF tb_note FOR VALUES FROM (0) TO (3);
         CREATE TABLE tb_note_2 PARTITION OF tb_note FOR VALUES FROM (3) TO (9);
         CREATE INDEX ON tb_note (user_id);"
        .to_owned();
    let pool = filled(&(tables + ROWS), &model).await;
    correct_after(
        &model,
        &pool,
        "DELETE FROM tb_user WHERE id IN (2, 3)",
        |m| m.changed::<Counted>(&[2, 3]),
    )
    .await;
}

/// Only one partition is referenced, and the row is marked as one of the whole table.
#[tokio::test]
async fn a_key_onto_one_partition_is_followed() {
    let model = model();
    let tables = "CREATE TABLE tb_user (id int8 PRIMARY KEY) PARTITION BY RANGE (id);
         CREATE TABLE tb_user_1 PARTITION OF tb_user FOR VALUES FROM (0) TO (9);
         CREATE TABLE tb_note (id int8 PRIMARY KEY,
             user_id int8 REFERENCES tb_user_1 ON DELETE CASCADE);
         CREATE INDEX ON tb_note (user_id);"
        .to_owned();
    let pool = filled(&(tables + ROWS), &model).await;
    correct_after(&model, &pool, DELETE_BOB, |m| m.changed::<Counted>(&[2])).await;
}

#[tokio::test]
async fn a_key_onto_an_inheriting_table_is_followed() {
    let model = model();
    let pool = filled(
        "CREATE TABLE tb_user (id int8 PRIMARY KEY);
         CREATE TABLE tb_admin (PRIMARY KEY (id)) INHERITS (tb_user);
         CREATE TABLE tb_note (id int8 PRIMARY KEY,
             user_id int8 REFERENCES tb_admin ON DELETE CASCADE);
         CREATE INDEX ON tb_note (user_id);
         INSERT INTO tb_user VALUES (1); INSERT INTO tb_admin VALUES (2);
         INSERT INTO tb_note VALUES (1, 2), (2, 2)",
        &model,
    )
    .await;
    let report = correct_after(&model, &pool, DELETE_BOB, |m| m.changed::<Counted>(&[2])).await;
    assert_eq!(report.of::<Note>().unwrap().deleted, 2, "{report}");
}

const PLAIN: &str = "CREATE TABLE tb_user (id int8 PRIMARY KEY);
    CREATE TABLE tb_note (id int8 PRIMARY KEY, user_id int8);
    CREATE INDEX ON tb_note (user_id);";

/// Two keys appear, and one changes its action, after the model has looked at others.
#[tokio::test]
async fn a_key_that_is_added_later_is_followed() {
    let model = model();
    let pool = filled(&(PLAIN.to_owned() + ROWS), &model).await;
    correct_after(
        &model,
        &pool,
        "DELETE FROM tb_note WHERE user_id = 1; DELETE FROM tb_user WHERE id = 1",
        |m| {
            m.changed::<Counted>(&[1]);
            m.changed::<Note>(&[1]);
        },
    )
    .await;
    script(
        &pool,
        "ALTER TABLE tb_note ADD CONSTRAINT owner FOREIGN KEY (user_id) REFERENCES tb_user
         ON DELETE CASCADE",
    )
    .await;
    correct_after(&model, &pool, DELETE_BOB, |m| m.changed::<Counted>(&[2])).await;
    script(
        &pool,
        "ALTER TABLE tb_note DROP CONSTRAINT owner, ADD CONSTRAINT owner FOREIGN KEY (user_id)
         REFERENCES tb_user ON DELETE SET NULL",
    )
    .await;
    correct_after(&model, &pool, "DELETE FROM tb_user WHERE id = 3", |m| {
        m.changed::<Counted>(&[3])
    })
    .await;
}

/// One model, and two databases with different keys.
#[tokio::test]
async fn each_database_has_its_own_keys() {
    let model = model();
    let plain = filled(&(PLAIN.to_owned() + ROWS), &model).await;
    correct_after(&model, &plain, DELETE_BOB, |m| m.changed::<Counted>(&[2])).await;
    let cascading = PLAIN.replace(
        "user_id int8)",
        "user_id int8 REFERENCES tb_user ON DELETE CASCADE)",
    );
    let cascading = filled(&(cascading + ROWS), &model).await;
    let report = correct_after(&model, &cascading, DELETE_BOB, |m| {
        m.changed::<Counted>(&[2])
    })
    .await;
    assert_eq!(report.of::<Note>().unwrap().deleted, 1, "{report}");
}
