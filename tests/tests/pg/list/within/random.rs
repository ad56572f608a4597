//! Random filters find the rows that a condition on the base tables finds, which is made with them.

use fraiseql_runtime::list::{Filter, Operator, OrderBy, Page};
use fraiseql_runtime::{Embed, TView};
use serde_json::{Value, json};

use super::{Entry, OldPost, Post, ids, posts, rows};
use crate::list::keys;
use crate::list::oracle::things::Chance;

/// What is compared in jsonb: the values at a path, in which an array stands for its values.
const VALUES: &str = "
CREATE FUNCTION values_at(value jsonb, path text[]) RETURNS SETOF jsonb LANGUAGE plpgsql AS $$
BEGIN
    IF path = '{}' THEN
        RETURN QUERY SELECT v FROM jsonb_array_elements(
            CASE jsonb_typeof(value) WHEN 'array' THEN value ELSE jsonb_build_array(value) END) AS v;
    ELSIF jsonb_typeof(value) = 'array' THEN
        RETURN QUERY SELECT v FROM jsonb_array_elements(value) AS element, values_at(element -> path[1], path[2:]) AS v
            WHERE jsonb_typeof(element) = 'object' AND element ? path[1];
    ELSIF jsonb_typeof(value) = 'object' AND value ? path[1] THEN
        RETURN QUERY SELECT * FROM values_at(value -> path[1], path[2:]);
    END IF;
END $$";

/// A filter, and the condition in SQL that is the same.
type Pair = (Filter, String);

/// A text as a literal of SQL.
fn text(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

fn literal(value: &Value) -> String {
    match value {
        Value::String(value) => text(value),
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(literal).collect();
            values.join(", ")
        }
        value => value.to_string(),
    }
}

/// A condition with the operator, which compares `sql`, of the type `ty`.
fn compared(sql: &str, ty: &str, operator: Operator, value: &Value) -> String {
    let given = literal(value);
    let list = || format!("ARRAY[{given}]::{ty}[]");
    match operator {
        Operator::Eq => format!("{sql} = {given}::{ty}"),
        Operator::Ne => format!("{sql} <> {given}::{ty}"),
        Operator::Lt => format!("{sql} < {given}::{ty}"),
        Operator::Lte => format!("{sql} <= {given}::{ty}"),
        Operator::Gt => format!("{sql} > {given}::{ty}"),
        Operator::Gte => format!("{sql} >= {given}::{ty}"),
        Operator::In => format!("{sql} = ANY ({})", list()),
        Operator::NotIn => format!("{sql} <> ALL ({})", list()),
        Operator::Contains => format!("{sql} @> {}", list()),
        Operator::HasAny => format!("{sql} && {}", list()),
        Operator::IsNull => match value {
            Value::Bool(true) => format!("{sql} IS NULL"),
            _ => format!("{sql} IS NOT NULL"),
        },
        other => unreachable!("{other}"),
    }
}

/// A comparison of one of these fields, each with its column, the type of its values, and values.
fn comparison(
    chance: &mut Chance,
    alias: &str,
    fields: &[(&str, &str, &str, Value)],
    operators: impl Fn(&str) -> &'static [Operator],
) -> Pair {
    let (json, column, ty, values) = chance.one(fields);
    let operator = chance.one(operators(json));
    let values = values.as_array().unwrap();
    let value = match operator {
        Operator::IsNull => json!(chance.below(2) == 0),
        _ if operator.takes_list() => (0..chance.below(4)).map(|_| chance.one(values)).collect(),
        _ => chance.one(values),
    };
    let sql = compared(&format!("{alias}.{column}"), ty, operator, &value);
    (Filter::compare(json, operator, value), sql)
}

/// A comparison, or several that are combined.
fn tree(chance: &mut Chance, depth: usize, leaf: &mut dyn FnMut(&mut Chance) -> Pair) -> Pair {
    if depth == 0 || chance.below(3) == 0 {
        return leaf(chance);
    }
    match chance.below(5) {
        0 => {
            let (filter, sql) = tree(chance, depth - 1, leaf);
            (Filter::not(filter), format!("NOT ({sql})"))
        }
        kind => {
            let pairs = (0..chance.below(4)).map(|_| tree(chance, depth - 1, leaf));
            let (filters, sql): (Vec<_>, Vec<_>) = pairs.unzip();
            match (kind % 2 == 0, sql.is_empty()) {
                (true, true) => (Filter::all(filters), "true".to_owned()),
                (true, false) => (Filter::all(filters), format!("({})", sql.join(" AND "))),
                (false, true) => (Filter::any(filters), "false".to_owned()),
                (false, false) => (Filter::any(filters), format!("({})", sql.join(" OR "))),
            }
        }
    }
}

