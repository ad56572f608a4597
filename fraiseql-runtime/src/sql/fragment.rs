//! The user's fragments: their tokens, how they are written into a statement, and what of the
//! session their value may depend on.

use std::collections::BTreeSet;
use std::fmt;

use crate::sql::text::literal;

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
/// `standard_conforming_strings` is.
pub(crate) fn fragment(sql: &str, alias: &str) -> String {
    let mut out = String::with_capacity(sql.len());
    for token in tokens(sql.trim()) {
        match token {
            Token::Row => out.push_str(alias),
            Token::Text(text) if text.starts_with('\'') && text.contains('\\') => {
                let inside = text[1..].strip_suffix('\'').unwrap_or(&text[1..]);
                out.push_str(&literal(&inside.replace("''", "'")));
            }
            token => out.push_str(&token.to_string()),
        }
    }
    out
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

/// What of the session the value of a fragment may depend on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SessionReads {
    /// Its settings: time zone, styles, formats.
    pub(crate) settings: bool,
    /// The order of day and month in a text, for the setting `DateStyle`.
    pub(crate) date_order: bool,
    /// The meaning of operators and names: `search_path`.
    pub(crate) path: bool,
    /// The names of functions and types, as far as they can be told from columns.
    pub(crate) names: BTreeSet<String>,
}

impl SessionReads {
    /// What `fragment` may depend on. `is_number` is whether its value is a number.
    ///
    /// The types of columns are not known here, so all that is certain is that some fragments depend
    /// on nothing: comparisons of a column with a constant, and arithmetic on columns. Those are
    /// most filters and many expressions.
    pub(crate) fn of(fragment: &str, is_number: bool) -> Self {
        let tokens: Vec<Token<'_>> = tokens(fragment)
            .into_iter()
            .filter(|token| !matches!(token, Token::Space(_)))
            .collect();
        let mut parser = Parser {
            tokens: &tokens,
            at: 0,
            compares: false,
        };
        if parser.condition() && parser.at == tokens.len() {
            return Self {
                path: parser.compares,
                ..Self::default()
            };
        }
        if is_number && is_arithmetic(&tokens) {
            return Self {
                path: true,
                ..Self::default()
            };
        }
        let names = names(&tokens);
        let date_order = tokens.iter().any(|token| match token {
            Token::Text(text) => text.contains(|c: char| c.is_ascii_digit()),
            _ => false,
        }) || names.iter().any(|name| {
            ["date", "time", "interval"]
                .iter()
                .any(|part| name.contains(part))
        });
        Self {
            settings: true,
            date_order,
            path: true,
            names,
        }
    }
}

/// The names in a fragment that are not columns of `{}`.
fn names(tokens: &[Token<'_>]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (index, token) in tokens.iter().enumerate() {
        let is_column = index >= 2
            && tokens[index - 1] == Token::Symbol('.')
            && tokens[index - 2] == Token::Row;
        match token {
            Token::Word(word) if !is_column => {
                names.insert(word.to_lowercase());
            }
            Token::Quoted(quoted) if !is_column => {
                let name = quoted.trim_matches('"').replace("\"\"", "\"");
                names.insert(name);
            }
            _ => {}
        }
    }
    names
}

/// Whether a fragment is made of columns, numbers, `+ - * / %` and parentheses.
fn is_arithmetic(tokens: &[Token<'_>]) -> bool {
    tokens.iter().enumerate().all(|(index, token)| match token {
        Token::Row | Token::Number(_) | Token::Quoted(_) => true,
        Token::Word(_) => tokens.get(index + 1) != Some(&Token::Symbol('(')),
        Token::Symbol(symbol) => ".+-*/%()".contains(*symbol),
        Token::Text(_) | Token::Space(_) => false,
    })
}

/// Recognizes conditions that compare columns with constants.
struct Parser<'t> {
    tokens: &'t [Token<'t>],
    at: usize,
    /// Whether there is an operator.
    compares: bool,
}

