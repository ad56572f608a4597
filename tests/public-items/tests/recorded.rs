//! Tests that the public items of each published crate are those that are recorded.

use std::fmt::Write as _;

use anyhow::{Context as _, Result, bail};
use public_items::{public_items, workspace};

fn compare(package: &str) -> Result<()> {
    let path = workspace().join(format!("tests/public-items/items/{package}.txt"));
    let found = public_items(package)?;
    if std::env::var_os("UPDATE_PUBLIC_ITEMS").is_some() {
        return std::fs::write(&path, found).with_context(|| path.display().to_string());
    }
    let recorded = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    if found == recorded {
        return Ok(());
    }
    let mut difference = String::new();
    for (mark, these, those) in [('-', &recorded, &found), ('+', &found, &recorded)] {
        let those: std::collections::BTreeSet<&str> = those.lines().collect();
        for line in these.lines().filter(|line| !those.contains(line)) {
            writeln!(difference, "{mark} {line}")?;
        }
    }
    bail!(
        "the public items of {package} have changed:\n{difference}\nif that is intended, run \
         `UPDATE_PUBLIC_ITEMS=1 cargo test -p public-items`, and say so in the changelog"
    )
}

#[test]
fn fraiseql_derive() -> Result<()> {
    compare("fraiseql-derive")
}

#[test]
fn fraiseql_runtime() -> Result<()> {
    compare("fraiseql-runtime")
}

#[test]
fn fraiseql_graphql() -> Result<()> {
    compare("fraiseql-graphql")
}
