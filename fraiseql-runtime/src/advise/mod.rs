//! Advice: which storage fits a view, by what its documents cost on the live database.
//!
//! | module | |
//! |---|---|
//! | `builder` | [`Advise`]: what is asked for, then `.await` |
//! | `measure` | builds, stores and reads a sample of documents |
//! | `paths` | how often base tables are written, and how many documents one change reaches |
//! | `rules` | the decision, from the numbers alone |
//! | `report` | [`Advice`] and [`ViewAdvice`] |

mod builder;
mod measure;
mod paths;
mod report;
mod rules;

pub use self::builder::Advise;
pub use self::report::{Advice, Costs, Measured, PathLoad, ViewAdvice};