fn of_person(chance: &mut Chance, alias: &str) -> Pair {
    let fields = [
        ("id", "id", "int4", json!([1, 7, 22, -3])),
        (
            "name",
            "name",
            "text",
            json!(["Ann", "a\"b", "it's", "ann"]),
        ),
        ("active", "active", "boolean", json!([true, false])),
    ];
    let operators = |json: &str| {
        let field = super::Person::SHAPE
            .fields
            .iter()
            .find(|field| field.json == json);
        Operator::within(field.unwrap().source.scalar().unwrap())
    };
    tree(chance, 2, &mut |chance| {
        comparison(chance, alias, &fields, operators)
    })
}

fn of_note(chance: &mut Chance) -> Pair {
    let fields = [
        ("id", "id", "int8", json!([1, 70, 220, -3])),
        (
            "text",
            "text",
            "text",
            json!(["", "a\"b\\c", "it's", "two\nlines", "😀", "Ann"]),
        ),
        ("rating", "rating", "int4", json!([-3, -1, 2, 5, 0])),
        (
            "score",
            "score",
            "float8",
            json!([0.5, -2.25, 1e20, 3, 3.5]),
        ),
        (
            "day",
            "day",
            "date",
            json!(["2026-01-07", "2026-02-01", "2025-12-31"]),
        ),
        (
            "uid2",
            "uid",
            "uuid",
            json!([
                "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaa17",
                "AAAAAAAA-AAAA-AAAA-AAAA-AAAAAAAAAA80",
            ]),
        ),
        ("state", "state", "text", json!(["OPEN", "DONE"])),
        ("tags", "tags", "text", json!(["x", "y", "a\"b", "z"])),
    ];
    let operators = |json: &str| {
        let field = super::Note::SHAPE
            .fields
            .iter()
            .find(|field| field.json == json);
        Operator::within(field.unwrap().source.scalar().unwrap())
    };
    tree(chance, 3, &mut |chance| {
        if chance.below(6) > 0 {
            return comparison(chance, "n", &fields, operators);
        }
        let (filter, sql) = of_person(chance, "a");
        let sql =
            format!("EXISTS (SELECT FROM tb_person AS a WHERE a.id = n.author_id AND ({sql}))");
        (Filter::is("author", filter), sql)
    })
}

/// A comparison of a value in JSON. What is null or missing is unknown.
fn of_json(chance: &mut Chance) -> Pair {
    let paths: [&[&str]; 5] = [
        &["color"],
        &["size", "width"],
        &["a\"b", "it's"],
        &["size"],
        &[],
    ];
    let path = chance.one(&paths);
    let keys: Vec<String> = path.iter().map(|key| text(key)).collect();
    let values = format!(
        "values_at(p.attributes, ARRAY[{}]::text[]) AS v",
        keys.join(", ")
    );
    let not_null = format!("EXISTS (SELECT FROM {values} WHERE v <> 'null')");
    let operator = chance.one(Operator::in_json());
    let given = [
        json!("red"),
        json!("blue"),
        json!(30),
        json!(-7.5),
        json!(true),
        json!("30"),
        json!("\\x"),
    ];
    let (value, condition) = match operator {
        Operator::IsNull => {
            let is_null = chance.below(2) == 0;
            let sql = if is_null {
                format!("NOT {not_null}")
            } else {
                not_null
            };
            return (
                Filter::at("attributes", path.to_vec(), operator, is_null),
                sql,
            );
        }
        Operator::Lt | Operator::Lte | Operator::Gt | Operator::Gte => {
            let value = chance.one(&given[..4]);
            let sql = match operator {
                Operator::Lt => "<",
                Operator::Lte => "<=",
                Operator::Gt => ">",
                _ => ">=",
            };
            let condition = match value.is_string() {
                true => format!(
                    "CASE jsonb_typeof(v) WHEN 'string' THEN v #>> '{{}}' COLLATE \"C\" {sql} {} END",
                    literal(&value)
                ),
                false => {
                    format!("CASE jsonb_typeof(v) WHEN 'number' THEN v::numeric {sql} {value} END")
                }
            };
            (value, condition)
        }
        _ => {
            let value: Value = match operator.takes_list() {
                true => (0..chance.below(4)).map(|_| chance.one(&given)).collect(),
                false => chance.one(&given),
            };
            let values = value
                .as_array()
                .cloned()
                .unwrap_or_else(|| vec![value.clone()]);
            let values: Vec<String> = values
                .iter()
                .map(|value| text(&value.to_string()))
                .collect();
            (
                value,
                format!("v = ANY (ARRAY[{}]::jsonb[])", values.join(", ")),
            )
        }
    };
    let holds = format!("EXISTS (SELECT FROM {values} WHERE {condition})");
    let is_opposite = matches!(operator, Operator::Ne | Operator::NotIn);
    let sql = match value == json!([]) {
        true => is_opposite.to_string(),
        false => format!(
            "CASE WHEN {holds} THEN {} WHEN {not_null} THEN {} END",
            !is_opposite, is_opposite
        ),
    };
    (
        Filter::at("attributes", path.to_vec(), operator, value),
        sql,
    )
}

