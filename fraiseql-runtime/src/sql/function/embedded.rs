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

use crate::schema::{Link, Shape, Source, Table, View};
use crate::sql::dependents::array_of_column;
use crate::sql::function::definition::FunctionText;
use crate::sql::function::model::{ColumnTypes, ModelPaths};
use crate::sql::function::rows::lock;
use crate::sql::lock::{RowPath, RowsToLock, embedded_rows};
use crate::sql::text::{Sql, ident, literal};

/// The text of the function, without its name. It runs with the settings of its caller.
pub(super) fn text<'a>(model: &ModelPaths<'_>, schema: &'static str) -> FunctionText<'a> {
    let mut sql = Sql::new();
    sql.line("#variable_conflict use_column");
    sql.block("BEGIN", "END", |sql| {
        for ((table, key), below) in &model.embedded.locked {
            for (changed, queries) in below {
                let is_changed = format!("IF $1 ? {} THEN", literal(&changed.to_string()));
                sql.block(is_changed, "END IF;", |sql| {
                    lock(sql, (*table, key), queries, None);
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

/// For each locked table and its key column, and each changed table: the queries of the keys to lock.
type Locked = BTreeMap<(Table, &'static str), BTreeMap<Table, BTreeSet<String>>>;

/// The rows below changed ones.
#[derive(Debug, Default)]
pub(super) struct EmbeddedRows {
    locked: Locked,
    /// The columns of changed rows whose values the queries begin with.
    pub(super) columns: BTreeSet<(Table, &'static str)>,
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
                    let child = (one.shape)();
                    let start = self.start(shape.table, one.fk, types);
                    let key = one.key.unwrap_or(child.key_column());
                    self.add(&start, child.table, key, start.texts.clone());
                    self.deeper(&start, child, &first_rows(child.table), &start.is(key));
                    self.below(child, types);
                }
                Source::Many(many) => {
                    let child = (many.shape)();
                    let own = many.key.unwrap_or(shape.key_column());
                    let start = self.start(shape.table, own, types);
                    match many.link {
                        Link::ForeignKey(fk) => {
                            self.deeper(&start, child, &first_rows(child.table), &start.is(fk));
                        }
                        Link::Through { table, fk, to, key } => {
                            let key = key.unwrap_or(child.key_column());
                            // The list of a changed row, and a changed row of the join table.
                            let on_link = start.is(fk);
                            let linked = format!(
                                "SELECT r1.{}\nFROM {table} AS r1\nWHERE {on_link}",
                                ident(to)
                            );
                            self.add(&start, child.table, key, linked);
                            let path = RowPath {
                                from: format!(
                                    "{table} AS r1\nJOIN {} AS r2 ON r2.{} = r1.{}",
                                    child.table,
                                    ident(key),
                                    ident(to)
                                ),
                                row: "r2".to_owned(),
                                depth: 2,
                            };
                            self.deeper(&start, child, &path, &on_link);
                            let link = self.start(table, to, types);
                            self.add(&link, child.table, key, link.texts.clone());
                            self.deeper(&link, child, &first_rows(child.table), &link.is(key));
                        }
                    }
                    self.below(child, types);
                }
                Source::Column { .. } | Source::Expr { .. } | Source::Aggregate(_) => {}
            }
        }
    }

    fn start(&mut self, table: Table, name: &'static str, types: &ColumnTypes) -> Start {
        self.columns.insert((table, name));
        let values = format!("$1 -> {} -> {}", literal(&table.to_string()), literal(name));
        let texts = format!("pg_catalog.jsonb_array_elements_text({values}) AS t (k)");
        let array = array_of_column(table, name, types.find(table, name), &texts);
        Start {
            table,
            texts: format!("SELECT pg_catalog.unnest({array})"),
            array,
        }
    }

    fn add(&mut self, start: &Start, table: Table, key: &'static str, query: String) {
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

/// The values of a column of changed rows.
struct Start {
    table: Table,
    /// A query of the values.
    texts: String,
    /// The values as an array.
    array: String,
}

impl Start {
    /// The condition that a column of the first row has one of the values.
    fn is(&self, name: &str) -> String {
        format!("r1.{} = ANY ({})", ident(name), self.array)
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
