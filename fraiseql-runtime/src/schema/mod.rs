//! The description of structs: constant tables, the traits that carry them, keys, and types of
//! fields.
//!
//! | module | contains |
//! |---|---|
//! | `table` | the constant tables that the derives emit |
//! | `embed` | the trait of parts, and the types of fields that hold parts |
//! | `part_shape` | the shape of a part, as another shape refers to it |
//! | `union` | the trait and the constant table of unions and interfaces |
//! | `columns` | the columns of keys and foreign keys |
//! | `key`, `key_tuple`, `position`, `row_key` | keys of documents, lists of them, keys of rows |
//! | [`scalar`] | the types of fields that hold values |
//! | `naming`, `table_name` | names in messages and suggestions; names of tables |
//! | `default_schema`, `shape_copies` | constant tables in another schema |
//! | `bookkeeping` | the columns that every view table has |

pub(crate) mod bookkeeping;
pub(crate) mod columns;
pub(crate) mod default_schema;
pub(crate) mod embed;
pub(crate) mod key;
pub(crate) mod key_tuple;
pub(crate) mod naming;
mod part_shape;
pub(crate) mod position;
pub(crate) mod row_key;
pub mod scalar;
pub(crate) mod shape_copies;
mod table;
mod table_name;
pub(crate) mod union;

pub use self::columns::{Columns, Key};
pub use self::embed::{FirstField, ManyField, OneField};
pub use self::part_shape::PartShape;
pub use self::table::{
    Aggregate, Between, Data, Field, Function, Index, IndexOn, Link, Many, One, OrderBy, Partition,
    Promoted, RowValue, SearchText, Shape, Source, Storage, StorageParameters, SyncTime, Table,
    Tenant, Values, View,
};
pub use self::table_name::TableName;
pub use self::union::{Interface, Union};
