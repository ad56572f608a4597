//! Parsing by the grammar of the specification.
//!
//! The parser of async-graphql is not used: it refuses comments and commas in some places, and reads
//! `queryy { .. }` as a query, `{a: 1, a: 2}` as `{a: 2}`. apollo-compiler's parser follows the
//! grammar. Its tree is validated by [`validation`](super::validation), and converted to the one
//! that async-graphql executes, with the positions of the text.

mod convert;
mod position;

use apollo_compiler::ast;
use apollo_compiler::diagnostic::ToCliReport as _;
use apollo_compiler::parser::Parser;
use apollo_compiler::validation::DiagnosticList;
use async_graphql::ServerResult;
use async_graphql::parser::types::ExecutableDocument;

use crate::error::{clip, error};
use convert::Converter;
pub(crate) use position::Positions;

/// The name of a query's text in apollo-compiler.
const FILE: &str = "query";

/// How many tokens of the parser a text may have for each one that counts for the limits. The parser
/// also counts white space, commas and comments.
const TOKENS_WITH_SPACE: usize = 8;

/// A parsed text.
pub(crate) struct Parsed {
    /// For the validation.
    pub(crate) tree: ast::Document,
    /// For the execution.
    pub(crate) document: ExecutableDocument,
}

/// Parses a text. Its tokens and nesting have been limited to these maximums.
pub(crate) fn parse(text: &str, max_tokens: usize, max_nesting: usize) -> ServerResult<Parsed> {
    let tree = parse_tree(text, max_tokens, max_nesting)?;
    let document = Converter::new(text).document(&tree)?;
    Ok(Parsed { tree, document })
}

/// Parses a text for the validation only.
pub(crate) fn parse_tree(
    text: &str,
    max_tokens: usize,
    max_nesting: usize,
) -> ServerResult<ast::Document> {
    let mut parser = Parser::new()
        // One more than in the text, so that the parser never is the one to report it.
        .recursion_limit(max_nesting.saturating_add(1))
        .token_limit(max_tokens.saturating_mul(TOKENS_WITH_SPACE));
    parser
        .parse_ast(text, FILE)
        .map_err(|failed| syntax_error(text, &failed.errors))
}

/// The first error of the parser. What it reports behind that follows from it.
fn syntax_error(text: &str, errors: &DiagnosticList) -> async_graphql::ServerError {
    let Some(first) = errors.iter().next() else {
        return error("syntax error", "GRAPHQL_PARSE_FAILED");
    };
    // It may quote a string of a megabyte.
    let mut message = first.error.to_string();
    clip(&mut message);
    let mut failed = error(message, "GRAPHQL_PARSE_FAILED");
    let offset = first.error.location().map(|span| span.offset());
    let pos = offset.map(|offset| Positions::new(text).at(offset));
    failed.locations.extend(pos);
    failed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<ExecutableDocument, String> {
        let parsed = parse(text, 1_000, 64);
        parsed
            .map(|parsed| parsed.document)
            .map_err(|error| format!("{:?} {}", error.locations, error.message))
    }

    #[test]
    fn space_commas_comments_and_byte_order_marks_are_allowed_everywhere() {
        for text in [
            "{ posts { ... on # comment \n Post { id } } }",
            "query ($id: ID , ! = , 1 @a) { post ( id , : $ , id ) { id } }",
            "\u{feff},{,a,}\u{feff}",
            "query#\nName#\n{#\na#\n:#\nb#\n}#",
            "{a(b:[,1,,2,]c:{,d:1,,})}",
            "fragment#\nF#\non#\nT#\n@#\na#\n{b}query{...#\nF}",
        ] {
            assert!(parsed(text).is_ok(), "{text}: {:?}", parsed(text));
        }
    }

    #[test]
    fn what_the_grammar_does_not_have_is_refused() {
        for text in [
            "",
            "# nothing",
            "queryy { a }",
            "query { }",
            "query () { a }",
            "{ a() }",
            "{ a(b: 01) }",
            "{ a(b: 1.) }",
            "{ a(b: 1a) }",
            "{ a(b: .5) }",
            "{ a(b: \"\\x\") }",
            "{ a(b: \"\\u{}\") }",
            "{ a(b: \"\\uD800\") }",
            "{ ... on }",
            "fragment on on T { a } { ...on }",
            "query ($a: Int = $b) { a(b: $a) }",
            "type T { a: Int } { a }",
            "{ a(b: {c: 1, c: 2}) }",
            "{ a } { b }",
            "{ a } query A { b }",
            "query A { a } query A { b }",
            "{ ...F } fragment F on T { a } fragment F on T { b }",
        ] {
            assert!(parsed(text).is_err(), "{text}");
        }
    }

    #[test]
    fn positions_are_those_of_the_text() {
        let error = parsed("{ a\r\n  b(c: ?) }").unwrap_err();
        assert!(error.starts_with("[Pos(2:8)]"), "{error}");
        let document = parsed("{ # x\n\r\n  \"😀\"").unwrap_err();
        assert!(document.starts_with("[Pos(3:3)]"), "{document}");
        let text =
            "{\n  # é\n  a: b(c: [\"😀\", $d])\n  ... @e { f }\r  ...G\n}\nfragment G on H { i }";
        let document = parsed(text).unwrap();
        let (_, operation) = document.operations.iter().next().unwrap();
        let items = &operation.node.selection_set.node.items;
        let positions: Vec<_> = items
            .iter()
            .map(|item| (item.pos.line, item.pos.column))
            .collect();
        assert_eq!(positions, [(3, 3), (4, 3), (5, 3)]);
        let async_graphql::parser::types::Selection::Field(field) = &items[0].node else {
            panic!("{items:?}");
        };
        let (name, value) = &field.node.arguments[0];
        assert_eq!((name.pos.line, name.pos.column), (3, 8));
        assert_eq!((value.pos.line, value.pos.column), (3, 11));
        assert_eq!(document.fragments["G"].pos.line, 7);
    }

    #[test]
    fn values_are_those_of_the_text() {
        let text = "{ a(b: [1, -2, 3.5, 1e2, 18446744073709551615, true, null, ENUM, $v, \
                    \"\\u{1F600}\\uD83D\\uDE00\\n\", \"\"\"\n    x\n      y\\\"\"\"\n  \"\"\", {c: {}}]) }";
        let document = parsed(text).unwrap();
        let (_, operation) = document.operations.iter().next().unwrap();
        let item = &operation.node.selection_set.node.items[0].node;
        let async_graphql::parser::types::Selection::Field(field) = item else {
            panic!("{item:?}");
        };
        assert_eq!(
            field.node.arguments[0].1.node.to_string(),
            "[1, -2, 3.5, 100.0, 18446744073709551615, true, null, ENUM, $v, \"😀😀\\n\", \
             \"x\\n  y\\\"\\\"\\\"\", {c: {}}]"
        );
    }
}
