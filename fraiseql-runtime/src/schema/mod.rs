//! What a struct says of its documents: the constant tables that the derives emit, the traits that
//! carry them, keys and types of fields.

pub mod embed;
pub(crate) mod key;
pub(crate) mod naming;
pub(crate) mod position;
pub(crate) mod row_key;
pub mod scalar;
mod table;
mod table_name;

pub use self::table::{
    Aggregate, Data, Field, Function, Index, IndexOn, Key, Link, Many, One, OrderBy, Partition,
    Promoted, SearchText, Shape, Source, Storage, Table, View,
};
pub use self::table_name::TableName;
