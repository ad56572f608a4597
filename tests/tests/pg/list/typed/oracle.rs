//! Random typed filters and orders give the rows that plain SQL over the base table gives, and that the same filters by
//! names give.

use fraiseql_runtime::list::{CanFilter, Column, Filter, FilterOf, Operator, OrderOf};
use fraiseql_runtime::scalar::{ListValue, Matchable, Ordered, Scalar, SingleValue};
use fraiseql_runtime::{ReadModel, TView};
use serde_json::value::Serializer;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::list::oracle::things::{Chance, LiveThing, MatThing, Thing, insert, row, values};

const TABLES: &str = crate::list::oracle::TABLES;

/// A filter of a view, the same by names, and the condition in SQL that it stands for.
struct Case<V> {
    filter: FilterOf<V>,
    named: Filter,
    sql: String,
}

/// A literal of a type, as SQL reads it.
fn literal<T: Scalar>(value: &T) -> String {
    let sql = T::TYPE.sql_name();
    match value.serialize_json(Serializer).unwrap() {
        Value::String(text) => format!("'{}'::{sql}", text.replace('\'', "''")),
        Value::Array(values) => {
            let literals = values.iter().map(|value| match value {
                Value::String(text) => format!("'{}'", text.replace('\'', "''")),
                value => value.to_string(),
            });
            let literals: Vec<String> = literals.collect();
            format!("ARRAY[{}]::{sql}", literals.join(", "))
        }
        value => format!("({value})::{sql}"),
    }
}

/// The values of a field, as in documents.
fn json_values(field: &str) -> Vec<Value> {
    let values = values(field).into_iter();
    values.filter(|value| !value.is_null()).collect()
}

fn given<T: Scalar>(field: &str) -> Vec<T> {
    let values = json_values(field).into_iter();
    let values = values.map(|value| T::deserialize_json(value).unwrap());
    values.collect()
}

struct Cases<V>(Vec<Case<V>>);

impl<V> Cases<V> {
    fn push(&mut self, filter: FilterOf<V>, named: Filter, sql: String) {
        self.0.push(Case { filter, named, sql });
    }

    fn single<F: SingleValue, U: CanFilter>(&mut self, field: Column<V, F, U>, column: &str) {
        let named = |operator, value: Value| Filter::compare(field.name(), operator, value);
        let json = json_values(field.name());
        let values: Vec<F::Value> = given(field.name());
        for (value, json) in values.iter().zip(&json) {
            let right = literal(value);
            for (operator, filter, sign) in [
                (Operator::Eq, field.eq(value), "="),
                (Operator::Ne, field.ne(value), "<>"),
            ] {
                let named = named(operator, json.clone());
                self.push(filter, named, format!("{column} {sign} {right}"));
            }
        }
        for some in [0..0, 0..1, 1..values.len()] {
            let json = Value::from(&json[some.clone()]);
            let some = &values[some];
            let list: Vec<String> = some.iter().map(literal).collect();
            let list = format!("ARRAY[{}]::{}[]", list.join(", "), F::Value::TYPE.sql);
            let is_in = named(Operator::In, json.clone());
            self.push(field.is_in(some), is_in, format!("{column} = ANY ({list})"));
            let is_not_in = named(Operator::NotIn, json);
            let sql = format!("{column} <> ALL ({list})");
            self.push(field.is_not_in(some), is_not_in, sql);
        }
    }

    fn ordered<F: Ordered, U: CanFilter>(&mut self, field: Column<V, F, U>, column: &str) {
        self.single(field, column);
        let json = json_values(field.name());
        for (value, json) in given::<F::Value>(field.name()).iter().zip(&json) {
            let right = literal(value);
            for (operator, filter, sign) in [
                (Operator::Lt, field.lt(value), "<"),
                (Operator::Lte, field.lte(value), "<="),
                (Operator::Gt, field.gt(value), ">"),
                (Operator::Gte, field.gte(value), ">="),
            ] {
                let named = Filter::compare(field.name(), operator, json.clone());
                self.push(filter, named, format!("{column} {sign} {right}"));
            }
        }
    }

    /// The lists that have some of these values.
    fn lists<F: ListValue, U: CanFilter>(
        &mut self,
        field: Column<V, F, U>,
        column: &str,
        values: &[F::Element],
    ) {
        for some in [0..0, 0..1, 1..2, 0..2, 1..values.len()] {
            let some = &values[some];
            let list: Vec<String> = some.iter().map(literal).collect();
            let list = format!("ARRAY[{}]::{}[]", list.join(", "), F::Element::TYPE.sql);
            let json = some.iter().map(|it| it.serialize_json(Serializer).unwrap());
            let json = Value::Array(json.collect());
            for (operator, filter, sign) in [
                (Operator::Contains, field.contains(some), "@>"),
                (Operator::HasAny, field.has_any(some), "&&"),
            ] {
                let named = Filter::compare(field.name(), operator, json.clone());
                self.push(filter, named, format!("{column} {sign} {list}"));
            }
        }
    }

