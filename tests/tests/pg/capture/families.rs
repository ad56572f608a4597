//! Tests of partitioned tables, and of tables that inherit from others.

use fraiseql_runtime::{Capture, Embed, ReadModel, TView};
use fraiseql_tests::run;
use sqlx::PgPool;

use super::{captured, changes_of, execute};

#[derive(TView)]
#[tview(table = "tb_room")]
#[allow(dead_code)]
struct Room {
    id: i64,
    #[tview(many(fk = "room_id"))]
    messages: Vec<Message>,
}

#[derive(Embed)]
#[tview(table = "tb_message")]
#[allow(dead_code)]
struct Message {
    id: i64,
    body: String,
}

/// Partitions of a partition, one with its columns in another order.
const PARTITIONED: &str = "
CREATE TABLE tb_room (id int8 PRIMARY KEY);
CREATE TABLE tb_message (id int8, room_id int8, day int4, body text NOT NULL, seen int4 NOT NULL DEFAULT 0, PRIMARY KEY (id, day))
  PARTITION BY RANGE (day);
CREATE SCHEMA old;
CREATE TABLE old.\"Message 1\" (seen int4 NOT NULL DEFAULT 0, gone int4, body text NOT NULL, day int4 NOT NULL, room_id int8, id int8 NOT NULL);
ALTER TABLE old.\"Message 1\" DROP COLUMN gone;
ALTER TABLE tb_message ATTACH PARTITION old.\"Message 1\" FOR VALUES FROM (0) TO (10);
CREATE TABLE tb_message_2 PARTITION OF tb_message FOR VALUES FROM (10) TO (100) PARTITION BY RANGE (day);
CREATE TABLE tb_message_2a PARTITION OF tb_message_2 FOR VALUES FROM (10) TO (20);
CREATE TABLE tb_message_2b PARTITION OF tb_message_2 FOR VALUES FROM (20) TO (30);
";

async fn rooms() -> PgPool {
    let pool = fraiseql_tests::pool().await;
    run(&pool, PARTITIONED).await;
    captured::<Room>().migrate(&pool).await.unwrap();
    pool
}

