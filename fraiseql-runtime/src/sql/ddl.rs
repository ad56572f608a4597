//! The view table and its indexes.

use crate::schema::{Data, Source, View};
use crate::sql::text::{Sql, ident};

/// What makes a view table. `migrate` runs what is missing.
#[derive(Debug)]
pub struct Ddl {
    /// Creates the table.
    pub create_table: String,
    /// Creates the table with lz4 for the documents: a fifth faster, where the server has it.
    pub create_table_lz4: String,
    /// Promoted columns, each with the statement that adds it to an older table.
    pub columns: Vec<Step>,
    /// Indexes, each with the statement that creates it.
    pub indexes: Vec<Step>,
}

/// A part of a table, and the statement that makes it.
#[derive(Debug)]
pub struct Step {
    /// The part's name.
    pub name: String,
    /// The statement.
    pub sql: String,
}

/// Room on each page for the next version of its rows: an update that finds it needs no
/// new index entries (HOT).
const FILLFACTOR: u8 = 85;

pub(crate) fn compose(view: &View) -> Ddl {
    let mut columns = Vec::new();
    let mut indexes = Vec::new();
    for field in view.shape.fields {
        let Some(promoted) = field.promoted else {
            continue;
        };
        let ty = match &field.source {
            Source::Column { ty, .. } | Source::Expr { ty, .. } => ty,
            Source::Aggregate(aggregate) => &aggregate.ty,
            Source::One(_) | Source::Many(_) => continue,
        };
        columns.push((promoted.column, ty.sql_name()));
        let name = index_name(view.table.name, promoted.column);
        let unique = if promoted.unique { "UNIQUE " } else { "" };
        // With the key behind it, an index can page through equal values.
        let tie = if promoted.sort && !promoted.unique {
            format!(", {}", ident(view.key.column))
        } else {
            String::new()
        };
        indexes.push(Step {
            sql: format!(
                "CREATE {unique}INDEX {} ON {} ({}{tie})",
                ident(&name),
                view.table,
                ident(promoted.column)
            ),
            name,
        });
    }
    Ddl {
        create_table: create_table(view, &columns, ""),
        create_table_lz4: create_table(view, &columns, " COMPRESSION lz4"),
        columns: columns
            .into_iter()
            .map(|(name, ty)| Step {
                name: name.to_owned(),
                sql: format!("ALTER TABLE {} ADD COLUMN {} {ty}", view.table, ident(name)),
            })
            .collect(),
        indexes,
    }
}

fn create_table(view: &View, promoted: &[(&str, String)], compression: &str) -> String {
    let mut sql = Sql::new();
    sql.block(
        format!("CREATE TABLE {} (", view.table),
        format!(") WITH (fillfactor = {FILLFACTOR})"),
        |sql| {
            let mut columns = vec![format!(
                "{} {} PRIMARY KEY",
                ident(view.key.column),
                view.key.ty.sql
            )];
            columns.extend(
                promoted
                    .iter()
                    .map(|(name, ty)| format!("{} {ty}", ident(name))),
            );
            let data = match view.data {
                Data::Jsonb => "jsonb",
                Data::Json => "json",
            };
            columns.extend([
                format!("data {data}{compression} NOT NULL"),
                "version bigint NOT NULL".to_owned(),
                "synced_xid xid8 NOT NULL".to_owned(),
                "updated_at timestamptz NOT NULL".to_owned(),
            ]);
            sql.list(columns);
        },
    );
    sql.finish()
}

/// `tv_post_created_at_idx`, as PostgreSQL would name it, cut where it would be too long.
pub(crate) fn index_name(table: &str, column: &str) -> String {
    const MAX: usize = 63;
    const SUFFIX: &str = "_idx";
    let whole = format!("{table}_{column}{SUFFIX}");
    if whole.len() <= MAX {
        return whole;
    }
    // Two long names that begin alike must not become one: a hash tells them apart.
    let hash = whole.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let tail = format!("_{hash:016x}{SUFFIX}");
    let mut end = MAX - tail.len();
    while !whole.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{tail}", &whole[..end])
}

/// Which parts of the table `$2` in the schema `$1` exist: two arrays, of columns and of
/// indexes; no row where the table does not exist.
pub(crate) const EXISTING: &str = "\
SELECT
  ARRAY(
    SELECT a.attname::text
    FROM pg_catalog.pg_attribute AS a
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  ) AS columns,
  ARRAY(
    SELECT i.relname::text
    FROM pg_catalog.pg_index AS x
    JOIN pg_catalog.pg_class AS i ON i.oid = x.indexrelid
    WHERE x.indrelid = c.oid AND x.indisvalid
  ) AS indexes
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')";

/// Whether the server can compress with lz4.
pub(crate) const HAS_LZ4: &str = "\
SELECT 'lz4' = ANY (enumvals)
FROM pg_catalog.pg_settings
WHERE name = 'default_toast_compression'";
