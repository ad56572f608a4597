//! The public items of a crate, as rustdoc sees them.
//!
//! `tests/public-items/items/<crate>.txt` has one line for each item. A test fails where the code
//! has others; `UPDATE_PUBLIC_ITEMS=1 cargo test -p public-items` writes the files anew, and the
//! difference is part of the change that is reviewed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context as _, Result, anyhow, ensure};

/// The workspace.
#[must_use]
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The public items of a crate of the workspace with all its features, one per line.
///
/// Items that a derive or the compiler implements are left out: they follow from the others.
///
/// # Errors
/// If rustdoc fails, or writes a format that is not read here.
pub fn public_items(package: &str) -> Result<String> {
    let json = rustdoc_json(package)?;
    let items = public_api::Builder::from_rustdoc_json(json)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()
        .with_context(|| format!("the items of {package}"))?;
    Ok(items.items().map(|item| format!("{item}\n")).collect())
}

/// The file that rustdoc has written about a crate.
fn rustdoc_json(package: &str) -> Result<PathBuf> {
    static RUN: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let run = RUN.get_or_init(|| run_rustdoc().map_err(|error| format!("{error:#}")));
    let directory = run.as_ref().map_err(|error| anyhow!("{error}"))?;
    Ok(directory
        .join(package.replace('-', "_"))
        .with_extension("json"))
}

/// Runs rustdoc on the workspace, and returns the directory of what it has written.
///
/// It is the command of CI's documentation step but for the format: so the dependencies are those
/// that were built for it.
fn run_rustdoc() -> Result<PathBuf> {
    // JSON is an unstable format. The pinned toolchain writes it if it is told that it may; cargo
    // and the build scripts are not told, or they would build every dependency a second time.
    let wrapper = Path::new(env!("CARGO_MANIFEST_DIR")).join("rustdoc.sh");
    let output = Command::new(env!("CARGO"))
        .current_dir(workspace())
        .args([
            "doc",
            "--workspace",
            "--no-deps",
            "--all-features",
            "--lib",
            "--quiet",
        ])
        .env("RUSTDOC", wrapper)
        .env(
            "RUSTDOCFLAGS",
            "-Z unstable-options --output-format json --cap-lints allow",
        )
        .output()
        .context("cargo doc")?;
    ensure!(
        output.status.success(),
        "cargo doc failed:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    target_directory().map(|target| target.join("doc"))
}

/// The target directory, in which the program that runs is, too: `target/debug/deps/recorded-..`.
fn target_directory() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    program
        .ancestors()
        .nth(3)
        .map(Path::to_path_buf)
        .context("a test binary is three levels below the target directory")
}
