//! Checks SQL over the columns of the view table: `expr` and `filter` of an index.

use darling::error::Accumulator;

use super::context::Context;
use crate::attr::{IndexAttr, StrValue};
use crate::check::error::{error_at, fragment};
use crate::identifiers::BOOKKEEPING_COLUMNS;
use crate::model::{Field, IndexOn};

/// Words of SQL that occur in expressions and may also be the name of a field.
const SQL_WORDS: [&str; 33] = [
    "all",
    "and",
    "any",
    "array",
    "as",
    "asymmetric",
    "at",
    "between",
    "case",
    "cast",
    "collate",
    "distinct",
    "else",
    "end",
    "escape",
    "false",
    "from",
    "ilike",
    "in",
    "interval",
    "is",
    "like",
    "not",
    "null",
    "or",
    "similar",
    "symmetric",
    "then",
    "time",
    "to",
    "true",
    "when",
    "zone",
];

/// The expression of `expr`, and the stem of the index's name.
pub(super) fn expr(
    args: &IndexAttr,
    context: &Context<'_>,
    errors: &mut Accumulator,
) -> (IndexOn, String) {
    let sql = check(args.expr.as_ref(), context.fields, errors).unwrap_or_default();
    if let Some(expr) = &args.expr
        && is_list(&sql)
    {
        errors.push(error_at(
            expr.span(),
            "`expr` takes one expression; for several columns write `on = \"..\"`",
        ));
    }
    let stem = stem(&sql);
    (IndexOn::Expr(sql), stem)
}

/// Checks a condition or an expression. A name is reported only if it is surely that of a field
/// without a column: this is not an SQL parser, and the index is created by PostgreSQL.
pub(super) fn check(
    text: Option<&StrValue>,
    fields: &[Field],
    errors: &mut Accumulator,
) -> Option<String> {
    let text = text?;
    let sql = fragment(Some(text), errors)?;
    let tokens = tokens(&sql);
    if tokens.windows(2).any(|pair| pair == ["{", "}"]) {
        errors.push(error_at(
            text.span(),
            "`{}` stands for a row of the base table, but an index is on the view table: write \
             only the names of its columns",
        ));
        return None;
    }
    let is_column = |name: &str| {
        fields.iter().any(|field| {
            field.is_key && field.stored_key().as_deref() == Some(name)
                || field
                    .promoted
                    .as_ref()
                    .is_some_and(|promoted| promoted.column == name)
        }) || BOOKKEEPING_COLUMNS.contains(&name)
    };
    for (index, token) in tokens.iter().enumerate() {
        // An unquoted name is folded to lower case by PostgreSQL.
        let name = token.to_lowercase();
        let before = index.checked_sub(1).and_then(|index| tokens.get(index));
        let after = tokens.get(index + 1);
        // The name of a type (`::text`), a function (`lower(`), a schema or a type before a
        // literal (`date '2026-01-01'`).
        let not_a_name = before.is_some_and(|before| *before == ":" || *before == ".")
            || after.is_some_and(|after| ["(", ".", "'"].contains(after))
            // `extract(year FROM created_at)`
            || after.is_some_and(|after| after.eq_ignore_ascii_case("from"))
            || SQL_WORDS.contains(&name.as_str());
        let field = fields
            .iter()
            .find(|field| !field.skipped && field.name == name);
        if let Some(field) = field
            && !not_a_name
            && !is_column(&name)
        {
            errors.push(error_at(text.span(), not_a_column(field)));
            return None;
        }
    }
    Some(sql)
}

/// The message about a field where a column of the view table is expected.
pub(super) fn not_a_column(field: &Field) -> String {
    let name = &field.name;
    if let Some(promoted) = &field.promoted {
        return format!(
            "the field `{name}` is the column `{0}` of the view table; write `{0}`",
            promoted.column
        );
    }
    if field.is_key {
        let column = field.stored_key().unwrap_or_default();
        return format!("the key field `{name}` is the column `{column}`; write `{column}`");
    }
    if field.holds_parts() {
        return format!(
            "`{name}` is not a column of the view table, because objects and lists are in the \
             document only; index it with `index(gin = \"{}\")`",
            field.json
        );
    }
    format!(
        "`{name}` is not a column of the view table; mark the field with `filter` or `sort` to \
         make it one"
    )
}

/// Whether there is a comma outside of parentheses and quotes.
fn is_list(sql: &str) -> bool {
    let mut open = 0_usize;
    tokens(sql).into_iter().any(|token| {
        match token {
            "(" | "[" => open += 1,
            ")" | "]" => open = open.saturating_sub(1),
            _ => {}
        }
        open == 0 && token == ","
    })
}

/// The words of an expression, for the name of its index: `lower_title`.
fn stem(sql: &str) -> String {
    let words: Vec<String> = tokens(sql)
        .into_iter()
        .filter(|token| token.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'))
        .map(str::to_lowercase)
        .collect();
    if words.is_empty() {
        "expr".to_owned()
    } else {
        words.join("_")
    }
}

/// Words, and each other character by itself. The text between quotes is dropped; of the quotes
/// only the opening one is returned.
fn tokens(sql: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = sql;
    // Each round takes at least one character off `rest`.
    while let Some(first) = rest.chars().next() {
        let end = if is_word(first) {
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (token, after) = rest.split_at(end);
        rest = after;
        if first.is_whitespace() {
            continue;
        }
        tokens.push(token);
        if first == '\'' || first == '"' {
            rest = rest.split_once(first).map_or("", |(_, after)| after);
        }
    }
    tokens
}

fn is_word(c: char) -> bool {
    c == '_' || c == '$' || c.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_an_index_has_the_words_of_its_expression() {
        assert_eq!(stem("lower(title)"), "lower_title");
        assert_eq!(stem("coalesce(a, 'none') || \"B\""), "coalesce_a");
        assert_eq!(stem("1 + 2"), "expr");
    }

    #[test]
    fn a_comma_in_parentheses_or_quotes_does_not_make_a_list() {
        assert!(is_list("a, b"));
        assert!(is_list("f(a, b), c"));
        for one in ["f(a, b)", "a || ', '", "array[a, b]"] {
            assert!(!is_list(one), "{one}");
        }
    }
}
