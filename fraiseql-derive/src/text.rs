//! Parsers of the strings inside attributes: names, orders, SQL fragments.
//!
//! An error is the message alone. The caller adds the span of the string.

use crate::identifiers::MAX_IDENTIFIER_BYTES;
use crate::model::{OrderBy, Table};

/// A parsed value, or the message of an error.
type Parsed<T> = Result<T, String>;

/// The name of a column or a table.
pub(crate) fn identifier(name: &str) -> Parsed<String> {
    if name.is_empty() {
        return Err("a name cannot be empty".to_owned());
    }
    if name.contains('\0') {
        return Err("a name cannot contain the character U+0000".to_owned());
    }
    if name.len() > MAX_IDENTIFIER_BYTES {
        return Err(format!("`{name}` {}", too_long(name)));
    }
    Ok(name.to_owned())
}

/// A text search configuration, qualified: one of PostgreSQL's own, or `schema.name`. Names that
/// PostgreSQL would fold or cut are in double quotes.
pub(crate) fn text_search_configuration(text: &str) -> Parsed<String> {
    // A name in double quotes may contain dots.
    let is_qualified = match text.strip_prefix('"') {
        Some(quoted) => unquote(quoted).is_some_and(|(_, rest)| rest.starts_with('.')),
        None => text.contains('.'),
    };
    let parsed = table(text)?;
    let quoted = |name: &str| {
        let is_plain = name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
            && name.starts_with(|first: char| first.is_ascii_lowercase());
        if is_plain {
            name.to_owned()
        } else {
            format!("\"{}\"", name.replace('"', "\"\""))
        }
    };
    if is_qualified {
        // Always in quotes: a hash of this text is stored with the index.
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        return Ok(format!(
            "{}.{}",
            quoted(&parsed.schema),
            quoted(&parsed.name)
        ));
    }
    Ok(format!("pg_catalog.{}", quoted(&parsed.name)))
}

/// Parses the names of columns: `"org_id, project_id"`. A name that contains a comma, or begins with a double quote, is
/// written in double quotes.
pub(crate) fn columns(text: &str) -> Parsed<Vec<String>> {
    const FORM: &str = "write one column, or several separated by commas: \"org_id, project_id\"";
    let mut names: Vec<String> = Vec::new();
    let mut rest = text.trim();
    // Each round takes one name, and continues only after a comma.
    loop {
        let name;
        if let Some(quoted) = rest.strip_prefix('"') {
            let (unquoted, after) =
                unquote(quoted).ok_or_else(|| "a double quote is not closed".to_owned())?;
            name = unquoted;
            rest = after.trim_start();
            if !rest.is_empty() && !rest.starts_with(',') {
                return Err(format!(
                    "`{text}` has characters after a closing double quote; {FORM}"
                ));
            }
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            let (plain, after) = rest.split_at(end);
            name = plain.trim_end().to_owned();
            rest = after;
        }
        if name.is_empty() && !(names.is_empty() && rest.is_empty()) {
            return Err(format!("a column is missing; {FORM}"));
        }
        let name = identifier(&name)?;
        if names.contains(&name) {
            return Err(format!("the column `{name}` is listed twice"));
        }
        names.push(name);
        match rest.strip_prefix(',') {
            Some(after) => rest = after.trim_start(),
            None => return Ok(names),
        }
    }
}

/// `table` or `schema.table`. A name that contains a dot is written in double quotes.
pub(crate) fn table(text: &str) -> Parsed<Table> {
    let mut parts = Vec::new();
    let mut rest = text;
    // Each round takes one name, and continues only after a dot.
    loop {
        let part = if let Some(quoted) = rest.strip_prefix('"') {
            let (part, after) = unquote(quoted)
                .ok_or_else(|| format!("`{text}` opens a double quote and does not close it"))?;
            rest = after;
            part
        } else {
            let end = rest.find('.').unwrap_or(rest.len());
            let (part, after) = rest.split_at(end);
            rest = after;
            part.to_owned()
        };
        parts.push(identifier(&part)?);
        match rest.strip_prefix('.') {
            Some(after) => rest = after,
            None if rest.is_empty() => break,
            None => {
                return Err(format!(
                    "`{text}` has characters after a closing double quote; write \"table\" or \"schema.table\""
                ));
            }
        }
    }
    match <[String; 1]>::try_from(parts) {
        Ok([name]) => Ok(Table {
            schema: "public".to_owned(),
            name,
        }),
        Err(parts) => match <[String; 2]>::try_from(parts) {
            Ok([schema, name]) => Ok(Table { schema, name }),
            Err(_) => Err(format!(
                "`{text}` has more than two parts; write \"table\" or \"schema.table\", and put \
                 a name that contains a dot in double quotes"
            )),
        },
    }
}

