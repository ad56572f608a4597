//! Validation of attributes: from what was read by `attr` to a `model`, or to every mistake.
//!
//! Checks do not stop at the first error. Each reports to an `Accumulator`, at the token that is
//! wrong, and goes on with a harmless value, so that all mistakes of a struct are reported at
//! once. From a model with errors, nothing is emitted but proofs about the types of other fields.

mod aggregate;
mod enumeration;
mod error;
mod field;
mod fields;
mod generics;
mod global_id;
mod group;
mod hidden;
mod index;
mod key;
mod list;
mod names;
mod newtype;
mod parameters;
mod shape_of;
mod source;
mod storage;
mod structs;
mod tenant;
mod types;
mod union;

pub(crate) use self::enumeration::check as check_enumeration;
pub(crate) use self::key::is_no_key_column;
pub(crate) use self::names::{is_function_name, krate};
pub(crate) use self::newtype::check as check_newtype;
pub(crate) use self::source::sources;
pub(crate) use self::structs::{Mistakes, check, struct_attributes};
pub(crate) use self::types::unsupported;
pub(crate) use self::union::{check as check_union, member};
