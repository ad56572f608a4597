//! Tests that a module with files below it is a `mod.rs` among them.

use anyhow::{Result, bail};
use structure::checkout::Checkout;
use structure::layout;

#[test]
fn modules_with_children_are_mod_rs() -> Result<()> {
    let checkout = Checkout::current()?;
    let packages = checkout.packages()?;
    let is_source = |file: &&str| {
        packages.iter().any(|package| {
            let inner = file.strip_prefix(package);
            inner.is_some_and(|inner| inner.starts_with("/src/"))
        })
    };
    let beside = layout::beside_directories(checkout.with_extension("rs").filter(is_source));
    if !beside.is_empty() {
        bail!(
            "Move each `x.rs` to `x/mod.rs`; a folder is then one whole module:\n    {}",
            beside.join("\n    ")
        );
    }
    Ok(())
}

#[test]
fn a_file_beside_its_directory_is_found() {
    let files = ["a.rs", "a/b.rs", "ab.rs", "c/mod.rs", "c/d.rs", "e-f.rs"];
    assert_eq!(layout::beside_directories(files), ["a.rs"]);
}
