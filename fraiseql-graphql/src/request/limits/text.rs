//! Tokens and nesting of a document's text, counted before it is parsed.

use async_graphql::ServerError;

use crate::error::error;
use crate::request::limits::document_limits::{DocumentLimits, exceeded};
use crate::request::limits::introspection;
use crate::spec::parse::{Lexeme, Lexemes, Unterminated};

/// The maximum length of a name or a number. No schema has longer names, and for an unknown name
/// async-graphql computes its edit distance to every name of the schema, to suggest one: a schema
/// without [`Prepared`](crate::Prepared) is validated by async-graphql.
const MAX_NAME_BYTES: usize = 256;

/// What was counted in a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TextSize {
    pub(super) tokens: usize,
    pub(super) nesting: usize,
}

impl DocumentLimits {
    /// Counts tokens and nesting, and refuses a text that has too many of them even for
    /// introspection. The limits of other documents are checked with the parsed document.
    pub(crate) fn check_text(&self, text: &str) -> Result<TextSize, ServerError> {
        self.measure(text, self.parsed_tokens(), self.parsed_nesting())
    }

    /// Invariant: this never counts fewer brackets than the parser. A bracket is skipped only
    /// inside a comment or a string that the parser skips as well.
    fn measure(
        &self,
        text: &str,
        max_tokens: usize,
        max_nesting: usize,
    ) -> Result<TextSize, ServerError> {
        let (mut tokens, mut nesting, mut deepest) = (0usize, 0usize, 0usize);
        for lexeme in Lexemes::of(text) {
            let (lexeme, length) = lexeme
                .map_err(|Unterminated| error("a string does not end", "GRAPHQL_PARSE_FAILED"))?;
            match lexeme {
                Lexeme::Space | Lexeme::Ignored => continue,
                Lexeme::Open => {
                    nesting += 1;
                    if nesting > max_nesting {
                        return Err(exceeded(self.max_nesting, "levels of nesting"));
                    }
                    deepest = deepest.max(nesting);
                }
                // Surplus closing brackets are a syntax error, which the parser reports.
                Lexeme::Close => nesting = nesting.saturating_sub(1),
                Lexeme::Word if length > MAX_NAME_BYTES => {
                    let message = format!("a name or number is longer than {MAX_NAME_BYTES} bytes");
                    return Err(error(message, "DOCUMENT_TOO_LARGE"));
                }
                Lexeme::Word | Lexeme::String | Lexeme::Other => {}
            }
            tokens += 1;
            if tokens > max_tokens {
                return Err(exceeded(self.max_tokens, "tokens"));
            }
        }
        Ok(TextSize {
            tokens,
            nesting: deepest,
        })
    }

    /// The number of tokens that a parsed text has at most.
    pub(crate) fn parsed_tokens(&self) -> usize {
        self.max_tokens.max(introspection::MAX_TOKENS)
    }

    /// The depth of brackets that a parsed text has at most.
    pub(crate) fn parsed_nesting(&self) -> usize {
        self.max_nesting.max(introspection::MAX_NESTING)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(limits: DocumentLimits, text: &str) -> Result<(), String> {
        let measured = limits.measure(text, limits.max_tokens, limits.max_nesting);
        measured.map(|_| ()).map_err(|error| error.message)
    }

    #[test]
    fn brackets_in_strings_and_comments_do_not_count() {
        let limits = DocumentLimits::default().nesting(2);
        for text in [
            "{a(b: \"[[[[\")}",
            "{a(b: \"\\\"[[[[\")}",
            "{a(b: \"\\\\\")} {a(b: \"[[\")}",
            "{a(b: \"\"\"[[ \" \"\" \n \\\"\"\" [[[\"\"\")}",
            "# [[[[ \"\n {a}",
            "{a # {{{{\r b}",
            "{a}{a}{a}{a}",
            "}}}}{{a}}",
        ] {
            assert_eq!(check(limits, text), Ok(()), "{text}");
        }
        for text in [
            "{a{b{c}}}",
            "{a(b: [[1]])}",
            "{a(b: \"\" c: [[\"\"]])}",
            "{a(b: \"\\\\\" [[\"]])}",
            "{a # \n{{",
            "{a(b: \"\"\"\"\"\" c: [[1]])}",
        ] {
            assert!(
                check(limits, text).unwrap_err().contains("2 levels"),
                "{text}"
            );
        }
    }

    #[test]
    fn an_unterminated_string_hides_no_brackets() {
        // The parser reads the first text as an empty string followed by another string.
        for text in [
            "{a(b: \"\"\"x\" c: [[[[",
            "{a(b: \"x\n\")}",
            "{a(b: \"\\",
            "\"",
            "\"\"\"\"",
        ] {
            let error = check(DocumentLimits::default(), text).unwrap_err();
            assert!(error.contains("string"), "{text}: {error}");
        }
    }

    #[test]
    fn tokens_are_counted() {
        let limits = DocumentLimits::default().tokens(9);
        // { a ( b : 1 ) ... c }
        assert_eq!(
            check(limits.tokens(10), "{ a(b: 1),,, ...c } # x y z"),
            Ok(())
        );
        let error = check(limits, "{ a(b: 1) ...c }").unwrap_err();
        assert!(error.contains("9 tokens"), "{error}");
    }

    #[test]
    fn a_name_of_a_megabyte_is_refused() {
        let text = format!("{{ {} }}", "a".repeat(1_000_000));
        let error = check(DocumentLimits::default(), &text).unwrap_err();
        assert!(error.contains("256 bytes"), "{error}");
    }
}
