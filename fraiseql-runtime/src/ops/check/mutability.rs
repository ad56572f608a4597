//! Finds fragments whose value does not follow from their row alone.
//!
//! The planner knows which expressions are not immutable: it removes a condition that contradicts
//! itself, `e IS NULL AND e IS NOT NULL`, only if `e` always has the same value. So EXPLAIN answers
//! for any expression, with all its casts and operators, and without creating anything. The names in
//! the fragment then say which kind of problem it is.

use sqlx::{PgConnection, Row as _};

use crate::db::statement::Statement;
use crate::error::check_report::{FindingKind, Remedy};
use crate::error::{Operation, Result};
use crate::ops::check::catalog::Catalog;
use crate::ops::check::diagnostic::Diagnostic;
use crate::ops::check::execute::{command, explain};
use crate::schema::Table;
use crate::schema::naming::table_name;
use crate::sql::catalog::{CALLED_FUNCTIONS, VIEW_DEFINITION};
use crate::sql::fragment::{Token, is_session_value, tokens};
use crate::sql::probe;

/// The type `timestamptz`.
const TIMESTAMPTZ: i64 = 1184;

/// Functions that are STABLE because the JSON of some types depends on settings. Documents are
/// encoded by them, too.
const JSON: [&str; 10] = [
    "array_to_json",
    "json_agg",
    "json_build_array",
    "json_build_object",
    "jsonb_agg",
    "jsonb_build_array",
    "jsonb_build_object",
    "row_to_json",
    "to_json",
    "to_jsonb",
];

/// Built-in STABLE functions whose value changes from one transaction or role to another. Others
/// depend on settings alone.
const CHANGING: [&str; 13] = [
    "age",
    "current_query",
    "current_schemas",
    "current_setting",
    "inet_client_addr",
    "inet_client_port",
    "now",
    "row_security_active",
    "statement_timestamp",
    "transaction_timestamp",
    "txid_current_snapshot",
    "txid_status",
    "version",
];

/// Texts that PostgreSQL reads as the present time.
const PRESENT: [&str; 4] = ["now", "today", "tomorrow", "yesterday"];

/// A fragment that the server accepts.
pub(super) struct Judged<'f> {
    /// `filter` or `expr`.
    pub(super) attribute: &'static str,
    pub(super) text: &'f str,
    pub(super) table: Table,
}

/// A function that may be called, and is not IMMUTABLE.
struct Called {
    /// Its name, as it is called.
    name: String,
    /// With its arguments, to ALTER it.
    signature: String,
    is_built_in: bool,
    is_volatile: bool,
    /// Other functions of the name are IMMUTABLE.
    is_ambiguous: bool,
}

/// Prepares the session of a check for [`judge`].
pub(super) async fn prepare_session(connection: &mut PgConnection) -> Result<()> {
    command(connection, "SET LOCAL constraint_exclusion = on").await
}

/// Reports a fragment whose value depends on something else than the row.
pub(super) async fn judge(
    connection: &mut PgConnection,
    catalog: &Catalog,
    it: &Judged<'_>,
) -> Result<Option<Diagnostic>> {
    let tokens: Vec<Token<'_>> = tokens(it.text)
        .into_iter()
        .filter(|token| !matches!(token, Token::Space(_)))
        .collect();
    if let Some(word) = session_value(&tokens) {
        return Ok(Some(of_session_value(catalog, it, word)));
    }
    if let Some(text) = frozen_time(connection, it, &tokens).await? {
        return Ok(Some(changing(it, &format!("the constant {text}"))));
    }
    let has_query = tokens
        .iter()
        .any(|token| matches!(token, Token::Word(word) if word.eq_ignore_ascii_case("select")));
    if !has_query && is_immutable(connection, it.table, it.text).await? {
        return Ok(None);
    }
    let called = called(connection, &names_of_calls(&tokens), &words(&tokens)).await?;
    let changes = |called: &&Called| {
        called.is_built_in
            && (called.is_volatile || CHANGING.contains(&called.name.as_str()))
            && !(has_query && called.is_ambiguous)
    };
    if let Some(called) = called.iter().find(changes) {
        return Ok(Some(changing(it, &format!("{}()", called.name))));
    }
    if let Some(called) = called
        .iter()
        .find(|called| !called.is_built_in && !called.is_ambiguous)
    {
        return Ok(Some(of_own_function(it, called)));
    }
    // The planner does not look into sub-selects.
    if has_query || is_json(&called, &tokens) {
        return Ok(None);
    }
    depends_on_settings(connection, catalog, it, &tokens)
        .await
        .map(Some)
}

