//! The view table: its columns, and the tables that it is divided into.

use crate::schema;
use crate::schema::{Source, View};
use crate::sql::ddl::name;
use crate::sql::text::{Sql, ident, literal};

/// A column of a view table.
#[derive(Debug)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: String,
    /// Adds the column to an older table, if it is a promoted one or the newest of this crate's
    /// own. The others are there from the beginning.
    pub add: Option<String>,
}

/// One of the tables that a view table is divided into.
#[derive(Debug)]
pub struct Partition {
    /// Its name, in the schema of the view table.
    pub name: String,
    /// Which keys are in it, as PostgreSQL says it, but for quotes.
    pub(crate) bound: String,
    /// Creates it.
    pub sql: String,
}

/// The column that has the number of a document's shape; null in those that are older than it.
const SHAPE: &str = "shape";

/// The name of [`create_twin`]'s table.
pub(crate) const TWIN: &str = "pg_temp.fraiseql_twin";

pub(crate) fn columns(view: &View) -> Vec<Column> {
    let fixed = |name: &str, ty: &str| Column {
        name: name.to_owned(),
        ty: ty.to_owned(),
        add: None,
    };
    let mut columns = vec![fixed(view.key.column, view.key.ty.sql)];
    for field in view.shape.fields {
        let Some(promoted) = field.promoted else {
            continue;
        };
        let ty = match &field.source {
            Source::Column { ty, .. } | Source::Expr { ty, .. } => ty.sql_name(),
            Source::Aggregate(aggregate) => aggregate.ty.sql_name(),
            Source::One(_) | Source::Many(_) => continue,
        };
        columns.push(Column {
            name: promoted.column.to_owned(),
            add: Some(format!(
                "ALTER TABLE {} ADD COLUMN {} {ty}",
                view.table,
                ident(promoted.column)
            )),
            ty,
        });
    }
    columns.extend([
        fixed("data", view.data.sql()),
        fixed("version", "bigint"),
        fixed("synced_xid", "xid8"),
        fixed("updated_at", "timestamptz"),
        // The last, so that it is where an older table gets it.
        Column {
            name: SHAPE.to_owned(),
            ty: "int8".to_owned(),
            add: Some(format!(
                "ALTER TABLE {} ADD COLUMN {SHAPE} int8",
                view.table
            )),
        },
    ]);
    columns
}

pub(crate) fn create(view: &View, columns: &[Column], compression: &str) -> String {
    let mut sql = Sql::new();
    // A partitioned table holds no rows: how they are kept is said of its partitions.
    let (open, close) = match view.storage.partition {
        None => (
            format!("CREATE {}TABLE {} (", unlogged(view), view.table),
            format!(") WITH (fillfactor = {})", view.storage.fillfactor),
        ),
        Some(partition) => (
            format!("CREATE TABLE {} (", view.table),
            format!(
                ") PARTITION BY {} ({})",
                strategy(partition),
                ident(view.key.column)
            ),
        ),
    };
    sql.block(open, close, |sql| {
        sql.list(columns.iter().map(|column| {
            let Column { name, ty, add } = column;
            match name.as_str() {
                name if name == view.key.column => format!("{} {ty} PRIMARY KEY", ident(name)),
                SHAPE => format!("{SHAPE} {ty}"),
                name if add.is_some() => format!("{} {ty}", ident(name)),
                "data" => format!("data {ty}{compression} NOT NULL"),
                name => format!("{name} {ty} NOT NULL"),
            }
        }));
    });
    sql.finish()
}

fn unlogged(view: &View) -> &'static str {
    if view.storage.unlogged {
        "UNLOGGED "
    } else {
        ""
    }
}

/// How a table is divided, in SQL.
pub(crate) fn strategy(partition: schema::Partition) -> &'static str {
    match partition {
        schema::Partition::Hash(_) => "HASH",
        schema::Partition::Range(_) => "RANGE",
    }
}

pub(crate) fn partitions(view: &View) -> Vec<Partition> {
    let Some(partition) = view.storage.partition else {
        return Vec::new();
    };
    let bounds: Vec<String> = match partition {
        schema::Partition::Hash(count) => (0..count)
            .map(|rest| format!("FOR VALUES WITH (modulus {count}, remainder {rest})"))
            .collect(),
        schema::Partition::Range(bounds) => {
            // As PostgreSQL writes them, so that they can be compared.
            let bounds = || {
                bounds.iter().map(|bound| match view.key.ty.sql {
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
            let name = name(view.table.name, &format!("_p{index}"));
            let table = format!("{}.{}", ident(view.table.schema), ident(&name));
            Partition {
                sql: format!(
                    "CREATE {}TABLE {table}\nPARTITION OF {} {bound}\nWITH (fillfactor = {})",
                    unlogged(view),
                    view.table,
                    view.storage.fillfactor
                ),
                bound: plain_bound(&bound),
                name,
            }
        })
        .collect()
}

/// A bound without what differs from type to type: PostgreSQL writes some numbers in quotes.
pub(crate) fn plain_bound(bound: &str) -> String {
    bound.replace('\'', "")
}

/// An empty table with the same columns, for this transaction only.
pub(crate) fn create_twin(columns: &[Column]) -> String {
    let columns: Vec<String> = columns
        .iter()
        .map(|column| format!("{} {}", ident(&column.name), column.ty))
        .collect();
    format!("CREATE TABLE {TWIN} ({})", columns.join(", "))
}
