//! SQL over the columns of the view table, in the expressions and conditions of indexes.

use darling::error::Accumulator;

use super::error::{at, fragment};
use crate::attr::Text;
use crate::model::Field;

/// Words of SQL in expressions, which a field may be called, too.
const WORDS_OF_SQL: [&str; 33] = [
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

/// A condition or an expression over the columns of the view table.
pub(super) fn check(
    text: Option<&Text>,
    fields: &[Field],
    errors: &mut Accumulator,
) -> Option<String> {
    let text = text?;
    let sql = fragment(Some(text), errors)?;
    let tokens = tokens(&sql);
    if tokens.windows(2).any(|pair| pair == ["{", "}"]) {
        errors.push(at(
            text.span(),
            "`{}` is a row of the base table, and an index is on the view table: write its \
             columns by their names alone",
        ));
        return None;
    }
    let known = |name: &str| {
        fields.iter().any(|field| {
            field.is_key && field.source_column() == Some(name)
                || field
                    .promoted
                    .as_ref()
                    .is_some_and(|promoted| promoted.column == name)
        })
    };
    for (index, token) in tokens.iter().enumerate() {
        let name = token.to_lowercase();
        let before = index.checked_sub(1).and_then(|index| tokens.get(index));
        let after = tokens.get(index + 1);
        // A type, a function, a literal of a type.
        let other = before.is_some_and(|before| *before == ":" || *before == ".")
            || after.is_some_and(|after| ["(", ".", "'"].contains(after))
            // `extract(year FROM created_at)`
            || after.is_some_and(|after| after.eq_ignore_ascii_case("from"))
            || WORDS_OF_SQL.contains(&name.as_str());
        let field = fields
            .iter()
            .find(|field| !field.skipped && field.name == name);
        if let Some(field) = field
            && !other
            && !known(&name)
            && !super::names::BOOKKEEPING.contains(&name.as_str())
        {
            errors.push(at(text.span(), not_a_column(field)));
            return None;
        }
    }
    Some(sql)
}

/// Why a field cannot be used where columns of the view table are.
pub(super) fn not_a_column(field: &Field) -> String {
    let name = &field.name;
    if let Some(promoted) = &field.promoted {
        return format!(
            "the field `{name}` is the column `{0}` of the view table; write `{0}`",
            promoted.column
        );
    }
    if field.is_key {
        let column = field.source_column().unwrap_or_default();
        return format!("the key `{name}` is the column `{column}`; write `{column}`");
    }
    if field.holds_parts() {
        return format!(
            "`{name}` is in the document only: objects and lists cannot be columns; index them \
             in the document, with `index(gin = \"{}\")`",
            field.json
        );
    }
    format!(
        "`{name}` is in the document, and is no column of the view table; mark the field with \
         `filter` or `sort`"
    )
}

/// Whether there is a comma outside of parentheses and quotes.
pub(super) fn is_a_list(sql: &str) -> bool {
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

/// The words of an expression, for a name: `lower_title`.
pub(super) fn stem(sql: &str) -> String {
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

/// Words, and other characters one by one. What stands between quotes is left out: of it there
/// are only the quotes.
fn tokens(sql: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = sql;
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
    fn names_are_made_of_words() {
        assert_eq!(stem("lower(title)"), "lower_title");
        assert_eq!(stem("coalesce(a, 'none') || \"B\""), "coalesce_a");
        assert_eq!(stem("1 + 2"), "expr");
    }

    #[test]
    fn a_comma_inside_is_no_list() {
        assert!(is_a_list("a, b"));
        assert!(is_a_list("f(a, b), c"));
        for one in ["f(a, b)", "a || ', '", "array[a, b]"] {
            assert!(!is_a_list(one), "{one}");
        }
    }
}