/// Reports a view of the database whose definition reads what changes while its tables do not. Views
/// in its definition are not followed.
pub(super) async fn of_view(
    connection: &mut PgConnection,
    table: Table,
) -> Result<Option<Diagnostic>> {
    let definition: Option<String> = Statement::new(VIEW_DEFINITION, Operation::Check)
        .uncached()
        .bind(table.to_string())
        .fetch_one(&mut *connection, |row| row.try_get(0))
        .await?;
    let definition = definition.unwrap_or_default();
    let tokens: Vec<Token<'_>> = tokens(&definition)
        .into_iter()
        .filter(|token| !matches!(token, Token::Space(_)))
        .collect();
    let called = called(connection, &names_of_calls(&tokens), &words(&tokens)).await?;
    let changing = called.iter().find(|called| {
        called.is_built_in
            && (called.is_volatile || CHANGING.contains(&called.name.as_str()))
            && !called.is_ambiguous
    });
    let what = match (session_value(&tokens), changing) {
        (Some(word), _) => word.to_owned(),
        (None, Some(called)) => format!("{}()", called.name),
        (None, None) => return Ok(None),
    };
    let message = format!(
        "the view {} reads {what}, which changes while its tables do not: a document keeps the values \
         of its last sync",
        table_name(table)
    );
    Ok(Some(
        Diagnostic::warning(
            FindingKind::ChangingFragment,
            format!("{table} view"),
            message,
        )
        .advice("store what changes in a column that is updated and synced, or sync the documents when it has changed"),
    ))
}

/// Whether the planner knows that an expression has the same value whenever it is evaluated. True
/// if the server cannot answer.
async fn is_immutable(connection: &mut PgConnection, table: Table, text: &str) -> Result<bool> {
    let plan = explain(connection, &probe::contradiction(table, text)).await?;
    Ok(plan.is_none_or(|plan| plan.contains("\"One-Time Filter\":\"false\"")))
}

/// The first keyword such as `CURRENT_DATE`, which is a call without parentheses.
fn session_value<'t>(tokens: &[Token<'t>]) -> Option<&'t str> {
    tokens
        .iter()
        .enumerate()
        .find_map(|(index, token)| match token {
            Token::Word(word) if is_session_value(word) => {
                let is_column = index > 0 && tokens[index - 1] == Token::Symbol('.');
                (!is_column).then_some(*word)
            }
            _ => None,
        })
}

fn of_session_value(catalog: &Catalog, it: &Judged<'_>, word: &str) -> Diagnostic {
    let name = word.to_lowercase();
    let is_column = catalog
        .relation(it.table)
        .is_some_and(|relation| relation.column(&name).is_some());
    if !is_column {
        return changing(it, word);
    }
    let message = format!(
        "in the {}, `{word}` is not the column but a value of the session: a name without `{{}}.` \
         that SQL reserves\n  {}",
        it.attribute,
        it.text.trim()
    );
    Diagnostic::error(FindingKind::ChangingFragment, subject(it), message)
        .rust(format!("{{}}.{name}"))
}

/// A constant that PostgreSQL has read as the present time.
async fn frozen_time<'t>(
    connection: &mut PgConnection,
    it: &Judged<'_>,
    tokens: &[Token<'t>],
) -> Result<Option<&'t str>> {
    let text = tokens.iter().find_map(|token| match token {
        Token::Text(text) => PRESENT
            .iter()
            .any(|time| text.trim_matches('\'').trim().eq_ignore_ascii_case(time))
            .then_some(*text),
        _ => None,
    });
    let Some(text) = text else { return Ok(None) };
    // In the plan, a text is still a text, and a time is the present one.
    let plan = explain(connection, &probe::value(it.table, it.text)).await?;
    Ok(plan
        .is_some_and(|plan| !plan.contains(text))
        .then_some(text))
}