#[tokio::test]
async fn changes_of_partitions_are_those_of_their_table() {
    let pool = rooms().await;
    for (sql, wanted) in [
        (
            "INSERT INTO tb_message VALUES (1, 7, 5, 'a'), (2, 7, 15, 'b'), (3, 8, 25, 'c')",
            &[r#"INSERT tb_message null {"room_id":[7,8]}"#][..],
        ),
        (
            "INSERT INTO tb_message_2 VALUES (4, 9, 15, 'd')",
            &[r#"INSERT tb_message null {"room_id":[9]}"#],
        ),
        (
            "INSERT INTO tb_message_2a VALUES (5, 9, 15, 'e')",
            &[r#"INSERT tb_message null {"room_id":[9]}"#],
        ),
        (
            "UPDATE tb_message SET body = body || '!' WHERE id < 4",
            &[r#"UPDATE tb_message {"room_id":[7,8]} {"room_id":[7,8]}"#],
        ),
        (
            "UPDATE old.\"Message 1\" SET body = 'z', seen = 1",
            &[r#"UPDATE tb_message {"room_id":[7]} {"room_id":[7]}"#],
        ),
        ("UPDATE old.\"Message 1\" SET seen = 2", &[]),
        ("UPDATE tb_message SET seen = 3", &[]),
        // Rows move to other partitions: nothing that documents show has changed, then something has.
        ("UPDATE tb_message SET day = 22 WHERE id = 1", &[]),
        (
            "UPDATE tb_message SET day = 3, room_id = 70, body = 'moved' WHERE id IN (1, 2)",
            &[r#"UPDATE tb_message {"room_id":[7]} {"room_id":[70]}"#],
        ),
        (
            "UPDATE tb_message_2 SET day = 12, body = 'moved' WHERE id = 3",
            &[r#"UPDATE tb_message {"room_id":[8]} {"room_id":[8]}"#],
        ),
        (
            "DELETE FROM tb_message WHERE id IN (1, 4)",
            &[r#"DELETE tb_message {"room_id":[9,70]} null"#],
        ),
        (
            "DELETE FROM tb_message_2a WHERE id = 5",
            &[r#"DELETE tb_message {"room_id":[9]} null"#],
        ),
        ("TRUNCATE tb_message_2a", &["TRUNCATE tb_message null null"]),
        // One change, although a trigger of each partition is called.
        ("TRUNCATE tb_message", &["TRUNCATE tb_message null null"]),
    ] {
        assert_eq!(changes_of(&pool, sql).await, wanted, "{sql}");
    }
}

/// A row that is not inserted where it was to move to: the statement has one row less after than before.
#[tokio::test]
async fn a_row_that_vanishes_while_it_moves_is_captured() {
    let pool = rooms().await;
    execute(
        &pool,
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN IF NEW.id = 2 THEN RETURN NULL; END IF; RETURN NEW; END $$;
         CREATE TRIGGER refuse BEFORE INSERT ON tb_message_2b FOR EACH ROW EXECUTE FUNCTION refuse();
         INSERT INTO tb_message SELECT i, 100 + i, 15, 'a' FROM generate_series(1, 5) AS i;
         DELETE FROM fraiseql_change",
    )
    .await;
    let done = changes_of(&pool, "UPDATE tb_message SET day = 25").await;
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM tb_message")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(left, 4);
    let [change] = done.as_slice() else {
        panic!("{done:?}")
    };
    // Its room is among the values before, whatever else is.
    let (old, _) = change.rsplit_once(" {").unwrap();
    assert!(old.contains("102"), "{change}");
}

#[tokio::test]
async fn a_new_partition_gets_its_triggers_from_the_next_migration() {
    let pool = rooms().await;
    let model = captured::<Room>();
    fraiseql_tests::assert_up_to_date(&model.migrate(&pool).await.unwrap());
    execute(
        &pool,
        "CREATE TABLE tb_message_2c PARTITION OF tb_message_2 FOR VALUES FROM (30) TO (40)",
    )
    .await;
    let plan = model.migration_plan(&pool).await.unwrap();
    assert_eq!(plan.len(), 4, "{plan:?}");
    assert!(
        plan.iter()
            .all(|sql| sql.contains("\"public\".\"tb_message_2c\"")),
        "{plan:?}"
    );
    let migration = model.migrate(&pool).await.unwrap();
    assert_eq!(
        migration.created,
        [r#"triggers of "public"."tb_message_2c""#]
    );
    fraiseql_tests::assert_up_to_date(&model.migrate(&pool).await.unwrap());
    assert_eq!(
        changes_of(&pool, "INSERT INTO tb_message_2c VALUES (1, 7, 35, 'a')").await,
        [r#"INSERT tb_message null {"room_id":[7]}"#]
    );
    assert_eq!(
        changes_of(&pool, "ALTER TABLE tb_message_2 DETACH PARTITION tb_message_2c; UPDATE tb_message_2c SET body = 'x'").await,
        [r#"UPDATE tb_message {"room_id":[7]} {"room_id":[7]}"#]
    );
}

#[derive(TView)]
#[tview(table = "tb_city")]
#[allow(dead_code)]
struct City {
    id: i64,
    name: String,
}

#[derive(TView)]
#[tview(table = "tb_capital")]
#[allow(dead_code)]
struct Capital {
    id: i64,
    country: String,
}

const INHERITED: &str = "
CREATE TABLE tb_city (id int8 PRIMARY KEY, name text NOT NULL, people int4);
CREATE TABLE tb_capital (country text NOT NULL, PRIMARY KEY (id)) INHERITS (tb_city);
";

#[tokio::test]
async fn changes_of_inheriting_tables_are_captured() {
    let pool = fraiseql_tests::pool().await;
    run(&pool, INHERITED).await;
    captured::<City>().migrate(&pool).await.unwrap();
    for (sql, wanted) in [
        (
            "INSERT INTO tb_city VALUES (1, 'a'); INSERT INTO tb_capital VALUES (2, 'b', 0, 'x')",
            &[
                r#"INSERT tb_city null {"id":[1]}"#,
                r#"INSERT tb_city null {"id":[2]}"#,
            ][..],
        ),
        (
            "UPDATE tb_city SET name = name || '!'",
            &[r#"UPDATE tb_city {"id":[1,2]} {"id":[1,2]}"#],
        ),
        (
            "UPDATE tb_capital SET name = 'c', country = 'y'",
            &[r#"UPDATE tb_city {"id":[2]} {"id":[2]}"#],
        ),
        ("UPDATE tb_capital SET country = 'z'", &[]),
        ("UPDATE tb_city SET people = 7", &[]),
        (
            "DELETE FROM tb_city",
            &[r#"DELETE tb_city {"id":[1,2]} null"#],
        ),
        ("TRUNCATE tb_city", &["TRUNCATE tb_city null null"]),
    ] {
        assert_eq!(changes_of(&pool, sql).await, wanted, "{sql}");
    }
}

/// The rows of one table of the read model are also rows of another.
#[tokio::test]
async fn a_table_and_one_that_inherits_from_it_have_both_their_changes() {
    let pool = fraiseql_tests::pool().await;
    run(&pool, INHERITED).await;
    let model = ReadModel::builder()
        .view::<City>()
        .view::<Capital>()
        .capture(Capture::Queue)
        .build()
        .unwrap();
    model.migrate(&pool).await.unwrap();
    fraiseql_tests::assert_up_to_date(&model.migrate(&pool).await.unwrap());
    let mut done = changes_of(&pool, "INSERT INTO tb_capital VALUES (2, 'b', 0, 'x')").await;
    done.sort();
    assert_eq!(
        done,
        [
            r#"INSERT tb_capital null {"id":[2]}"#,
            r#"INSERT tb_city null {"id":[2]}"#
        ]
    );
    assert_eq!(
        changes_of(&pool, "UPDATE tb_capital SET country = 'y'").await,
        [r#"UPDATE tb_capital {"id":[2]} {"id":[2]}"#]
    );
}

#[derive(TView)]
#[tview(table = "tb_message_2a", view = "tv_few")]
#[allow(dead_code)]
struct Few {
    id: i64,
    body: String,
}

/// The base table is a partition, whose rows are written by statements about tables that the read model does not have.
#[tokio::test]
async fn statements_about_the_table_of_a_partition_are_captured() {
    let pool = fraiseql_tests::pool().await;
    run(&pool, PARTITIONED).await;
    let model = captured::<Few>();
    model.migrate(&pool).await.unwrap();
    fraiseql_tests::assert_up_to_date(&model.migrate(&pool).await.unwrap());
    for (sql, wanted) in [
        (
            "INSERT INTO tb_message VALUES (1, 7, 12, 'a')",
            &[r#"INSERT tb_message_2a null {"id":[1]}"#][..],
        ),
        (
            "UPDATE tb_message_2 SET body = 'b'",
            &[r#"UPDATE tb_message_2a {"id":[1]} {"id":[1]}"#],
        ),
        ("UPDATE tb_message_2a SET seen = 1", &[]),
        (
            "DELETE FROM tb_message_2a",
            &[r#"DELETE tb_message_2a {"id":[1]} null"#],
        ),
    ] {
        assert_eq!(changes_of(&pool, sql).await, wanted, "{sql}");
    }
}
