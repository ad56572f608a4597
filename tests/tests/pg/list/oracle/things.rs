//! The documents of random lists: a view with a field of every type, and values for each.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use fraiseql_runtime::{TEnum, TView};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};
use sqlx::PgPool;
use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, TEnum)]
pub(in crate::list) enum Status {
    Draft,
    InReview,
    Published,
}

/// The same documents in each storage.
macro_rules! things {
    ($($name:ident $storage:tt $data:tt $view:tt;)*) => {$(
        #[derive(Debug, TView)]
        #[tview(table = "tb_thing", storage = $storage, data = $data, entity = $view)]
        pub(in crate::list) struct $name {
            pub(in crate::list) id: i64,
            #[tview(filter, sort)]
            pub(in crate::list) flag: bool,
            #[tview(filter, sort)]
            pub(in crate::list) small: i16,
            #[tview(filter, sort)]
            pub(in crate::list) medium: i32,
            #[tview(filter, sort)]
            pub(in crate::list) large: i64,
            #[tview(filter, sort)]
            pub(in crate::list) single: f32,
            #[tview(filter, sort)]
            pub(in crate::list) double: f64,
            #[tview(filter, sort)]
            pub(in crate::list) amount: Decimal,
            #[tview(filter, sort)]
            pub(in crate::list) name: String,
            #[tview(filter, sort)]
            pub(in crate::list) token: Uuid,
            #[tview(filter, sort)]
            pub(in crate::list) day: NaiveDate,
            #[tview(filter, sort)]
            pub(in crate::list) at: NaiveTime,
            #[tview(filter, sort)]
            pub(in crate::list) local: NaiveDateTime,
            #[tview(filter, sort)]
            pub(in crate::list) seen: DateTime<Utc>,
            #[tview(filter, sort)]
            pub(in crate::list) status: Status,
            #[tview(filter)]
            pub(in crate::list) tags: Vec<String>,
            #[tview(filter, sort)]
            pub(in crate::list) flag_or: Option<bool>,
            #[tview(filter, sort)]
            pub(in crate::list) small_or: Option<i16>,
            #[tview(filter, sort)]
            pub(in crate::list) medium_or: Option<i32>,
            #[tview(filter, sort)]
            pub(in crate::list) large_or: Option<i64>,
            #[tview(filter, sort)]
            pub(in crate::list) single_or: Option<f32>,
            #[tview(filter, sort)]
            pub(in crate::list) double_or: Option<f64>,
            #[tview(filter, sort)]
            pub(in crate::list) amount_or: Option<Decimal>,
            #[tview(filter, sort)]
            pub(in crate::list) name_or: Option<String>,
            #[tview(filter, sort)]
            pub(in crate::list) token_or: Option<Uuid>,
            #[tview(filter, sort)]
            pub(in crate::list) day_or: Option<NaiveDate>,
            #[tview(filter, sort)]
            pub(in crate::list) at_or: Option<NaiveTime>,
            #[tview(filter, sort)]
            pub(in crate::list) local_or: Option<NaiveDateTime>,
            #[tview(filter, sort)]
            pub(in crate::list) seen_or: Option<DateTime<Utc>>,
            #[tview(filter, sort)]
            pub(in crate::list) status_or: Option<Status>,
            #[tview(filter)]
            pub(in crate::list) tags_or: Option<Vec<Option<i32>>>,
        }
    )*};
}

things! {
    Thing "table" "jsonb" "thing";
    LiveThing "live" "jsonb" "live_thing";
    MatThing "matview" "jsonb" "mat_thing";
    TextThing "table" "json" "text_thing";
    MatTextThing "matview" "json" "mat_text_thing";
}

/// The values of the fields, as JSON: few, so that many documents tie.
pub(in crate::list) fn values(field: &str) -> Vec<Value> {
    let values = match field.trim_end_matches("_or").trim_end_matches("Or") {
        "flag" => json!([true, false]),
        "small" => json!([-32768, -1, 0, 7, 32767]),
        "medium" => json!([-2147483648_i64, -1, 0, 7, 2147483647]),
        "large" => json!([i64::MIN, -1, 0, 9007199254740993_i64, i64::MAX]),
        "single" => json!([-1.5, 0, 0.1, 16777216, 3.4e38]),
        "double" => json!([-1e300, 0, 0.1, 1e-300, 0.30000000000000004]),
        "amount" => json!([
            "-79228162514264337593543950335",
            "0",
            "0.1",
            "0.10",
            "19.9",
            "19.90",
            "9999.9999",
            "10000",
            "0.0000000000000000000000000001"
        ]),
        "name" => json!([
            "",
            "a",
            "ab",
            "a%b",
            "a_b",
            "a\\b",
            "b",
            "é",
            "'; DROP TABLE tb_thing; --"
        ]),
        "token" => json!([
            "00000000-0000-0000-0000-000000000000",
            "0fffffff-0000-0000-0000-000000000000",
            "ffffffff-ffff-ffff-ffff-ffffffffffff"
        ]),
        "day" => json!([
            "0001-01-01",
            "1582-10-10",
            "1999-12-31",
            "2000-01-01",
            "2024-02-29",
            "9999-12-31"
        ]),
        "at" => json!([
            "00:00:00",
            "00:00:00.000001",
            "12:34:56.789",
            "23:59:59.999999"
        ]),
        "local" => json!([
            "0001-01-01T00:00:00",
            "1999-12-31T23:59:59.999999",
            "2000-01-01T00:00:00",
            "2000-01-01T00:00:00.5",
            "9999-12-31T23:59:59.999999"
        ]),
        "seen" => json!([
            "0001-01-01T00:00:00+00:00",
            "1999-12-31T23:59:59.999999+00:00",
            "2000-01-01T00:00:00+00:00",
            "2000-01-01T00:00:00.5+00:00",
            "9999-12-31T23:59:59.999999+00:00"
        ]),
        "status" => json!(["DRAFT", "IN_REVIEW", "PUBLISHED"]),
        "tags" if field == "tags" => json!([[], ["a"], ["a", "b"], ["b", "NULL", "\"{}\\"]]),
        "tags" => json!([[], [1], [1, 2], [null], [null, 2]]),
        "id" => json!([1, 17, 40, 1000]),
        other => panic!("{other} has no values"),
    };
    serde_json::from_value(values).unwrap()
}

/// Pseudorandom numbers, the same in every run.
pub(in crate::list) struct Chance(pub(in crate::list) u64);

impl Chance {
    pub(in crate::list) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }

    pub(in crate::list) fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }
}

pub(in crate::list) fn row(id: i64, chance: &mut Chance) -> Value {
    let mut row = Map::from_iter([("id".to_owned(), json!(id))]);
    for field in Thing::VIEW.shape.fields.iter().skip(1) {
        let nullable = field.name.ends_with("_or");
        let value = if nullable && chance.below(3) == 0 {
            Value::Null
        } else {
            chance.one(&values(field.name))
        };
        row.insert(field.name.to_owned(), value);
    }
    Value::Object(row)
}

pub(in crate::list) async fn insert(pool: &PgPool, rows: &[Value]) {
    sqlx::query("INSERT INTO tb_thing SELECT * FROM jsonb_populate_recordset(NULL::tb_thing, $1)")
        .bind(Value::Array(rows.to_vec()))
        .execute(pool)
        .await
        .unwrap();
    let keys: Vec<i64> = rows.iter().map(|row| row["id"].as_i64().unwrap()).collect();
    let report = sync_thing(pool, &keys).await.unwrap();
    report.ensure_valid().unwrap();
}
