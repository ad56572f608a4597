//! What of the session the value of a fragment may depend on, as far as its text tells.

use std::collections::BTreeSet;

use crate::sql::fragment::{Token, is_session_value, tokens};

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

#[cfg(test)]
mod tests {
    use super::*;

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
