//! The statement that leads from changed rows to the documents that are made of them.
//!
//! A [`LookupChain`] leads from the rows of one table to the documents of one view. Each of its
//! lookups reads one table: it searches a column for the values that the lookup before found. So
//! each is a search in an index. And if rows are locked, a row that another transaction has moved
//! meanwhile is read again, and yields its new parent; a join would search the new parent only
//! among the rows that it had joined before.
//!
//! Filters and limits are left out: the change may be what moved a row into or out of them.

use crate::schema::{Table, View};
use crate::sql::cascade::{DELETE_ACTIONS, UPDATE_ACTIONS};
use crate::sql::key_column::key_order;
use crate::sql::text::{Sql, column, ident, literal};

/// The columns of the row that the statement returns: the keys of the rows that exist, whether
/// foreign keys may have acted on others, then the keys of the documents, chain by chain.
pub(crate) mod result_row {
    pub(crate) const EXISTING: usize = 0;
    pub(crate) const MAY_HAVE_ACTED: usize = 1;
    pub(crate) const FIRST_CHAIN: usize = 2;
}

/// One lookup of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TableLookup {
    /// The table whose rows are looked up.
    pub(crate) table: Table,
    /// The column that is searched for values.
    pub(crate) by: &'static str,
    /// The column whose values are the result.
    pub(crate) wanted: &'static str,
    /// The key column, by which rows are locked in order, if it is known.
    pub(crate) key: Option<&'static str>,
}

/// The lookups from the rows of a table to the documents of a view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LookupChain {
    /// The column of the rows that the chain begins with.
    pub(crate) wanted: &'static str,
    /// The lookups, from the rows up to the documents. The last one yields the keys of documents;
    /// without lookups `wanted` is such a key.
    pub(crate) lookups: Vec<TableLookup>,
}

/// Returns one row of arrays: the keys of the rows of `table` that exist, among those whose column
/// `by`, of type `ty`, is in `$1`; then for each chain the keys of the documents, sorted, at most
/// `$2`. Each chain is given with the view of its documents.
///
/// With `lock`, every row on the way is locked but those of `$1`, which the caller has written,
/// and the root rows of the documents; and `may_have_acted` says whether a foreign key may have
/// deleted or changed other rows, although the rows of `$1` exist.
pub(crate) fn compose(
    table: Table,
    by: &str,
    ty: &str,
    chains: &[(&LookupChain, &View)],
    lock: bool,
) -> String {
    let start = Start {
        table,
        by,
        ty,
        limit: "$2",
        keys: "keys",
        input: match ty {
            "text" => in_own_type(table, by),
            _ => format!("$1::{ty}[]"),
        },
    };
    start.statement(chains, lock, true)
}

/// The documents that chains lead to from values of the column `wanted`, given as texts. All chains
/// begin with this column. Rows with these values need not exist any more.
pub(crate) fn from_values(
    table: Table,
    wanted: &str,
    ty: &str,
    chains: &[(&LookupChain, &View)],
) -> String {
    let start = Start {
        table,
        by: wanted,
        ty,
        limit: "$2",
        keys: "keys",
        input: format!("$1::text[]::{ty}[]"),
    };
    start.statement(chains, true, false)
}

/// The values of a column, given as texts, as an array. `texts` is a query of the texts, in a column `t.k`; `ty` is the
/// type of the column if it is known, and not a text.
pub(crate) fn array_of_column(table: Table, name: &str, ty: Option<&str>, texts: &str) -> String {
    let value = match ty {
        // One type for all integers: a foreign key may have a larger one than the key.
        Some("int2" | "int4" | "int8") => "t.k::int8".to_owned(),
        Some(ty) => format!("t.k::{ty}"),
        None => value_of_column(table, name, "t.k"),
    };
    format!("ARRAY(SELECT {value} FROM {texts})")
}

/// A query for each chain: the keys of the documents that it leads to, at most `limit`, from values of the column
/// `wanted`, with which all chains begin. `texts` is a query of the values as texts, in a column `t.k`; `keys` is the column
/// of the CTE `input` that has the array which is returned first. `ty` is the type of the column if it is known, and not a
/// text.
pub(crate) fn queries(
    table: Table,
    wanted: &str,
    ty: Option<&str>,
    texts: &str,
    keys: &str,
    limit: &str,
    chains: &[(&LookupChain, &View)],
) -> (String, Vec<String>) {
    let input = array_of_column(table, wanted, ty, texts);
    let start = Start {
        table,
        by: wanted,
        ty: match ty {
            Some("int2" | "int4" | "int8") => "int8",
            Some(ty) => ty,
            None => "text",
        },
        limit,
        keys,
        input: String::new(),
    };
    let query = |(chain, view): &(&LookupChain, &View)| {
        let mut sql = Sql::new();
        start.chain(&mut sql, chain, view, true);
        sql.finish()
    };
    (input, chains.iter().map(query).collect())
}

