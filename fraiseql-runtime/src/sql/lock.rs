//! The statements that lock what documents are built from, and the documents themselves.
//!
//! A sync inside of a transaction locks before it builds: the snapshot that builds the documents
//! is then newer than the locks, so nothing that it reads can be changed until the transaction
//! ends.
//!
//! # The order of locks
//!
//! 1. Rows that the documents embed by foreign key or through a join table, and root rows without
//!    a document, `FOR SHARE`: table by table in the order of table names, and within a table in
//!    key order.
//! 2. The documents, `FOR UPDATE`, in key order.
//! 3. The advisory lock `IN_ORDER`, and `OPEN` if the transaction may continue. Both are shared, so
//!    transactions that sync do not wait for each other here.
//!
//! The order is total, and every sync uses it. Two syncs that need the same locks request them in
//! the same order, so none waits for a lock while it holds one that the other waits for.
//!
//! # Which rows are locked
//!
//! Those that another transaction may change without knowing of these documents:
//!
//! - A row that is embedded by foreign key or through a join table. A transaction that changes it
//!   syncs the documents that embed it, but does not see the document that begins to embed it here.
//! - A root row that has no document yet: there is nothing to lock but the row itself.
//!
//! Rows of a list (`many`, `first` and `values` by foreign key) and those of an aggregate need no lock: a
//! transaction that changes one of them syncs the document of its parent, and that document is locked.
//! Rows between a row and those of its aggregate are locked by whoever looks for the document, on the way.

use std::collections::BTreeMap;

use crate::schema::{Columns, Link, Many, One, Shape, Source, Table, View};
use crate::sql::row_key::{columns_of, same_columns, tuple_of};
use crate::sql::session::Session;
use crate::sql::text::Sql;
use crate::sql::write::advisory::{IN_ORDER, OPEN, advisory_key};

/// Columns of the row that a lock statement returns.
pub(crate) mod result_row {
    /// The array of the keys whose documents exist. Null in REPEATABLE READ, where nothing is
    /// locked.
    pub(crate) const DOCUMENTS: usize = 0;
    /// The isolation level of the transaction.
    pub(crate) const ISOLATION: usize = 1;
    /// Whether the session finds the operators by which rows are compared. If not, nothing is
    /// locked.
    pub(crate) const SESSION_OK: usize = 2;
}

/// For each table and its key columns, the queries that select the keys of rows to lock. The map has
/// the order in which the tables are locked.
pub(crate) type RowsToLock = BTreeMap<(Table, Columns), Vec<String>>;

/// Locks the rows and the documents of `$1`. `$2` is whether the transaction may continue
/// afterwards.
pub(crate) fn all(view: &View) -> String {
    without(view, &[])
}

/// The same, without the rows of some relations.
pub(crate) fn without(view: &View, left_out: &[Table]) -> String {
    let mut tables = rows_to_lock(view);
    tables.retain(|(table, _), _| !left_out.contains(table));
    let mut sql = Sql::new();
    let names: Vec<String> = (1..=tables.len()).map(|n| format!("rows_{n}")).collect();
    let session = Session::of([view.shape]).path_condition();
    if let Some(condition) = &session {
        sql.block("WITH session AS MATERIALIZED (", "),", |sql| {
            sql.line(format!("SELECT {condition} AS ok"));
        });
    }
    for (index, ((table, key), queries)) in tables.into_iter().enumerate() {
        let with = if index == 0 && session.is_none() {
            "WITH "
        } else {
            ""
        };
        let comma = if index + 1 < names.len() { "," } else { "" };
        sql.block(
            format!("{with}{} AS MATERIALIZED (", names[index]),
            format!("){comma}"),
            |sql| {
                sql.line(format!("SELECT FROM {table} AS locked"));
                // One scan for all fields that embed rows of this table: several locks of one
                // table would not be in key order.
                sql.block(
                    format!("WHERE {} IN (", tuple_of("locked", key)),
                    ")",
                    |sql| {
                        for (index, query) in queries.into_iter().enumerate() {
                            if index > 0 {
                                sql.line("UNION ALL");
                            }
                            sql.line(query);
                        }
                    },
                );
                sql.line(format!("ORDER BY {}", columns_of("locked", key)));
                sql.line("FOR SHARE OF locked");
            },
        );
    }
    // A CTE runs when it is first read. The CASE therefore locks nothing if the isolation level
    // makes locks useless; the sum reads the CTEs one by one, in the order of the tables; and its
    // condition is evaluated before the branch that locks the documents.
    sql.line("SELECT CASE");
    sql.indented(|sql| {
        sql.line(
            "WHEN pg_catalog.current_setting('transaction_isolation') = 'repeatable read' THEN NULL",
        );
        if session.is_some() {
            sql.line("WHEN NOT (SELECT ok FROM session) THEN NULL");
        }
        let counts: Vec<String> = names
            .iter()
            .map(|name| format!("(SELECT pg_catalog.count(*) FROM {name})"))
            .collect();
        sql.line(format!("WHEN {} IS NOT NULL THEN", counts.join(" + ")));
        sql.indented(|sql| locked_documents(sql, view));
        sql.line("END AS documents,");
    });
    sql.indented(|sql| {
        // The caller refuses REPEATABLE READ: its snapshot is older than these locks.
        sql.line("pg_catalog.current_setting('transaction_isolation') AS isolation,");
        sql.line(match session {
            Some(_) => "(SELECT ok FROM session) AS session_ok,",
            None => "true AS session_ok,",
        });
        sql.line(format!("{},", announce_locks_first(view)));
        sql.line(format!(
            "CASE WHEN $2 THEN pg_catalog.pg_advisory_xact_lock_shared({})::text END",
            advisory_key(OPEN, view)
        ));
    });
    sql.finish()
}

