//! Comments inside function bodies.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use anyhow::{Context as _, Result};
use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Block, ImplItemFn, Item, ItemFn, TraitItemFn};

use crate::checkout::Checkout;
use crate::syntax;

/// Lines that are only a comment, in function bodies, and lines of code. Code for tests only counts
/// as neither.
#[derive(Clone, Copy, Debug, Default)]
pub struct Comments {
    /// Lines of comments in function bodies.
    pub comments: usize,
    /// Lines of code, in function bodies or not.
    pub code: usize,
}

impl Comments {
    /// Comment lines per hundred lines of code.
    #[must_use]
    pub fn percent(self) -> f64 {
        if self.code == 0 {
            return 0.0;
        }
        100.0 * self.comments as f64 / self.code as f64
    }
}

/// Counts in the Rust files that `is_member` picks.
pub(super) fn measure(checkout: &Checkout, is_member: impl Fn(&str) -> bool) -> Result<Comments> {
    let mut total = Comments::default();
    for file in checkout.with_extension("rs").filter(|file| is_member(file)) {
        let counted = count(&checkout.read(file)?).with_context(|| file.to_owned())?;
        total.comments += counted.comments;
        total.code += counted.code;
    }
    Ok(total)
}

fn count(text: &str) -> Result<Comments> {
    let mut regions = Regions::default();
    regions.visit_file(&syn::parse_file(text)?);
    let mut literals = BTreeSet::new();
    let tokens: TokenStream = text
        .parse()
        .map_err(|error| anyhow::anyhow!("no tokens: {error}"))?;
    literal_lines(tokens, &mut literals);
    let mut counted = Comments::default();
    for (at, line) in (1..).zip(text.lines()) {
        let line = line.trim_start();
        let is_comment = line.starts_with("//") && !literals.contains(&at);
        if line.is_empty() || regions.tests.contains(&at) {
            continue;
        }
        if !is_comment {
            counted.code += 1;
        } else if regions.bodies.contains(&at) && !is_doc(line) {
            counted.comments += 1;
        }
    }
    Ok(counted)
}

fn is_doc(comment: &str) -> bool {
    comment.starts_with("///") || comment.starts_with("//!")
}

/// Lines that begin inside a literal: what looks like a comment there is not one.
fn literal_lines(tokens: TokenStream, lines: &mut BTreeSet<usize>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => literal_lines(group.stream(), lines),
            TokenTree::Literal(literal) => {
                let span = literal.span();
                lines.extend(span.start().line + 1..=span.end().line);
            }
            _ => {}
        }
    }
}

/// Line numbers inside function bodies, and of items for tests only.
#[derive(Default)]
struct Regions {
    bodies: BTreeSet<usize>,
    tests: BTreeSet<usize>,
}

impl Regions {
    fn add_body(&mut self, body: &Block) {
        self.bodies.extend(line_range(body));
    }
}

impl<'ast> Visit<'ast> for Regions {
    fn visit_item(&mut self, item: &'ast Item) {
        if syntax::is_test_only(syntax::attributes(item)) {
            self.tests.extend(line_range(item));
        } else {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.add_body(&function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        self.add_body(&function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast TraitItemFn) {
        if let Some(body) = &function.default {
            self.add_body(body);
        }
        visit::visit_trait_item_fn(self, function);
    }
}

fn line_range(node: &impl Spanned) -> RangeInclusive<usize> {
    let span = node.span();
    span.start().line..=span.end().line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_comments_in_bodies_count() {
        let counted = count(
            "//! Module.\n\
             // Head.\n\
             /// Doc.\n\
             fn a() {\n\
                 // One.\n\
                 let a = \"\n\
                 // text\";\n\
             }\n\
             \n\
             #[cfg(test)]\n\
             mod tests {\n\
                 fn b() {\n\
                     // Two.\n\
                 }\n\
             }\n",
        );
        let counted = counted.expect("it is Rust");
        assert_eq!((counted.comments, counted.code), (1, 4));
    }
}
