//! Plots of results, as SVG.

mod by_documents;
mod ratios;

pub(crate) use self::by_documents::{Series, by_documents};
pub(crate) use self::ratios::ratios;
