//! The checks of unions and interfaces: what GraphQL would not accept.
//!
//! The members of a union are walked through as a list of types, as [`cycle`](super::cycle) does with
//! parts.
//!
//! | file | contains |
//! |---|---|
//! | `members` | the members by their index; the checks of each, and of the name of the union |
//! | `fields` | the checks of the fields of an interface |
//! | `field_type` | the GraphQL type of a field |

mod field_type;
mod fields;
mod members;

pub use self::fields::{common, field};
pub use self::members::{member, type_name};
