//! Filters and orders that the compiler checks.

mod fields;
mod oracle;