/// Reads to the closing double quote. Returns the name and the rest of the text, or `None` if
/// the quote is not closed. `""` is a quote inside the name.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut chars = text.char_indices().peekable();
    while let Some((index, c)) = chars.next() {
        if c != '"' {
            name.push(c);
        } else if chars.peek().is_some_and(|(_, next)| *next == '"') {
            chars.next();
            name.push('"');
        } else {
            return text.get(index + 1..).map(|rest| (name, rest));
        }
    }
    None
}

/// The `order_by` of a list: `created_at DESC NULLS LAST, "Odd Name"`.
pub(crate) fn order_by(text: &str) -> Parsed<Vec<OrderBy>> {
    order_terms(
        text,
        "To order by an expression, add a generated column to the table and write its name",
    )
}

/// The columns of an index, which are written in the same way.
pub(crate) fn index_columns(text: &str) -> Parsed<Vec<OrderBy>> {
    order_terms(text, "An expression is written `index(expr = \"..\")`")
}

/// Columns with directions. `expression_hint` says what to write for an expression.
fn order_terms(text: &str, expression_hint: &str) -> Parsed<Vec<OrderBy>> {
    const FORM: &str = "write columns with an optional ASC or DESC and NULLS FIRST or NULLS \
                        LAST, separated by commas: \"created_at DESC, id\"";
    let mut terms = Vec::new();
    let mut rest = text.trim();
    // Each round takes one term, and continues only after a comma.
    loop {
        let column;
        if let Some(quoted) = rest.strip_prefix('"') {
            // A quoted name may contain commas, so it is read before the text is split at one.
            let (name, after) =
                unquote(quoted).ok_or_else(|| "a double quote is not closed".to_owned())?;
            column = identifier(&name)?;
            rest = after;
        } else {
            let end = rest
                .find(|c: char| c.is_whitespace() || c == ',')
                .unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            if name.is_empty() {
                return Err(format!("a column is missing; {FORM}"));
            }
            if !name
                .chars()
                .all(|c| c == '_' || c == '$' || c.is_alphanumeric())
            {
                return Err(format!(
                    "`{name}` is not a column; {FORM}. {expression_hint}"
                ));
            }
            column = identifier(name)?;
            rest = after;
        }
        let (modifiers, after) = match rest.split_once(',') {
            Some((modifiers, after)) => (modifiers, Some(after.trim_start())),
            None => (rest, None),
        };
        let (descending, nulls_first) = order_modifiers(modifiers)
            .map_err(|unknown| format!("`{unknown}` is not allowed here; {FORM}"))?;
        terms.push(OrderBy {
            column,
            descending,
            nulls_first,
        });
        match after {
            Some(after) => rest = after,
            None => return Ok(terms),
        }
    }
}

/// Whether the order is descending, and where nulls are, if written. The error is the words that are
/// not allowed.
fn order_modifiers(text: &str) -> Parsed<(bool, Option<bool>)> {
    let words: Vec<String> = text
        .split_whitespace()
        .map(str::to_ascii_uppercase)
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (descending, nulls) = match words.as_slice() {
        ["ASC", nulls @ ..] => (false, nulls),
        ["DESC", nulls @ ..] => (true, nulls),
        nulls => (false, nulls),
    };
    match nulls {
        [] => Ok((descending, None)),
        ["NULLS", "FIRST"] => Ok((descending, Some(true))),
        ["NULLS", "LAST"] => Ok((descending, Some(false))),
        unknown => Err(unknown.join(" ")),
    }
}

/// An SQL condition or expression.
///
/// The runtime puts it between parentheses, so it must not be able to leave them: quotes and
/// parentheses are closed, and there is no comment, which would hide the closing parenthesis.
/// This is not a parser: PostgreSQL reports other mistakes, and `ReadModel::check` shows them.
pub(crate) fn fragment(sql: &str) -> Parsed<String> {
    if sql.trim().is_empty() {
        return Err("the SQL is empty; remove the attribute".to_owned());
    }
    let mut open = 0_usize;
    let mut quote = None;
    let mut chars = sql.chars().peekable();
    while let Some(c) = chars.next() {
        // Inside quotes nothing else counts. A doubled quote closes and opens again, which has
        // the same effect.
        if let Some(end) = quote {
            if c == end {
                quote = None;
            }
            continue;
        }
        let next = chars.peek().copied();
        match c {
            '\'' | '"' => quote = Some(c),
            '(' => open += 1,
            ')' => {
                open = open
                    .checked_sub(1)
                    .ok_or_else(|| "the SQL has a `)` without a `(` before it".to_owned())?;
            }
            ';' => {
                return Err("`;` is not allowed: write one expression, not a statement".to_owned());
            }
            '-' if next == Some('-') => {
                return Err(
                    "a comment (`--`) would hide the SQL that follows; write a comment in Rust"
                        .to_owned(),
                );
            }
            '/' if next == Some('*') => {
                return Err(
                    "a comment (`/*`) could hide the SQL that follows; write a comment in Rust"
                        .to_owned(),
                );
            }
            '$' if next.is_some_and(|next| next.is_ascii_digit()) => {
                return Err(
                    "a parameter (`$1`) has no value here: the SQL is fixed at compile time"
                        .to_owned(),
                );
            }
            _ => {}
        }
    }
    if quote.is_some() {
        return Err("a quote in the SQL is not closed".to_owned());
    }
    if open > 0 {
        return Err("a `(` in the SQL is not closed".to_owned());
    }
    Ok(sql.trim().to_owned())
}

