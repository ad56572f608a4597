//! The statements of a verification. They compare, and write nothing.
//!
//! None of them needs a transaction id, so they also run in a read-only transaction and on a hot
//! standby.

use crate::schema::View;
use crate::sql::differences::{differences, label, promoted_columns};
use crate::sql::document;
use crate::sql::document::BatchSize;
use crate::sql::key_pages::{self, PageStart};
use crate::sql::text::{Sql, column};

/// The statements of a verification.
#[derive(Debug)]
pub struct VerifySql {
    /// Builds the documents of `$1` and compares them with the stored ones, as
    /// [`SyncSql::write`](super::sync::SyncSql::write) does, all in one snapshot. Returns one row;
    /// see `compare_row`.
    pub compare: String,
    /// The stored and the built document of those keys of `$1` that have both: a row for each; see
    /// `both_row`.
    pub both: String,
    /// The first `$1` keys of a sample of the keys that have a root row or a document. A key is in
    /// the sample if the 63 bits of its hash with the seed `$2` are less than `$3`.
    pub first_sampled: String,
    /// The next `$2` keys of a sample after the one in the array `$1`, with the seed `$3` and the
    /// bound `$4`.
    pub next_sampled: String,
}

/// Columns of the row that [`VerifySql::compare`] returns.
pub(crate) mod compare_row {
    /// The number of root rows.
    pub(crate) const FOUND: usize = 0;
    /// The keys of drifted documents, sorted.
    pub(crate) const DRIFTED: usize = 1;
    /// The keys of rows without a document, sorted.
    pub(crate) const MISSING: usize = 2;
    /// The keys of documents without a row, sorted.
    pub(crate) const ORPHANED: usize = 3;
    /// The size of all built documents, in bytes.
    pub(crate) const BYTES: usize = 4;
}

/// Columns of the rows that [`VerifySql::both`] returns.
pub(crate) mod both_row {
    /// The key, in an array.
    pub(crate) const KEY: usize = 0;
    /// The stored document, as text.
    pub(crate) const STORED: usize = 1;
    /// The built document, as text.
    pub(crate) const BUILT: usize = 2;
    /// The stored promoted columns, as an array of texts in the order of the fields.
    pub(crate) const STORED_COLUMNS: usize = 3;
    /// The built promoted columns, in the same form.
    pub(crate) const BUILT_COLUMNS: usize = 4;
    /// Which promoted columns differ, as an array: equal values may have different texts.
    pub(crate) const COLUMNS_DIFFER: usize = 5;
}

/// Composes the statements of a view.
pub(crate) fn compose(view: &View) -> VerifySql {
    let sampled = |start| key_pages::page(view, start, Some(&|key| in_sample(key, start)));
    VerifySql {
        compare: compare(view),
        both: stored_and_built(view),
        first_sampled: sampled(PageStart::First),
        next_sampled: sampled(PageStart::AfterKey),
    }
}

/// The condition that a key is in the sample. A key of the base table and a key of the view table are
/// in it with the same probability, and both or none if they are equal.
fn in_sample(key: &str, start: PageStart) -> String {
    let (seed, bound) = match start {
        PageStart::First => ("$2", "$3"),
        PageStart::AfterKey => ("$3", "$4"),
    };
    format!(
        "(pg_catalog.hashtextextended({key}::text COLLATE \"C\", {seed}::int8) \
         & 9223372036854775807) < {bound}::int8"
    )
}

/// A page of keys without the view's filter, as [`key_pages::unfiltered`].
pub(crate) fn unfiltered(view: &View, start: PageStart, sampled: bool) -> String {
    if sampled {
        key_pages::unfiltered(view, start, Some(&|key| in_sample(key, start)))
    } else {
        key_pages::unfiltered(view, start, None)
    }
}

