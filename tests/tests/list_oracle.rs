//! Lists against a plain reading of what they promise: every operator on every type that can be
//! promoted, nulls, ties, and walks from page to page, also while others write.

use std::cmp::Ordering;
use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use fraiseql_runtime::list::{
    Connection, Cursor, Direction, Filter, List, Nulls, Operator, OrderBy, Page, filterable,
};
use fraiseql_runtime::schema::Source;
use fraiseql_runtime::{ReadModel, TEnum, TView};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};
use sqlx::PgPool;
use uuid::Uuid;

const TABLES: &str = "
CREATE TABLE tb_thing (
    id int8 PRIMARY KEY,
    flag boolean NOT NULL, small int2 NOT NULL, medium int4 NOT NULL, large int8 NOT NULL,
    single float4 NOT NULL, double float8 NOT NULL, amount numeric NOT NULL, name text NOT NULL,
    token uuid NOT NULL, day date NOT NULL, at time NOT NULL, local timestamp NOT NULL,
    seen timestamptz NOT NULL, status text NOT NULL, tags text[] NOT NULL,
    flag_or boolean, small_or int2, medium_or int4, large_or int8, single_or float4, double_or float8,
    amount_or numeric, name_or text, token_or uuid, day_or date, at_or time, local_or timestamp,
    seen_or timestamptz, status_or text, tags_or int4[]);
";

#[derive(Clone, Copy, Debug, PartialEq, TEnum)]
enum Status {
    Draft,
    InReview,
    Published,
}

#[derive(Debug, TView)]
struct Thing {
    id: i64,
    #[tview(filter, sort)]
    flag: bool,
    #[tview(filter, sort)]
    small: i16,
    #[tview(filter, sort)]
    medium: i32,
    #[tview(filter, sort)]
    large: i64,
    #[tview(filter, sort)]
    single: f32,
    #[tview(filter, sort)]
    double: f64,
    #[tview(filter, sort)]
    amount: Decimal,
    #[tview(filter, sort)]
    name: String,
    #[tview(filter, sort)]
    token: Uuid,
    #[tview(filter, sort)]
    day: NaiveDate,
    #[tview(filter, sort)]
    at: NaiveTime,
    #[tview(filter, sort)]
    local: NaiveDateTime,
    #[tview(filter, sort)]
    seen: DateTime<Utc>,
    #[tview(filter, sort)]
    status: Status,
    #[tview(filter)]
    tags: Vec<String>,
    #[tview(filter, sort)]
    flag_or: Option<bool>,
    #[tview(filter, sort)]
    small_or: Option<i16>,
    #[tview(filter, sort)]
    medium_or: Option<i32>,
    #[tview(filter, sort)]
    large_or: Option<i64>,
    #[tview(filter, sort)]
    single_or: Option<f32>,
    #[tview(filter, sort)]
    double_or: Option<f64>,
    #[tview(filter, sort)]
    amount_or: Option<Decimal>,
    #[tview(filter, sort)]
    name_or: Option<String>,
    #[tview(filter, sort)]
    token_or: Option<Uuid>,
    #[tview(filter, sort)]
    day_or: Option<NaiveDate>,
    #[tview(filter, sort)]
    at_or: Option<NaiveTime>,
    #[tview(filter, sort)]
    local_or: Option<NaiveDateTime>,
    #[tview(filter, sort)]
    seen_or: Option<DateTime<Utc>>,
    #[tview(filter, sort)]
    status_or: Option<Status>,
    #[tview(filter)]
    tags_or: Option<Vec<Option<i32>>>,
}

/// The values that fields have, as they are in documents: few, so that many are equal.
fn values(field: &str) -> Vec<Value> {
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

/// Numbers that look like chance, the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }

    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }
}

