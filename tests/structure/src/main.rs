//! Prints the structure of this checkout.
//!
//! `cargo run -p structure` prints its figures; `-- --before DIR` those of another checkout
//! beside them. `-- --circles` lists circles of files with the imports that tie them,
//! `-- --room NAME` the arrows of a room.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Parser;
use structure::checkout::Checkout;
use structure::figures::{CrateStructure, Figures, LONG};
use structure::report;

/// The structure of the Rust crates in a checkout.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The checkout; by default, that of this program.
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Another checkout, whose figures stand beside.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["circles", "room"])]
    before: Option<PathBuf>,
    /// List circles of files, with the imports that tie them.
    #[arg(long, conflicts_with = "room")]
    circles: bool,
    /// List the arrows into and out of a room.
    #[arg(long, value_name = "NAME")]
    room: Option<String>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let checkout = match arguments.root {
        Some(root) => Checkout::open(root)?,
        None => Checkout::current()?,
    };
    if arguments.circles {
        let structures = CrateStructure::read_published(&checkout)?;
        print!("{}", report::circles(&structures));
    } else if let Some(room) = arguments.room {
        let structures = CrateStructure::read_published(&checkout)?;
        let arrows = report::arrows_of_room(&structures, &room);
        if arrows.is_empty() {
            bail!("no room `{room}` imports or is imported");
        }
        print!("{arrows}");
    } else {
        let before = match arguments.before {
            Some(directory) => Some(Figures::measure(&Checkout::open(directory)?)?),
            None => None,
        };
        let now = Figures::measure(&checkout)?;
        print!("{}", report::figures(before.as_ref(), &now));
        if !now.published.long.is_empty() {
            println!("\nfiles over {LONG} lines in published crates");
            print!("{}", report::long_files(&now.published));
        }
    }
    Ok(())
}
