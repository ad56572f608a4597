//! Tests that imports between rooms run from high to low.

use std::fmt::Write as _;

use anyhow::{Context as _, Result, bail};
use structure::checkout::Checkout;
use structure::figures::CrateStructure;
use structure::rooms;

#[test]
fn runtime() -> Result<()> {
    hold("fraiseql-runtime")
}

#[test]
fn graphql() -> Result<()> {
    hold("fraiseql-graphql")
}

fn hold(package: &'static str) -> Result<()> {
    let structure = CrateStructure::read(&Checkout::current()?, package)?;
    let direction = rooms::direction(package).context("the package has no table")?;
    let mut text = String::new();
    let unplaced = direction.unplaced(structure.tree.files());
    if !unplaced.is_empty() {
        let unplaced: Vec<&str> = unplaced.into_iter().collect();
        writeln!(
            text,
            "Rooms of {package} that stand on no line: {}. Move their files into a room, or give \
             them a line in tests/structure/src/rooms.rs.",
            unplaced.join(", ")
        )?;
    }
    let offending = direction.offending(&structure.arrows);
    if !offending.is_empty() {
        writeln!(
            text,
            "{} imports of {package} run against the direction. Move what is imported into a \
             room that stands lower, or what imports it into one that stands higher; the lines \
             are in tests/structure/src/rooms.rs.",
            offending.len()
        )?;
    }
    for arrow in offending {
        writeln!(text, "    {arrow}")?;
    }
    if !text.is_empty() {
        bail!(text);
    }
    Ok(())
}
