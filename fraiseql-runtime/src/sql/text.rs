//! SQL as text: quoted identifiers, user fragments, indented lines.

use std::fmt::{self, Write as _};

use crate::schema::{Table, TableName};

/// An identifier, quoted.
pub(crate) fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as a literal, which reads the same whatever `standard_conforming_strings` is.
pub(crate) fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if text.contains('\\') {
        return format!("E'{}'", quoted.replace('\\', "\\\\"));
    }
    format!("'{quoted}'")
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

/// A user's fragment with the row's alias in the place of each `{}`. What stands between
/// quotes is text, and stays: `'{}'::jsonb` is an empty object.
pub(crate) fn fragment(sql: &str, alias: &str) -> String {
    let mut out = String::with_capacity(sql.len());
    let mut quote = None;
    let mut chars = sql.trim().chars().peekable();
    while let Some(c) = chars.next() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '\'' || c == '"' => quote = Some(c),
            None if c == '{' && chars.peek() == Some(&'}') => {
                chars.next();
                out.push_str(alias);
                continue;
            }
            None => {}
        }
        out.push(c);
    }
    out
}

/// Text in lines, indented by two spaces a level.
#[derive(Debug, Default)]
pub(crate) struct Sql {
    text: String,
    depth: usize,
}

impl Sql {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// One line, or several if `text` has line breaks.
    pub(crate) fn line(&mut self, text: impl AsRef<str>) {
        for line in text.as_ref().lines() {
            if !line.is_empty() {
                let width = self.depth * 2;
                // Writing to a String does not fail.
                let _ = write!(self.text, "{:width$}{line}", "");
            }
            self.text.push('\n');
        }
    }

    /// `open`, then what `inside` writes one level deeper, then `close`.
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

    /// What `inside` writes, one level deeper.
    pub(crate) fn indented(&mut self, inside: impl FnOnce(&mut Self)) {
        self.depth += 1;
        inside(self);
        self.depth -= 1;
    }

    /// A list one level deeper.
    pub(crate) fn block_list(&mut self, items: impl IntoIterator<Item = String>) {
        self.indented(|sql| sql.list(items));
    }

    /// One item a line, with commas between them.
    pub(crate) fn list(&mut self, items: impl IntoIterator<Item = String>) {
        let mut items = items.into_iter().peekable();
        while let Some(item) = items.next() {
            let comma = if items.peek().is_some() { "," } else { "" };
            self.line(format!("{item}{comma}"));
        }
    }

    /// `keyword`, and one condition a line, joined by AND.
    pub(crate) fn conditions(&mut self, keyword: &str, conditions: &[String]) {
        for (index, condition) in conditions.iter().enumerate() {
            let word = if index == 0 { keyword } else { "  AND" };
            self.line(format!("{word} {condition}"));
        }
    }

    pub(crate) fn finish(self) -> String {
        let mut text = self.text;
        text.truncate(text.trim_end().len());
        text
    }
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
    }

    #[test]
    fn an_alias_is_put_in_but_not_between_quotes() {
        assert_eq!(
            fragment("{}.a || '{}' || {}.\"{}\"", "\"t\""),
            "\"t\".a || '{}' || \"t\".\"{}\""
        );
    }
}
