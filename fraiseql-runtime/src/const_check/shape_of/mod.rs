//! The checks of `shape_of = User`, which makes a part of some fields of another struct.
//!
//! What the part does not declare itself (table, filter, key) it inherits from that struct, which
//! may inherit it from a third. If structs form a circle of `shape_of`, their shapes are constants
//! that need each other, which is an error of the compiler without a useful message. So
//! inheritance follows [`Own`](crate::schema::embed::Own), which has only what a struct declares
//! itself, and the circle is reported by [`chain()`].
//!
//! | file | contains |
//! |---|---|
//! | `inherited` | table, filter and key of a part |
//! | `chain` | the check for circles |
//! | `declared` | the checks of `table` and `key` beside `shape_of` |
//! | `fields`, `describe` | the check of each field; its properties in messages |
//! | `tables` | comparison and names of tables |

mod chain;
mod declared;
mod describe;
mod fields;
mod inherited;
mod tables;

pub use self::chain::chain;
pub use self::declared::{key_column, written_table};
pub use self::fields::field;
pub use self::inherited::{filter, key, table};