/// Whether an expression begins with the keyword DISTINCT, which belongs to the aggregate around it.
pub(crate) fn begins_with_distinct(sql: &str) -> bool {
    let mut words = sql.split(|c: char| !c.is_alphanumeric() && c != '_');
    sql.trim_start().starts_with(char::is_alphabetic)
        && words
            .find(|word| !word.is_empty())
            .is_some_and(|word| word.eq_ignore_ascii_case("distinct"))
}

/// Checks a name in GraphQL: of a type, an enum value, or a field, which is also a JSON key and
/// a column of the statements that build documents. `attribute` is the one that changes the
/// name.
pub(crate) fn graphql_name(name: &str, attribute: &str) -> Parsed<()> {
    let mut chars = name.chars();
    let starts = chars
        .next()
        .is_some_and(|c| c == '_' || c.is_ascii_alphabetic());
    let problem = if !starts || !chars.all(|c| c == '_' || c.is_ascii_alphanumeric()) {
        "is not a GraphQL name, which consists of letters (a-z, A-Z), digits and `_`, and does \
         not start with a digit"
            .to_owned()
    } else if name.starts_with("__") {
        "starts with `__`, which GraphQL reserves".to_owned()
    } else if name.len() > MAX_IDENTIFIER_BYTES {
        too_long(name)
    } else {
        return Ok(());
    };
    Err(format!(
        "`{name}` {problem}; choose another with `{attribute} = \"..\"`"
    ))
}

/// The end of the message about a name with too many bytes.
fn too_long(name: &str) -> String {
    format!(
        "has {} bytes, and a name in PostgreSQL has at most {MAX_IDENTIFIER_BYTES}",
        name.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Result<(String, String), String> {
        table(text).map(|table| (table.schema, table.name))
    }

    #[test]
    fn a_table_has_a_name_and_perhaps_a_schema() {
        let named = |schema: &str, name: &str| Ok((schema.to_owned(), name.to_owned()));
        assert_eq!(parts("tb_post"), named("public", "tb_post"));
        assert_eq!(parts("app.Order Lines"), named("app", "Order Lines"));
        assert_eq!(parts(r#"app."a.b""#), named("app", "a.b"));
        assert_eq!(parts(r#""say ""hi""".t"#), named("say \"hi\"", "t"));
        assert!(parts("a.b.c").is_err());
        assert!(parts("").is_err());
        assert!(parts("a.").is_err());
        assert!(parts("\"open").is_err());
        assert!(parts("\"a\"b").is_err());
    }

    #[test]
    fn columns_are_separated_by_commas() {
        for (text, names) in [
            ("author_id", &["author_id"][..]),
            (" org_id ,project_id", &["org_id", "project_id"]),
            ("Author Id", &["Author Id"]),
            ("\"a, b\", \"say \"\"hi\"\"\"", &["a, b", "say \"hi\""]),
        ] {
            assert_eq!(columns(text).unwrap(), names, "{text}");
        }
        for refused in ["", "a,", ",a", "a,,b", "\"a", "\"a\"b", "a, a"] {
            assert!(columns(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn an_order_is_columns_with_directions() {
        let terms = order_by("created_at desc nulls last, \"Odd, Name\" , id ASC").unwrap();
        let term = |column: &str, descending, nulls_first| OrderBy {
            column: column.to_owned(),
            descending,
            nulls_first,
        };
        assert_eq!(
            terms,
            [
                term("created_at", true, Some(false)),
                term("Odd, Name", false, None),
                term("id", false, None)
            ]
        );
        for refused in [
            "",
            "a,",
            "lower(a)",
            "a DOWN",
            "a DESC NULLS",
            "\"a",
            "a; b",
        ] {
            assert!(order_by(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn a_fragment_cannot_leave_its_parentheses() {
        for accepted in [
            "a > 0",
            "a = ')'",
            "f(a, (b))",
            "\"a)\" = 1",
            "a->>'--' = ';'",
        ] {
            assert!(fragment(accepted).is_ok(), "{accepted}");
        }
        for refused in [
            "", "a)", "(a", "a; b", "a -- b", "a /* b", "a = $1", "a = 'b",
        ] {
            assert!(fragment(refused).is_err(), "{refused}");
        }
    }
}
