//! The text of the guides: what a code host and rustdoc display.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use fraiseql_guide_tests::sample::Guide;
use fraiseql_guide_tests::{guide, runtime, sources};

/// A link in a text, with its line, counted from 1.
#[derive(Debug)]
enum Link {
    /// `[text](target)`
    Inline(usize, String),
    /// `[text][label]`, or `[label]`
    Reference(usize, String),
}

fn guides() -> Vec<Guide> {
    let files = std::fs::read_dir(runtime().join("docs")).unwrap();
    let mut names: Vec<String> = files
        .filter_map(|file| {
            Some(
                file.unwrap()
                    .file_name()
                    .to_str()?
                    .strip_suffix(".md")?
                    .to_owned(),
            )
        })
        .filter(|name| name != "links")
        .collect();
    names.sort();
    let parse = |name: &String| Guide::parse(name, &guide(&format!("{name}.md")));
    names.iter().map(|name| parse(name).unwrap()).collect()
}

/// The lines that a reader sees as text, with their numbers.
fn prose(guide: &Guide) -> impl Iterator<Item = (usize, &str)> {
    let lines = guide.lines.iter().enumerate();
    lines.filter_map(|(index, line)| {
        let in_block = guide.blocks.iter().any(|block| block.code.contains(&index));
        let in_comment = guide.comments.iter().any(|lines| lines.contains(&index));
        (!in_block && !in_comment).then_some((index + 1, line.as_str()))
    })
}

/// The definitions of references: labels with their targets.
fn definitions(text: &str) -> BTreeMap<String, String> {
    let definition = |line: &str| {
        let (label, target) = line.strip_prefix('[')?.split_once("]: ")?;
        (!target.contains(' ')).then(|| (label.to_owned(), target.to_owned()))
    };
    text.lines().filter_map(definition).collect()
}

/// The links of a text. The guides have no brackets in a link's text, except in code.
fn links<'a>(lines: impl Iterator<Item = (usize, &'a str)>) -> Vec<Link> {
    let mut found = Vec::new();
    let lines: Vec<_> = lines
        .filter(|(_, line)| definitions(line).is_empty())
        .collect();
    // A link may span lines.
    let text: String = lines.iter().flat_map(|(_, line)| [line, "\n"]).collect();
    let number = |rest: &str| {
        let before = &text[..text.len() - rest.len()];
        lines[before.matches('\n').count()].0
    };
    let mut rest = text.as_str();
    while let Some(start) = rest.find(['[', '`']) {
        rest = &rest[start..];
        if rest.starts_with('`') {
            rest = after_code(rest);
            continue;
        }
        let line = number(rest);
        let mut end = &rest[1..];
        while !end.starts_with(']') {
            let step = end.find(['`', ']']).expect("`[` is closed");
            end = &end[step..];
            if end.starts_with('`') {
                end = after_code(end);
            }
        }
        let label = rest[1..rest.len() - end.len()].replace('\n', " ");
        rest = &end[1..];
        if let Some((target, after)) = rest.strip_prefix('(').and_then(|r| r.split_once(')')) {
            found.push(Link::Inline(line, target.to_owned()));
            rest = after;
        } else if let Some((label, after)) = rest.strip_prefix('[').and_then(|r| r.split_once(']'))
        {
            found.push(Link::Reference(line, label.to_owned()));
            rest = after;
        } else {
            found.push(Link::Reference(line, label));
        }
    }
    found
}

/// What follows the code at the beginning of a text.
fn after_code(text: &str) -> &str {
    let inside = text.trim_start_matches('`');
    let fence = &text[..text.len() - inside.len()];
    let (_, after) = inside.split_once(fence).expect("code is closed");
    after
}

/// The labels that a guide uses.
fn labels(guide: &Guide) -> BTreeSet<String> {
    let used = links(prose(guide))
        .into_iter()
        .filter_map(|link| match link {
            Link::Reference(_, label) => Some(label),
            Link::Inline(..) => None,
        });
    used.collect()
}

/// The anchors of the headings of a text, on a code host as in rustdoc.
fn anchors(guide: &Guide) -> BTreeSet<String> {
    let anchor = |text: &str| {
        let kept = |c: &char| c.is_alphanumeric() || matches!(c, '-' | '_' | ' ');
        let text: String = text.chars().filter(kept).collect();
        text.trim().to_lowercase().replace(' ', "-")
    };
    guide
        .headings
        .iter()
        .map(|heading| anchor(&heading.text))
        .collect()
}

/// Whether a target relative to a directory exists, and has the anchor.
fn exists(base: &Path, target: &str) -> bool {
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = base.join(file);
    let has_anchor = || {
        let text = std::fs::read_to_string(&path).unwrap();
        anchors(&Guide::parse(file, &text).unwrap()).contains(anchor)
    };
    path.exists() && (anchor.is_empty() || has_anchor())
}

