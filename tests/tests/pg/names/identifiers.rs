//! The identifiers of the statements.

use std::collections::BTreeSet;

use fraiseql_runtime::list::{OrderBy, Page};
use fraiseql_runtime::{Capture, Embed, ReadModel, SyncLog, TView};
use sqlx::Row as _;
use sqlx::postgres::PgPoolOptions;

use super::tables::NAMES;

/// A view with every kind of field. All names of the user begin with `u_`.
#[derive(TView)]
#[tview(
    table = "u_root",
    view = "u_view",
    filter = "{}.u_id > 0",
    index(on = "u_value DESC, u_id", name = "u_index")
)]
#[allow(dead_code)]
struct Whole {
    #[tview(key, column = "u_id", json = "u_id")]
    u_id: i64,
    #[tview(column = "u_at", json = "u_at")]
    u_at: chrono::DateTime<chrono::Utc>,
    #[tview(column = "u_value", json = "u_value", filter, sort, unique)]
    u_value: Option<i64>,
    #[tview(expr = "upper({}.u_text)", json = "u_upper", filter, sort)]
    u_upper: String,
    #[tview(column = "u_amounts", json = "u_amounts")]
    u_amounts: Vec<f64>,
    #[tview(column = "u_price", json = "u_price")]
    u_price: rust_decimal::Decimal,
    #[tview(column = "u_state", json = "u_state")]
    u_state: State,
    #[tview(column = "u_states", json = "u_states")]
    u_states: Vec<State>,
    #[tview(one(fk = "u_part_id"), json = "u_part")]
    u_part: Part,
    #[tview(
        many(
            fk = "u_parent",
            order_by = "u_id DESC",
            limit = 3,
            filter = "{}.u_id > 0"
        ),
        json = "u_few"
    )]
    u_few: Vec<Part>,
    #[tview(many(fk = "u_parent"), json = "u_all")]
    u_all: Vec<Part>,
    #[tview(count(table = "u_part", fk = "u_parent"), json = "u_count")]
    u_count: i64,
    #[tview(
        many(through(table = "u_link", fk = "u_root_id", to = "u_part_id")),
        json = "u_linked"
    )]
    u_linked: Vec<Part>,
    #[tview(
        sum(table = "u_part", fk = "u_parent", expr = "{}.u_id"),
        json = "u_sum"
    )]
    u_sum: i64,
    #[tview(
        exists(table = "u_part", fk = "u_parent", filter = "{}.u_id > 1"),
        json = "u_exists"
    )]
    u_exists: bool,
}

#[derive(Embed)]
#[tview(table = "u_part")]
#[allow(dead_code)]
struct Part {
    #[tview(key, column = "u_id", json = "u_id")]
    u_id: i64,
    #[tview(column = "u_text", json = "u_text")]
    u_text: String,
}

/// The same as text, which is written by other expressions.
#[derive(TView)]
#[tview(
    table = "u_root",
    view = "u_text_view",
    data = "json",
    partition(hash = 2)
)]
#[allow(dead_code)]
struct Text {
    #[tview(key, column = "u_id", json = "u_id")]
    u_id: i64,
    #[tview(column = "u_amounts", json = "u_amounts")]
    u_amounts: Vec<f64>,
    #[tview(many(fk = "u_parent"), json = "u_all")]
    u_all: Vec<Part>,
}

#[derive(fraiseql_runtime::TEnum)]
#[allow(dead_code)]
enum State {
    Open,
    Closed,
}

const TABLES: &str = "
CREATE TABLE u_part (u_id int8 PRIMARY KEY, u_text text NOT NULL, u_parent int8);
CREATE INDEX ON u_part (u_parent);
CREATE TABLE u_root (u_id int8 PRIMARY KEY, u_at timestamptz NOT NULL, u_value int8, u_text text NOT NULL,
    u_amounts float8[] NOT NULL, u_price numeric NOT NULL, u_state text NOT NULL, u_states text[] NOT NULL,
    u_part_id int8 NOT NULL REFERENCES u_part ON DELETE CASCADE);