/// The names that are followed by a parenthesis.
fn names_of_calls(tokens: &[Token<'_>]) -> Vec<String> {
    let mut names: Vec<String> = tokens
        .windows(2)
        .filter(|pair| pair[1] == Token::Symbol('('))
        .filter_map(|pair| match pair[0] {
            Token::Word(word) => Some(word.to_lowercase()),
            Token::Quoted(name) => Some(name.trim_matches('"').replace("\"\"", "\"")),
            _ => None,
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// All names, in lower case.
fn words(tokens: &[Token<'_>]) -> Vec<String> {
    tokens
        .iter()
        .filter_map(|token| match token {
            Token::Word(word) => Some(word.to_lowercase()),
            Token::Quoted(name) => Some(name.trim_matches('"').to_owned()),
            _ => None,
        })
        .collect()
}

/// The functions of these names that are not IMMUTABLE. `schemas` has those that may be named.
async fn called(
    connection: &mut PgConnection,
    names: &[String],
    schemas: &[String],
) -> Result<Vec<Called>> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    Statement::new(CALLED_FUNCTIONS, Operation::Check)
        .uncached()
        .bind(names)
        .bind(schemas)
        .fetch_each(connection, |row| {
            Ok(Called {
                name: row.try_get(0)?,
                signature: row.try_get(1)?,
                is_built_in: row.try_get(2)?,
                is_volatile: row.try_get(3)?,
                is_ambiguous: row.try_get(4)?,
            })
        })
        .await
}

/// Whether what is not IMMUTABLE is an encoding as JSON.
fn is_json(called: &[Called], tokens: &[Token<'_>]) -> bool {
    let casts = tokens.iter().any(|token| match token {
        Token::Symbol(':') => true,
        Token::Word(word) => word.eq_ignore_ascii_case("cast"),
        _ => false,
    });
    !casts
        && !called.is_empty()
        && called
            .iter()
            .all(|called| JSON.contains(&called.name.as_str()))
}

/// A value that changes while its row does not.
fn changing(it: &Judged<'_>, what: &str) -> Diagnostic {
    let message = format!(
        "the {} reads {what}, which changes while the row does not: a document keeps the value of \
         its last sync\n  {}",
        it.attribute,
        it.text.trim()
    );
    let advice = match it.attribute {
        "filter" => {
            "store what decides in a column that is updated and synced, or filter when reading"
        }
        _ => "store the value in a column that is updated and synced, or compute it when reading",
    };
    Diagnostic::error(FindingKind::ChangingFragment, subject(it), message).advice(advice)
}

/// A function of the user that is not IMMUTABLE.
fn of_own_function(it: &Judged<'_>, called: &Called) -> Diagnostic {
    let declared = if called.is_volatile {
        "VOLATILE, which is the default"
    } else {
        "STABLE"
    };
    let message = format!(
        "the {} calls {}(), which is declared {declared}: if it reads other rows or the session, \
         documents do not follow\n  {}",
        it.attribute,
        called.name,
        it.text.trim()
    );
    Diagnostic::warning(FindingKind::ChangingFragment, subject(it), message)
        .sql(format!("ALTER FUNCTION {} IMMUTABLE", called.signature))
        .advice(
            "if its result does not follow from its arguments alone, embed the rows that it reads, \
             with `one`, `many` or an aggregate",
        )
}

/// A fragment that only depends on settings, which are the same for all documents.
async fn depends_on_settings(
    connection: &mut PgConnection,
    catalog: &Catalog,
    it: &Judged<'_>,
    tokens: &[Token<'_>],
) -> Result<Diagnostic> {
    let message = format!(
        "the value of the {} depends on settings of the session. Documents have that of TimeZone \
         UTC, DateStyle ISO and IntervalStyle postgres; in SQL of your own the same text may have \
         another\n  {}",
        it.attribute,
        it.text.trim()
    );
    let diagnostic = Diagnostic::warning(FindingKind::SessionFragment, subject(it), message);
    let in_utc = in_utc(catalog, it, tokens);
    if in_utc != it.text && is_immutable(connection, it.table, &in_utc).await? {
        return Ok(diagnostic.rust(format!("{} = \"{in_utc}\"", it.attribute)));
    }
    Ok(diagnostic.remedies([Remedy::Other(
        "call functions that are IMMUTABLE, such as AT TIME ZONE 'UTC' for a timestamptz, or accept \
         the finding: CheckReport::accept"
            .to_owned(),
    )]))
}

/// The fragment with each timestamptz of the row as a timestamp in UTC.
fn in_utc(catalog: &Catalog, it: &Judged<'_>, found: &[Token<'_>]) -> String {
    let is_instant = |name: &str| {
        let column = catalog
            .relation(it.table)
            .and_then(|relation| relation.column(name));
        column.is_some_and(|column| column.type_oid == TIMESTAMPTZ)
    };
    let mut columns: Vec<String> = found
        .windows(3)
        .filter(|three| three[0] == Token::Row && three[1] == Token::Symbol('.'))
        .filter_map(|three| match three[2] {
            Token::Word(word) if is_instant(&word.to_lowercase()) => Some(format!("{{}}.{word}")),
            Token::Quoted(name) if is_instant(name.trim_matches('"')) => {
                Some(format!("{{}}.{name}"))
            }
            _ => None,
        })
        .collect();
    columns.sort_unstable();
    columns.dedup();
    let mut out = String::new();
    let all = tokens(it.text);
    let mut index = 0;
    while index < all.len() {
        let three = all.get(index..index + 3).unwrap_or_default();
        let written: String = three.iter().map(Token::to_string).collect();
        if columns.contains(&written) {
            out.push_str(&format!("({written} AT TIME ZONE 'UTC')"));
            index += 3;
        } else {
            out.push_str(&all[index].to_string());
            index += 1;
        }
    }
    out
}

/// One finding for each fragment of a table.
fn subject(it: &Judged<'_>) -> String {
    format!("{} {} {}", it.table, it.attribute, it.text)
}
