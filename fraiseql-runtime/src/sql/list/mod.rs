//! The statement that reads a list of documents: filtered, sorted, one page at a time.
//!
//! A page continues after the values of the last row of another page, not after a number of rows
//! (*keyset pagination*), and it reads the index of a `sort` column, (column, key), from that row
//! on.
//!
//! # Nulls
//!
//! An index is read from one position on. The rows after a value may be in two ranges of it:
//! `a > 5 OR a IS NULL` has no single position. So if nulls matter, the statement has two
//! branches, one for the rows with a value and one for the rows with null, each of them with its
//! own position in the index and with the limit; what follows sorts two pages at most. The
//! branches also put nulls first or last if the index has them at the other end.
//!
//! A column counts as nullable even if the field is not an `Option`: documents that were written
//! by an older release, before the struct had the field, have null in it.
//!
//! | file | contains |
//! |---|---|
//! | `query` | the statement and its branches |
//! | `count` | the statement that counts the documents |
//! | `rows` | which rows a list has |
//! | `keyset` | the conditions for the rows after a row |
//! | `columns` | the columns that are returned in place of documents |
//! | `condition`, `order` | filters; the terms of an order |
//! | `parameter`, `view_row` | parameters; columns of the view table |

mod columns;
mod condition;
mod count;
mod keyset;
mod order;
mod parameter;
mod query;
mod rows;
mod view_row;

pub(crate) use self::columns::Columns;
pub(crate) use self::condition::Condition;
pub(crate) use self::count::CountQuery;
pub(crate) use self::keyset::Bound;
pub(crate) use self::order::Term;
pub(crate) use self::parameter::Parameter;
pub(crate) use self::query::ListQuery;

/// Shows the plan of the statement that follows.
pub(crate) const EXPLAIN: &str = "EXPLAIN ";
