//! Parser of selections: a subset of the syntax of GraphQL.

use std::str::FromStr;

use super::error::SelectionError;
use super::selection::{MAX_DEPTH, Selected, Selection};

/// The maximum length of a text, in bytes.
const MAX_LEN: usize = 64 * 1024;

impl Selection {
    /// Parses the text of a selection: `{ id title author { username } }`, as in GraphQL, with
    /// aliases, commas and comments. The outer braces are optional, so that `id,author{username}`
    /// in a URL can be parsed.
    ///
    /// Arguments, fragments, directives and variables do not apply to documents, and are rejected.
    /// So is a text of more than 64 KiB, or with objects nested more than 64 deep.
    ///
    /// ```
    /// use fraiseql_runtime::Selection;
    ///
    /// let selection = Selection::parse("{ id, author { name: fullName } } # with an alias")?;
    /// assert_eq!(selection, Selection::parse("id,author{name:fullName}")?);
    ///
    /// let error = Selection::parse("{ id author { fullName }").unwrap_err();
    /// assert_eq!(error.to_string(), "1:25: the text ends, but the `{` at 1:1 is not closed");
    /// # Ok::<(), fraiseql_runtime::select::SelectionError>(())
    /// ```
    ///
    /// # Errors
    /// If the text cannot be parsed. The error has the line and the column.
    pub fn parse(text: &str) -> Result<Self, SelectionError> {
        let mut parser = Parser { text, at: 0 };
        if text.len() > MAX_LEN {
            return Err(parser.error(format_args!(
                "the selection has {} bytes; at most {MAX_LEN} are allowed",
                text.len()
            )));
        }
        let braces = parser.next_if(b'{');
        let selection = parser.fields(braces.then(|| parser.at - 1), 1)?;
        match parser.peek() {
            None => Ok(selection),
            Some(_) if braces => {
                Err(parser.error(format_args!("the selection has ended before this")))
            }
            Some(_) => Err(parser.error(format_args!("this `}}` closes nothing"))),
        }
    }
}

impl FromStr for Selection {
    type Err = SelectionError;

    fn from_str(text: &str) -> Result<Self, SelectionError> {
        Self::parse(text)
    }
}

struct Parser<'t> {
    text: &'t str,
    /// The offset of the next byte.
    at: usize,
}

impl Parser<'_> {
    /// An error at the current offset.
    fn error(&self, message: std::fmt::Arguments<'_>) -> SelectionError {
        let (line, column) = self.line_and_column(self.at);
        SelectionError::at(line, column, message)
    }

    fn line_and_column(&self, at: usize) -> (usize, usize) {
        let before = &self.text[..at];
        let line = before.rfind('\n').map_or(0, |end| end + 1);
        (
            before.matches('\n').count() + 1,
            before[line..].chars().count() + 1,
        )
    }

    /// The next byte, after white space, commas and comments, which GraphQL ignores.
    fn peek(&mut self) -> Option<u8> {
        loop {
            let rest = &self.text[self.at..];
            let next = rest.chars().next()?;
            self.at += match next {
                ' ' | '\t' | '\n' | '\r' | ',' | '\u{feff}' => next.len_utf8(),
                '#' => rest.find(['\n', '\r']).unwrap_or(rest.len()),
                _ => return rest.bytes().next(),
            };
        }
    }

    /// Consumes the next byte if it is this one.
    fn next_if(&mut self, byte: u8) -> bool {
        let is = self.peek() == Some(byte);
        self.at += usize::from(is);
        is
    }

    /// Parses fields up to the brace that closes the one at `open`, or up to the end.
    fn fields(&mut self, open: Option<usize>, depth: usize) -> Result<Selection, SelectionError> {
        if depth > MAX_DEPTH {
            // Report the brace that opens the object, which has been consumed.
            self.at -= 1;
            return Err(self.error(format_args!(
                "objects are nested more than {MAX_DEPTH} deep"
            )));
        }
        let mut selection = Selection::new();
        loop {
            match self.peek() {
                Some(b'}') if selection.fields().is_empty() => {
                    return Err(self.error(format_args!("write at least one field in the braces")));
                }
                Some(b'}') => {
                    self.at += usize::from(open.is_some());
                    return Ok(selection);
                }
                None => match open {
                    Some(open) => {
                        let (line, column) = self.line_and_column(open);
                        return Err(self.error(format_args!(
                            "the text ends, but the `{{` at {line}:{column} is not closed"
                        )));
                    }
                    None if selection.fields().is_empty() => {
                        return Err(self.error(format_args!(
                            "nothing is selected: write at least one field"
                        )));
                    }
                    None => return Ok(selection),
                },
                Some(_) => {
                    let field = self.field(depth)?;
                    selection.push(field);
                }
            }
        }
    }

    fn field(&mut self, depth: usize) -> Result<Selected, SelectionError> {
        let mut name = self.name()?;
        let mut alias = None;
        if self.next_if(b':') {
            alias = Some(name);
            name = self.name()?;
        }
        let fields = match self.next_if(b'{') {
            true => Some(self.fields(Some(self.at - 1), depth + 1)?),
            false => None,
        };
        Ok(Selected {
            name,
            alias,
            fields,
        })
    }

    fn name(&mut self) -> Result<String, SelectionError> {
        let Some(first) = self.peek() else {
            return Err(self.error(format_args!("the text ends where a field is expected")));
        };
        let rest = &self.text[self.at..];
        if first == b'_' || first.is_ascii_alphabetic() {
            let is_name = |byte: u8| byte == b'_' || byte.is_ascii_alphanumeric();
            let len = rest.bytes().position(|byte| !is_name(byte));
            let name = &rest[..len.unwrap_or(rest.len())];
            self.at += name.len();
            return Ok(name.to_owned());
        }
        let what = match first {
            b'(' => "fields of documents do not take arguments; leave (..) out",
            b'.' => "fragments are not supported here; write their fields instead",
            b'@' => "directives are not supported here; leave the field out instead",
            b'$' => "variables are not supported in a selection",
            b'"' => "names are written without quotes",
            b'{' => "a field is expected before its braces",
            b':' => "an alias is expected before the colon",
            b'}' => "a field is expected after the alias",
            b'0'..=b'9' => "a name does not begin with a digit",
            _ => {
                let found = rest.chars().next().unwrap_or_default();
                return Err(self.error(format_args!("a field is expected, not {found:?}")));
            }
        };
        Err(self.error(format_args!("{what}")))
    }
}
