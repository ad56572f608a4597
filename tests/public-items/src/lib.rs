//! The public items of a crate, as rustdoc sees them.
//!
//! `tests/public-items/items/<crate>.txt` has one line for each item. A test fails if the code has
//! others; `UPDATE_PUBLIC_ITEMS=1 cargo test -p public-items` rewrites the files, and the
//! difference is reviewed with the change.

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
/// If rustdoc fails, or writes a format that this crate does not know.
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

/// The path of rustdoc's output for a crate.
fn rustdoc_json(package: &str) -> Result<PathBuf> {
    static RUN: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let run = RUN.get_or_init(|| run_rustdoc().map_err(|error| format!("{error:#}")));
    let directory = run.as_ref().map_err(|error| anyhow!("{error}"))?;
    Ok(directory
        .join(package.replace('-', "_"))
        .with_extension("json"))
}

/// Runs rustdoc on the workspace, and returns its output directory.
///
/// Except for the format, this is the command of CI's documentation step: so the dependencies that
/// were built for it are reused.
fn run_rustdoc() -> Result<PathBuf> {
    // JSON is an unstable format. `RUSTC_BOOTSTRAP` lets the pinned toolchain write it; cargo and
    // the build scripts do not get the variable, because they would build every dependency a second
    // time.
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

/// The target directory, which also contains the running program: `target/debug/deps/recorded-..`.
fn target_directory() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    program
        .ancestors()
        .nth(3)
        .map(Path::to_path_buf)
        .context("a test binary is three levels below the target directory")
}