    fn texts<F: Matchable, U: CanFilter>(&mut self, field: Column<V, F, U>, column: &str) {
        self.ordered(field, column);
        for pattern in ["", "%", "a%", "A_B", "%\\%%", "a\\_b", "É"] {
            for (operator, filter, sign) in [
                (Operator::Like, field.like(pattern), "LIKE"),
                (Operator::Ilike, field.ilike(pattern), "ILIKE"),
            ] {
                let named = Filter::compare(field.name(), operator, pattern);
                self.push(filter, named, format!("{column} {sign} '{pattern}'"));
            }
        }
    }
}

/// Every operator of every field; enums as the names in the base table.
macro_rules! cases {
    ($view:ty) => {{
        type V = $view;
        let mut cases = Cases(Vec::new());
        cases.single(V::FLAG, "flag");
        cases.single(V::FLAG_OR, "flag_or");
        cases.ordered(V::SMALL, "small");
        cases.ordered(V::SMALL_OR, "small_or");
        cases.ordered(V::MEDIUM, "medium");
        cases.ordered(V::MEDIUM_OR, "medium_or");
        cases.ordered(V::LARGE, "large");
        cases.ordered(V::LARGE_OR, "large_or");
        cases.ordered(V::SINGLE, "single");
        cases.ordered(V::SINGLE_OR, "single_or");
        cases.ordered(V::DOUBLE, "double");
        cases.ordered(V::DOUBLE_OR, "double_or");
        cases.ordered(V::AMOUNT, "amount");
        cases.ordered(V::AMOUNT_OR, "amount_or");
        cases.texts(V::NAME, "name");
        cases.texts(V::NAME_OR, "name_or");
        cases.ordered(V::TOKEN, "token");
        cases.ordered(V::TOKEN_OR, "token_or");
        cases.ordered(V::DAY, "day");
        cases.ordered(V::DAY_OR, "day_or");
        cases.ordered(V::AT, "at");
        cases.ordered(V::AT_OR, "at_or");
        cases.ordered(V::LOCAL, "local");
        cases.ordered(V::LOCAL_OR, "local_or");
        cases.ordered(V::SEEN, "seen");
        cases.ordered(V::SEEN_OR, "seen_or");
        cases.single(V::STATUS, "upper(status)");
        cases.single(V::STATUS_OR, "upper(status_or)");
        for (tags, json) in given::<Vec<String>>("tags").iter().zip(json_values("tags")) {
            let named = |operator| Filter::compare("tags", operator, json.clone());
            let sql = format!("tags = {}", literal(tags));
            cases.push(V::TAGS.eq(tags), named(Operator::Eq), sql);
            let sql = format!("tags <> {}", literal(tags));
            cases.push(V::TAGS.ne(&tags[..]), named(Operator::Ne), sql);
        }
        cases.lists(
            V::TAGS,
            "tags",
            &["a", "b", "NULL", "\"{}\\"].map(str::to_owned),
        );
        cases.lists(V::TAGS_OR, "tags_or", &[1, 2, 3]);
        for (column, name, is_null, is_not_null) in [
            (
                "flag_or",
                "flagOr",
                V::FLAG_OR.is_null(),
                V::FLAG_OR.is_not_null(),
            ),
            (
                "seen_or",
                "seenOr",
                V::SEEN_OR.is_null(),
                V::SEEN_OR.is_not_null(),
            ),
            (
                "status_or",
                "statusOr",
                V::STATUS_OR.is_null(),
                V::STATUS_OR.is_not_null(),
            ),
            (
                "tags_or",
                "tagsOr",
                V::TAGS_OR.is_null(),
                V::TAGS_OR.is_not_null(),
            ),
        ] {
            let named = |null: bool| Filter::compare(name, Operator::IsNull, null);
            cases.push(is_null, named(true), format!("{column} IS NULL"));
            cases.push(is_not_null, named(false), format!("{column} IS NOT NULL"));
        }
        for id in [-5_i64, 1, 30, 60, i64::MAX] {
            let named = Filter::compare("id", Operator::Gt, id);
            cases.push(V::ID.gt(id), named, format!("id > {id}"));
            let named = Filter::compare("id", Operator::In, json!([id, 7]));
            cases.push(V::ID.is_in([id, 7]), named, format!("id IN ({id}, 7)"));
        }
        cases.0
    }};
}

impl<V> Clone for Case<V> {
    fn clone(&self) -> Self {
        Self {
            filter: self.filter.clone(),
            named: self.named.clone(),
            sql: self.sql.clone(),
        }
    }
}

impl<V> Case<V> {
    fn and(self, other: Self) -> Self {
        Self {
            filter: self.filter.and(other.filter),
            named: Filter::all([self.named, other.named]),
            sql: format!("({}) AND ({})", self.sql, other.sql),
        }
    }

    fn or(self, other: Self) -> Self {
        Self {
            filter: self.filter.or(other.filter),
            named: Filter::any([self.named, other.named]),
            sql: format!("({}) OR ({})", self.sql, other.sql),
        }
    }

