//! The statements of a verification: they compare, and write nothing. None of them assigns a
//! transaction its id, so they run in a read-only transaction and on a hot standby, too.

use crate::schema::View;
use crate::sql::document;
use crate::sql::document::Lookup;
use crate::sql::sync::{any, in_order, keys};
use crate::sql::text::{Sql, column};
use crate::sql::write::{any_of_keys, differences};

/// The statements of a verification.
#[derive(Debug)]
pub struct VerifySql {
    /// Builds the documents of `$1` and compares them with those that are stored, as
    /// [`SyncSql::write`](super::sync::SyncSql::write) does, all in one snapshot. Answers with
    /// one row; see [`answer`].
    pub compare: String,
    /// What is stored and what should be for those of `$1` that have both: a row for each, with
    /// the columns of [`both`].
    pub both: String,
    /// The first `$1` keys of a sample, of those that have a root row or a document. A key is in
    /// it if its hash with the seed `$2`, of 63 bits, is less than `$3`.
    pub first_sampled: String,
    /// The next `$2` keys of a sample after the one in the array `$1`; its seed is `$3`, its
    /// bound `$4`.
    pub next_sampled: String,
}

/// Columns of the answer of [`VerifySql::compare`].
pub mod answer {
    /// How many root rows there are.
    pub const FOUND: usize = 0;
    /// The keys of documents that differ, in order.
    pub const DRIFTED: usize = 1;
    /// The keys of rows without a document.
    pub const MISSING: usize = 2;
    /// The keys of documents without a row.
    pub const ORPHANED: usize = 3;
    /// How many bytes all documents that were built have.
    pub const BYTES: usize = 4;
}

/// Columns of the answer of [`VerifySql::both`].
pub mod both {
    /// The key, in an array.
    pub const KEY: usize = 0;
    /// The document that is stored, as text.
    pub const STORED: usize = 1;
    /// The document as it should be.
    pub const RIGHT: usize = 2;
    /// The promoted columns that are stored, as texts in an array, in the order of the fields.
    pub const STORED_COLUMNS: usize = 3;
    /// The promoted columns as they should be.
    pub const RIGHT_COLUMNS: usize = 4;
    /// Which promoted columns differ: two values can be equal and have different texts.
    pub const COLUMNS_DIFFER: usize = 5;
}

pub(crate) fn compose(view: &View) -> VerifySql {
    let sampled = |after| {
        // The hash is of both tables' keys alike, so that neither has a better chance.
        let (seed, bound) = if after { ("$3", "$4") } else { ("$2", "$3") };
        let pick = |key: &str| {
            format!(
                "(pg_catalog.hashtextextended({key}::text COLLATE \"C\", {seed}::int8) \
                 & 9223372036854775807) < {bound}::int8"
            )
        };
        keys(view, after, Some(&pick))
    };
    VerifySql {
        compare: compare(view),
        both: stored_and_right(view),
        first_sampled: sampled(false),
        next_sampled: sampled(true),
    }
}

/// The promoted columns of a view.
pub(crate) fn promoted(view: &View) -> impl Iterator<Item = &'static str> {
    let fields = view.shape.fields.iter();
    fields.filter_map(|field| field.promoted.map(|promoted| promoted.column))
}

fn compare(view: &View) -> String {
    let ty = view.key.ty.sql;
    let v_key = column("v", view.key.column);
    let mut sql = Sql::new();
    sql.block("WITH input AS MATERIALIZED (", "),", |sql| {
        sql.line(format!("SELECT $1::{ty}[] AS keys"));
    });
    sql.block("compared AS MATERIALIZED (", "),", |sql| {
        sql.line("SELECT");
        sql.block_list([
            // Of the type that Rust knows, whatever the base table has.
            format!("b.\"key\"::{ty} AS \"key\""),
            format!("{v_key} IS NULL AS missing"),
            format!("{} AS differs", differences(view).join(" OR ")),
            "pg_catalog.pg_column_size(b.\"data\") AS bytes".to_owned(),
        ]);
        sql.block("FROM (", ") AS b", |sql| {
            document::write(sql, view, Lookup::Many, |root| {
                vec![any_of_keys(&column(root, view.key.column), view)]
            });
            // A fence: each document is built once, though it is used twice.
            sql.line("OFFSET 0");
        });
        sql.line(format!(
            "LEFT JOIN {} AS v ON {v_key} = b.\"key\"",
            view.table
        ));
    });
    sql.block("orphans AS MATERIALIZED (", ")", |sql| {
        sql.line(format!("SELECT {v_key} AS \"key\""));
        sql.line(format!("FROM {} AS v", view.table));
        sql.conditions(
            "WHERE",
            &[
                // Where every key has a row, there is nothing to look for.
                "(SELECT pg_catalog.count(*) FROM compared) < (SELECT pg_catalog.cardinality(keys) FROM input)"
                    .to_owned(),
                any_of_keys(&v_key, view),
                format!("NOT EXISTS (SELECT FROM compared WHERE compared.\"key\" = {v_key})"),
            ],
        );
    });
    let order = in_order("\"key\"", &view.key);
    sql.line("SELECT");
    sql.block_list([
        "(SELECT pg_catalog.count(*) FROM compared) AS found".to_owned(),
        format!(
            "ARRAY(SELECT \"key\" FROM compared WHERE differs AND NOT missing ORDER BY {order}) AS drifted"
        ),
        format!("ARRAY(SELECT \"key\" FROM compared WHERE missing ORDER BY {order}) AS missing"),
        format!("ARRAY(SELECT \"key\" FROM orphans ORDER BY {order}) AS orphaned"),
        "(SELECT coalesce(pg_catalog.sum(bytes), 0)::int8 FROM compared) AS bytes".to_owned(),
    ]);
    sql.finish()
}

fn stored_and_right(view: &View) -> String {
    let v_key = column("v", view.key.column);
    let columns = |row: &str, name: &str| {
        let texts: Vec<String> = promoted(view)
            .map(|promoted| format!("{}::text", column(row, promoted)))
            .collect();
        format!("ARRAY[{}]::text[] AS {name}", texts.join(", "))
    };
    let differ: Vec<String> = promoted(view)
        .map(|name| {
            format!(
                "{} IS DISTINCT FROM {}",
                column("v", name),
                column("b", name)
            )
        })
        .collect();
    let mut sql = Sql::new();
    sql.line("SELECT");
    sql.block_list([
        format!("ARRAY[b.\"key\"::{}] AS \"key\"", view.key.ty.sql),
        "v.\"data\"::text AS stored".to_owned(),
        "b.\"data\"::text AS should_be".to_owned(),
        columns("v", "stored_columns"),
        columns("b", "right_columns"),
        format!("ARRAY[{}]::boolean[] AS columns_differ", differ.join(", ")),
    ]);
    sql.block("FROM (", ") AS b", |sql| {
        document::write(sql, view, Lookup::Few, |root| {
            vec![any(&column(root, view.key.column), view, 1)]
        });
        sql.line("OFFSET 0");
    });
    sql.line(format!("JOIN {} AS v ON {v_key} = b.\"key\"", view.table));
    sql.line(format!("ORDER BY {}", in_order("b.\"key\"", &view.key)));
    sql.finish()
}
