//! Functions that the test harness runs.

use anyhow::Result;
use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::checkout::Checkout;

/// Counts attributes whose name ends with `test`, in all Rust files. A test that a macro
/// writes counts once, however often the macro is used.
pub(super) fn count(checkout: &Checkout) -> Result<usize> {
    let mut total = 0;
    for file in checkout.with_extension("rs") {
        let tokens: TokenStream = checkout
            .read(file)?
            .parse()
            .map_err(|error| anyhow::anyhow!("{file}: {error}"))?;
        total += count_in(tokens);
    }
    Ok(total)
}

fn count_in(tokens: TokenStream) -> usize {
    let mut count = 0;
    let mut after_hash = false;
    for token in tokens {
        let is_hash = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '#');
        if let TokenTree::Group(group) = token {
            let is_attribute = after_hash && group.delimiter() == Delimiter::Bracket;
            count += if is_attribute {
                usize::from(is_test(group.stream()))
            } else {
                count_in(group.stream())
            };
        }
        after_hash = is_hash;
    }
    count
}

/// Whether an attribute is a path that ends with `test`, with arguments or without.
fn is_test(attribute: TokenStream) -> bool {
    let mut last = None;
    for token in attribute {
        match token {
            TokenTree::Ident(ident) => last = Some(ident.to_string()),
            TokenTree::Punct(punct) if punct.as_char() == ':' => {}
            TokenTree::Group(_) => break,
            _ => return false,
        }
    }
    last.is_some_and(|name| name.ends_with("test"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_of_tests_count() {
        let text = "#[test] fn a() {} #[tokio::test(flavor = \"x\")] async fn b() {}\n\
                    #[cfg(test)] mod c { #[my_test] fn d() {} }\n\
                    macro_rules! e { () => { #[test] fn $f() {} } }\n\
                    #[doc = \"test\"] fn g() {}";
        assert_eq!(count_in(text.parse().expect("they are tokens")), 4);
    }
}
