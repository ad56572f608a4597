//! The statement that leads from changed rows to the documents that are made of them.
//!
//! A [`LookupChain`] leads from the rows of one table to the documents of one view. Each of its
//! lookups reads one table: it searches a column for the values that the lookup before found. So
//! each is a search in an index. And if rows are locked, a row that another transaction has moved
//! meanwhile is read again, and yields its new parent; a join would search the new parent only
//! among the rows that it had joined before.
//!
//! Filters and limits are left out: the change may be what moved a row into or out of them.

use crate::schema::columns::ColumnNames;
use crate::schema::{Columns, Table, View};
use crate::sql::cascade::{DELETE_ACTIONS, UPDATE_ACTIONS};
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
    /// The columns that are searched for values.
    pub(crate) by: Columns,
    /// The columns whose values are the result.
    pub(crate) wanted: Columns,
    /// The key, by which rows are locked in order, if it is known.
    pub(crate) key: Option<Columns>,
}

/// The lookups from the rows of a table to the documents of a view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LookupChain {
    /// The columns of the rows that the chain begins with.
    pub(crate) wanted: Columns,
    /// The lookups, from the rows up to the documents. The last one yields the keys of documents;
    /// without lookups `wanted` is such a key.
    pub(crate) lookups: Vec<TableLookup>,
}

/// Returns one row of arrays: the keys of the rows of `table` that exist, among those whose columns
/// `by` are in `$1`, an array of the type `ty`; then for each chain the keys of the documents, sorted, at most
/// `$2`. Each chain is given with the view of its documents.
///
/// With `lock`, every row on the way is locked but those of `$1`, which the caller has written,
/// and the root rows of the documents; and `may_have_acted` says whether a foreign key may have
/// deleted or changed other rows, although the rows of `$1` exist.
pub(crate) fn compose(
    table: Table,
    by: &ColumnNames,
    ty: &str,
    chains: &[(&LookupChain, &View)],
    lock: bool,
) -> String {
    let start = Start {
        table,
        by: by.clone(),
        ty,
        limit: "$2",
        keys: "keys",
        input: match (ty, by.single()) {
            ("text", Some(name)) => in_own_type(table, name),
            _ => format!("$1::{ty}[]"),
        },
    };
    start.statement(chains, lock, true)
}

/// The documents that chains lead to from values of the columns `wanted`, given as texts. All chains
/// begin with these columns. Rows with these values need not exist any more.
pub(crate) fn from_values(
    table: Table,
    wanted: &ColumnNames,
    ty: &str,
    chains: &[(&LookupChain, &View)],
) -> String {
    let start = Start {
        table,
        by: wanted.clone(),
        ty,
        limit: "$2",
        keys: "keys",
        input: format!("$1::text[]::{ty}[]"),
    };
    start.statement(chains, true, false)
}

/// The values of columns, given as texts, as an array. `texts` is a query of the texts, in a column `t.k`; `ty` is the
/// type of a single column if it is known, and not a text. Values of several columns are JSON arrays.
pub(crate) fn array_of_columns(
    table: Table,
    columns: Columns,
    ty: Option<&str>,
    texts: &str,
) -> String {
    let value = match (columns.single(), ty) {
        (None, _) => "t.k::jsonb".to_owned(),
        // One type for all integers: a foreign key may have a larger one than the key.
        (_, Some("int2" | "int4" | "int8")) => "t.k::int8".to_owned(),
        (_, Some(ty)) => format!("t.k::{ty}"),
        (Some(name), None) => value_of_column(table, name, "t.k"),
    };
    format!("ARRAY(SELECT {value} FROM {texts})")
}

/// Values of columns: an array as [`array_of_columns`] yields it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GivenValues<'a> {
    /// The name of the table that the values are of.
    pub(crate) table: &'a str,
    /// Its columns.
    pub(crate) columns: &'a ColumnNames,
    pub(crate) array: &'a str,
}

impl GivenValues<'_> {
    /// The condition that columns of a row are among the values.
    pub(crate) fn contain(self, alias: &str, names: &ColumnNames) -> String {
        if let Some(name) = names.single() {
            return format!("{} = ANY ({})", column(alias, name), self.array);
        }
        let columns: Vec<String> = names
            .names()
            .iter()
            .map(|name| column(alias, name))
            .collect();
        format!("({}) IN (\n  {}\n)", columns.join(", "), self.query())
    }

    /// A query of the values, with a column for each.
    pub(crate) fn query(self) -> String {
        let names = self.columns.names();
        if self.columns.single().is_some() {
            return format!("SELECT pg_catalog.unnest({})", self.array);
        }
        // The types of the columns have names only in the catalog, so the values are read as a row.
        let columns: Vec<String> = names.iter().map(|name| column("p", name)).collect();
        let pairs: Vec<String> = names
            .iter()
            .enumerate()
            .map(|(place, name)| format!("{}, k.k -> {place}", literal(name)))
            .collect();
        format!(
            "SELECT {}\n  FROM pg_catalog.unnest({}) AS k (k)\n  \
             CROSS JOIN LATERAL pg_catalog.jsonb_populate_record(\n    {}, \
             pg_catalog.jsonb_build_object({})\n  ) AS p",
            columns.join(", "),
            self.array,
            row_of_nulls(self.table),
            pairs.join(", ")
        )
    }
}

