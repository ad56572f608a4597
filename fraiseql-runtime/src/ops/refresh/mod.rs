//! Refresh: builds the documents of a materialized view again, and says how old they are.

mod report;
mod run;

pub use self::report::RefreshReport;
pub(crate) use self::run::{age, refresh, refresh_if_due};
