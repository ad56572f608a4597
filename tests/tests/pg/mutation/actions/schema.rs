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

/// A view of one partition, whose rows go with a key of the whole table.
#[tokio::test]
async fn a_view_of_a_partition_loses_what_cascades() {
    #[derive(TView)]
    #[tview(table = "tb_note_1")]
    #[allow(dead_code)]
    struct OldNote {
        id: i64,
        user_id: Option<i64>,
    }
    let model = ReadModel::builder()
        .view::<Counted>()
        .view::<OldNote>()
        .build()
        .unwrap();
    let tables = "CREATE TABLE tb_user (id int8 PRIMARY KEY);
         CREATE TABLE tb_note (id int8 PRIMARY KEY,
             user_id int8 REFERENCES tb_user ON DELETE CASCADE) PARTITION BY RANGE (id);
         CREATE TABLE tb_note_1 PARTITION OF tb_note FOR VALUES FROM (0) TO (3);
         CREATE TABLE tb_note_2 PARTITION OF tb_note FOR VALUES FROM (3) TO (9);
         CREATE INDEX ON tb_note (user_id);"
        .to_owned();
    let pool = filled(&(tables + ROWS), &model).await;
    let report = correct_after(&model, &pool, DELETE_BOB, |m| m.changed::<Counted>(&[2])).await;
    assert_eq!(report.of::<OldNote>().unwrap().deleted, 1, "{report}");
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
        m.changed::<Counted>(&[3]);
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
        m.changed::<Counted>(&[2]);
    })
    .await;
    assert_eq!(report.of::<Note>().unwrap().deleted, 1, "{report}");
}

/// Statements that were prepared before, on the same connection.
#[tokio::test]
async fn a_schema_that_changes_under_prepared_statements_is_followed() {
    let model = model();
    let cascading = PLAIN.replace(
        "user_id int8)",
        "user_id int8 REFERENCES tb_user ON DELETE CASCADE)",
    );
    let rows = "INSERT INTO tb_user SELECT generate_series(1, 40);
         INSERT INTO tb_note SELECT n, n FROM generate_series(1, 40) AS n";
    let pool = filled(&(cascading + rows), &model).await;
    let two = sqlx::postgres::PgPoolOptions::new()
        .max_connections(2)
        .connect_with((*pool.connect_options()).clone())
        .await
        .unwrap();
    let changes = [
        "SELECT",
        "ALTER TABLE tb_note ADD COLUMN more text",
        "ALTER TABLE tb_note DROP CONSTRAINT tb_note_user_id_fkey,
             ALTER user_id TYPE int4,
             ADD FOREIGN KEY (user_id) REFERENCES tb_user ON DELETE CASCADE",
        "ALTER TABLE tb_note ALTER user_id TYPE int8",
        "ALTER TABLE tb_note DROP COLUMN more",
        "ALTER TABLE tb_note RENAME TO old; CREATE TABLE tb_note (LIKE old INCLUDING ALL,
             FOREIGN KEY (user_id) REFERENCES tb_user ON DELETE CASCADE);
         INSERT INTO tb_note SELECT * FROM old; DROP TABLE old",
    ];
    for (round, change) in (1_i64..).zip(changes) {
        script(&pool, change).await;
        let (delete, keep) = (2 * round, 2 * round + 1);
        for before in [true, false] {
            let key = if before { delete } else { keep };
            let mut m = model.mutation(&two).await.unwrap();
            if before {
                m.changing::<Counted>(&[key]).await.unwrap();
            }
            sqlx::query("DELETE FROM tb_user WHERE id = $1")
                .bind(key)
                .execute(&mut *m)
                .await
                .unwrap();
            m.changed::<Counted>(&[key]);
            m.commit()
                .await
                .unwrap_or_else(|error| panic!("{change}: {error}"));
            for _ in 0..2 {
                let gone = Note::find(&two, key).await;
                let gone = gone.unwrap_or_else(|error| panic!("{change}: {error}"));
                assert!(gone.is_none());
                let listed = Note::list().limit(3).fetch::<Note>(&two).await;
                listed.unwrap_or_else(|error| panic!("{change}: {error}"));
            }
        }
        let kept = Note::find(&two, 40).await.unwrap();
        assert_eq!(kept.unwrap().user_id, Some(40));
    }
    assert_synced(&model, &pool).await;
}
