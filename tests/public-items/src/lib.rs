//! The public items of a crate, as rustdoc sees them.
//!
//! `tests/public-items/items/<crate>.txt` has one line for each item. A test fails where the code
//! has others; `UPDATE_PUBLIC_ITEMS=1 cargo test -p public-items` writes the files anew, and the
//! difference is part of the change that is reviewed.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

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

/// Runs rustdoc on a crate, and returns the file that it has written.
fn rustdoc_json(package: &str) -> Result<PathBuf> {
    let target = workspace().join("target/public-items");
    let output = Command::new(env!("CARGO"))
        .current_dir(workspace())
        .args([
            "rustdoc",
            "--lib",
            "--all-features",
            "--quiet",
            "--package",
            package,
        ])
        .arg("--target-dir")
        .arg(&target)
        .args(["--", "-Z", "unstable-options", "--output-format", "json"])
        .args(["--cap-lints", "allow"])
        // JSON is an unstable format: the pinned toolchain writes it where it is told that it may.
        .env("RUSTC_BOOTSTRAP", "1")
        .output()
        .context("cargo rustdoc")?;
    ensure!(
        output.status.success(),
        "cargo rustdoc of {package} failed:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(target
        .join("doc")
        .join(package.replace('-', "_"))
        .with_extension("json"))
}
