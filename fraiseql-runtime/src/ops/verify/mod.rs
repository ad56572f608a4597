//! Verification: compares stored documents with the base tables.
//!
//! [`Verify`] in `builder` takes the options, a [`VerifyTarget`] in `target` is where it runs.
//! `run` verifies one view after the other: `sample` chooses keys, `reader` reads a chunk in a
//! transaction that writes nothing, `compare` runs the statements. `report` has the results,
//! `difference` where two versions of a document differ, `on_replica` what a replica cannot know.

mod builder;
mod compare;
pub(crate) mod difference;
mod on_replica;
mod options;
mod reader;
pub(crate) mod report;
mod run;
mod sample;
pub(crate) mod target;
mod telemetry;

pub use self::builder::Verify;
pub use self::difference::{Difference, Explained};
pub use self::on_replica::OnReplica;
pub use self::options::VerifyRequest;
pub use self::report::{FromReports, KeyList, VerifyProgress, VerifyReport, VerifyReports};
pub use self::target::VerifyTarget;

use crate::read::typed::TView;

/// A verification of the view `V` on `target`. This is what `verify_post` calls.
pub fn verify<'a, V: TView>(target: impl VerifyTarget + 'a) -> Verify<'a> {
    Verify::new(target, vec![V::handle()])
}
