//! `fraiseql_embedded_..`: locks the rows that documents begin to embed by the changes of a transaction.
//!
//! A transaction that changes a row looks for the documents that embed it, and syncs them. It does not find those that only begin
//! to embed the row in a transaction that is not committed. So that transaction locks the row, as
//! [`lock`](crate::sql::lock) describes. It needs to lock no others: where all rows between a document and a row are committed,
//! the document is found.
//!
//! So the locked rows are those below the changed ones: the rows that they refer to by a foreign key that some document follows,
//! and what is below these. The parameter is that of [`dependents`](super::dependents). It has the values of the columns by which
//! rows refer to others, too.

use std::collections::{BTreeMap, BTreeSet};

use crate::schema::columns::ColumnNames;
use crate::schema::{Columns, Link, Shape, Source, Table, View};
use crate::sql::dependents::{GivenValues, array_of_columns};
use crate::sql::function::definition::FunctionText;
use crate::sql::function::model::{ColumnTypes, ModelPaths};
use crate::sql::function::rows::lock;
use crate::sql::lock::{RowPath, RowsToLock, embedded_rows};
use crate::sql::row_key::{columns_of, same_columns};
use crate::sql::text::{Sql, literal};

/// The text of the function, without its name. It runs with the settings of its caller.
pub(super) fn text<'a>(model: &ModelPaths<'_>, schema: &'static str) -> FunctionText<'a> {
    let mut sql = Sql::new();
    sql.line("#variable_conflict use_column");
    sql.block("BEGIN", "END", |sql| {
        for ((table, key), below) in &model.embedded.locked {
            for (changed, queries) in below {
                let is_changed = format!("IF $1 ? {} THEN", literal(&changed.to_string()));
                sql.block(is_changed, "END IF;", |sql| {
                    lock(sql, (*table, *key), queries, None);
                });
            }
        }
    });
    FunctionText {
        stem: "embedded",
        schema,
        parameters: &[("changes", "jsonb")],
        returns: "RETURNS void".to_owned(),
        outputs: &[],
        definer: false,
        settings: Vec::new(),
        body: sql.finish(),
    }
}

/// The keys that rows of a join table refer to.
fn linked_keys(table: Table, to: Columns, on_link: &str) -> String {
    format!(
        "SELECT {}\nFROM {table} AS r1\nWHERE {on_link}",
        columns_of("r1", to)
    )
}

/// For each locked table and its key, and each changed table: the queries of the keys to lock.
type Locked = BTreeMap<(Table, Columns), BTreeMap<Table, BTreeSet<String>>>;

/// The rows below changed ones.
#[derive(Debug, Default)]
pub(super) struct EmbeddedRows {
    locked: Locked,
    /// The columns of changed rows whose values the queries begin with.
    pub(super) columns: BTreeSet<(Table, Columns)>,
}

impl EmbeddedRows {
    pub(super) fn of(views: &[&'static View], types: &ColumnTypes) -> Self {
        let mut rows = Self::default();
        for view in views {
            rows.below(view.shape, types);
        }
        rows
    }

    /// Adds what is below changed rows of this shape, and of its parts.
    fn below(&mut self, shape: &'static Shape, types: &ColumnTypes) {
        for field in shape.fields {
            match &field.source {
                Source::One(one) => {
                    let child = one.shape.get();
                    let start = self.start(shape.table, one.fk, types);
                    let key = one.key.unwrap_or(child.key_columns());
                    self.add(&start, child.table, key, start.query());
                    self.deeper(&start, child, &first_rows(child.table), &start.is(key));
                    self.below(child, types);
                }
                Source::Many(many) | Source::First(many) => {
                    let child = many.shape.get();
                    let own = many.key.unwrap_or(shape.key_columns());
                    let start = self.start(shape.table, own, types);
                    match many.link {
                        Link::ForeignKey(fk) => {
                            self.deeper(&start, child, &first_rows(child.table), &start.is(fk));
                        }
                        Link::Through {
                            table, fk, to, key, ..
                        } => {
                            let key = key.unwrap_or(child.key_columns());
                            // The list of a changed row, and a changed row of the join table.
                            let on_link = start.is(fk);
                            self.add(&start, child.table, key, linked_keys(table, to, &on_link));
                            let path = RowPath {
                                from: format!(
                                    "{table} AS r1\nJOIN {} AS r2 ON {}",
                                    child.table,
                                    same_columns("r2", key, "r1", to)
                                ),
                                row: "r2".to_owned(),
                                depth: 2,
                            };
                            self.deeper(&start, child, &path, &on_link);
                            let link = self.start(table, to, types);
                            self.add(&link, child.table, key, link.query());
                            self.deeper(&link, child, &first_rows(child.table), &link.is(key));
                        }
                    }
                    self.below(child, types);
                }
                Source::Values(values) => {
                    if let Link::Through {
                        table, fk, to, key, ..
                    } = values.link
                    {
                        let own = values.key.unwrap_or(shape.key_columns());
                        let start = self.start(shape.table, own, types);
                        let key = key.unwrap_or(Columns::ID);
                        self.add(
                            &start,
                            values.table,
                            key,
                            linked_keys(table, to, &start.is(fk)),
                        );
                        let link = self.start(table, to, types);
                        self.add(&link, values.table, key, link.query());
                    }
                }
                Source::Column { .. }
                | Source::Expr { .. }
                | Source::GlobalId { .. }
                | Source::Through { .. }
                | Source::Aggregate(_)
                | Source::OfGroup(_) => {}
            }
        }
    }

    fn start(&mut self, table: Table, columns: Columns, types: &ColumnTypes) -> Start {
        self.columns.insert((table, columns));
        let values = format!(
            "$1 -> {} -> {}",
            literal(&table.to_string()),
            literal(&columns.name_in_changes())
        );
        let texts = format!("pg_catalog.jsonb_array_elements_text({values}) AS t (k)");
        Start {
            table,
            columns: columns.into(),
            array: array_of_columns(table, columns, types.find(table, columns), &texts),
        }
    }

    fn add(&mut self, start: &Start, table: Table, key: Columns, query: String) {
        let of_table = self.locked.entry((table, key)).or_default();
        of_table.entry(start.table).or_default().insert(query);
    }

    /// Adds what rows of `shape` embed, which are not changed themselves.
    fn deeper(&mut self, start: &Start, shape: &'static Shape, path: &RowPath, on_first: &str) {
        let mut rows = RowsToLock::new();
        embedded_rows(shape, path, on_first, &mut rows);
        for (key, queries) in rows {
            let of_table = self.locked.entry(key).or_default();
            of_table.entry(start.table).or_default().extend(queries);
        }
    }
}

/// The values of columns of changed rows.
struct Start {
    table: Table,
    columns: ColumnNames,
    /// The values as an array.
    array: String,
}

impl Start {
    fn with_values(&self, compose: impl FnOnce(GivenValues<'_>) -> String) -> String {
        compose(GivenValues {
            table: &self.table.to_string(),
            columns: &self.columns,
            array: &self.array,
        })
    }

    /// A query of the values.
    fn query(&self) -> String {
        self.with_values(|values| values.query())
    }

    /// The condition that columns of the first row have one of the values.
    fn is(&self, columns: Columns) -> String {
        self.with_values(|values| values.contain("r1", &columns.into()))
    }
}

/// The rows of a table, which a path begins with.
fn first_rows(table: Table) -> RowPath {
    RowPath {
        from: format!("{table} AS r1"),
        row: "r1".to_owned(),
        depth: 1,
    }
}