/// A query for each chain: the keys of the documents that it leads to, at most `limit`, from values of the columns
/// `wanted`, with which all chains begin. `texts` is a query of the values as texts, in a column `t.k`; `keys` is the column
/// of the CTE `input` that has the array which is returned first. `ty` is the type of a single column if it is known, and not a
/// text.
pub(crate) fn queries(
    table: Table,
    wanted: Columns,
    ty: Option<&str>,
    texts: &str,
    keys: &str,
    limit: &str,
    chains: &[(&LookupChain, &View)],
) -> (String, Vec<String>) {
    let input = array_of_columns(table, wanted, ty, texts);
    let start = Start {
        table,
        by: wanted.into(),
        ty: match ty {
            _ if wanted.single().is_none() => "jsonb",
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
        "(pg_catalog.jsonb_populate_record({}, \
         pg_catalog.jsonb_build_object({}, {value}))).{}",
        row_of_nulls(&table.to_string()),
        literal(name),
        ident(name)
    )
}

/// A row of a table whose columns are all null, to be filled with some of them. The columns that
/// `jsonb_populate_record` adds to `NULL::table` are checked by their domains, of which one may be
/// NOT NULL; those that a row has already are not.
fn row_of_nulls(table: &str) -> String {
    format!("(SELECT (r.*)::{table} FROM (SELECT (NULL::{table}).*) AS r)")
}

/// The rows that all chains of a statement begin with.
struct Start<'a> {
    table: Table,
    /// The columns whose values are given.
    by: ColumnNames,
    /// The type of a value.
    ty: &'a str,
    /// The maximum number of documents of a chain.
    limit: &'a str,
    /// The parameter with the values, cast to an array of the type.
    input: String,
    /// The column of the CTE `input` that has them.
    keys: &'a str,
}

/// A lookup as it is written in the statement.
struct WrittenLookup {
    table: Table,
    by: ColumnNames,
    wanted: Columns,
    /// The columns by which rows are ordered before they are locked; `None` if they are not locked.
    lock_order: Option<Vec<&'static str>>,
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
            let own = match by.single() {
                Some(name) => format!("{}::{ty}", column("r", name)),
                None => {
                    let columns: Vec<String> =
                        by.names().iter().map(|name| column("r", name)).collect();
                    format!("pg_catalog.jsonb_build_array({})", columns.join(", "))
                }
            };
            let end = comma(chains.is_empty());
            if existing {
                sql.block("ARRAY(", ") AS existing,", |sql| {
                    sql.line(format!("SELECT DISTINCT {own} AS key"));
                    sql.line(format!("FROM {table} AS r"));
                    let is_given = self.contain(by);
                    sql.line(format!("WHERE {is_given}"));
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
            match self.by.single() {
                Some(name) => {
                    sql.line("      SELECT a.attnum FROM pg_catalog.pg_attribute AS a");
                    sql.line(format!(
                        "      WHERE a.attrelid = f.oid AND a.attname = {}))",
                        literal(name)
                    ));
                }
                None => {
                    let names = self.by.names().iter();
                    let names: Vec<String> = names.map(|name| literal(name)).collect();
                    sql.line("      SELECT a.attnum");
                    sql.line(format!(
                        "      FROM pg_catalog.unnest(ARRAY[{}]) WITH ORDINALITY AS n (name, place)",
                        names.join(", ")
                    ));
                    sql.line("      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = f.oid AND a.attname = n.name");
                    sql.line("      ORDER BY n.place))");
                }
            }
        });
    }

