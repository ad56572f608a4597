//! The user's fragments: their tokens, and how they are written into a statement.

use std::fmt;

use crate::sql::text::{in_one_line, literal};

/// A token of a fragment. Together they are the whole text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// `{}`, the row.
    Row,
    /// A keyword, or a name without quotes.
    Word(&'a str),
    /// A name in quotes, with them.
    Quoted(&'a str),
    /// A string constant, with its prefix and quotes.
    Text(&'a str),
    Number(&'a str),
    Symbol(char),
    /// White space or a comment.
    Space(&'a str),
}

impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row => f.write_str("{}"),
            Self::Symbol(symbol) => symbol.fmt(f),
            Self::Word(text)
            | Self::Quoted(text)
            | Self::Text(text)
            | Self::Number(text)
            | Self::Space(text) => f.write_str(text),
        }
    }
}

/// A user's fragment, with each `{}` replaced by the alias of the row. Text between quotes is
/// not changed: `'{}'::jsonb` is an empty object.
///
/// A backslash in a string constant is a character, whatever the session's
/// `standard_conforming_strings` is. A constant of several lines is written in one, because the lines of a statement
/// are indented.
pub(crate) fn fragment(sql: &str, alias: &str) -> String {
    let mut out = String::with_capacity(sql.len());
    for token in tokens(sql.trim()) {
        match token {
            Token::Row => out.push_str(alias),
            Token::Text(text) if text.contains(['\\', '\n', '\r']) => {
                out.push_str(&constant(text));
            }
            token => out.push_str(&token.to_string()),
        }
    }
    out
}

/// A string constant without line breaks and, unless it has escapes already, without backslashes that depend on the
/// session.
fn constant(text: &str) -> String {
    if let Some(inside) = text.strip_prefix('\'') {
        let inside = inside.strip_suffix('\'').unwrap_or(inside);
        return literal(&inside.replace("''", "'"));
    }
    if text.starts_with(['E', 'e']) {
        return in_one_line(text);
    }
    // `$tag$ .. $tag$`: a backslash is a character in every session.
    let tag = text.strip_prefix('$').and_then(|rest| rest.find('$'));
    if let Some(end) = tag.map(|end| end + 2)
        && let Some(inside) = text.get(end..text.len().saturating_sub(end))
        && inside.contains(['\n', '\r'])
    {
        return literal(inside);
    }
    text.to_owned()
}

/// The tokens of a fragment, as PostgreSQL reads them.
pub(crate) fn tokens(sql: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let (token, length) = next_token(rest, first);
        tokens.push(token);
        rest = &rest[length..];
    }
    tokens
}

/// The first token of `rest`, which begins with `first`, and its length.
fn next_token(rest: &str, first: char) -> (Token<'_>, usize) {
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let until = |end: Option<usize>| end.unwrap_or(rest.len());
    if rest.starts_with("{}") {
        return (Token::Row, 2);
    }
    if first.is_whitespace() {
        let end = until(rest.find(|c: char| !c.is_whitespace()));
        return (Token::Space(&rest[..end]), end);
    }
    if rest.starts_with("--") {
        let end = until(rest.find('\n'));
        return (Token::Space(&rest[..end]), end);
    }
    if rest.starts_with("/*") {
        let end = comment_end(rest);
        return (Token::Space(&rest[..end]), end);
    }
    if let Some((prefix, has_escapes)) = string_prefix(rest) {
        let end = prefix + quoted_end(&rest[prefix..], '\'', has_escapes);
        return (Token::Text(&rest[..end]), end);
    }
    if first == '"' {
        let end = quoted_end(rest, '"', false);
        return (Token::Quoted(&rest[..end]), end);
    }
    if let Some(end) = dollar_quoted_end(rest) {
        return (Token::Text(&rest[..end]), end);
    }
    if first.is_ascii_digit() {
        let end = until(rest.find(|c: char| !c.is_alphanumeric() && c != '.' && c != '_'));
        return (Token::Number(&rest[..end]), end);
    }
    if is_word(first) {
        let end = until(rest.find(|c: char| !is_word(c)));
        return (Token::Word(&rest[..end]), end);
    }
    (Token::Symbol(first), first.len_utf8())
}

