//! Compares `many` fields and aggregates: the rows that refer to a row.

use crate::ops::check::catalog::{CatalogRelation, RelationColumn};
use crate::ops::check::server_checks::Question;
use crate::ops::check::walk::state::{ColumnRole, Walk};
use crate::schema::{Aggregate, Link, Many, OrderBy, Shape, Table};

/// A relation that a `many` joins, and its column that is compared.
#[derive(Clone, Copy)]
struct Joined<'a> {
    table: Table,
    relation: Option<&'a CatalogRelation>,
    column: Option<&'a RelationColumn>,
}

impl<'a> Walk<'_, 'a> {
    pub(super) fn many(
        &mut self,
        relation: Option<&'a CatalogRelation>,
        shape: &'static Shape,
        many: &'static Many,
        path: &str,
    ) {
        let part = (many.shape)();
        let parent = self.parent(relation, shape, many.key, path);
        let part_relation = self.table(part.table, path);
        match many.link {
            Link::ForeignKey(fk) => {
                // With a limit, an index that has the order, too, finds the first rows.
                let order: &[OrderBy] = if many.limit.is_some() {
                    many.order_by
                } else {
                    &[]
                };
                if let Some(rows) = part_relation {
                    self.child_rows(rows, part.table, fk, order, parent, path);
                }
            }
            Link::Through { .. } => {
                self.through(part_relation, part, many.link, parent, path);
            }
        }
        if let Some(rows) = part_relation {
            for term in many.order_by {
                let role = ColumnRole::Named("order_by");
                if let Some(column) = self.column(rows, part.table, term.column, path, role) {
                    let question = Question::Order {
                        table: part.table,
                        column: term.column,
                        type_sql: self.type_of(column),
                    };
                    self.ask(path, question);
                }
            }
            if let Some(filter) = many.filter {
                self.filter(part.table, path, filter);
            }
        }
        self.shape(part, path, false, many.filter);
    }

    /// The rows of a list that are linked by a join table.
    fn through(
        &mut self,
        part_relation: Option<&'a CatalogRelation>,
        part: &'static Shape,
        link: Link,
        parent: Joined<'a>,
        path: &str,
    ) {
        let Link::Through { table, fk, to, key } = link else {
            return;
        };
        let join_relation = self.table(table, path);
        let key = key.unwrap_or(part.key_column());
        let key_column = part_relation
            .and_then(|it| self.column(it, part.table, key, path, ColumnRole::Named("key")));
        if let (Some(rows), Some(_)) = (part_relation, key_column) {
            self.lookup(rows, part.table, key, path, &[]);
        }
        let Some(join_rows) = join_relation else {
            return;
        };
        self.child_rows(join_rows, table, fk, &[], parent, path);
        if let Some(column) = self.column(join_rows, table, to, path, ColumnRole::Named("to")) {
            self.upward_lookup(join_rows, table, to, path, part.table);
            let linked = key_column.map(|column| (part.table, column));
            self.reference(join_rows, (table, column), part_relation, linked, path);
        }
    }

    pub(super) fn aggregate(
        &mut self,
        relation: Option<&'a CatalogRelation>,
        shape: &Shape,
        aggregate: &Aggregate,
        path: &str,
    ) {
        let parent = self.parent(relation, shape, aggregate.key, path);
        let table = aggregate.table;
        let Some(rows) = self.table(table, path) else {
            return;
        };
        self.child_rows(rows, table, aggregate.fk, &[], parent, path);
        if let Some(filter) = aggregate.filter {
            self.filter(table, path, filter);
        }
        if let Some(expr) = aggregate.expr {
            self.fragment(path, "expr", expr, table);
            let question = Question::Aggregate {
                text: expr,
                aggregate: *aggregate,
            };
            self.ask(path, question);
        }
    }

    /// The column of the parent row that other rows refer to.
    fn parent(
        &mut self,
        relation: Option<&'a CatalogRelation>,
        shape: &Shape,
        key: Option<&'static str>,
        path: &str,
    ) -> Joined<'a> {
        let key = key.unwrap_or(shape.key_column());
        let column = relation
            .and_then(|it| self.column(it, shape.table, key, path, ColumnRole::Named("key")));
        Joined {
            table: shape.table,
            relation,
            column,
        }
    }

    /// The rows of `table` that refer to a parent by `fk`.
    fn child_rows(
        &mut self,
        rows: &'a CatalogRelation,
        table: Table,
        fk: &'static str,
        order: &[OrderBy],
        parent: Joined<'a>,
        path: &str,
    ) {
        if let Some(column) = self.column(rows, table, fk, path, ColumnRole::Named("fk")) {
            self.lookup(rows, table, fk, path, order);
            let key = parent.column.map(|column| (parent.table, column));
            self.reference(rows, (table, column), parent.relation, key, path);
        }
    }
}
