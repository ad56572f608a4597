//! The texts inside attributes: names, orders, SQL fragments. Each check answers with what
//! is wrong, for the caller to put at the token.

use crate::model::{OrderBy, Table};

/// PostgreSQL cuts longer identifiers in silence.
pub(crate) const MAX_IDENTIFIER: usize = 63;

type Checked<T> = Result<T, String>;

/// The name of a column or table.
pub(crate) fn identifier(name: &str) -> Checked<String> {
    if name.is_empty() {
        return Err("a name cannot be empty".to_owned());
    }
    if name.contains('\0') {
        return Err("a name cannot contain the character U+0000".to_owned());
    }
    if name.len() > MAX_IDENTIFIER {
        return Err(format!(
            "`{name}` has {} bytes, and a name in PostgreSQL has at most {MAX_IDENTIFIER}",
            name.len()
        ));
    }
    Ok(name.to_owned())
}

/// `table`, `schema.table`, or either in double quotes where a dot belongs to the name.
pub(crate) fn table(text: &str) -> Checked<Table> {
    let mut parts = Vec::new();
    let mut rest = text;
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
            None => return Err(format!("`{text}` goes on after a closing double quote")),
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

/// After an opening double quote: the name, and what follows the closing one.
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

/// `created_at DESC NULLS LAST, "Odd Name"`.
pub(crate) fn order_by(text: &str) -> Checked<Vec<OrderBy>> {
    const FORM: &str = "write columns with an optional ASC or DESC and NULLS FIRST or NULLS \
                        LAST, separated by commas: \"created_at DESC, id\"";
    let mut terms = Vec::new();
    let mut rest = text.trim();
    loop {
        let column;
        if let Some(quoted) = rest.strip_prefix('"') {
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
                    "`{name}` is not a column; {FORM}. An expression can be a field with \
                     `expr`, or a generated column of the table"
                ));
            }
            column = identifier(name)?;
            rest = after;
        }
        let (modifiers, after) = match rest.split_once(',') {
            Some((modifiers, after)) => (modifiers, Some(after.trim_start())),
            None => (rest, None),
        };
        let words: Vec<String> = modifiers
            .split_whitespace()
            .map(str::to_ascii_uppercase)
            .collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let (descending, nulls) = match words.as_slice() {
            ["ASC", nulls @ ..] => (false, nulls),
            ["DESC", nulls @ ..] => (true, nulls),
            nulls => (false, nulls),
        };
        let nulls_first = match nulls {
            [] => None,
            ["NULLS", "FIRST"] => Some(true),
            ["NULLS", "LAST"] => Some(false),
            other => return Err(format!("`{}` cannot stand here; {FORM}", other.join(" "))),
        };
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

/// An SQL condition or expression that is put between parentheses: it must end where it
/// ends.
pub(crate) fn fragment(sql: &str) -> Checked<String> {
    if sql.trim().is_empty() {
        return Err("the SQL is empty; leave the attribute out".to_owned());
    }
    let mut open = 0_usize;
    let mut quote = None;
    let mut chars = sql.chars().peekable();
    while let Some(c) = chars.next() {
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
                    .ok_or_else(|| "a `)` in the SQL closes nothing".to_owned())?;
            }
            ';' => {
                return Err(
                    "`;` cannot stand here: this is one expression, not a statement".to_owned(),
                );
            }
            '-' if next == Some('-') => {
                return Err(
                    "a comment (`--`) would hide the SQL that follows; write it in Rust".to_owned(),
                );
            }
            '/' if next == Some('*') => {
                return Err(
                    "a comment (`/*`) could hide the SQL that follows; write it in Rust".to_owned(),
                );
            }
            '$' if next.is_some_and(|next| next.is_ascii_digit()) => {
                return Err(
                    "a parameter (`$1`) has no value here: the SQL is fixed when compiling"
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

/// The key of a document, which is also the name of a column and of a GraphQL field; or the
/// name of a GraphQL type. `attribute` is what gives it another.
pub(crate) fn graphql_name(name: &str, attribute: &str) -> Checked<()> {
    let mut chars = name.chars();
    let starts = chars
        .next()
        .is_some_and(|c| c == '_' || c.is_ascii_alphabetic());
    let wrong = if !starts || !chars.all(|c| c == '_' || c.is_ascii_alphanumeric()) {
        "is no name in GraphQL, which has letters (a-z, A-Z), digits and `_`, and no digit first"
            .to_owned()
    } else if name.starts_with("__") {
        "starts with `__`, which GraphQL keeps for itself".to_owned()
    } else if name.len() > MAX_IDENTIFIER {
        format!(
            "has {} bytes, and a name in PostgreSQL has at most {MAX_IDENTIFIER}",
            name.len()
        )
    } else {
        return Ok(());
    };
    Err(format!(
        "`{name}` {wrong}; give another with `{attribute} = \"..\"`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Result<(String, String), String> {
        table(text).map(|table| (table.schema, table.name))
    }

    #[test]
    fn tables_have_one_or_two_parts() {
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
    fn orders_are_columns_with_modifiers() {
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
        for wrong in [
            "",
            "a,",
            "lower(a)",
            "a DOWN",
            "a DESC NULLS",
            "\"a",
            "a; b",
        ] {
            assert!(order_by(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn fragments_end_where_they_end() {
        for right in [
            "a > 0",
            "a = ')'",
            "f(a, (b))",
            "\"a)\" = 1",
            "a->>'--' = ';'",
        ] {
            assert!(fragment(right).is_ok(), "{right}");
        }
        for wrong in [
            "", "a)", "(a", "a; b", "a -- b", "a /* b", "a = $1", "a = 'b",
        ] {
            assert!(fragment(wrong).is_err(), "{wrong}");
        }
    }
}