fn of_post(chance: &mut Chance) -> Pair {
    tree(chance, 2, &mut |chance| match chance.below(9) {
        0 => {
            let fields = [("rank", "rank", "int4", json!([3, 7, 19]))];
            let operators =
                |_: &str| Operator::of(&<Option<i32> as fraiseql_runtime::Scalar>::TYPE);
            comparison(chance, "p", &fields, operators)
        }
        1 => {
            let (filter, sql) = of_person(chance, "a");
            let sql =
                format!("EXISTS (SELECT FROM tb_person AS a WHERE a.id = p.author_id AND ({sql}))");
            (Filter::is("author", filter), sql)
        }
        2 => {
            let (filter, sql) = of_person(chance, "a");
            let sql =
                format!("EXISTS (SELECT FROM tb_person AS a WHERE a.id = p.editor_id AND ({sql}))");
            (Filter::is("editor", filter), sql)
        }
        3 => {
            let words = chance.one(&[
                "run",
                "rust -java",
                "\"quiet day\"",
                "cats or dogs",
                "",
                "'; --",
                "notes 7",
            ]);
            let sql = format!(
                "to_tsvector('english', p.title || ' ' || coalesce(p.body, '')) @@ websearch_to_tsquery('english', {})",
                text(words)
            );
            (Filter::search(words), sql)
        }
        4 => {
            let json = chance.one(&[
                json!({"color": "red"}),
                json!({"size": {"width": 30}}),
                json!("red"),
                json!({}),
                json!([]),
                json!(null),
                json!({"color": ["blue"]}),
                json!([{"color": "blue"}]),
                json!({"a\"b": {}}),
            ]);
            let sql = format!(
                "coalesce(p.attributes, 'null') @> {}",
                text(&json.to_string())
            );
            (Filter::compare("attributes", Operator::Contains, json), sql)
        }
        5 => {
            let (field, column) = chance.one(&[
                ("editor", "p.editor_id"),
                ("attributes", "nullif(p.attributes, 'null')"),
            ]);
            (
                Filter::compare(field, Operator::IsNull, true),
                format!("{column} IS NULL"),
            )
        }
        6 => of_json(chance),
        _ => {
            let (filter, sql) = of_note(chance);
            let sql =
                format!("EXISTS (SELECT FROM tb_note AS n WHERE n.post_id = p.id AND ({sql}))");
            (Filter::some("notes", filter), sql)
        }
    })
}

#[tokio::test]
async fn random_filters_find_the_rows_of_the_same_condition() {
    let pool = posts().await;
    fraiseql_tests::run(&pool, VALUES).await;
    let mut chance = Chance(0x5eed);
    let mut found = 0;
    for _ in 0..600 {
        let (filter, sql) = of_post(&mut chance);
        let expected = rows(&sql, &pool).await;
        found += usize::from(!expected.is_empty() && expected.len() < 300);
        for list in [
            Post::list().filter(filter.clone()).of_any_view(),
            Entry::list().filter(filter.clone()).of_any_view(),
            OldPost::list().filter(filter.clone()).of_any_view(),
        ] {
            assert_eq!(ids(&list, &pool).await, expected, "{filter:?}\n{sql}");
        }
    }
    // Most find something, and not everything.
    assert!(found > 300, "{found}");
}

#[tokio::test]
async fn pages_of_random_filters_are_walked_in_every_order() {
    let pool = posts().await;
    fraiseql_tests::run(&pool, VALUES).await;
    let mut chance = Chance(0xface);
    let mut pages = 0;
    for _ in 0..60 {
        let (filter, sql) = of_post(&mut chance);
        let (order, of_sql) = chance.one(&[
            (OrderBy::desc("id"), "p.id DESC"),
            (OrderBy::asc("rank"), "p.rank, p.id"),
            (OrderBy::desc("rank"), "p.rank DESC, p.id DESC"),
        ]);
        let expected: Vec<i64> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
            "SELECT p.id FROM tb_post AS p WHERE {sql} ORDER BY {of_sql}"
        )))
        .fetch_all(&pool)
        .await
        .unwrap();
        let list = Entry::list().filter(filter).order_by(order);
        let mut walked = Vec::new();
        let mut cursor = None;
        loop {
            let page = list
                .page(Page::first(13).after(cursor), &pool)
                .await
                .unwrap();
            walked.extend(keys(&page));
            cursor = page.end().cloned();
            pages += 1;
            if !page.has_next() {
                break;
            }
        }
        assert_eq!(walked, expected, "{sql} {of_sql}");
    }
    assert!(pages > 120, "{pages}");
}
