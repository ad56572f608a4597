//! Paths in token streams: bodies of macros, and arguments of attributes.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

use crate::syntax::plain;

/// Collects all paths of two or more segments, `use` groups expanded.
///
/// Without a parser, types and patterns cannot be distinguished; a sequence `a::b` is a path
/// wherever it appears. What follows generic arguments (`a::<T>::b`) is not.
pub(crate) fn paths(stream: TokenStream, found: &mut Vec<Vec<String>>) {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token {
            TokenTree::Ident(_) if begins_path(&tokens[..at], token) => {
                at = path(&tokens, at, &[], found);
            }
            TokenTree::Group(group) => {
                paths(group.stream(), found);
                at += 1;
            }
            _ => at += 1,
        }
    }
}

/// Reads one path from `tokens[at]` on, and returns the index after it.
fn path(
    tokens: &[TokenTree],
    mut at: usize,
    prefix: &[String],
    found: &mut Vec<Vec<String>>,
) -> usize {
    let mut segments = prefix.to_vec();
    let mut expects_more = false;
    while let Some(TokenTree::Ident(ident)) = tokens.get(at) {
        segments.push(plain(ident));
        at += 1;
        expects_more = is_colons(tokens.get(at..at + 2));
        if !expects_more {
            break;
        }
        at += 2;
    }
    if expects_more
        && let Some(TokenTree::Group(group)) = tokens.get(at)
        && group.delimiter() == Delimiter::Brace
    {
        use_group(group.stream(), &segments, found);
        return at + 1;
    }
    // `a::{self}` is `a`.
    if segments.len() > 1 && segments.last().is_some_and(|last| last == "self") {
        segments.pop();
    }
    if segments.len() > 1 {
        found.push(segments);
    }
    at
}

/// Reads the branches of `{a, b::c}` in a `use`.
fn use_group(stream: TokenStream, prefix: &[String], found: &mut Vec<Vec<String>>) {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    for branch in tokens.split(|token| is_punct(Some(token), ',')) {
        if let Some(TokenTree::Ident(_)) = branch.first() {
            path(branch, 0, prefix, found);
        } else if !branch.is_empty() {
            found.push(prefix.to_vec());
        }
    }
}

/// Whether an identifier after these tokens is the first of a path in this crate.
fn begins_path(before: &[TokenTree], ident: &TokenTree) -> bool {
    let last = before.last();
    let is_crate = matches!(ident, TokenTree::Ident(ident) if ident == "crate");
    let continues = before.len() >= 2 && is_colons(before.get(before.len() - 2..));
    // A method or field, but not the end of a range.
    let is_member = is_punct(last, '.')
        && !before
            .len()
            .checked_sub(2)
            .is_some_and(|at| is_punct(before.get(at), '.'));
    // A variable of `macro_rules` or `quote`, or a lifetime.
    let is_variable =
        (is_punct(last, '$') && !is_crate) || is_punct(last, '#') || is_punct(last, '\'');
    !(continues || is_member || is_variable)
}

fn is_colons(tokens: Option<&[TokenTree]>) -> bool {
    match tokens {
        Some([TokenTree::Punct(first), TokenTree::Punct(second)]) => {
            first.as_char() == ':' && first.spacing() == Spacing::Joint && second.as_char() == ':'
        }
        _ => false,
    }
}

fn is_punct(token: Option<&TokenTree>, char: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == char)
}
