//! Parsing by the grammar of the specification.
//!
//! The parser of async-graphql is not used: it refuses comments and commas in some places, and reads
//! `queryy { .. }` as a query, `{a: 1, a: 2}` as `{a: 2}`. apollo-compiler's parser follows the
//! grammar. Its tree is validated by [`validation`](super::validation), and converted to the one
//! that async-graphql executes, with the positions of the text.

mod convert;
mod lexical;
mod position;

use apollo_compiler::ast;
use apollo_compiler::diagnostic::ToCliReport as _;
use apollo_compiler::parser::Parser;
use apollo_compiler::validation::DiagnosticList;
use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{ServerError, ServerResult};

use crate::error::{clip, error};
use convert::Converter;
use lexical::without_ignored;
pub(crate) use lexical::{Lexeme, Lexemes, Unterminated};
pub(crate) use position::Positions;

/// The name of a query's text in apollo-compiler.
const FILE: &str = "query";

/// A parsed text.
pub(crate) struct Parsed {
    /// For the validation.
    pub(crate) tree: ast::Document,
    /// For the execution.
    pub(crate) document: ExecutableDocument,
}

/// Parses a text. Its tokens and nesting have been limited to these maximums.
pub(crate) fn parse(text: &str, max_tokens: usize, max_nesting: usize) -> ServerResult<Parsed> {
    let spaced = spaced(text)?;
    let count = tokens(&spaced).count();
    let tree = parse_spaced(text, spaced, max_tokens, max_nesting)?;
    let (document, converted) = Converter::new(text).document(&tree)?;
    // The parser leaves out what it does not understand, in a few places without an error:
    // `a(b c: 1)` is `a(c: 1)` for it.
    if converted != count {
        return Err(left_out(text, &tree));
    }
    Ok(Parsed { tree, document })
}

/// Parses a text for the validation only.
pub(crate) fn parse_tree(
    text: &str,
    max_tokens: usize,
    max_nesting: usize,
) -> ServerResult<ast::Document> {
    parse_spaced(text, spaced(text)?, max_tokens, max_nesting)
}

fn spaced(text: &str) -> ServerResult<String> {
    let spaced = without_ignored(text);
    spaced.map_err(|Unterminated| error("a string does not end", "GRAPHQL_PARSE_FAILED"))
}

fn parse_spaced(
    text: &str,
    spaced: String,
    max_tokens: usize,
    max_nesting: usize,
) -> ServerResult<ast::Document> {
    // More than the text has, so that the parser never is the one to report it: white space is a
    // token for it, before each other one and at the end, and so is the end.
    let mut parser = Parser::new()
        .recursion_limit(max_nesting.saturating_add(1))
        .token_limit(max_tokens.saturating_mul(2).saturating_add(2));
    parser
        .parse_ast(spaced, FILE)
        .map_err(|failed| syntax_error(text, &failed.errors))
}

/// The error of a text of which the parser has left out something: at the first token that the tree
/// does not have.
fn left_out(text: &str, tree: &ast::Document) -> ServerError {
    let printed = tree.to_string();
    let mut of_tree = tokens(&printed).map(|(_, token)| token).peekable();
    let mut first = text.len();
    for (offset, token) in tokens(text) {
        // It may print `query {` for `{`, and strings in another way.
        if of_tree.peek() == Some(&"query") && token == "{" {
            of_tree.next();
        }
        let is_string = |token: &str| token.starts_with('"');
        match of_tree.next() {
            Some(other) if other == token || is_string(other) && is_string(token) => {}
            _ => {
                first = offset;
                break;
            }
        }
    }
    let message = "syntax error: a value, a name or a type is missing";
    let mut failed = error(message, "GRAPHQL_PARSE_FAILED");
    failed.locations.push(Positions::new(text).at(first));
    failed
}

/// The tokens of a text in which every string ends, with their offsets.
fn tokens(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    Lexemes::of(text).filter_map(move |lexeme| {
        let (lexeme, length) = lexeme.ok()?;
        let from = at;
        at += length;
        let is_token = !matches!(lexeme, Lexeme::Space | Lexeme::Ignored);
        is_token.then(|| (from, &text[from..at]))
    })
}

/// The first error of the parser. What it reports behind that follows from it.
fn syntax_error(text: &str, errors: &DiagnosticList) -> ServerError {
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
            "\"a\" query (\"\"\"b\"\"\" $c: D = \"e\", \"f\" $g: H) {i} \"j\" fragment K on L {m}",
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
            "\"a\" { b }",
            "\"a\" \"b\" query { c }",
            "{ a } \"b\"",
            "query (\"a\" \"b\" $c: D) { e }",
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
            "{ a(b c: 1) }",
            "{ a(b: {c}) }",
            "{ a(b: {c d: 1}) }",
            "{ a @b(c d: 1) }",
            "{ ... on { a } }",
            "{ a } { b }",
            "{ a } query A { b }",
            "query A { a } query A { b }",
            "{ ...F } fragment F on T { a } fragment F on T { b }",
        ] {
            assert!(parsed(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_the_parser_leaves_out_is_an_error_where_it_is() {
        for (text, column) in [
            ("{ a(b c: 1) }", 5),
            ("{ x(y: \"\\u0041\", z: {c}) }", 22),
            ("query Q { a @b(c) }", 15),
        ] {
            let error = parsed(text).unwrap_err();
            assert!(
                error.starts_with(&format!("[Pos(1:{column})]")),
                "{text}: {error}"
            );
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