/// The tables whose rows [`all`] locks, each with the columns by which they are found.
pub(crate) fn locked_tables(view: &View) -> impl Iterator<Item = (Table, Columns)> {
    rows_to_lock(view).into_keys()
}

/// The relations whose rows are locked, each once.
pub(crate) fn tables(view: &View) -> Vec<Table> {
    let mut tables: Vec<Table> = locked_tables(view).map(|(table, _)| table).collect();
    tables.dedup();
    tables
}

/// Locks no row of a relation, which fails if none of its rows could be locked.
pub(crate) fn no_row_of(table: Table) -> String {
    format!("SELECT FROM {table} AS locked LIMIT 0 FOR SHARE OF locked")
}

/// What identifies the database with its relations `$1`, and which of these are views.
pub(crate) const RELATIONS: &str = "\
SELECT
  pg_catalog.concat_ws(' ',
    extract(epoch FROM pg_catalog.pg_postmaster_start_time()), d.oid,
    pg_catalog.string_agg(pg_catalog.concat(c.oid, c.relkind), ' ' ORDER BY w.place)
  ) AS database,
  coalesce(
    pg_catalog.array_agg(w.place ORDER BY w.place) FILTER (WHERE c.relkind IN ('v', 'm')), '{}'
  ) AS views
FROM pg_catalog.pg_database AS d
CROSS JOIN pg_catalog.unnest($1::text[]) WITH ORDINALITY AS w (name, place)
LEFT JOIN pg_catalog.pg_class AS c ON c.oid = pg_catalog.to_regclass(w.name)
WHERE d.datname = pg_catalog.current_database()
GROUP BY d.oid";

/// Columns of the row that [`RELATIONS`] returns.
pub(crate) mod relations_row {
    pub(crate) const DATABASE: usize = 0;
    /// Places in `$1`, from 1.
    pub(crate) const VIEWS: usize = 1;
}

/// Locks the documents `$1` in key order, and returns the keys of those that exist.
pub(crate) fn documents(view: &View) -> String {
    let mut sql = Sql::new();
    sql.line("SELECT");
    sql.indented(|sql| {
        locked_documents(sql, view);
        sql.line("AS documents,");
        sql.line(announce_locks_first(view));
    });
    sql.finish()
}

fn locked_documents(sql: &mut Sql, view: &View) {
    let key = view.stored_key("v");
    sql.block("ARRAY(", ")", |sql| {
        sql.line(format!("SELECT {}", key.value()));
        sql.line(format!("FROM {} AS v", view.table));
        sql.line(format!("WHERE {}", key.is_in_parameter(1)));
        sql.line(format!("ORDER BY {}", key.order()));
        sql.line("FOR UPDATE OF v");
    });
}

/// Announces that this transaction locks documents before it builds them, so that others need not
/// wait for it: see [`write`](crate::sql::write).
fn announce_locks_first(view: &View) -> String {
    format!(
        "pg_catalog.pg_advisory_xact_lock_shared({})",
        advisory_key(IN_ORDER, view)
    )
}

/// The rows to lock for the documents of `$1`.
pub(crate) fn rows_to_lock(view: &View) -> RowsToLock {
    let shape = view.shape;
    let mut rows = RowsToLock::new();
    let path = RowPath {
        from: format!("{} AS r0", shape.table),
        row: "r0".to_owned(),
        depth: 0,
    };
    let on_root = view.base_key("r0").is_in_parameter(1);
    embedded_rows(shape, &path, &on_root, &mut rows);
    // Two first syncs of one document both find nothing to lock in the view table; the root row
    // makes them wait for a transaction that changes or deletes it.
    rows.entry((shape.table, view.key.columns))
        .or_default()
        .push(roots_without_document(view));
    rows
}

/// The keys of root rows that have no document yet.
fn roots_without_document(view: &View) -> String {
    let key = view.base_key("r0");
    format!(
        "SELECT {}\nFROM {} AS r0\nWHERE {}\n  \
         AND NOT EXISTS (SELECT FROM {} AS v WHERE {})",
        key.list(),
        view.shape.table,
        key.is_in_parameter(1),
        view.table,
        view.stored_key("v").is_same(&key)
    )
}

