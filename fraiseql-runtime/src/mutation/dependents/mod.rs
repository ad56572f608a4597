//! Dependents: the documents that embed, list or count given rows.
//!
//! [`index`] derives from the constant tables the paths that lead from each base table up to
//! documents, and [`find`] follows them. [`cascade`] finds the rows that are deleted or changed
//! together with others, by the database's [`foreign_keys`]; [`images`] are what it knows of rows.
//! [`statement_cache`] keeps the statements of all. [`documents`] is the set that results.

pub(crate) mod cascade;
pub(crate) mod documents;
pub(crate) mod find;
pub(crate) mod foreign_keys;
pub(crate) mod images;
pub(crate) mod index;
mod statement_cache;
#[cfg(test)]
mod tests;