fn compare(view: &View) -> String {
    let ty = view.key.sql_type();
    let v_key = view.stored_key("v");
    let mut sql = Sql::new();
    sql.block("WITH input AS MATERIALIZED (", "),", |sql| {
        sql.line(format!("SELECT $1::{ty}[] AS keys"));
    });
    sql.block("compared AS MATERIALIZED (", "),", |sql| {
        sql.line("SELECT");
        sql.block_list([
            // Cast to the type that Rust reads: the base table may have another one.
            format!("b.\"key\"::{ty} AS \"key\""),
            format!("{} AS missing", v_key.is_missing()),
            format!("{} AS differs", differences(view).join(" OR ")),
            "pg_catalog.pg_column_size(b.\"data\") AS bytes".to_owned(),
        ]);
        sql.block("FROM (", ") AS b", |sql| {
            document::write(sql, view, BatchSize::Many, |root| {
                vec![view.base_key(root).is_in_input()]
            });
            // Each document is built once, though it is used twice.
            sql.line("OFFSET 0");
        });
        sql.line(format!(
            "LEFT JOIN {} AS v ON {}",
            view.table,
            v_key.is("b.\"key\"")
        ));
    });
    sql.block("orphans AS MATERIALIZED (", ")", |sql| {
        sql.line(format!("SELECT {} AS \"key\"", v_key.value()));
        sql.line(format!("FROM {} AS v", view.table));
        sql.conditions(
            "WHERE",
            &[
                // If every key has a row there are no orphans, and the table is not read.
                "(SELECT pg_catalog.count(DISTINCT \"key\") FROM compared) < (SELECT pg_catalog.cardinality(keys) FROM input)"
                    .to_owned(),
                v_key.is_in_input(),
                format!(
                    "NOT EXISTS (SELECT FROM compared WHERE compared.\"key\" = {})",
                    v_key.value()
                ),
            ],
        );
    });
    let order = view.key.order_of("\"key\"");
    sql.line("SELECT");
    sql.block_list([
        // Rows of tables that inherit from each other can have one key, which counts once.
        "(SELECT pg_catalog.count(DISTINCT \"key\") FROM compared) AS found".to_owned(),
        format!(
            "ARRAY(SELECT \"key\" FROM compared WHERE differs AND NOT missing GROUP BY \"key\" ORDER BY {order}) AS drifted"
        ),
        format!("ARRAY(SELECT \"key\" FROM compared WHERE missing GROUP BY \"key\" ORDER BY {order}) AS missing"),
        format!("ARRAY(SELECT \"key\" FROM orphans ORDER BY {order}) AS orphaned"),
        "(SELECT coalesce(pg_catalog.sum(bytes), 0)::int8 FROM compared) AS bytes".to_owned(),
    ]);
    sql.finish()
}

fn stored_and_built(view: &View) -> String {
    let v_key = view.stored_key("v");
    let columns = |values: &[String], name: &str| {
        let texts: Vec<String> = values
            .iter()
            .map(|value| format!("{value}::text"))
            .collect();
        format!("ARRAY[{}]::text[] AS {name}", texts.join(", "))
    };
    let stored: Vec<String> = promoted_columns(view)
        .map(|name| column("v", name))
        .collect();
    let built: Vec<String> = promoted_columns(view)
        .map(|name| column("b", &label(view, name)))
        .collect();
    let differ: Vec<String> = stored
        .iter()
        .zip(&built)
        .map(|(stored, built)| format!("{stored} IS DISTINCT FROM {built}"))
        .collect();
    let mut sql = Sql::new();
    sql.line("SELECT");
    sql.block_list([
        format!("ARRAY[b.\"key\"::{}] AS \"key\"", view.key.sql_type()),
        "v.\"data\"::text AS stored".to_owned(),
        "b.\"data\"::text AS should_be".to_owned(),
        columns(&stored, "stored_columns"),
        columns(&built, "right_columns"),
        format!("ARRAY[{}]::boolean[] AS columns_differ", differ.join(", ")),
    ]);
    sql.block("FROM (", ") AS b", |sql| {
        document::write(sql, view, BatchSize::Few, |root| {
            vec![view.base_key(root).is_in_parameter(1)]
        });
        sql.line("OFFSET 0");
    });
    sql.line(format!(
        "JOIN {} AS v ON {}",
        view.table,
        v_key.is("b.\"key\"")
    ));
    sql.line(format!("ORDER BY {}", view.key.order_of("b.\"key\"")));
    sql.finish()
}