/// The texts `$1` as an array of the type of a column, which may be `citext` or another type that has
/// its own operators. The type has a name only in the catalog, so the values are read as a row.
fn in_own_type(table: Table, name: &str) -> String {
    format!(
        "ARRAY(SELECT {} FROM pg_catalog.unnest($1::text[]) AS k)",
        value_of_column(table, name, "k")
    )
}

/// The text `value` as a value of the column's type.
fn value_of_column(table: Table, name: &str, value: &str) -> String {
    format!(
        "(pg_catalog.jsonb_populate_record(NULL::{table}, \
         pg_catalog.jsonb_build_object({}, {value}))).{}",
        literal(name),
        ident(name)
    )
}

/// The rows that all chains of a statement begin with.
struct Start<'a> {
    table: Table,
    /// The column whose values are given.
    by: &'a str,
    /// Its type.
    ty: &'a str,
    /// The maximum number of documents of a chain.
    limit: &'a str,
    /// The parameter with the values, cast to an array of the type.
    input: String,
    /// The column of the CTE `input` that has them.
    keys: &'a str,
}

/// A lookup as it is written in the statement.
struct WrittenLookup<'a> {
    table: Table,
    by: &'a str,
    wanted: &'a str,
    /// The columns by which rows are ordered before they are locked; `None` if they are not locked.
    lock_order: Option<Vec<&'a str>>,
}

