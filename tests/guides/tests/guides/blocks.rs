//! Every Rust block of every text is compiled, or is an excerpt of code that is.

use std::path::{Path, PathBuf};

use fraiseql_guide_tests::runtime;

/// Texts with excerpts, and the sources that have them.
const EXCERPTS: [(&str, &[&str]); 3] = [
    (
        "examples/blog/README.md",
        &["examples/blog/src/service/comments.rs"],
    ),
    (
        "examples/helpdesk/README.md",
        &[
            "examples/helpdesk/src/graphql.rs",
            "examples/helpdesk/src/views.rs",
        ],
    ),
    (
        "examples/orders/README.md",
        &["examples/orders/src/commands.rs"],
    ),
];

fn root() -> PathBuf {
    runtime().join("..").canonicalize().unwrap()
}

/// The texts of the repository, by their paths from its root.
fn texts(directory: &Path, texts: &mut Vec<String>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let is_text = path.extension().is_some_and(|extension| extension == "md");
        if path.is_dir() && !name.starts_with('.') && name != "target" && name != "node_modules" {
            self::texts(&path, texts);
        } else if is_text {
            texts.push(path.strip_prefix(root()).unwrap().display().to_string());
        }
    }
}

/// The Rust blocks of a text: what follows the fence, and the code.
fn rust_blocks(text: &str) -> Vec<(&str, String)> {
    let mut blocks = Vec::new();
    let mut lines = text.lines().map(str::trim_start);
    while let Some(line) = lines.next() {
        let Some(info) = line.strip_prefix("```") else {
            continue;
        };
        let code: Vec<&str> = lines
            .by_ref()
            .take_while(|line| !line.starts_with("```"))
            .collect();
        // Without a language, rustdoc takes a block for Rust.
        if info.is_empty() || info.starts_with("rust") {
            blocks.push((info, code.join("\n")));
        }
    }
    blocks
}

/// The code without what rustfmt changes: white space, line ends, commas before a bracket.
fn normalized(code: &str) -> String {
    let lines = code.lines().map(|line| line.split("//").next().unwrap());
    let text: String = lines.flat_map(str::split_whitespace).collect();
    text.replace(",)", ")")
}

#[test]
fn every_rust_block_is_compiled() {
    let compiled = std::fs::read_to_string(runtime().join("../tests/guides/src/lib.rs")).unwrap();
    let mut paths = Vec::new();
    texts(&root(), &mut paths);
    assert!(paths.len() > 20, "{paths:?}");
    for path in paths {
        let text = std::fs::read_to_string(root().join(&path)).unwrap();
        for (info, code) in rust_blocks(&text) {
            let excerpt = EXCERPTS.iter().find(|(text, _)| *text == path);
            if let Some((_, sources)) = excerpt {
                let is_in = |source: &&str| {
                    let source = std::fs::read_to_string(root().join(source)).unwrap();
                    normalized(&source).contains(&normalized(&code))
                };
                assert!(
                    sources.iter().any(is_in),
                    "{path}: in none of {sources:?}:\n{code}"
                );
                continue;
            }
            assert!(!info.contains("ignore"), "{path} has a block with `ignore`");
            // The guides are compiled by the build script; the others are doctests of this package,
            // or of `fraiseql-tests`.
            let is_compiled = path.starts_with("fraiseql-runtime/docs/")
                || path == "README.md"
                || compiled.contains(&format!("include_str!(\"../../../{path}\")"));
            assert!(is_compiled, "{path} has a Rust block that no test compiles");
        }
    }
}
