//! Tests of tables that are not like others: types of keys, names, types and constraints of columns.

use fraiseql_runtime::{Capture, Embed, ReadModel, TView};
use fraiseql_tests::run;
use uuid::Uuid;

use super::{captured, changes_of, execute};

#[derive(TView)]
#[tview(table = "k2")]
#[allow(dead_code)]
struct Small {
    id: i16,
    note: String,
}

#[derive(TView)]
#[tview(table = "k4")]
#[allow(dead_code)]
struct Medium {
    id: i32,
    note: String,
}

#[derive(TView)]
#[tview(table = "k8")]
#[allow(dead_code)]
struct Large {
    id: i64,
    note: String,
}

#[derive(TView)]
#[tview(table = "kt")]
#[allow(dead_code)]
struct Texts {
    id: String,
    note: String,
}

#[derive(TView)]
#[tview(table = "ku")]
#[allow(dead_code)]
struct Uuids {
    id: Uuid,
    note: String,
}

#[tokio::test]
async fn keys_of_every_type_are_captured() {
    let pool = fraiseql_tests::pool().await;
    run(
        &pool,
        "CREATE TABLE k2 (id int2 PRIMARY KEY, note text NOT NULL);
         CREATE TABLE k4 (id int4 PRIMARY KEY, note text NOT NULL);
         CREATE TABLE k8 (id int8 PRIMARY KEY, note text NOT NULL);
         CREATE TABLE kt (id text PRIMARY KEY, note text NOT NULL);
         CREATE TABLE ku (id uuid PRIMARY KEY, note text NOT NULL)",
    )
    .await;
    let model = ReadModel::builder()
        .view::<Small>()
        .view::<Medium>()
        .view::<Large>()
        .view::<Texts>()
        .view::<Uuids>()
        .capture(Capture::Queue)
        .build()
        .unwrap();
    model.migrate(&pool).await.unwrap();
    for (table, sql, json) in [
        ("k2", "-32768", "-32768"),
        ("k4", "2147483647", "2147483647"),
        ("k8", "-9223372036854775808", "-9223372036854775808"),
        ("kt", "'it''s \"odd\" \\ é'", r#""it's \"odd\" \\ é""#),
        ("kt", "''", r#""""#),
        (
            "ku",
            "'0A0B0C0D-0000-0000-0000-00000000000F'",
            r#""0a0b0c0d-0000-0000-0000-00000000000f""#,
        ),
    ] {
        let done = changes_of(
            &pool,
            &format!(
                "INSERT INTO {table} VALUES ({sql}, 'a'); UPDATE {table} SET note = 'b'; DELETE FROM {table}"
            ),
        )
        .await;
        let image = format!(r#"{{"id":[{json}]}}"#);
        assert_eq!(
            done,
            [
                format!("INSERT {table} null {image}"),
                format!("UPDATE {table} {image} {image}"),
                format!("DELETE {table} {image} null"),
            ]
        );
    }
}

#[derive(TView)]
#[tview(table = "odd")]
#[allow(dead_code)]
struct Odd {
    #[tview(key, column = "old")]
    id: i64,
    #[tview(column = "new")]
    new: String,
    #[tview(one(fk = "table"))]
    other: Option<Part>,
    #[tview(many(fk = "xid", key = "key"))]
    list: Vec<Part>,
    #[tview(column = "x")]
    x: i32,
    #[tview(column = "tg_op")]
    tg_op: i32,
    #[tview(column = "it's \"odd\"")]
    odd: i32,
}

#[derive(Embed)]
#[tview(table = "The Parts")]
#[allow(dead_code)]
struct Part {
    #[tview(key, column = "changed")]
    id: i64,
    #[tview(column = "place")]
    place: i32,
}

#[tokio::test]
async fn columns_and_tables_may_have_any_name() {
    let pool = fraiseql_tests::pool().await;
    run(
        &pool,
        r#"CREATE TABLE odd ("old" int8 PRIMARY KEY, "new" text NOT NULL, "table" int8, "key" int8, x int4 NOT NULL DEFAULT 0,
             tg_op int4 NOT NULL DEFAULT 0, "it's ""odd""" int4 NOT NULL DEFAULT 0, free int4 DEFAULT 0, "select" int4, part int4,
             before int4, after int4, image int4, old_0 int4, new_0 int4, model int4, operation int4);
           CREATE TABLE "The Parts" (changed int8 PRIMARY KEY, place int4 NOT NULL DEFAULT 0, xid int8, fraiseql_old int4, fraiseql_new int4)"#,
    )
    .await;
    captured::<Odd>().migrate(&pool).await.unwrap();
    for (sql, wanted) in [
        (
            r#"INSERT INTO odd ("old", "new", "table", "key") VALUES (1, 'n', 7, 3)"#,
            &[r#"INSERT odd null {"key":[3],"old":[1],"table":[7]}"#][..],
        ),
        ("UPDATE odd SET free = 1, \"select\" = 2, part = 3", &[]),
        (
            "UPDATE odd SET \"it's \"\"odd\"\"\" = 1",
            &[r#"UPDATE odd {"key":[3],"old":[1],"table":[7]} {"key":[3],"old":[1],"table":[7]}"#],
        ),
        (
            "UPDATE odd SET tg_op = 1, \"key\" = 4",
            &[r#"UPDATE odd {"key":[3],"old":[1],"table":[7]} {"key":[4],"old":[1],"table":[7]}"#],
        ),
        (
            r#"INSERT INTO "The Parts" VALUES (1, 2, 3)"#,
            &[r#"INSERT The Parts null {"changed":[1],"xid":[3]}"#],
        ),
        (
            r#"DELETE FROM "The Parts""#,
            &[r#"DELETE The Parts {"changed":[1],"xid":[3]} null"#],
        ),
    ] {
        assert_eq!(changes_of(&pool, sql).await, wanted, "{sql}");
    }
}

#[derive(TView)]
#[tview(table = "here.thing", view = "views.tv_thing")]
#[allow(dead_code)]
struct Thing {
    id: i64,
    #[tview(one(fk = "there_id"))]
    there: Option<There>,
    #[tview(many(fk = "thing_id"))]
    long: Vec<Long>,
}

#[derive(Embed)]
#[tview(table = "there.thing")]
#[allow(dead_code)]
struct There {
    id: i64,
}

#[derive(Embed)]
#[tview(table = "a_table_whose_name_has_as_many_bytes_as_postgresql_allows_it_to")]
#[allow(dead_code)]
struct Long {
    id: i64,
    #[tview(column = "a_column_whose_name_has_as_many_bytes_as_postgresql_allows_it_t")]
    long: i32,
    #[tview(count(
        table = "a_table_whose_name_has_as_many_bytes_as_postgresql_allows_them_",
        fk = "long_id"
    ))]
    number: i64,
}

#[tokio::test]
async fn tables_of_one_name_in_two_schemas_and_long_names_have_functions_of_their_own() {
    let pool = fraiseql_tests::pool().await;
    run(
        &pool,
        "CREATE SCHEMA here; CREATE SCHEMA there; CREATE SCHEMA views;
         CREATE TABLE there.thing (id int8 PRIMARY KEY);
         CREATE TABLE here.thing (id int8 PRIMARY KEY, there_id int8);
         CREATE TABLE a_table_whose_name_has_as_many_bytes_as_postgresql_allows_it_to (id int8 PRIMARY KEY, thing_id int8,
           a_column_whose_name_has_as_many_bytes_as_postgresql_allows_it_t int4 NOT NULL);
         CREATE TABLE a_table_whose_name_has_as_many_bytes_as_postgresql_allows_them_ (id int8, long_id int8)",
    )
    .await;
    let model = captured::<Thing>();
    model.migrate(&pool).await.unwrap();
    fraiseql_tests::assert_up_to_date(&model.migrate(&pool).await.unwrap());
    execute(
        &pool,
        "INSERT INTO here.thing VALUES (1, 2); INSERT INTO there.thing VALUES (2);
         INSERT INTO a_table_whose_name_has_as_many_bytes_as_postgresql_allows_it_to VALUES (3, 1, 0);
         INSERT INTO a_table_whose_name_has_as_many_bytes_as_postgresql_allows_them_ VALUES (1, 3)",
    )
    .await;
    let done: Vec<(String, String)> =
        sqlx::query_as("SELECT \"table\", new::text FROM views.fraiseql_change ORDER BY id")
            .fetch_all(&pool)
            .await
            .unwrap();
    let wanted = [
        (r#""here"."thing""#, r#"{"id": [1], "there_id": [2]}"#),
        (r#""there"."thing""#, r#"{"id": [2]}"#),
        (
            r#""public"."a_table_whose_name_has_as_many_bytes_as_postgresql_allows_it_to""#,
            r#"{"thing_id": [1]}"#,
        ),
        (
            r#""public"."a_table_whose_name_has_as_many_bytes_as_postgresql_allows_them_""#,
            r#"{"long_id": [3]}"#,
        ),
    ];
    let wanted = wanted.map(|(table, image)| (table.to_owned(), image.to_owned()));
    assert_eq!(done, wanted);
}

#[derive(TView)]
#[tview(table = "typed")]
#[allow(dead_code)]
struct Typed {
    id: i64,
    #[tview(column = "doc")]
    doc: serde_json::Value,
    price: rust_decimal::Decimal,
    ratio: f64,
    word: String,
    #[tview(column = "total")]
    total: i32,
    tags: Vec<String>,
}

const TYPED: &str = r#"
CREATE DOMAIN never AS text NOT NULL CHECK (VALUE <> '');
DO $$ BEGIN CREATE COLLATION folds (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
EXCEPTION WHEN feature_not_supported THEN CREATE COLLATION folds FROM "C"; END $$;
CREATE TABLE typed (gone int4, id int8 PRIMARY KEY, gone_too never DEFAULT 'x', doc json NOT NULL, price numeric NOT NULL, ratio float8 NOT NULL,
    word text COLLATE folds NOT NULL, a int4 NOT NULL, total int4 NOT NULL GENERATED ALWAYS AS (a + 1) STORED, tags text[] NOT NULL,
    other never NOT NULL DEFAULT 'o', place point, more json, stamp timestamptz);
ALTER TABLE typed DROP COLUMN gone, DROP COLUMN gone_too;
INSERT INTO typed (id, doc, price, ratio, word, a, tags) VALUES (1, '{"a": 1}', 1.0, 0.1, 'word', 1, '{x}');
"#;

/// What documents show is compared, and not what is equal in SQL.
#[tokio::test]
async fn values_of_any_type_are_compared_by_their_bytes() {
    let pool = fraiseql_tests::pool().await;
    run(&pool, TYPED).await;
    captured::<Typed>().migrate(&pool).await.unwrap();
    for (sql, is_captured) in [
        (r#"UPDATE typed SET doc = '{"a": 1}'"#, false),
        (r#"UPDATE typed SET doc = '{"a":1}'"#, true),
        ("UPDATE typed SET price = 1.0", false),
        ("UPDATE typed SET price = 1.00", true),
        ("UPDATE typed SET ratio = 0.1", false),
        ("UPDATE typed SET ratio = 0.10000000000000002", true),
        ("UPDATE typed SET ratio = 0", true),
        ("UPDATE typed SET ratio = '-0'", true),
        ("UPDATE typed SET word = 'WORD'", true),
        ("UPDATE typed SET word = 'WORD'", false),
        ("UPDATE typed SET a = 2", true),
        ("UPDATE typed SET tags = '{x, NULL}'", true),
        ("UPDATE typed SET tags = '{x, NULL}', a = 2", false),
        (
            "UPDATE typed SET other = 'p', place = '(1, 2)', more = '{}', stamp = now()",
            false,
        ),
    ] {
        let mut tx = pool.begin().await.unwrap();
        sqlx::raw_sql("SET LOCAL extra_float_digits = -10")
            .execute(&mut *tx)
            .await
            .unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()))
            .execute(&mut *tx)
            .await
            .unwrap();
        let done = super::lines(super::changes(&mut tx).await);
        tx.commit().await.unwrap();
        let wanted: &[&str] = match is_captured {
            true => &[r#"UPDATE typed {"id":[1]} {"id":[1]}"#],
            false => &[],
        };
        assert_eq!(done, wanted, "{sql}");
    }
}

macro_rules! fragments {
    ($($name:ident $filter:tt)*) => {$(
        #[derive(TView)]
        #[tview(table = "typed", view = "tv_typed", filter = $filter)]
        #[allow(dead_code)]
        struct $name {
            id: i64,
        }
    )*};
}

fragments! {
    Known "{}.total > 0 AND {}.\"word\" <> 'x'"
    Unknown "other <> 'x'"
    Whole "to_jsonb({}) <> 'null'"
}

#[tokio::test]
async fn an_update_of_a_column_that_a_filter_reads_is_captured() {
    let pool = fraiseql_tests::pool().await;
    run(&pool, TYPED).await;
    for (model, wanted) in [
        (captured::<Known>(), [true, true, false, false]),
        (captured::<Unknown>(), [true; 4]),
        (captured::<Whole>(), [true; 4]),
    ] {
        model.migrate(&pool).await.unwrap();
        for (sql, wanted) in [
            "UPDATE typed SET a = a + 1",
            "UPDATE typed SET word = word || 'x'",
            "UPDATE typed SET other = other || 'x'",
            r#"UPDATE typed SET more = '{"b": 1}'"#,
        ]
        .iter()
        .zip(wanted)
        {
            let done = changes_of(&pool, sql).await;
            assert_eq!(!done.is_empty(), wanted, "{model:?} {sql} {done:?}");
            // The same again changes nothing.
            let again = changes_of(
                &pool,
                "UPDATE typed SET a = a, word = word, other = other, more = more",
            )
            .await;
            assert_eq!(again.len(), 0, "{again:?}");
        }
        execute(
            &pool,
            "UPDATE typed SET more = NULL; DELETE FROM fraiseql_change",
        )
        .await;
        // So that the next model is alone.
        for left in model_left(&pool).await {
            execute(&pool, &left).await;
        }
    }
}

/// The statements that drop all triggers.
async fn model_left(pool: &sqlx::PgPool) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT format('DROP TRIGGER %I ON %s', tgname, tgrelid::regclass) FROM pg_trigger WHERE NOT tgisinternal",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}