    /// The condition that columns of a row `r` are among the given values.
    fn contain(&self, columns: &ColumnNames) -> String {
        let values = GivenValues {
            table: &self.table.to_string(),
            columns: &self.by,
            array: &self.given(),
        };
        values.contain("r", columns)
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
        let by = |columns: Columns| ColumnNames::from(columns);
        // If the chain begins with another column than the given one, its values are looked up.
        let first = (self.by != chain.wanted).then(|| WrittenLookup {
            table: self.table,
            by: self.by.clone(),
            wanted: chain.wanted,
            lock_order: None,
        });
        let lookups = chain.lookups.iter().map(|lookup| {
            // The root row of a document always belongs to that document, so it needs no lock: a
            // transaction that changes it syncs the document itself.
            let is_root = lookup.table == root && lookup.wanted == key.columns;
            WrittenLookup {
                table: lookup.table,
                by: by(lookup.by),
                wanted: lookup.wanted,
                lock_order: (lock && !is_root).then(|| match lookup.key {
                    Some(key) => key.names().to_vec(),
                    None => {
                        let by = lookup.by.names().iter();
                        by.chain(lookup.wanted.names()).copied().collect()
                    }
                }),
            }
        });
        let lookups: Vec<WrittenLookup> = first.into_iter().chain(lookups).collect();
        // Values that were given are one column each, those that were found have a column for each of the key.
        let parts: Vec<String> = match (key.single(), lookups.is_empty()) {
            (Some(_), _) => vec!["found.value".to_owned()],
            (None, true) => (0..key.columns.len())
                .map(|place| format!("pg_catalog.jsonb_array_element_text(found.value, {place})"))
                .collect(),
            (None, false) => (0..key.columns.len())
                .map(|place| format!("found.value_{place}"))
                .collect(),
        };
        let value = match key.single() {
            Some((_, ty)) => key.order_of(&format!("found.value::{}", ty.sql)),
            None => {
                let parts = parts.iter().zip(key.types);
                let parts: Vec<String> = parts
                    .map(|(part, ty)| format!("{part}::{}", ty.sql))
                    .collect();
                format!("pg_catalog.jsonb_build_array({})", parts.join(", "))
            }
        };
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
        let is_key = chain.lookups.is_empty() && chain.wanted == key.columns;
        let is_of_key = is_key && self.ty == key.sql_type();
        let conditions: Vec<String> = parts
            .iter()
            .zip(key.types)
            .map(|(part, ty)| match integer_range(ty.sql) {
                Some(range) if !is_of_key && key.single().is_some() => {
                    format!("{part} BETWEEN {range}")
                }
                // A text, if it was given.
                Some(range) if !is_of_key => format!("{part}::int8 BETWEEN {range}"),
                _ => format!("{part} IS NOT NULL"),
            })
            .collect();
        sql.conditions("WHERE", &conditions);
        sql.line("ORDER BY 1");
        sql.line(format!("LIMIT {}", self.limit));
    }

    /// The rows of a lookup, which are found by the values of the lookups before it.
    ///
    /// PostgreSQL does not allow DISTINCT in a query that locks rows, so DISTINCT is in the query
    /// around it.
    fn rows(&self, sql: &mut Sql, lookup: &WrittenLookup, before: &[WrittenLookup]) {
        let wanted = lookup.wanted.names().iter().enumerate();
        let wanted = wanted.map(|(place, name)| {
            let value = value_name(lookup.wanted, place);
            format!("{} AS {value}", column("r", name))
        });
        sql.line(format!("SELECT {}", wanted.collect::<Vec<_>>().join(", ")));
        sql.line(format!("FROM {} AS r", lookup.table));
        match before.split_last() {
            None => {
                let is_given = self.contain(&lookup.by);
                sql.line(format!("WHERE {is_given}"));
            }
            Some((last, before)) => {
                let (open, close) = match lookup.by.single() {
                    Some(name) => (format!("{} = ANY (ARRAY(", column("r", name)), "))"),
                    None => {
                        let by: Vec<String> = lookup
                            .by
                            .names()
                            .iter()
                            .map(|name| column("r", name))
                            .collect();
                        (format!("({}) IN (", by.join(", ")), ")")
                    }
                };
                sql.block(format!("WHERE {open}"), close, |sql| {
                    let values: Vec<String> = (0..last.wanted.len())
                        .map(|place| format!("found.{}", value_name(last.wanted, place)))
                        .collect();
                    sql.line(format!("SELECT DISTINCT {}", values.join(", ")));
                    sql.block("FROM (", ") AS found", |sql| self.rows(sql, last, before));
                });
            }
        }
        if let Some(order) = &lookup.lock_order {
            let order: Vec<String> = order.iter().map(|name| column("r", name)).collect();
            sql.line(format!("ORDER BY {}", order.join(", ")));
            sql.line("FOR SHARE OF r");
        }
    }
}

/// The name of a value that a lookup has found.
fn value_name(wanted: Columns, place: usize) -> String {
    match wanted.single() {
        Some(_) => "value".to_owned(),
        None => format!("value_{place}"),
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
