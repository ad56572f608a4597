//! Tests that the guides of `fraiseql-runtime` describe the derives as they are.
//!
//! The guides are files of the workspace. In the published package, which does not contain them,
//! these tests print a note and pass.

use std::path::Path;

use syn::{DeriveInput, Item};

use crate::attr::Receiver;
use crate::attr::{
    EnumAttr, FieldAttr, IndexAttr, ManyAttr, NewtypeAttr, OneAttr, PartAttr, PartitionAttr,
    UnionAttr, VariantAttr, ViewAttr,
};
use crate::model::DeriveKind;
use crate::{check, emit};

/// The text of a guide. `None` outside of the workspace.
fn guide(name: &str) -> Option<String> {
    let runtime = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fraiseql-runtime");
    if !runtime.is_dir() {
        eprintln!("skipped: {name} is not part of this package");
        return None;
    }
    let path = runtime.join("docs").join(name);
    Some(std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{name}: {error}")))
}

/// The code blocks of a guide in this language.
fn blocks<'a>(guide: &'a str, fence: &str) -> Vec<&'a str> {
    guide
        .split("\n```")
        .skip(1)
        .step_by(2)
        .filter_map(|block| block.strip_prefix(fence)?.strip_prefix('\n'))
        .collect()
}

/// The struct of this name in a sample. A sample begins with its structs, up to an empty line.
fn input(sample: &str, name: &str) -> DeriveInput {
    let structs: Vec<&str> = sample.lines().take_while(|line| !line.is_empty()).collect();
    let file = syn::parse_file(&structs.join("\n")).unwrap_or_else(|error| panic!("{error}"));
    let item = file
        .items
        .into_iter()
        .find_map(|item| match item {
            Item::Struct(item) if item.ident == name => Some(item),
            _ => None,
        })
        .unwrap_or_else(|| panic!("no struct {name}"));
    DeriveInput::from(item)
}

/// The output of a derive as the guide shows it: with short paths, and without documentation and
/// attributes.
fn expanded(input: &DeriveInput, kind: DeriveKind) -> String {
    let model = check::check(input, kind).unwrap_or_else(|mistakes| panic!("{}", mistakes.errors));
    let tokens = emit::emit(&model);
    let mut text = format(&tokens.to_string());
    for (long, short) in [
        ("::fraiseql_runtime::__private::std::option::Option::", ""),
        ("::fraiseql_runtime::__private::std::result::", ""),
        ("::fraiseql_runtime::__private::std::sync::", ""),
        ("::fraiseql_runtime::__private::std::", ""),
        // The only path whose beginning is shown.
        (
            "use ::fraiseql_runtime::__private;",
            "use fraiseql_runtime::__private;",
        ),
        ("::fraiseql_runtime::", ""),
    ] {
        text = text.replace(long, short);
    }
    without_noise(&format(&text))
}

fn format(text: &str) -> String {
    let file = syn::parse_file(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    prettyplease::unparse(&file)
}

/// Removes documentation, and attributes of generated code.
fn without_noise(text: &str) -> String {
    // The beginnings and ends of what is removed.
    const NOISE: [(&str, &str); 5] = [
        ("/**", "*/"),
        ("///", ""),
        ("#[allow(", ")]"),
        ("#[doc(hidden)]", ""),
        ("#[automatically_derived]", ""),
    ];
    let mut kept = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let start = line.trim();
        let noise = NOISE.iter().find(|(begin, _)| start.starts_with(begin));
        match noise {
            Some((_, end)) if start.ends_with(end) => {}
            // It goes on for several lines.
            Some((_, end)) => {
                lines.find(|line| line.trim().ends_with(end));
            }
            None => kept.push(line),
        }
    }
    kept.join("\n")
}

/// The lines that are not empty, without indentation.
fn lines(text: &str) -> Vec<&str> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect()
}

#[test]
fn the_guide_expanded_shows_the_output_of_the_derive() {
    let Some(guide) = guide("expanded.md") else {
        return;
    };
    let sample = blocks(&guide, "rust")[0];
    let expanded = expanded(&input(sample, "Post"), DeriveKind::View);
    let shown = blocks(&guide, "text").join("\n");
    assert!(
        lines(&shown) == lines(&expanded),
        "docs/expanded.md should show:\n{expanded}\nbut shows:\n{shown}"
    );
}

#[test]
fn the_reference_has_a_section_for_every_attribute() {
    let Some(guide) = guide("attributes.md") else {
        return;
    };
    let titles: Vec<&str> = guide
        .lines()
        .filter(|line| line.starts_with("##"))
        .collect();
    let has = |key: &str| {
        titles
            .iter()
            .any(|title| title.contains(&format!("`{key}`")))
    };
    let with_a_section = [
        ViewAttr::KEYS,
        PartAttr::KEYS,
        FieldAttr::KEYS,
        IndexAttr::KEYS,
        EnumAttr::KEYS,
        VariantAttr::KEYS,
        NewtypeAttr::KEYS,
        UnionAttr::KEYS,
    ];
    for key in with_a_section.into_iter().flatten() {
        assert!(has(key), "`{key}` has no section in docs/attributes.md");
    }
    // Nested attributes have no section of their own, but are in that of their attribute.
    for key in [OneAttr::KEYS, ManyAttr::KEYS, PartitionAttr::KEYS]
        .into_iter()
        .flatten()
    {
        assert!(
            guide.contains(&format!("`{key}")),
            "`{key}` is not in docs/attributes.md"
        );
    }
}

#[test]
fn the_attribute_reference_shows_an_error_of_the_derive() {
    let input = syn::parse_quote! {
        #[tview(tabel = "posts")]
        struct Post { id: i64 }
    };
    let Err(mistakes) = check::check(&input, DeriveKind::View) else {
        panic!("`tabel` should be refused");
    };
    let Some(guide) = guide("attributes.md") else {
        return;
    };
    assert_eq!(
        blocks(&guide, "text"),
        [format!("error: {}", mistakes.errors)]
    );
}