CREATE INDEX ON u_root (u_part_id);
CREATE TABLE u_link (u_root_id int8 REFERENCES u_root ON DELETE CASCADE, u_part_id int8 REFERENCES u_part ON DELETE CASCADE,
    PRIMARY KEY (u_root_id, u_part_id));
CREATE INDEX ON u_link (u_part_id);
INSERT INTO u_part SELECT i, 'part', i FROM generate_series(1, 50) AS i;
INSERT INTO u_root SELECT i, now(), i, 'text', '{1}', 1, 'open', '{open}', 1 FROM generate_series(1, 50) AS i;
INSERT INTO u_link SELECT i, i FROM generate_series(1, 50) AS i;
";

/// The texts of all statements of the views, and of all that are prepared while everything runs.
async fn statements() -> anyhow::Result<Vec<String>> {
    fraiseql_tests::needs_sessions();
    let options = fraiseql_tests::database()
        .await
        .statement_cache_capacity(10_000);
    let pool = PgPoolOptions::new()
        // So that the prepared statements are all in one session.
        .max_connections(1)
        .connect_with(options.clone())
        .await?;
    sqlx::raw_sql(TABLES).execute(&pool).await?;
    let model = |capture| {
        let builder = ReadModel::builder().view::<Whole>().view::<Text>();
        let builder = builder.sync_log(SyncLog::new(pool.clone()));
        builder.capture(capture).build()
    };
    // The functions of both, which differ.
    let mut functions = model(Capture::AtCommit)?.migration_plan(&pool).await?;
    let model = model(Capture::Off)?;
    functions.extend(model.migration_plan(&pool).await?);
    functions.retain(|statement| statement.starts_with(FUNCTION));
    assert!(functions.len() > 15, "{}", functions.len());
    model.migrate(&pool).await?;
    model.sync_all(&pool).await?;
    sync_whole(model.on(&pool), &[1, 2]).await?;
    let mut tx = pool.begin().await?;
    sync_whole(&mut tx, &[1, 2]).await?;
    delete_whole(&mut tx, &[2]).await?;
    tx.commit().await?;
    let mut m = model.mutation(&pool).await?;
    m.changing::<Part>(&[1, 2]).await?;
    m.changing::<Whole>(&[50]).await?;
    m.changing_rows("u_link", "u_part_id", &[50_i64]).await?;
    sqlx::raw_sql("UPDATE u_part SET u_text = 'new'; DELETE FROM u_root WHERE u_id = 50")
        .execute(&mut *m)
        .await?;
    m.commit().await?;
    model.verify(&pool).explain(1).repair().await?;
    model.check(&pool).await?;
    model.rebuild_status(&pool).await?;
    Whole::find(&pool, 1).await?;
    for order in ["u_id", "u_value", "u_upper"] {
        for list in [OrderBy::asc(order), OrderBy::desc(order)] {
            let list = Whole::list().order_by(list);
            let page = list.page(Page::first(2), &pool).await?;
            list.page(Page::first(2).after(page.end().cloned()), &pool)
                .await?;
        }
    }
    let mut texts: Vec<String> = sqlx::query("SELECT statement FROM pg_prepared_statements")
        .fetch_all(&pool)
        .await?
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert!(texts.len() > 40, "{}", texts.len());
    texts.extend(functions);
    // The texts of strings in the form of Rust.
    for statements in [Whole::statements(), Text::statements()] {
        let shown = format!("{statements:?}").replace("\\\"", "\u{1}");
        texts.extend(shown.split(" \"").map(|text| {
            let (text, _) = text.split_once('"').unwrap_or((text, ""));
            text.replace("\\n", "\n").replace('\u{1}', "\"")
        }));
    }
    Ok(texts)
}

/// What the definition of a function begins with.
const FUNCTION: &str = "CREATE OR REPLACE FUNCTION ";

/// The body of a function, if the statement defines one, or the statement. What is before the body are parameters,
/// which are written `$1` in it, and settings.
fn body(sql: &str) -> &str {
    match sql.split_once("\nAS $fraiseql$\n") {
        Some((header, body)) if header.starts_with(FUNCTION) => body
            .split_once("\n$fraiseql$")
            .map_or(body, |(body, _)| body),
        _ => sql,
    }
}