/// The joins from a root row, or from another row that is known, to a row that is embedded below it.
pub(crate) struct RowPath {
    /// The FROM clause.
    pub(crate) from: String,
    /// The alias of the last row.
    pub(crate) row: String,
    /// The next row has the alias `r<depth + 1>`.
    pub(crate) depth: usize,
}

/// A join from a row to the rows of one of its fields. `{row}` and `{link}` stand for the aliases
/// of a row of the part, and of a row of the join table.
struct ChildJoin {
    child: &'static Shape,
    condition: String,
    /// The join of the join table, if there is one.
    through: Option<String>,
}

/// Collects the rows that `shape` embeds by foreign key or through a join table, at any depth. `on_root` is the
/// condition of the first row of the path.
pub(crate) fn embedded_rows(shape: &Shape, path: &RowPath, on_root: &str, rows: &mut RowsToLock) {
    for field in shape.fields {
        let join = match &field.source {
            Source::One(one) => one_row(one, path, on_root, rows),
            Source::Many(many) | Source::First(many) => many_rows(many, shape, path, on_root, rows),
            Source::Values(values) => {
                let key = values.key.unwrap_or(shape.key_columns());
                if let Link::Through { key: to_key, .. } = &values.link {
                    let far = (values.table, to_key.unwrap_or(Columns::ID));
                    through_rows(values.link, far, (path, key), on_root, rows);
                }
                continue;
            }
            Source::Column { .. }
            | Source::Expr { .. }
            | Source::GlobalId { .. }
            | Source::Through { .. }
            | Source::Aggregate(_)
            | Source::OfGroup(_) => continue,
        };
        // Ends because the derives refuse types that contain themselves.
        let depth = path.depth + 1;
        let row = format!("r{depth}");
        let link = format!("j{depth}");
        let with_aliases = |text: &str| text.replace("{row}", &row).replace("{link}", &link);
        let next = RowPath {
            from: format!(
                "{}{}\nJOIN {} AS {row} ON {}",
                path.from,
                join.through
                    .as_deref()
                    .map(with_aliases)
                    .unwrap_or_default(),
                join.child.table,
                with_aliases(&join.condition)
            ),
            row: row.clone(),
            depth,
        };
        embedded_rows(join.child, &next, on_root, rows);
    }
}

/// Collects the row of a `one`, and returns the join to it.
fn one_row(one: &One, path: &RowPath, on_root: &str, rows: &mut RowsToLock) -> ChildJoin {
    let child = one.shape.get();
    let key = one.key.unwrap_or(child.key_columns());
    let fk = columns_of(&path.row, one.fk);
    // The key of the row is in the foreign key, so the row itself is not joined.
    rows.entry((child.table, key))
        .or_default()
        .push(format!("SELECT {fk}\nFROM {}\nWHERE {on_root}", path.from));
    ChildJoin {
        child,
        condition: same_columns("{row}", key, &path.row, one.fk),
        through: None,
    }
}

/// Collects the rows of a `many` if they are linked by a join table, and returns the join to them.
fn many_rows(
    many: &Many,
    shape: &Shape,
    path: &RowPath,
    on_root: &str,
    rows: &mut RowsToLock,
) -> ChildJoin {
    let child = many.shape.get();
    let own = many.key.unwrap_or(shape.key_columns());
    match many.link {
        // Not locked: see the module documentation. Its parts may have to be.
        Link::ForeignKey(fk) => ChildJoin {
            child,
            condition: same_columns("{row}", fk, &path.row, own),
            through: None,
        },
        Link::Through {
            table,
            fk,
            to,
            key: to_key,
            ..
        } => {
            let to_key = to_key.unwrap_or(child.key_columns());
            through_rows(many.link, (child.table, to_key), (path, own), on_root, rows);
            ChildJoin {
                child,
                condition: same_columns("{row}", to_key, "{link}", to),
                through: Some(format!(
                    "\nJOIN {table} AS {{link}} ON {}",
                    same_columns("{link}", fk, &path.row, own)
                )),
            }
        }
    }
}

/// Collects the rows `far`, a table and its key, that a join table refers to. `near` is the row that the join
/// table links to them, and its columns.
fn through_rows(
    link: Link,
    far: (Table, Columns),
    (path, own): (&RowPath, Columns),
    on_root: &str,
    rows: &mut RowsToLock,
) {
    let Link::Through { table, fk, to, .. } = link else {
        return;
    };
    // A transaction that changes the row does not see a new link to it.
    rows.entry(far).or_default().push(format!(
        "SELECT {}\nFROM {}\nJOIN {table} AS j0 ON {}\n\
         WHERE {on_root}",
        columns_of("j0", to),
        path.from,
        same_columns("j0", fk, &path.row, own)
    ));
}