fn row(id: i64, chance: &mut Chance) -> Value {
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

async fn insert(pool: &PgPool, rows: &[Value]) {
    sqlx::query("INSERT INTO tb_thing SELECT * FROM jsonb_populate_recordset(NULL::tb_thing, $1)")
        .bind(Value::Array(rows.to_vec()))
        .execute(pool)
        .await
        .unwrap();
    let keys: Vec<i64> = rows.iter().map(|row| row["id"].as_i64().unwrap()).collect();
    let report = sync_thing(pool, &keys).await.unwrap();
    report.ensure_valid().unwrap();
}

struct World {
    pool: PgPool,
    oracle: Oracle,
    chance: Chance,
}

/// What there is, and in which order the server has texts.
struct Oracle {
    documents: Vec<Value>,
    ranks: HashMap<String, usize>,
}

impl World {
    async fn new(seed: u64) -> Self {
        let pool = fraiseql_tests::pool().await;
        fraiseql_tests::run(&pool, TABLES).await;
        let model = ReadModel::builder().view::<Thing>().build().unwrap();
        model.migrate(&pool).await.unwrap();
        let mut chance = Chance(seed);
        let rows: Vec<Value> = (1..=60).map(|id| row(id, &mut chance)).collect();
        insert(&pool, &rows).await;
        let documents: Vec<String> =
            sqlx::query_scalar("SELECT data::text FROM tv_thing ORDER BY id")
                .fetch_all(&pool)
                .await
                .unwrap();
        let texts: Vec<Value> = values("name").into_iter().chain(values("status")).collect();
        let texts: Vec<String> = sqlx::query_scalar(
            "SELECT value FROM jsonb_array_elements_text($1) AS value ORDER BY value",
        )
        .bind(Value::Array(texts))
        .fetch_all(&pool)
        .await
        .unwrap();
        Self {
            oracle: Oracle {
                documents: documents
                    .iter()
                    .map(|document| serde_json::from_str(document).unwrap())
                    .collect(),
                ranks: texts.into_iter().zip(0..).collect(),
            },
            pool,
            chance,
        }
    }
}

impl Oracle {
    /// How two values of a field are ordered; none where one is null.
    fn compare(&self, field: &str, left: &Value, right: &Value) -> Option<Ordering> {
        if left.is_null() || right.is_null() {
            return None;
        }
        Some(match field.trim_end_matches("Or") {
            "flag" => left.as_bool().cmp(&right.as_bool()),
            "id" | "small" | "medium" | "large" => left.as_i64().cmp(&right.as_i64()),
            "single" | "double" => left
                .as_f64()
                .unwrap()
                .partial_cmp(&right.as_f64().unwrap())?,
            "amount" => {
                let decimal = |value: &Value| value.as_str().unwrap().parse::<Decimal>().unwrap();
                decimal(left).cmp(&decimal(right))
            }
            "name" | "status" => {
                let rank = |value: &Value| self.ranks[value.as_str().unwrap()];
                rank(left).cmp(&rank(right))
            }
            // Lists are equal or not.
            "tags" if left == right => Ordering::Equal,
            "tags" => Ordering::Less,
            // ISO 8601 of one width but for the fraction, and the zone is UTC.
            _ => {
                let text = |value: &Value| {
                    value
                        .as_str()
                        .unwrap()
                        .trim_end_matches("+00:00")
                        .to_owned()
                };
                text(left).cmp(&text(right))
            }
        })
    }

    /// Whether a document is in a comparison; none where that is unknown.
    fn holds(
        &self,
        document: &Value,
        field: &str,
        operator: Operator,
        value: &Value,
    ) -> Option<bool> {
        let own = &document[field];
        let ordering = |value| self.compare(field, own, value);
        match operator {
            Operator::IsNull => Some(Some(own.is_null()) == value.as_bool()),
            Operator::Eq => ordering(value).map(Ordering::is_eq),
            Operator::Ne => ordering(value).map(Ordering::is_ne),
            Operator::Lt => ordering(value).map(Ordering::is_lt),
            Operator::Lte => ordering(value).map(Ordering::is_le),
            Operator::Gt => ordering(value).map(Ordering::is_gt),
            Operator::Gte => ordering(value).map(Ordering::is_ge),
            Operator::In | Operator::NotIn => {
                let values = value.as_array().unwrap();
                let is_in = if values.is_empty() {
                    Some(false)
                } else if own.is_null() {
                    None
                } else {
                    Some(
                        values
                            .iter()
                            .any(|value| ordering(value) == Some(Ordering::Equal)),
                    )
                };
                is_in.map(|is_in| is_in == (operator == Operator::In))
            }
            Operator::Like | Operator::Ilike => {
                let (own, pattern) = (own.as_str()?, value.as_str().unwrap());
                let (own, pattern) = if operator == Operator::Ilike {
                    (own.to_lowercase(), pattern.to_lowercase())
                } else {
                    (own.to_owned(), pattern.to_owned())
                };
                Some(like(
                    &own.chars().collect::<Vec<_>>(),
                    &pattern.chars().collect::<Vec<_>>(),
                ))
            }
        }
    }

    fn keys(&self, tree: &Tree) -> Vec<i64> {
        self.documents
            .iter()
            .filter(|document| tree.holds(self, document) == Some(true))
            .map(|document| document["id"].as_i64().unwrap())
            .collect()
    }

    /// The keys of documents in an order.
    fn ordered(&self, tree: &Tree, order: &[By]) -> Vec<i64> {
        let mut documents: Vec<&Value> = self
            .documents
            .iter()
            .filter(|document| tree.holds(self, document) == Some(true))
            .collect();
        documents.sort_by(|left, right| {
            let by_terms = order.iter().map(|by| {
                let (left, right) = (&left[by.field], &right[by.field]);
                let nulls_first = match by.nulls {
                    None => by.direction == Direction::Desc,
                    Some(nulls) => nulls == Nulls::First,
                };
                match self.compare(by.field, left, right) {
                    Some(ordering) if by.direction == Direction::Desc => ordering.reverse(),
                    Some(ordering) => ordering,
                    None if nulls_first => right.is_null().cmp(&left.is_null()),
                    None => left.is_null().cmp(&right.is_null()),
                }
            });
            let key = left["id"].as_i64().cmp(&right["id"].as_i64());
            let descending = order
                .first()
                .is_some_and(|by| by.direction == Direction::Desc);
            by_terms
                .chain([if descending { key.reverse() } else { key }])
                .find(|ordering| ordering.is_ne())
                .unwrap_or(Ordering::Equal)
        });
        documents
            .iter()
            .map(|document| document["id"].as_i64().unwrap())
            .collect()
    }
}

fn like(text: &[char], pattern: &[char]) -> bool {
    match (text, pattern) {
        ([], []) => true,
        (_, ['%', rest @ ..]) => (0..=text.len()).any(|skip| like(&text[skip..], rest)),
        ([_, text @ ..], ['_', rest @ ..]) => like(text, rest),
        ([c, text @ ..], ['\\', escaped, rest @ ..]) => c == escaped && like(text, rest),
        ([c, text @ ..], [p, rest @ ..]) => c == p && *p != '\\' && like(text, rest),
        _ => false,
    }
}

/// A filter, and what it means.
#[derive(Clone, Debug)]
enum Tree {
    Compare(&'static str, Operator, Value),
    All(Vec<Tree>),
    Any(Vec<Tree>),
    Not(Box<Tree>),
}

impl Tree {
    fn filter(&self) -> Filter {
        match self {
            Self::Compare(field, operator, value) => {
                Filter::compare(*field, *operator, value.clone())
            }
            Self::All(all) => Filter::all(all.iter().map(Self::filter)),
            Self::Any(any) => Filter::any(any.iter().map(Self::filter)),
            Self::Not(not) => Filter::not(not.filter()),
        }
    }

    fn holds(&self, oracle: &Oracle, document: &Value) -> Option<bool> {
        match self {
            Self::Compare(field, operator, value) => {
                oracle.holds(document, field, *operator, value)
            }
            Self::Not(not) => not.holds(oracle, document).map(|holds| !holds),
            Self::All(all) => Self::decided_by(false, all, oracle, document),
            Self::Any(any) => Self::decided_by(true, any, oracle, document),
        }
    }

    /// One of this value decides; else one that is unknown.
    fn decided_by(by: bool, trees: &[Self], oracle: &Oracle, document: &Value) -> Option<bool> {
        let mut holds = Some(!by);
        for tree in trees {
            match tree.holds(oracle, document) {
                Some(value) if value == by => return Some(by),
                Some(_) => {}
                None => holds = None,
            }
        }
        holds
    }

    fn by_chance(chance: &mut Chance, depth: usize) -> Self {
        let kind = if depth == 0 { 0 } else { chance.below(5) };
        match kind {
            3 => Self::Not(Box::new(Self::by_chance(chance, depth - 1))),
            1 | 2 => {
                let count = chance.below(4);
                let trees = (0..count)
                    .map(|_| Self::by_chance(chance, depth - 1))
                    .collect();
                if kind == 1 {
                    Self::All(trees)
                } else {
                    Self::Any(trees)
                }
            }
            _ => {
                let (field, operators) = chance.one(&comparisons());
                let operator = chance.one(operators);
                let value = chance.one(&given(field, operator));
                Self::Compare(field, operator, value)
            }
        }
    }
}

/// Every field with its operators.
fn comparisons() -> Vec<(&'static str, &'static [Operator])> {
    filterable(Thing::VIEW)
        .iter()
        .map(|field| {
            let Source::Column { ty, .. } = &field.source else {
                unreachable!()
            };
            (field.json, Operator::of(ty))
        })
        .collect()
}

/// What a field is compared with by an operator.
fn given(field: &str, operator: Operator) -> Vec<Value> {
    let values = values(field);
    match operator {
        Operator::IsNull => vec![json!(true), json!(false)],
        Operator::In | Operator::NotIn => vec![
            json!([]),
            json!([values[0]]),
            json!([values[0], values[1], values[1]]),
            Value::Array(values),
        ],
        Operator::Like | Operator::Ilike => {
            let patterns = [
                "", "%", "a%", "A%", "_", "a_b", "a\\_b", "a\\%%", "%\\\\%", "\\a%", "É", "%DROP%",
                "%a%b%",
            ];
            patterns.into_iter().map(Value::from).collect()
        }
        _ => values,
    }
}

fn keys_of(documents: &[(Cursor, i64)]) -> Vec<i64> {
    documents.iter().map(|(_, key)| *key).collect()
}

fn items(page: &Connection) -> Vec<(Cursor, i64)> {
    page.items()
        .map(|(cursor, document)| {
            let document: Value = serde_json::from_slice(document.json()).unwrap();
            // What a client keeps is a text.
            (
                cursor.to_string().parse().unwrap(),
                document["id"].as_i64().unwrap(),
            )
        })
        .collect()
}

async fn read(list: &List, pool: &PgPool) -> Vec<i64> {
    let documents = list.read(pool).await.unwrap();
    documents
        .iter()
        .map(|document| {
            let document: Value = serde_json::from_slice(document.json()).unwrap();
            document["id"].as_i64().unwrap()
        })
        .collect()
}

#[tokio::test]
async fn every_operator_on_every_type() {
    let World { pool, oracle, .. } = World::new(7).await;
    let (mut compared, mut found) = (0, 0);
    for (field, operators) in comparisons() {
        for operator in operators {
            for value in given(field, *operator) {
                let tree = Tree::Compare(field, *operator, value);
                let expected = oracle.keys(&tree);
                let read = read(&Thing::list().filter(tree.filter()), &pool).await;
                assert_eq!(read, expected, "{tree:?}");
                let not = Tree::Not(Box::new(tree));
                let read = self::read(&Thing::list().filter(not.filter()), &pool).await;
                assert_eq!(read, oracle.keys(&not), "{not:?}");
                compared += 1;
                found += usize::from(!expected.is_empty() && expected.len() < 60);
            }
        }
    }
    // Most of them tell documents apart.
    assert!(
        compared > 1000 && found > compared / 2,
        "{found} of {compared}"
    );
}

#[tokio::test]
async fn any_filter() {
    let World {
        pool,
        oracle,
        mut chance,
    } = World::new(11).await;
    let mut found = 0;
    for _ in 0..400 {
        let trees: Vec<Tree> = (0..chance.below(3) + 1)
            .map(|_| Tree::by_chance(&mut chance, 3))
            .collect();
        let mut list = Thing::list();
        for tree in &trees {
            list = list.filter(tree.filter());
        }
        let tree = Tree::All(trees);
        let expected = oracle.keys(&tree);
        assert_eq!(read(&list, &pool).await, expected, "{tree:?}");
        found += usize::from(!expected.is_empty() && expected.len() < 60);
    }
    assert!(found > 100, "{found}");
}

/// A term of an order.
#[derive(Clone, Debug)]
struct By {
    field: &'static str,
    direction: Direction,
    nulls: Option<Nulls>,
}

impl By {
    fn by_chance(chance: &mut Chance) -> Self {
        let fields: Vec<&'static str> = fraiseql_runtime::list::sortable(Thing::VIEW)
            .iter()
            .map(|field| field.json)
            .collect();
        Self {
            field: chance.one(&fields),
            direction: chance.one(&[Direction::Asc, Direction::Desc]),
            nulls: chance.one(&[None, Some(Nulls::First), Some(Nulls::Last)]),
        }
    }

    fn order(&self) -> OrderBy {
        let order = OrderBy::new(self.field, self.direction);
        match self.nulls {
            Some(nulls) => order.nulls(nulls),
            None => order,
        }
    }

    /// An order of no term up to three.
    fn some(chance: &mut Chance) -> Vec<Self> {
        let mut order: Vec<Self> = Vec::new();
        for _ in 0..chance.below(4) {
            let by = Self::by_chance(chance);
            if order.iter().all(|other| other.field != by.field) {
                order.push(by);
            }
        }
        order
    }

    fn list(order: &[Self]) -> List {
        order
            .iter()
            .fold(Thing::list(), |list, by| list.order_by(by.order()))
    }
}

#[tokio::test]
async fn any_order_with_limit_and_offset() {
    let World {
        pool,
        oracle,
        mut chance,
    } = World::new(13).await;
    let everything = Tree::All(Vec::new());
    for _ in 0..300 {
        let order = By::some(&mut chance);
        let mut expected = oracle.ordered(&everything, &order);
        let mut list = By::list(&order);
        if chance.below(3) > 0 {
            let offset = chance.below(70);
            list = list.offset(offset as u64);
            expected = expected.into_iter().skip(offset).collect();
        }
        if chance.below(3) > 0 {
            let limit = chance.below(30);
            list = list.limit(limit as u64);
            expected.truncate(limit);
        }
        assert_eq!(read(&list, &pool).await, expected, "{order:?} {list:?}");
    }
}

/// Walks a list from one end to the other.
async fn walk(list: &List, from_end: bool, size: u32, pool: &PgPool) -> Vec<(Cursor, i64)> {
    let mut walked: Vec<(Cursor, i64)> = Vec::new();
    loop {
        let page = if from_end {
            Page::last(size).before(walked.first().map(|(cursor, _)| cursor.clone()))
        } else {
            Page::first(size).after(walked.last().map(|(cursor, _)| cursor.clone()))
        };
        let page = list.page(page, pool).await.unwrap();
        let found = items(&page);
        let begun = !walked.is_empty();
        let more = if from_end {
            walked.splice(0..0, found);
            assert_eq!(page.has_next(), begun);
            page.has_previous()
        } else {
            walked.extend(found);
            assert_eq!(page.has_previous(), begun);
            page.has_next()
        };
        assert!(!more || page.len() == size as usize);
        if !more {
            return walked;
        }
    }
}

#[tokio::test]
async fn any_walk_forward_and_back() {
    let World {
        pool,
        oracle,
        mut chance,
    } = World::new(17).await;
    for _ in 0..60 {
        let order = By::some(&mut chance);
        let tree = match chance.below(3) {
            0 => Tree::by_chance(&mut chance, 2),
            _ => Tree::All(Vec::new()),
        };
        let expected = oracle.ordered(&tree, &order);
        let list = By::list(&order).filter(tree.filter());
        let size = chance.below(20) as u32 + 1;
        let what = format!("{order:?} {tree:?} {size}");
        let forward = walk(&list, false, size, &pool).await;
        assert_eq!(keys_of(&forward), expected, "{what}");
        let back = walk(&list, true, size, &pool).await;
        assert_eq!(back, forward, "{what}");

        // What is between two cursors, from both sides.
        for _ in 0..4 {
            if forward.is_empty() {
                continue;
            }
            let (from, to) = (chance.below(forward.len()), chance.below(forward.len()));
            let between = &expected[(from + 1).min(to)..to];
            let size = chance.below(20) as u32;
            let window = |page: Page| {
                let (from, to) = (forward[from].0.clone(), forward[to].0.clone());
                list.page(page.after(from).before(to), &pool)
            };
            let page = window(Page::first(size)).await.unwrap();
            let count = between.len().min(size as usize);
            assert_eq!(
                keys_of(&items(&page)),
                between[..count],
                "{what} {from} {to}"
            );
            assert_eq!(page.has_next(), between.len() > count);
            let page = window(Page::last(size)).await.unwrap();
            assert_eq!(
                keys_of(&items(&page)),
                between[between.len() - count..],
                "{what} {from} {to}"
            );
            assert_eq!(page.has_previous(), between.len() > count);
        }
    }
}

#[tokio::test]
async fn a_walk_while_others_write() {
    let World {
        pool,
        oracle,
        mut chance,
    } = World::new(19).await;
    let mut next = 1000;
    for turn in 0..24 {
        let order = By::some(&mut chance);
        let from_end = turn % 2 == 0;
        let list = By::list(&order);
        let mut walked: Vec<i64> = Vec::new();
        let mut cursor = None;
        loop {
            // Others are added and go, at places that the walk has passed and that it has not.
            let rows: Vec<Value> = (0..3)
                .map(|_| {
                    next += 1;
                    // Also in front of all keys.
                    row(if next % 2 == 0 { next } else { -next }, &mut chance)
                })
                .collect();
            insert(&pool, &rows).await;
            let (gone,): (Vec<i64>,) = sqlx::query_as(
                "WITH gone AS (DELETE FROM tb_thing WHERE id IN (SELECT id FROM tb_thing
                   WHERE id NOT BETWEEN 1 AND 60 ORDER BY hashint8(id) LIMIT 3) RETURNING id)
                 SELECT array_agg(id) FROM gone",
            )
            .fetch_one(&pool)
            .await
            .unwrap();
            sync_thing(&pool, &gone).await.unwrap();
            let page = if from_end {
                Page::last(7).before(cursor)
            } else {
                Page::first(7).after(cursor)
            };
            let page = list.page(page, &pool).await.unwrap();
            let found = items(&page);
            let more = if from_end {
                cursor = found.first().map(|(cursor, _)| cursor.clone());
                walked.splice(0..0, keys_of(&found));
                page.has_previous()
            } else {
                cursor = found.last().map(|(cursor, _)| cursor.clone());
                walked.extend(keys_of(&found));
                page.has_next()
            };
            if !more {
                break;
            }
        }
        let mut all = walked.clone();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), walked.len(), "{order:?}: twice");
        // Those that were there all the time are there, once and in order.
        walked.retain(|key| (1..=60).contains(key));
        assert_eq!(
            walked,
            oracle.ordered(&Tree::All(Vec::new()), &order),
            "{order:?}"
        );
    }
}