/// The length of the prefix of a string constant at the start of `rest`, and whether backslashes
/// escape in it.
fn string_prefix(rest: &str) -> Option<(usize, bool)> {
    const PREFIXES: [(&str, bool); 6] = [
        ("", false),
        ("e", true),
        ("b", false),
        ("x", false),
        ("n", false),
        ("u&", false),
    ];
    PREFIXES.into_iter().find_map(|(prefix, has_escapes)| {
        let has_prefix = rest
            .get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix));
        (has_prefix && rest[prefix.len()..].starts_with('\''))
            .then_some((prefix.len(), has_escapes))
    })
}

/// The end of a text that begins with a quote. A doubled quote is a character of it.
fn quoted_end(text: &str, quote: char, has_escapes: bool) -> usize {
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if has_escapes && c == '\\' {
            chars.next();
        } else if c == quote {
            if chars.peek().is_some_and(|(_, next)| *next == quote) {
                chars.next();
            } else {
                return at + 1;
            }
        }
    }
    text.len()
}

/// The end of `$tag$..$tag$` at the start of `rest`.
fn dollar_quoted_end(rest: &str) -> Option<usize> {
    let tag_end = rest.strip_prefix('$')?.find('$')? + 2;
    let tag = &rest[..tag_end];
    let inside = &tag[1..tag_end - 1];
    if inside.starts_with(|c: char| c.is_ascii_digit())
        || !inside.chars().all(|c| c.is_alphanumeric() || c == '_')
    {
        return None;
    }
    let end = rest[tag_end..].find(tag)?;
    Some(tag_end + end + tag_end)
}

/// The end of a comment, in which others may be nested.
fn comment_end(rest: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        match rest.as_bytes()[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// Keywords that are calls without parentheses: `CURRENT_DATE`.
pub(crate) fn is_session_value(word: &str) -> bool {
    const VALUES: [&str; 12] = [
        "current_catalog",
        "current_date",
        "current_role",
        "current_schema",
        "current_time",
        "current_timestamp",
        "current_user",
        "localtime",
        "localtimestamp",
        "session_user",
        "system_user",
        "user",
    ];
    VALUES.iter().any(|value| word.eq_ignore_ascii_case(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alias_replaces_braces_outside_of_quotes() {
        assert_eq!(
            fragment(
                "{}.a || '{}' || {}.\"{}\" || E'\\'{}' || $x${}$x$ -- {}\n",
                "\"t\""
            ),
            "\"t\".a || '{}' || \"t\".\"{}\" || E'\\'{}' || $x${}$x$ -- {}"
        );
    }

    #[test]
    fn a_backslash_is_a_character_in_every_session() {
        assert_eq!(fragment(r"'a\b''c'", "t"), r"E'a\\b''c'");
        assert_eq!(
            fragment(r"E'a\\b' || U&'\0061'", "t"),
            r"E'a\\b' || U&'\0061'"
        );
    }

    #[test]
    fn a_constant_of_several_lines_is_written_in_one() {
        for (sql, wanted) in [
            ("'a\nb'", r"E'a\nb'"),
            ("'it''s\r\n\\'", r"E'it''s\r\n\\'"),
            ("E'a\\t\nb'", r"E'a\t\nb'"),
            ("$x$it's\n$$$x$", r"E'it''s\n$$'"),
            ("$$one$$", "$$one$$"),
            ("'a'\n  'b'", "'a'\n  'b'"),
        ] {
            assert_eq!(fragment(sql, "t"), wanted);
        }
    }

    #[test]
    fn the_tokens_of_a_fragment_are_its_text() {
        for sql in [
            "{}.a::text || 'it''s' /* {} /* nested */ */ || \"Odd \"\" name\" + 1.5e3",
            "'unclosed",
            "$1 + $$ {} $$",
            "/* unclosed",
            "é <> 'ü' AND x'1F' = b'01'",
        ] {
            assert_eq!(fragment(sql, "{}"), sql);
        }
    }
}
