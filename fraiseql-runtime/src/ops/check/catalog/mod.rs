//! The catalog of the server, as far as a read model needs it: tables with their columns, indexes
//! and foreign keys, and types.

mod load;
mod relation;
mod server_info;
mod types;

pub(crate) use self::load::load_types;
pub(crate) use self::relation::{
    CatalogRelation, RelationColumn, RelationIndex, RelationKind, Resolution, indexes_on,
};
pub(crate) use self::server_info::{ServerInfo, read_server_info};
pub(crate) use self::types::{Catalog, PgType};
