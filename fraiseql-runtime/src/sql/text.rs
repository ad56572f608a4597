//! SQL text: quoted identifiers and literals, the user's fragments, indented lines.

use std::fmt::{self, Write as _};

use crate::schema::{OrderBy, Table, TableName};

/// A quoted identifier.
pub(crate) fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A string literal, with the same meaning for every value of `standard_conforming_strings`. It has one line: those
/// of a statement are indented.
pub(crate) fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if text.contains(['\\', '\n', '\r']) {
        return format!("E'{}'", in_one_line(&quoted.replace('\\', "\\\\")));
    }
    format!("'{quoted}'")
}

/// The text of a literal with escapes, without line breaks.
pub(crate) fn in_one_line(escaped: &str) -> String {
    escaped.replace('\n', "\\n").replace('\r', "\\r")
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", ident(self.schema), ident(self.name))
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", ident(&self.schema), ident(&self.name))
    }
}

/// A column of a row: `"alias"."column"`.
pub(crate) fn column(alias: &str, name: &str) -> String {
    format!("{alias}.{}", ident(name))
}

/// The whole row of an alias, as the argument of a function. The alias alone would mean a column of
/// that name if a table in scope has one.
pub(crate) fn row_argument(alias: &str) -> String {
    format!("{alias}.*")
}

/// The whole row of an alias, as a value: see [`row_argument`]. In a SELECT list, `alias.*` would be
/// its columns. The cast has no effect.
pub(crate) fn row_value(alias: &str) -> String {
    format!("{alias}.*::pg_catalog.record")
}

/// The end of an ORDER BY term: its direction, and the position of nulls if it was given.
pub(crate) fn direction_and_nulls(term: &OrderBy) -> String {
    let direction = if term.descending { " DESC" } else { "" };
    let nulls = match term.nulls_first {
        None => "",
        Some(true) => " NULLS FIRST",
        Some(false) => " NULLS LAST",
    };
    format!("{direction}{nulls}")
}

/// A builder of indented lines, with two spaces for each level.
#[derive(Debug, Default)]
pub(crate) struct Sql {
    text: String,
    depth: usize,
}

impl Sql {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Appends one line, or several if `text` has line breaks.
    pub(crate) fn line(&mut self, text: impl AsRef<str>) {
        for line in text.as_ref().lines() {
            if !line.is_empty() {
                let width = self.depth * 2;
                // Writing to a `String` never fails.
                let _ = write!(self.text, "{:width$}{line}", "");
            }
            self.text.push('\n');
        }
    }

    /// Appends `open`, the lines of `inside` one level deeper, and `close`.
    pub(crate) fn block(
        &mut self,
        open: impl AsRef<str>,
        close: impl AsRef<str>,
        inside: impl FnOnce(&mut Self),
    ) {
        self.line(open);
        self.indented(inside);
        self.line(close);
    }

    /// Appends the lines of `inside`, one level deeper.
    pub(crate) fn indented(&mut self, inside: impl FnOnce(&mut Self)) {
        self.depth += 1;
        inside(self);
        self.depth -= 1;
    }

    /// Appends a list, one level deeper.
    pub(crate) fn block_list(&mut self, items: impl IntoIterator<Item = String>) {
        self.indented(|sql| sql.list(items));
    }

    /// Appends one item per line, separated by commas.
    pub(crate) fn list(&mut self, items: impl IntoIterator<Item = String>) {
        let mut items = items.into_iter().peekable();
        while let Some(item) = items.next() {
            let comma = if items.peek().is_some() { "," } else { "" };
            self.line(format!("{item}{comma}"));
        }
    }

    /// Appends `keyword` and one condition per line, joined by AND.
    pub(crate) fn conditions(&mut self, keyword: &str, conditions: &[String]) {
        for (index, condition) in conditions.iter().enumerate() {
            let word = if index == 0 { keyword } else { "  AND" };
            self.line(format!("{word} {condition}"));
        }
    }

    /// The text, without a line break at its end.
    pub(crate) fn finish(self) -> String {
        let mut text = self.text;
        text.truncate(text.trim_end().len());
        text
    }
}

/// The elements of the array that is a parameter.
///
/// PostgreSQL knows the length of an array that is a parameter, and expects ten elements of one that a sub-select
/// returns. With fewer than ten keys, a plan for them looks cheaper than one for any array: it would plan the statement
/// again for each of these lists, which takes as long as to read the documents.
pub(crate) fn elements(parameter: u8, ty: &str) -> String {
    format!("pg_catalog.unnest((SELECT ${parameter}::{ty}[]))")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_in_names_are_doubled() {
        assert_eq!(ident(r#"a"b"#), r#""a""b""#);
    }

    #[test]
    fn quotes_and_backslashes_in_strings_are_doubled() {
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal(r"a\'b"), r"E'a\\''b'");
        assert_eq!(literal("a\r\nb"), r"E'a\r\nb'");
    }
}