/// The variables that a function declares, and the rest of its body, without the label.
fn variables(body: &str) -> (BTreeSet<&str>, String) {
    let mut declared = BTreeSet::new();
    let mut rest = String::new();
    let mut is_declaration = false;
    for line in body.lines() {
        match line {
            "DECLARE" => is_declaration = true,
            "BEGIN" => is_declaration = false,
            "#variable_conflict use_column" | "<<fn$>>" => {}
            line if is_declaration => declared.extend(line.split_whitespace().next()),
            line => {
                rest.push_str(line);
                rest.push('\n');
            }
        }
    }
    (declared, rest)
}

/// The names in a statement that could be those of a column: without functions and types of
/// PostgreSQL, without variables that are qualified by the label of their function, and without what is
/// between quotes.
fn names(sql: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let (declared, sql) = variables(body(sql));
    let mut rest = sql.as_str();
    let mut before = String::new();
    while let Some(first) = rest.chars().next() {
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        if rest.starts_with("--") {
            rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
            continue;
        }
        if let Some(variable) = rest.strip_prefix("fn$.") {
            let end = variable.find(|c| !is_name(c)).unwrap_or(variable.len());
            let (variable, after) = variable.split_at(end);
            assert!(declared.contains(variable), "fn$.{variable}:\n{sql}");
            before.push_str(variable);
            rest = after;
            continue;
        }
        let (token, end) = match first {
            '\'' => {
                let end = rest[1..].find('\'').map_or(rest.len(), |end| end + 2);
                (String::new(), end)
            }
            '"' => {
                let end = rest[1..].find('"').map_or(rest.len(), |end| end + 2);
                (rest[1..end.max(2) - 1].to_owned(), end)
            }
            c if is_name(c) => {
                let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
                (rest[..end].to_owned(), end)
            }
            c => (String::new(), c.len_utf8()),
        };
        let after = rest[end..].chars().next();
        let is_function = first != '"' && after == Some('(');
        let is_catalog = before.ends_with("pg_catalog.") || before.ends_with("::");
        if !token.is_empty()
            && !token.starts_with(|c: char| c.is_numeric())
            && !token.starts_with("u_")
            && !is_function
            && !is_catalog
            // A path of Rust, or a word of a message.
            && token.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        {
            names.insert(token.clone());
        }
        if !token.is_empty() || !first.is_whitespace() {
            before.push_str(&rest[..end]);
        } else {
            before.clear();
        }
        rest = &rest[end..];
    }
    names
}

/// Whether it is the name of a function or a trigger, which no column is taken for: it is called with its schema.
fn is_hashed(name: &str) -> bool {
    let hash = name.rsplit('_').next().unwrap_or_default();
    name.starts_with("fraiseql_") && hash.len() == 16 && hash.chars().all(|c| c.is_ascii_hexdigit())
}

#[tokio::test]
async fn every_identifier_of_a_statement_is_a_column_in_these_tests() -> anyhow::Result<()> {
    let texts = statements().await?;
    let all: BTreeSet<String> = texts.iter().flat_map(|text| names(text)).collect();
    let known: BTreeSet<String> = NAMES.iter().map(|name| (*name).to_owned()).collect();
    // Every table of PostgreSQL has these columns, and none of the user's.
    let of_system = ["xmin", "xmax", "ctid"];
    // Errors, in an EXCEPTION clause.
    let conditions = ["query_canceled"];
    let missing: Vec<&String> = all
        .difference(&known)
        .filter(|name| !of_system.contains(&name.as_str()))
        .filter(|name| !conditions.contains(&name.as_str()))
        // The aliases of rows of this view; those of the views in `columns!` are in its list.
        .filter(|name| !name.starts_with("_u_"))
        .filter(|name| !is_hashed(name))
        .collect();
    assert!(missing.is_empty(), "not in `columns!`: {missing:?}");
    Ok(())
}
