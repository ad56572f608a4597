//! Figures of a checkout.

mod comments;
mod doc_examples;
mod exports;
mod lines;
mod test_functions;

use anyhow::{Context as _, Result};

use crate::checkout::Checkout;
use crate::graph;
use crate::imports::{self, Arrow};
use crate::modules::ModuleTree;
use crate::rooms;

pub use comments::Comments;
pub use exports::Exports;
pub use lines::{LONG, Lines, LongFile};

/// The crate whose root is counted.
const RUNTIME: &str = "fraiseql-runtime";

/// A published crate, read.
#[derive(Debug)]
pub struct CrateStructure {
    /// The package's name.
    pub package: &'static str,
    /// Its modules.
    pub tree: ModuleTree,
    /// Imports between its files.
    pub arrows: Vec<Arrow>,
}

impl CrateStructure {
    /// Reads one package.
    ///
    /// # Errors
    /// If its files cannot be read as a crate.
    pub fn read(checkout: &Checkout, package: &'static str) -> Result<Self> {
        let sources = checkout.sources(package)?;
        let tree = ModuleTree::read(&sources).with_context(|| format!("in {package}/src"))?;
        let arrows = imports::arrows(&tree);
        Ok(Self {
            package,
            tree,
            arrows,
        })
    }

    /// Reads the published packages that the checkout has.
    ///
    /// # Errors
    /// If files cannot be read as a crate.
    pub fn read_published(checkout: &Checkout) -> Result<Vec<Self>> {
        checkout
            .published()
            .map(|package| Self::read(checkout, package))
            .collect()
    }
}

/// Figures of one crate.
#[derive(Debug)]
pub struct CrateFigures {
    /// The package's name.
    pub package: &'static str,
    /// Sizes of its circles, largest first.
    pub circles: Vec<usize>,
    /// Pairs of rooms of which one imports the other.
    pub room_arrows: usize,
    /// Arrows against the direction in [`rooms`], and rooms that have no line there; `None`
    /// without a table.
    pub against: Option<(usize, usize)>,
    /// Files below `src`.
    pub lines: Lines,
}

/// Figures of a checkout.
#[derive(Debug)]
pub struct Figures {
    /// Those of published crates.
    pub crates: Vec<CrateFigures>,
    /// Files below `src` of the published crates.
    pub published: Lines,
    /// All Rust files.
    pub all: Lines,
    /// Modules with a file of their own that the runtime's root declares.
    pub top_level: Option<usize>,
    /// What the runtime's root exports.
    pub exports: Option<Exports>,
    /// Comments of the published crates.
    pub comments: Comments,
    /// Lines of README.md.
    pub readme_lines: Option<usize>,
    /// Functions with an attribute whose name ends with `test`.
    pub test_functions: usize,
    /// Programs that the compiler has to reject.
    pub compile_fail_cases: usize,
    /// Code blocks of documentation that rustdoc compiles.
    pub doc_examples: usize,
    /// Integration tests of packages, each a program of its own.
    pub test_binaries: usize,
}

impl Figures {
    /// Measures a checkout.
    ///
    /// # Errors
    /// If a file cannot be read, or a published crate cannot be parsed.
    pub fn measure(checkout: &Checkout) -> Result<Self> {
        let structures = CrateStructure::read_published(checkout)?;
        let crates: Vec<CrateFigures> = structures
            .iter()
            .map(|structure| measure_crate(checkout, structure))
            .collect::<Result<_>>()?;
        let root = format!("{RUNTIME}/src/lib.rs");
        let exports = if checkout.contains(&root) {
            let is_folder = |name: &str| {
                let end = format!("/{name}/mod.rs");
                let sources = format!("{RUNTIME}/src/");
                checkout
                    .files()
                    .iter()
                    .any(|file| file.starts_with(&sources) && file.ends_with(&end))
            };
            let text = checkout.read(&root)?;
            Some(exports::count(&text, is_folder).with_context(|| root.clone())?)
        } else {
            None
        };
        let readme_lines = if checkout.contains("README.md") {
            Some(checkout.read("README.md")?.lines().count())
        } else {
            None
        };
        let runtime = structures.iter().find(|s| s.package == RUNTIME);
        Ok(Self {
            published: Lines::measure(checkout, is_published_source)?,
            all: Lines::measure(checkout, |_| true)?,
            top_level: runtime.map(|runtime| runtime.tree.top_level().len()),
            exports,
            comments: comments::measure(checkout, is_published_source)?,
            readme_lines,
            test_functions: test_functions::count(checkout)?,
            compile_fail_cases: compile_fail_cases(checkout),
            doc_examples: doc_examples::count(checkout)?,
            test_binaries: test_binaries(checkout)?,
            crates,
        })
    }
}

fn measure_crate(checkout: &Checkout, structure: &CrateStructure) -> Result<CrateFigures> {
    let CrateStructure {
        package,
        tree,
        arrows,
    } = structure;
    let prefix = format!("{package}/src/");
    Ok(CrateFigures {
        package,
        circles: graph::circles(arrows).iter().map(Vec::len).collect(),
        room_arrows: graph::room_arrows(arrows).len(),
        against: rooms::direction(package).map(|direction| {
            (
                direction.offending(arrows).len(),
                direction.unplaced(tree.files()).len(),
            )
        }),
        lines: Lines::measure(checkout, |file| file.starts_with(&prefix))?,
    })
}

fn is_published_source(file: &str) -> bool {
    crate::checkout::PUBLISHED.into_iter().any(|package| {
        file.strip_prefix(package)
            .is_some_and(|rest| rest.starts_with("/src/"))
    })
}

/// A Rust file with the compiler's message beside it.
fn compile_fail_cases(checkout: &Checkout) -> usize {
    checkout
        .with_extension("stderr")
        .filter_map(|file| file.strip_suffix(".stderr"))
        .filter(|stem| checkout.contains(&format!("{stem}.rs")))
        .count()
}

/// `tests/*.rs` and `tests/*/main.rs` of packages.
fn test_binaries(checkout: &Checkout) -> Result<usize> {
    let packages = checkout.packages()?;
    let is_binary = |file: &&str| {
        packages.iter().any(|package| {
            let inner = file
                .strip_prefix(package)
                .and_then(|rest| rest.strip_prefix("/tests/"));
            inner.is_some_and(|inner| match inner.split_once('/') {
                None => true,
                Some((_, rest)) => rest == "main.rs",
            })
        })
    };
    Ok(checkout.with_extension("rs").filter(is_binary).count())
}