impl Start<'_> {
    fn statement(&self, chains: &[(&LookupChain, &View)], lock: bool, existing: bool) -> String {
        let Self {
            table,
            by,
            ty,
            input,
            keys,
            ..
        } = self;
        let mut sql = Sql::new();
        // The planner does not see the length of the array behind the CTE, so that one plan serves
        // all executions.
        let acts = lock && existing;
        let (with, end) = if acts {
            ("WITH RECURSIVE", "),")
        } else {
            ("WITH", ")")
        };
        sql.block(format!("{with} input AS MATERIALIZED ("), end, |sql| {
            sql.line(format!("SELECT {input} AS {keys}"));
        });
        if acts {
            family(&mut sql, *table);
        }
        sql.line("SELECT");
        sql.indented(|sql| {
            let comma = |last: bool| if last { "" } else { "," };
            let own = column("r", by);
            let end = comma(chains.is_empty());
            if existing {
                sql.block("ARRAY(", ") AS existing,", |sql| {
                    sql.line(format!("SELECT DISTINCT {own}::{ty} AS key"));
                    sql.line(format!("FROM {table} AS r"));
                    sql.line(format!("WHERE {own} = ANY ({})", self.given()));
                });
            } else {
                sql.line("NULL AS existing,");
            }
            if acts {
                self.may_have_acted(sql, end);
            } else {
                sql.line(format!("false AS may_have_acted{end}"));
            }
            for (index, (chain, view)) in chains.iter().enumerate() {
                let end = format!(") AS way_{index}{}", comma(index + 1 == chains.len()));
                sql.block("ARRAY(", end, |sql| self.chain(sql, chain, view, lock));
            }
        });
        sql.finish()
    }

    /// Whether a foreign key may have acted on other rows. The given rows exist, so it is one of these:
    /// a row was deleted and inserted again, or is one of several with a given value; or a key that
    /// refers to another column has changed. The number of deleted rows may contain rows of the
    /// transactions before this one, in the same session.
    fn may_have_acted(&self, sql: &mut Sql, end: &str) {
        sql.block("EXISTS (", format!(") AS may_have_acted{end}"), |sql| {
            sql.line("SELECT");
            sql.line("FROM family AS f");
            sql.line("JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = f.oid");
            sql.line(format!("WHERE (t.tgfoid IN ({DELETE_ACTIONS})"));
            sql.line("  AND (pg_catalog.current_setting('track_counts') = 'off' OR (");
            sql.line("    SELECT pg_catalog.bool_or(pg_catalog.pg_stat_get_xact_tuples_deleted(d.oid) > 0)");
            sql.line("    FROM family AS d)))");
            sql.line(format!("OR (t.tgfoid IN ({UPDATE_ACTIONS})"));
            sql.line("  AND (SELECT k.confkey FROM pg_catalog.pg_constraint AS k WHERE k.oid = t.tgconstraint)");
            sql.line("    IS DISTINCT FROM ARRAY(");
            sql.line("      SELECT a.attnum FROM pg_catalog.pg_attribute AS a");
            sql.line(format!(
                "      WHERE a.attrelid = f.oid AND a.attname = {}))",
                literal(self.by)
            ));
        });
    }

    /// The given values, as an array.
    fn given(&self) -> String {
        match self.ty {
            // The type of the column is not known here.
            "text" => format!("ARRAY(SELECT pg_catalog.unnest({}) FROM input)", self.keys),
            ty => format!("(SELECT {} FROM input)::{ty}[]", self.keys),
        }
    }

    /// The body of the array of one chain: distinct keys of documents.
    fn chain(&self, sql: &mut Sql, chain: &LookupChain, view: &View, lock: bool) {
        let (root, key) = (view.shape.table, &view.key);
        // If the chain begins with another column than the given one, its values are looked up.
        let first = (self.by != chain.wanted).then_some(WrittenLookup {
            table: self.table,
            by: self.by,
            wanted: chain.wanted,
            lock_order: None,
        });
        let lookups = chain.lookups.iter().map(|lookup| {
            // The root row of a document always belongs to that document, so it needs no lock: a
            // transaction that changes it syncs the document itself.
            let is_root = lookup.table == root && lookup.wanted == key.column;
            WrittenLookup {
                table: lookup.table,
                by: lookup.by,
                wanted: lookup.wanted,
                lock_order: (lock && !is_root).then(|| match lookup.key {
                    Some(key) => vec![key],
                    None => vec![lookup.by, lookup.wanted],
                }),
            }
        });
        let lookups: Vec<WrittenLookup<'_>> = first.into_iter().chain(lookups).collect();
        let value = format!("found.value::{}", key.ty.sql);
        let value = key_order(&value, key);
        sql.line(format!("SELECT DISTINCT {value} AS key"));
        match lookups.split_last() {
            None => sql.line(format!(
                "FROM pg_catalog.unnest({}) AS found (value)",
                self.given()
            )),
            Some((last, before)) => sql.block("FROM (", ") AS found", |sql| {
                self.rows(sql, last, before);
            }),
        }
        // A foreign key may have a larger integer type than the key. A value out of range is the
        // key of no document, and the cast to the type of the key would raise an error for it.
        let is_key = chain.lookups.is_empty() && chain.wanted == key.column;
        let range = (!is_key || self.ty != key.ty.sql)
            .then(|| integer_range(key.ty.sql))
            .flatten();
        match range {
            Some(range) => sql.line(format!("WHERE found.value BETWEEN {range}")),
            None => sql.line("WHERE found.value IS NOT NULL"),
        }
        sql.line("ORDER BY 1");
        sql.line(format!("LIMIT {}", self.limit));
    }

    /// The rows of a lookup, which are found by the values of the lookups before it.
    ///
    /// PostgreSQL does not allow DISTINCT in a query that locks rows, so DISTINCT is in the query
    /// around it.
    fn rows(&self, sql: &mut Sql, lookup: &WrittenLookup<'_>, before: &[WrittenLookup<'_>]) {
        sql.line(format!("SELECT {} AS value", column("r", lookup.wanted)));
        sql.line(format!("FROM {} AS r", lookup.table));
        let by = column("r", lookup.by);
        match before.split_last() {
            None => sql.line(format!("WHERE {by} = ANY ({})", self.given())),
            Some((last, before)) => sql.block(format!("WHERE {by} = ANY (ARRAY("), "))", |sql| {
                sql.line("SELECT DISTINCT found.value");
                sql.block("FROM (", ") AS found", |sql| self.rows(sql, last, before));
            }),
        }
        if let Some(order) = &lookup.lock_order {
            let order: Vec<String> = order.iter().map(|name| column("r", name)).collect();
            sql.line(format!("ORDER BY {}", order.join(", ")));
            sql.line("FOR SHARE OF r");
        }
    }
}

/// The CTE `family`: the table, and the tables that inherit from it, partitions among them. Their
/// triggers execute foreign keys.
fn family(sql: &mut Sql, table: Table) {
    sql.block("family (oid) AS (", ")", |sql| {
        let table = literal(&table.to_string());
        sql.line(format!("SELECT {table}::pg_catalog.regclass::oid"));
        sql.line("UNION");
        sql.line("SELECT i.inhrelid");
        sql.line("FROM family AS f");
        sql.line("JOIN pg_catalog.pg_inherits AS i ON i.inhparent = f.oid");
    });
}

/// The range of an integer type that is smaller than `int8`.
fn integer_range(ty: &str) -> Option<String> {
    let (min, max) = match ty {
        "int2" => (i32::from(i16::MIN), i32::from(i16::MAX)),
        "int4" => (i32::MIN, i32::MAX),
        _ => return None,
    };
    Some(format!("{min} AND {max}"))
}
