//! Tests that circles of files stay small.

use std::fmt::Write as _;

use anyhow::{Result, bail};
use structure::checkout::{Checkout, PUBLISHED};
use structure::figures::CrateStructure;
use structure::graph;

/// The largest circle that is allowed.
const MOST: usize = 7;

#[test]
fn no_circle_is_large() -> Result<()> {
    let checkout = Checkout::current()?;
    let mut text = String::new();
    for package in PUBLISHED {
        let structure = CrateStructure::read(&checkout, package)?;
        let circles = graph::circles(&structure.arrows);
        for circle in circles.iter().filter(|circle| circle.len() > MOST) {
            writeln!(text, "{package}: a circle of {} files", circle.len())?;
            for tie in graph::ties(circle, &structure.arrows) {
                writeln!(text, "    {tie}")?;
            }
        }
    }
    if !text.is_empty() {
        bail!(
            "Circles of more than {MOST} files. Move what both sides import into a file that \
             imports neither.\n{text}"
        );
    }
    Ok(())
}