impl Parser<'_> {
    fn condition(&mut self) -> bool {
        loop {
            if !self.term() {
                return false;
            }
            if !self.word("and") && !self.word("or") {
                return true;
            }
        }
    }

    fn term(&mut self) -> bool {
        while self.word("not") {}
        if self.symbol('(') {
            return self.condition() && self.symbol(')');
        }
        if self.constant() {
            return self.comparison() && self.column();
        }
        if !self.column() {
            return false;
        }
        if self.word("is") {
            let _ = self.word("not");
            return self.word("null") || self.word("true") || self.word("false");
        }
        let negated = self.word("not");
        if self.word("in") {
            self.compares = true;
            return self.constants();
        }
        if negated {
            return false;
        }
        !self.comparison() || self.constant()
    }

    fn constants(&mut self) -> bool {
        if !self.symbol('(') || !self.constant() {
            return false;
        }
        while self.symbol(',') {
            if !self.constant() {
                return false;
            }
        }
        self.symbol(')')
    }

    fn comparison(&mut self) -> bool {
        let start = self.at;
        while let Some(Token::Symbol('=' | '<' | '>' | '!')) = self.tokens.get(self.at) {
            self.at += 1;
        }
        self.compares |= self.at > start;
        self.at > start
    }

    /// A number, a truth value, or a text that is no date, time or interval.
    fn constant(&mut self) -> bool {
        const TIMES: [&str; 4] = ["now", "today", "tomorrow", "yesterday"];
        let start = self.at;
        let _ = self.symbol('-');
        let is_constant = match self.tokens.get(self.at) {
            Some(Token::Number(_)) => true,
            Some(Token::Text(text)) => {
                let text = text.to_lowercase();
                self.at == start
                    && text.starts_with('\'')
                    && !text.contains(|c: char| c.is_ascii_digit())
                    && !TIMES.iter().any(|time| text.contains(time))
            }
            Some(Token::Word(word)) => {
                self.at == start
                    && ["true", "false", "null"]
                        .iter()
                        .any(|constant| word.eq_ignore_ascii_case(constant))
            }
            _ => false,
        };
        self.at = if is_constant { self.at + 1 } else { start };
        is_constant
    }

    /// `{}.name` or `name`.
    fn column(&mut self) -> bool {
        const KEYWORDS: [&str; 12] = [
            "and", "or", "not", "is", "in", "case", "cast", "select", "exists", "array", "row",
            "interval",
        ];
        let start = self.at;
        let of_row = self.tokens.get(self.at) == Some(&Token::Row);
        if of_row {
            self.at += 1;
            if !self.symbol('.') {
                self.at = start;
                return false;
            }
        }
        let is_name = match self.tokens.get(self.at) {
            Some(Token::Word(word)) => {
                of_row
                    || !(KEYWORDS
                        .iter()
                        .any(|other| word.eq_ignore_ascii_case(other))
                        || is_session_value(word))
            }
            Some(Token::Quoted(_)) => true,
            _ => false,
        };
        // Neither a call nor a typed constant such as `date '2022-01-01'` nor `alias.column`.
        let is_alone = !matches!(
            self.tokens.get(self.at + 1),
            Some(Token::Symbol('(' | '.' | ':' | '[') | Token::Text(_))
        );
        if is_name && is_alone {
            self.at += 1;
            return true;
        }
        self.at = start;
        false
    }

    fn word(&mut self, wanted: &str) -> bool {
        let found = matches!(self.tokens.get(self.at),
            Some(Token::Word(word)) if word.eq_ignore_ascii_case(wanted));
        self.at += usize::from(found);
        found
    }

    fn symbol(&mut self, wanted: char) -> bool {
        let found = self.tokens.get(self.at) == Some(&Token::Symbol(wanted));
        self.at += usize::from(found);
        found
    }
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

    #[test]
    fn comparisons_with_constants_and_arithmetic_depend_on_no_setting() {
        for (sql, path) in [
            ("{}.deleted_at IS NULL", false),
            ("NOT hidden", false),
            (
                "{}.hidden IS NOT TRUE AND (archived IS FALSE OR NOT \"Old\")",
                false,
            ),
            ("status = 'published' AND {}.rank >= -5", true),
            ("{}.kind NOT IN ('a', 'b')", true),
            ("'draft' <> status", true),
        ] {
            let reads = SessionReads::of(sql, false);
            assert_eq!((reads.settings, reads.path), (false, path), "{sql}");
        }
        assert!(!SessionReads::of("{}.quantity * ({}.price - 0.5)", true).settings);
    }

    #[test]
    fn everything_else_may_depend_on_settings() {
        for sql in [
            "{}.at >= '2022-01-01'",
            "{}.a < {}.b",
            "{}.a - 1 < {}.b",
            "{}.at::date = day",
            "lower({}.title)",
            "at > 'today'",
            "day = CURRENT_DATE",
            "\"user\".x = 1",
            "user = 'ada'",
            "day = date 'epoch'",
            "{}.a BETWEEN 1 AND 2",
        ] {
            assert!(SessionReads::of(sql, false).settings, "{sql}");
        }
        assert!(SessionReads::of("{}.a + {}.b", false).settings);
        assert!(SessionReads::of("extract(epoch FROM {}.a) + 1", true).settings);
    }

    #[test]
    fn names_of_functions_and_types_are_found() {
        let reads = SessionReads::of("app.slug({}.title)::\"Kind\"", false);
        let names: Vec<&str> = reads.names.iter().map(String::as_str).collect();
        assert_eq!(names, ["Kind", "app", "slug"]);
    }
}
