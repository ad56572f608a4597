//! Files and packages of a checkout.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::modules::Sources;

/// The crates that are published, in the order of reports.
pub const PUBLISHED: [&str; 3] = ["fraiseql-derive", "fraiseql-runtime", "fraiseql-graphql"];

/// A directory with a workspace in it.
#[derive(Debug)]
pub struct Checkout {
    root: PathBuf,
    files: Vec<String>,
}

impl Checkout {
    /// Lists the files below `root`, without build output and hidden directories.
    ///
    /// # Errors
    /// If a directory cannot be read.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self> {
        let root = root.into();
        let mut files = Vec::new();
        list(&root, "", &mut files)?;
        files.sort_unstable();
        Ok(Self { root, files })
    }

    /// The checkout that this package was compiled in.
    ///
    /// # Errors
    /// If a directory cannot be read.
    pub fn current() -> Result<Self> {
        Self::open(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
    }

    /// Paths of all files, relative to the root and with `/` between segments.
    #[must_use]
    pub fn files(&self) -> &[String] {
        &self.files
    }

    /// Paths of all files with this extension.
    pub fn with_extension<'f>(&'f self, extension: &'f str) -> impl Iterator<Item = &'f str> {
        self.files
            .iter()
            .map(String::as_str)
            .filter(move |file| Path::new(file).extension().is_some_and(|e| e == extension))
    }

    /// Whether there is a file at this path.
    #[must_use]
    pub fn contains(&self, file: &str) -> bool {
        self.files
            .binary_search_by(|known| known.as_str().cmp(file))
            .is_ok()
    }

    /// The text of a file.
    ///
    /// # Errors
    /// If it cannot be read as UTF-8.
    pub fn read(&self, file: &str) -> Result<String> {
        let path = self.root.join(file);
        fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))
    }

    /// Directories that hold a package.
    ///
    /// # Errors
    /// If a manifest cannot be read.
    pub fn packages(&self) -> Result<Vec<&str>> {
        let mut packages = Vec::new();
        for manifest in self.with_extension("toml") {
            let Some(directory) = manifest.strip_suffix("/Cargo.toml") else {
                continue;
            };
            if self
                .read(manifest)?
                .lines()
                .any(|line| line.trim() == "[package]")
            {
                packages.push(directory);
            }
        }
        Ok(packages)
    }

    /// The published crates in this checkout.
    pub fn published(&self) -> impl Iterator<Item = &'static str> {
        PUBLISHED
            .into_iter()
            .filter(|package| self.contains(&format!("{package}/src/lib.rs")))
    }

    /// Rust files below a package's `src`, by their path in it.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub fn sources(&self, package: &str) -> Result<Sources> {
        let prefix = format!("{package}/src/");
        self.with_extension("rs")
            .filter_map(|file| Some((file, file.strip_prefix(&prefix)?)))
            .map(|(file, inner)| Ok((inner.to_owned(), self.read(file)?)))
            .collect()
    }
}

fn list(root: &Path, prefix: &str, files: &mut Vec<String>) -> Result<()> {
    let directory = root.join(prefix);
    let context = || format!("{} cannot be listed", directory.display());
    for entry in fs::read_dir(&directory).with_context(context)? {
        let entry = entry.with_context(context)?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let path = if prefix.is_empty() {
            name.to_owned()
        } else {
            format!("{prefix}/{name}")
        };
        let kind = entry.file_type().with_context(context)?;
        if kind.is_file() {
            files.push(path);
        } else if kind.is_dir() && !is_skipped(name) {
            list(root, &path, files)?;
        }
    }
    Ok(())
}

/// Directories without sources of the repository.
fn is_skipped(name: &str) -> bool {
    name.starts_with('.') || name == "target" || name == "node_modules"
}