#[test]
fn every_guide_is_in_rustdoc() {
    let source = std::fs::read_to_string(runtime().join("src/guide.rs")).unwrap();
    let listed = |line: &str| Some(line.strip_prefix("guide!(")?.strip_suffix(");")?.to_owned());
    let listed: BTreeSet<String> = source.lines().filter_map(listed).collect();
    let guides: BTreeSet<String> = guides().into_iter().map(|guide| guide.name).collect();
    assert_eq!(listed, guides);
    for name in guides {
        assert!(
            source.contains(&format!("//! | [`{name}`] |")),
            "{name} is not in the table"
        );
    }
}

#[test]
fn every_code_block_has_a_language_and_no_hidden_lines() {
    for guide in guides() {
        for block in &guide.blocks {
            let line = block.code.start;
            assert!(!block.language().is_empty(), "{}.md:{line}", guide.name);
            for index in block.code.clone().filter(|_| block.language() == "rust") {
                let text = guide.lines[index].trim_start();
                let is_hidden = text == "#" || text.starts_with("# ") || text.starts_with("##");
                assert!(!is_hidden, "{}.md:{}: {text}", guide.name, index + 1);
            }
        }
        assert!(guide.samples().count() > 0, "{}", guide.name);
    }
}

#[test]
fn headings_have_the_same_anchors_on_a_code_host_and_in_rustdoc() {
    // Ids that rustdoc uses itself, and that a heading might have.
    const TAKEN: [&str; 15] = [
        "aliases",
        "constants",
        "enums",
        "fields",
        "functions",
        "help",
        "implementations",
        "macros",
        "methods",
        "modules",
        "search",
        "settings",
        "structs",
        "traits",
        "variants",
    ];
    for guide in guides() {
        let anchors = anchors(&guide);
        assert_eq!(
            anchors.len(),
            guide.headings.len(),
            "{}: two are the same",
            guide.name
        );
        for taken in TAKEN {
            assert!(!anchors.contains(taken), "{}: {taken}", guide.name);
        }
    }
}

#[test]
fn links_lead_somewhere_on_a_code_host() {
    let docs = runtime().join("docs");
    for guide in guides() {
        let defined = definitions(&guide.lines.join("\n"));
        for (label, target) in &defined {
            assert!(
                exists(&docs, target),
                "{}.md: [{label}]: {target}",
                guide.name
            );
        }
        for link in links(prose(&guide)) {
            match link {
                Link::Inline(line, target) if target.starts_with('#') => {
                    let is_known = anchors(&guide).contains(&target[1..]);
                    assert!(is_known, "{}.md:{line}: {target}", guide.name);
                }
                // A relative target would be wrong in rustdoc.
                Link::Inline(line, target) => {
                    assert!(
                        target.starts_with("https://"),
                        "{}.md:{line}: {target}",
                        guide.name
                    );
                }
                Link::Reference(line, label) => {
                    let is_defined = defined.contains_key(&label);
                    assert!(
                        is_defined,
                        "{}.md:{line}: [{label}] is not defined",
                        guide.name
                    );
                }
            }
        }
    }
    let root = runtime().join("..");
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let readme = Guide::parse("README", &readme).unwrap();
    for link in links(prose(&readme)) {
        if let Link::Inline(line, target) = link
            && !target.contains("://")
        {
            let target = if target.starts_with('#') {
                format!("README.md{target}")
            } else {
                target
            };
            assert!(exists(&root, &target), "README.md:{line}: {target}");
        }
    }
}