    fn not(self) -> Self {
        Self {
            filter: self.filter.not(),
            named: Filter::not(self.named),
            sql: format!("NOT ({})", self.sql),
        }
    }

    /// A tree of some of these, with the same shape and members for the same `chance`.
    fn random(cases: &[Self], chance: &mut Chance, depth: usize) -> Self {
        if depth == 0 {
            return cases[chance.below(cases.len())].clone();
        }
        let left = Self::random(cases, chance, depth - 1);
        match chance.below(4) {
            0 => left.not(),
            1 => left.and(Self::random(cases, chance, depth - 1)),
            2 => left.or(Self::random(cases, chance, depth - 1)),
            _ => left,
        }
    }
}

async fn things() -> PgPool {
    let pool = fraiseql_tests::pool().await;
    fraiseql_tests::run(&pool, TABLES).await;
    let model = ReadModel::builder()
        .view::<Thing>()
        .view::<LiveThing>()
        .view::<MatThing>()
        .build()
        .unwrap();
    model.migrate(&pool).await.unwrap();
    let mut chance = Chance(23);
    let rows: Vec<Value> = (1..=60).map(|id| row(id, &mut chance)).collect();
    insert(&pool, &rows).await;
    model.refresh::<MatThing>(&pool).await.unwrap();
    pool
}

async fn by_sql(pool: &PgPool, condition: &str, order: &str) -> Vec<i64> {
    let sql = format!("SELECT id FROM tb_thing WHERE {condition} ORDER BY {order}");
    let keys = sqlx::query_scalar(sqlx::AssertSqlSafe(sql));
    keys.fetch_all(pool).await.unwrap()
}

macro_rules! keys {
    ($view:ty, $pool:expr, $filter:expr) => {{
        let list = <$view>::list().filter($filter);
        let found: Vec<$view> = list.fetch($pool).await.unwrap();
        found.iter().map(|it| it.id).collect::<Vec<i64>>()
    }};
}

#[tokio::test]
async fn every_typed_comparison_gives_what_sql_over_the_base_table_gives() {
    let pool = things().await;
    let cases = cases!(Thing);
    let (compared, mut found) = (cases.len(), 0);
    for Case { filter, named, sql } in cases {
        let expected = by_sql(&pool, &sql, "id").await;
        assert_eq!(keys!(Thing, &pool, filter.clone()), expected, "{sql}");
        assert_eq!(keys!(Thing, &pool, named), expected, "{sql}");
        let not = by_sql(&pool, &format!("NOT ({sql})"), "id").await;
        assert_eq!(keys!(Thing, &pool, !filter), not, "NOT ({sql})");
        found += usize::from(!expected.is_empty() && expected.len() < 60);
    }
    assert!(
        compared > 500 && found > compared / 2,
        "{found} of {compared}"
    );
}

#[tokio::test]
async fn random_typed_filters_give_what_sql_gives_in_each_storage() {
    let pool = things().await;
    let (stored, live, refreshed) = (cases!(Thing), cases!(LiveThing), cases!(MatThing));
    let mut found = 0;
    for seed in 1..=300 {
        let Case { filter, named, sql } = Case::random(&stored, &mut Chance(seed), 3);
        let expected = by_sql(&pool, &sql, "id").await;
        assert_eq!(keys!(Thing, &pool, filter), expected, "{sql}");
        assert_eq!(keys!(Thing, &pool, named), expected, "{sql}");
        let Case {
            filter, sql: same, ..
        } = Case::random(&live, &mut Chance(seed), 3);
        assert_eq!(same, sql);
        assert_eq!(keys!(LiveThing, &pool, filter), expected, "{sql}");
        let Case { filter, .. } = Case::random(&refreshed, &mut Chance(seed), 3);
        assert_eq!(keys!(MatThing, &pool, filter), expected, "{sql}");
        found += usize::from(!expected.is_empty() && expected.len() < 60);
    }
    assert!(found > 100, "{found}");
}

#[tokio::test]
async fn typed_orders_give_what_sql_gives() {
    let pool = things().await;
    let orders: Vec<(OrderOf<Thing>, &str)> = vec![
        (Thing::ID.desc(), "id DESC"),
        (Thing::FLAG.asc(), "flag, id"),
        (Thing::FLAG_OR.desc(), "flag_or DESC, id DESC"),
        (Thing::LARGE_OR.asc(), "large_or, id"),
        (
            Thing::AMOUNT_OR
                .desc()
                .nulls(fraiseql_runtime::list::Nulls::Last),
            "amount_or DESC NULLS LAST, id DESC",
        ),
        (Thing::NAME.desc(), "name DESC, id DESC"),
        (Thing::SEEN_OR.asc(), "seen_or, id"),
    ];
    for (order, sql) in orders {
        let list = Thing::list().order_by(order);
        let found: Vec<Thing> = list.fetch(&pool).await.unwrap();
        let found: Vec<i64> = found.iter().map(|it| it.id).collect();
        assert_eq!(found, by_sql(&pool, "true", sql).await, "{sql}");
    }
}
