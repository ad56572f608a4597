//! The statements that create a view table, its columns and its partitions.

use crate::schema::bookkeeping::{BOOKKEEPING, DATA, SHAPE};
use crate::schema::{Partition, View};
use crate::sql::identifier::shortened;
use crate::sql::text::{Sql, ident, literal};

/// The statements of one column of a view table.
#[derive(Debug)]
pub struct ColumnDdl {
    /// The name of the column.
    pub name: String,
    /// Its type.
    pub ty: String,
    /// Adds the column to an existing table: for a promoted column, and for the newest bookkeeping
    /// column. Every table has the other columns.
    pub add: Option<String>,
}

/// The statements of one partition of a view table.
#[derive(Debug)]
pub struct PartitionDdl {
    /// The name of the partition, in the schema of the view table.
    pub name: String,
    /// Its bound in the form of [`plain_bound`].
    pub(crate) bound: String,
    /// Creates the partition.
    pub sql: String,
}

/// The columns of the view table: the key, the promoted columns, `data`, and the bookkeeping.
pub(crate) fn columns(view: &View) -> Vec<ColumnDdl> {
    let key = view.key_columns().into_iter().zip(view.key.types);
    let mut columns: Vec<ColumnDdl> = key
        .map(|(name, ty)| ColumnDdl {
            name: name.to_owned(),
            ty: ty.sql.to_owned(),
            add: None,
        })
        .collect();
    for field in view.shape.fields {
        let (Some(promoted), Some(ty)) = (field.promoted, field.source.scalar()) else {
            continue;
        };
        let ty = ty.sql_name();
        columns.push(ColumnDdl {
            name: promoted.column.to_owned(),
            add: Some(format!(
                "ALTER TABLE {} ADD COLUMN {} {ty}",
                view.table,
                ident(promoted.column)
            )),
            ty,
        });
    }
    columns.push(ColumnDdl {
        name: DATA.to_owned(),
        ty: view.data.sql().to_owned(),
        add: None,
    });
    let bookkeeping = BOOKKEEPING
        .into_iter()
        // Of a materialized view only the shape is known.
        .filter(|(name, _)| view.is_synced() || *name == SHAPE);
    columns.extend(bookkeeping.map(|(name, ty)| ColumnDdl {
        name: name.to_owned(),
        ty: ty.to_owned(),
        add: (name == SHAPE).then(|| format!("ALTER TABLE {} ADD COLUMN {name} {ty}", view.table)),
    }));
    columns
}

/// Creates the view table. `compression` is the COMPRESSION clause of the documents, or empty.
pub(crate) fn create(view: &View, columns: &[ColumnDdl], compression: &str) -> String {
    let mut sql = Sql::new();
    // A partitioned table has no storage: UNLOGGED and fillfactor are set on its partitions.
    let (open, close) = match view.parameters.partition {
        None => (
            format!("CREATE {}TABLE {} (", unlogged(view), view.table),
            format!(") WITH (fillfactor = {})", view.parameters.fillfactor),
        ),
        Some(partition) => (
            format!("CREATE TABLE {} (", view.table),
            format!(
                ") PARTITION BY {} ({})",
                strategy(partition),
                view.partition_columns()
                    .into_iter()
                    .map(ident)
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        ),
    };
    sql.block(open, close, |sql| {
        let key = view.key_columns();
        let is_several = key.len() > 1;
        let columns = columns.iter().map(|column| {
            let ColumnDdl { name, ty, add } = column;
            match name.as_str() {
                name if key.contains(&name) && is_several => {
                    format!("{} {ty} NOT NULL", ident(name))
                }
                name if key.contains(&name) => format!("{} {ty} PRIMARY KEY", ident(name)),
                // Null in documents that were written before the column was added.
                SHAPE => format!("{SHAPE} {ty}"),
                // A promoted column may be null: documents of an older release lack its value.
                name if add.is_some() => format!("{} {ty}", ident(name)),
                DATA => format!("{DATA} {ty}{compression} NOT NULL"),
                name => format!("{name} {ty} NOT NULL"),
            }
        });
        let constraint = is_several.then(|| format!("PRIMARY KEY ({})", view.key_list()));
        sql.list(columns.chain(constraint));
    });
    sql.finish()
}

fn unlogged(view: &View) -> &'static str {
    if view.parameters.unlogged {
        "UNLOGGED "
    } else {
        ""
    }
}

/// The keyword of the partition strategy.
pub(crate) fn strategy(partition: Partition) -> &'static str {
    match partition {
        Partition::Hash(_) | Partition::HashOfTenant(_) => "HASH",
        Partition::Range(_) => "RANGE",
    }
}

/// The partitions of the view table; none if it is not partitioned.
pub(crate) fn partitions(view: &View) -> Vec<PartitionDdl> {
    let Some(partition) = view.parameters.partition else {
        return Vec::new();
    };
    let bounds: Vec<String> = match partition {
        Partition::Hash(count) | Partition::HashOfTenant(count) => (0..count)
            .map(|rest| format!("FOR VALUES WITH (modulus {count}, remainder {rest})"))
            .collect(),
        Partition::Range(bounds) => {
            // The spelling of PostgreSQL, so that they can be compared with its catalog.
            let bounds = || {
                bounds.iter().map(|bound| match view.key.sql_type() {
                    "uuid" => literal(&bound.to_lowercase()),
                    _ => literal(bound),
                })
            };
            let from = std::iter::once("MINVALUE".to_owned()).chain(bounds());
            let to = bounds().chain(["MAXVALUE".to_owned()]);
            from.zip(to)
                .map(|(from, to)| format!("FOR VALUES FROM ({from}) TO ({to})"))
                .collect()
        }
    };
    bounds
        .into_iter()
        .enumerate()
        .map(|(index, bound)| {
            let name = shortened(view.table.name, &format!("_p{index}"));
            let table = format!("{}.{}", ident(view.table.schema), ident(&name));
            PartitionDdl {
                sql: format!(
                    "CREATE {}TABLE {table}\nPARTITION OF {} {bound}\nWITH (fillfactor = {})",
                    unlogged(view),
                    view.table,
                    view.parameters.fillfactor
                ),
                bound: plain_bound(&bound),
                name,
            }
        })
        .collect()
}

/// A bound without quotes: PostgreSQL quotes the numbers of some types only.
pub(crate) fn plain_bound(bound: &str) -> String {
    bound.replace('\'', "")
}
