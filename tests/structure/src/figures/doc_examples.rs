//! Estimate of the examples in documentation that rustdoc compiles.
//!
//! Fenced blocks in doc comments of libraries, and in the Markdown files that they include.
//! Features that hide documentation are not considered.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::checkout::Checkout;

/// Counts in all packages that have a library.
pub(super) fn count(checkout: &Checkout) -> Result<usize> {
    let mut examples = 0;
    let mut included = BTreeSet::new();
    for package in checkout.packages()? {
        if !checkout.contains(&format!("{package}/src/lib.rs")) {
            continue;
        }
        let prefix = format!("{package}/src/");
        for file in checkout.with_extension("rs") {
            let Some(inner) = file.strip_prefix(&prefix) else {
                continue;
            };
            if inner == "main.rs" || inner.starts_with("bin/") {
                continue;
            }
            let tokens: TokenStream = checkout
                .read(file)?
                .parse()
                .map_err(|error| anyhow::anyhow!("{file}: {error}"))?;
            let mut docs = Docs::default();
            docs.read(tokens);
            examples += docs
                .texts
                .iter()
                .map(|text| runnable_fences(text))
                .sum::<usize>();
            included.extend(docs.included.iter().filter_map(|path| relative(file, path)));
        }
    }
    for file in included.iter().filter(|file| checkout.contains(file)) {
        examples += runnable_fences(&checkout.read(file).with_context(|| file.clone())?);
    }
    Ok(examples)
}

/// Documentation in a file.
#[derive(Default)]
struct Docs {
    /// One text for each item.
    texts: Vec<String>,
    /// Arguments of `include_str!`.
    included: Vec<String>,
}

impl Docs {
    /// Doc comments are `#[doc = ".."]` to a parser; those of an item are consecutive.
    fn read(&mut self, tokens: TokenStream) {
        let mut text = String::new();
        for token in tokens {
            match token {
                TokenTree::Punct(punct) if matches!(punct.as_char(), '#' | '!') => continue,
                TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => {
                    if let Some(line) = doc_line(group.stream()) {
                        text.push_str(&line);
                        text.push('\n');
                        continue;
                    }
                    self.find_includes(group.stream());
                    self.read(group.stream());
                }
                TokenTree::Group(group) => self.read(group.stream()),
                _ => {}
            }
            if !text.is_empty() {
                self.texts.push(std::mem::take(&mut text));
            }
        }
        self.texts.push(text);
    }

    fn find_includes(&mut self, attribute: TokenStream) {
        let mut in_include = false;
        for token in attribute {
            match token {
                TokenTree::Ident(ident) => in_include = ident == "include_str",
                TokenTree::Group(group) if in_include => {
                    self.included
                        .extend(group.stream().into_iter().find_map(string));
                }
                TokenTree::Group(group) => self.find_includes(group.stream()),
                _ => {}
            }
        }
    }
}

/// The text in `doc = "text"`.
fn doc_line(attribute: TokenStream) -> Option<String> {
    let mut tokens = attribute.into_iter();
    match tokens.next()? {
        TokenTree::Ident(ident) if ident == "doc" => {}
        _ => return None,
    }
    tokens.nth(1).and_then(string)
}

fn string(token: TokenTree) -> Option<String> {
    match token {
        TokenTree::Literal(literal) => match syn::Lit::new(literal) {
            syn::Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

/// A path beside a file, without `..`.
fn relative(file: &str, path: &str) -> Option<String> {
    let mut segments: Vec<&str> = file.split('/').collect();
    segments.pop();
    for segment in path.split('/') {
        if segment == ".." {
            segments.pop()?;
        } else {
            segments.push(segment);
        }
    }
    Some(segments.join("/"))
}

fn runnable_fences(markdown: &str) -> usize {
    let mut count = 0;
    let mut open: Option<usize> = None;
    for line in markdown.lines() {
        let line = line.trim();
        let ticks = line.len() - line.trim_start_matches('`').len();
        match open {
            None if ticks >= 3 => {
                open = Some(ticks);
                count += usize::from(is_runnable(&line[ticks..]));
            }
            Some(opening) if ticks >= opening && line.len() == ticks => open = None,
            _ => {}
        }
    }
    count
}

/// Whether rustdoc compiles a fence with these words as Rust.
fn is_runnable(info: &str) -> bool {
    info.split([',', ' ', '\t'])
        .filter(|word| !word.is_empty())
        .all(|word| {
            matches!(
                word,
                "rust" | "no_run" | "should_panic" | "compile_fail" | "standalone_crate"
            ) || word.starts_with("edition20")
                || is_error_code(word)
        })
}

fn is_error_code(word: &str) -> bool {
    word.strip_prefix('E')
        .is_some_and(|digits| digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fences_of_rust_run() {
        let runs = |text: &str| runnable_fences(text);
        assert_eq!(runs("```\nlet a = 1;\n```\n"), 1);
        assert_eq!(runs("```rust,no_run\n```\n```sql\n```\n```ignore\n```"), 1);
        assert_eq!(
            runs("````text\n```\n```\n````\n```compile_fail,E0277\n```"),
            1
        );
    }

    #[test]
    fn comments_of_one_item_are_one_text() {
        let text = "/// ```\n/// a();\n/// ```\nfn a() {}\nmod b {\n//! ```\n//! ```\n}";
        let mut docs = Docs::default();
        docs.read(text.parse().expect("they are tokens"));
        let counts = docs.texts.iter().map(|text| runnable_fences(text));
        assert_eq!(counts.sum::<usize>(), 2);
    }

    #[test]
    fn included_files_are_beside_the_file() {
        let mut docs = Docs::default();
        let text = "#[cfg_attr(feature = \"a\", doc = include_str!(\"../docs/a.md\"))] mod a {}";
        docs.read(text.parse().expect("they are tokens"));
        assert_eq!(docs.included, ["../docs/a.md"]);
        let path = relative("a/src/b.rs", "../docs/a.md");
        assert_eq!(path.as_deref(), Some("a/docs/a.md"));
    }
}
