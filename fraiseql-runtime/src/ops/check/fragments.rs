//! Positions in fragments: finds the place in the user's SQL that an error of the server is about.

use crate::schema::Table;

/// A fragment of SQL, with the attribute that contains it.
#[derive(Clone, Debug)]
pub(crate) struct Fragment {
    pub(crate) path: String,
    /// `filter` or `expr`.
    pub(crate) attribute: &'static str,
    pub(crate) text: &'static str,
    pub(crate) table: Table,
}

/// The column at a position of a fragment: `title` at the start of `{}.title = 1`.
pub(crate) fn column_at(text: &str, position: usize) -> String {
    let rest: String = text.chars().skip(position).collect();
    let rest = rest.strip_prefix("{}.").unwrap_or(&rest);
    match rest.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next().unwrap_or_default().to_owned(),
        // PostgreSQL folds names without quotes to lower case.
        None => rest
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect::<String>()
            .to_lowercase(),
    }
}

/// A line with the fragment, and below it a line with a mark at the position. The mark is left out
/// if the fragment has several lines.
pub(crate) fn marked(text: &str, position: Option<usize>) -> String {
    match position {
        Some(position) if !text.contains('\n') && position < text.chars().count() => {
            format!("\n  {text}\n  {:position$}^", "")
        }
        _ => format!("\n  {text}"),
    }
}

/// The position in the fragment `text` of a position in a statement. `None` if that is not in the
/// fragment.
///
/// The composed statement contains the fragment with an alias for each `{}`, perhaps several
/// times: every occurrence of its first characters is tried.
pub(crate) fn position_in_fragment(text: &str, statement: &str, position: usize) -> Option<usize> {
    let text = text.trim();
    let position = statement.char_indices().nth(position)?.0;
    let first = text.split("{}").next().unwrap_or_default();
    // A fragment that begins with `{}` has no first characters of its own. A statement contains it
    // in parentheses.
    let (before, first) = if first.is_empty() {
        (1, "(")
    } else {
        (0, first)
    };
    statement
        .match_indices(first)
        .map(|(start, _)| start + before)
        .take_while(|start| *start <= position)
        .find_map(|start| match_fragment(text, &statement[start..], position - start))
}

/// The position in `text` of the byte `position` of a statement that begins with `text`. `None` if
/// it does not begin with it.
fn match_fragment(text: &str, statement: &str, position: usize) -> Option<usize> {
    let mut found = None;
    // Two cursors: bytes of the statement, and characters of the fragment.
    let (mut at, mut written) = (0, 0);
    for (index, piece) in text.split("{}").enumerate() {
        if index > 0 {
            let end = at + alias_end(&statement[at..])?;
            // A position in the alias is one at the `{}`.
            if (at..end).contains(&position) {
                found = Some(written);
            }
            at = end;
            written += 2;
        }
        if !statement[at..].starts_with(piece) {
            return None;
        }
        let end = at + piece.len();
        if (at..end).contains(&position) {
            found = Some(written + statement[at..position].chars().count());
        }
        at = end;
        written += piece.chars().count();
    }
    found
}

/// The length of the alias at the start of `text`.
fn alias_end(text: &str) -> Option<usize> {
    match text.strip_prefix('"') {
        Some(quoted) => Some(quoted.find('"')? + 2),
        None => Some(
            text.find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(text.len()),
        ),
    }
}

/// The line of a statement at a position.
pub(crate) fn line_at(statement: &str, position: usize) -> Option<&str> {
    let byte = statement.char_indices().nth(position)?.0;
    let start = statement[..byte].rfind('\n').map_or(0, |at| at + 1);
    statement[start..].lines().next().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_column_at_a_position_is_found_with_and_without_an_alias() {
        assert_eq!(column_at("{}.Title || 'x'", 0), "title");
        assert_eq!(column_at("1 + \"A b\"", 4), "A b");
        assert_eq!(column_at("a + bc", 4), "bc");
    }

    #[test]
    fn a_position_in_a_statement_is_a_position_in_the_fragment() {
        let statement = "SELECT (\"_r_o\".price * tax) AS x";
        let at = |needle: &str| statement.find(needle).unwrap();
        let text = "{}.price * tax";
        assert_eq!(position_in_fragment(text, statement, at("\"_r")), Some(0));
        assert_eq!(position_in_fragment(text, statement, at("price")), Some(3));
        assert_eq!(position_in_fragment(text, statement, at("tax")), Some(11));
        assert_eq!(position_in_fragment(text, statement, at("AS x")), None);
        assert_eq!(
            position_in_fragment("lower(name)", "SELECT lower(name)", 13),
            Some(6)
        );
    }
}
