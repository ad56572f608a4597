//! The description of structs: constant tables, the traits that carry them, keys, and types of
//! fields.
//!
//! | module | contains |
//! |---|---|
//! | `table` | the constant tables that the derives emit |
//! | `embed` | the trait of parts, and the types of fields that hold parts |
//! | `key`, `position`, `row_key` | keys of documents, lists of them, keys of rows |
//! | [`scalar`] | the types of fields that hold values |
//! | `naming`, `table_name` | names in messages and suggestions; names of tables |
//! | `bookkeeping` | the columns that every view table has |

pub(crate) mod bookkeeping;
pub(crate) mod embed;
pub(crate) mod key;
pub(crate) mod naming;
pub(crate) mod position;
pub(crate) mod row_key;
pub mod scalar;
mod table;
mod table_name;

pub use self::embed::{ManyField, OneField};
pub use self::table::{
    Aggregate, Data, Field, Function, Index, IndexOn, Key, Link, Many, One, OrderBy, Partition,
    Promoted, SearchText, Shape, Source, Storage, SyncTime, Table, View,
};
pub use self::table_name::TableName;