/// `UPDATE_LINKS=1 cargo test -p fraiseql-guide-tests links` writes the definitions that this test
/// asks for, for instance after a source file has moved.
#[test]
fn links_have_definitions_for_a_code_host_and_for_rustdoc() {
    let rustdoc = definitions(&guide("links.md"));
    let sources: Vec<(String, String)> = sources(&runtime().join("src"))
        .into_iter()
        .map(|(path, text)| {
            (
                path.strip_prefix(runtime()).unwrap().display().to_string(),
                text,
            )
        })
        .collect();
    let mut unused: BTreeSet<&String> = rustdoc.keys().collect();
    for guide in guides() {
        let mut expected = String::new();
        for label in labels(&guide) {
            let item = rustdoc
                .get(&label)
                .map(|path| path.rsplit('@').next().unwrap());
            let item = item.unwrap_or_else(|| panic!("[{label}] is not defined in links.md"));
            unused.remove(&label);
            let target = match item.strip_prefix("crate::guide::") {
                Some(guide) => match guide.split_once('#') {
                    Some((name, anchor)) => format!("{name}.md#{anchor}"),
                    None => format!("{guide}.md"),
                },
                None => format!("../{}", defining_file(item, &sources)),
            };
            expected += &format!("[{label}]: {target}\n");
        }
        let is_definition = |line: &&String| definitions(line).is_empty();
        let text: Vec<&str> = guide
            .lines
            .iter()
            .filter(is_definition)
            .map(|line| &**line)
            .collect();
        let mut wanted = format!("{}\n", text.join("\n").trim_end());
        if !expected.is_empty() {
            wanted += &format!("\n{expected}");
        }
        if std::env::var_os("UPDATE_LINKS").is_some() {
            std::fs::write(
                runtime().join("docs").join(format!("{}.md", guide.name)),
                wanted,
            )
            .unwrap();
        } else {
            let is_equal = wanted.lines().eq(&guide.lines);
            assert!(
                is_equal,
                "{}.md should end with this, which UPDATE_LINKS=1 writes:\n{expected}",
                guide.name
            );
        }
    }
    assert!(unused.is_empty(), "{unused:?} in links.md are not used");
}

/// The source that defines an item, by its path in the crate.
fn defining_file<'a>(item: &str, sources: &'a [(String, String)]) -> &'a str {
    let mut names = item.rsplit("::");
    let (name, owner) = (names.next().unwrap(), names.next().unwrap());
    let is_type = |name: &str| name.starts_with(char::is_uppercase);
    let declares = |text: &str, kinds: &[&str], name: &str| {
        text.lines().any(|line| {
            let line = line.trim_start();
            let line = line
                .strip_prefix("pub ")
                .unwrap_or(line)
                .trim_start_matches("async ");
            let rest = kinds.iter().find_map(|kind| line.strip_prefix(kind));
            let rest = rest.and_then(|rest| rest.strip_prefix(' ')?.strip_prefix(name));
            rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
        })
    };
    let types = ["struct", "enum", "trait"];
    let has_impl = |text: &str| {
        let of_owner = |line: &str| {
            line.starts_with("impl")
                && line
                    .split(|c: char| !c.is_alphanumeric())
                    .any(|w| w == owner)
        };
        text.lines().any(of_owner) || declares(text, &["trait"], owner)
    };
    let has_function = |text: &str| {
        let starts = ["pub fn", "pub async fn"].map(|start| format!("{start} {name}"));
        text.lines()
            .any(|line| starts.iter().any(|start| line.starts_with(start)))
    };
    // `crate::list` is the module of `src/read/list/mod.rs`, exported at the root.
    let is_module = |path: &str| {
        path.ends_with(&format!("/{name}.rs")) || path.ends_with(&format!("/{name}/mod.rs"))
    };
    let matches = |(path, text): &&(String, String)| {
        if is_type(owner) {
            has_impl(text) && declares(text, &["fn", "const fn"], name)
        } else if is_type(name) {
            declares(text, &types, name)
        } else {
            let is_there = owner == "crate" || path.contains(owner);
            is_module(path) || is_there && has_function(text)
        }
    };
    let found = sources.iter().find(matches);
    // A variant or a field: where its type is.
    let found = found.or_else(|| {
        sources
            .iter()
            .find(|(_, text)| declares(text, &types, owner))
    });
    found.map_or_else(|| panic!("no source defines {item}"), |(path, _)| path)
}

#[test]
fn a_generated_test_has_the_line_of_its_sample() {
    let text = "\
# Title

<!-- sample
tables:
    CREATE TABLE a ();
before:
    first();
-->
```rust
second();
```
<!-- sample
after:
    third();
-->

## `Crate`

```rust
alone();
```
";
    let tests = Guide::parse("example", text).unwrap().tests().unwrap();
    let line = |number: usize| tests.lines().nth(number - 1).unwrap();
    assert!(line(3).contains("#[test] fn title()"));
    assert_eq!(line(5), "    CREATE TABLE a ();");
    assert_eq!(line(7), "    first();");
    assert_eq!(line(10), "second();");
    assert_eq!(line(14), "    third();");
    assert!(line(19).contains("#[test] fn crate_()"));
    assert_eq!(line(20), "alone();");
}

#[test]
fn a_comment_without_a_block_is_an_error() {
    for text in [
        "<!-- sample\nbefore:\n    first();\n-->\ntext\n",
        "<!-- sample\nbefore:\n    first();\n-->\n",
        "text\n<!-- sample\nafter:\n    last();\n-->\n",
        "<!-- sample\nbefor:\n    first();\n-->\n```rust\n```\n",
        "<!-- sample\nbefore:\n    first();\n```rust\n```\n",
    ] {
        assert!(Guide::parse("example", text).is_err(), "{text}");
    }
}
