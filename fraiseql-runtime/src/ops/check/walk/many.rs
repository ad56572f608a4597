//! Compares `many` fields and aggregates: the rows that refer to a row.

use crate::ops::check::catalog::{CatalogRelation, RelationColumn};
use crate::ops::check::server_checks::Question;
use crate::ops::check::walk::columns::FieldColumn;
use crate::ops::check::walk::state::{ColumnRole, Walk};
use crate::schema::{
    Aggregate, Between, Columns, Link, Many, OrderBy, RowValue, Shape, Source, Table, Values,
};

/// A relation that a `many` joins, and its columns that are compared.
#[derive(Clone)]
struct Joined<'a> {
    table: Table,
    relation: Option<&'a CatalogRelation>,
    columns: Option<Vec<&'a RelationColumn>>,
}

/// The rows of a list.
struct ListRows {
    table: Table,
    /// Their key.
    key: Columns,
    order_by: &'static [OrderBy],
    limited: bool,
    filter: Option<&'static str>,
}

impl<'a> Walk<'_, 'a> {
    pub(super) fn many(
        &mut self,
        relation: Option<&'a CatalogRelation>,
        shape: &'static Shape,
        many: &'static Many,
        path: &str,
    ) {
        let part = many.shape.get();
        let parent = self.parent(relation, shape, many.key, path);
        let part_relation = self.table(part.table, path);
        let rows = ListRows {
            table: part.table,
            key: part.key_columns(),
            // The columns of groups are compared below; groups are also ordered by their aggregates.
            order_by: match part.group_by {
                [] => many.order_by,
                _ => &[],
            },
            limited: many.limit.is_some(),
            filter: many.filter,
        };
        self.list_rows(part_relation, &rows, many.link, &parent, path);
        if let Some(relation) = part_relation {
            for name in part.group_by {
                let role = ColumnRole::Named("group_by");
                self.column(relation, part.table, name, path, role);
            }
        }
        if let Link::Through { table, .. } = many.link
            && let Some(relation) = self.findings.catalog.relation(table)
        {
            for field in part.fields {
                if let Source::Through { column, ty } = &field.source {
                    self.field_column(&FieldColumn {
                        relation,
                        table,
                        is_promoted: false,
                        name: column,
                        ty: *ty,
                        is_element: false,
                        path: &format!("{path}.{}", field.name),
                        filters: [None, None],
                        is_root_key: false,
                    });
                }
            }
        }
        self.shape(part, path, false, many.filter);
    }

    pub(super) fn values(
        &mut self,
        relation: Option<&'a CatalogRelation>,
        shape: &Shape,
        values: &'static Values,
        path: &str,
    ) {
        let parent = self.parent(relation, shape, values.key, path);
        let table = values.table;
        let relation = self.table(table, path);
        let rows = ListRows {
            table,
            key: Columns::ID,
            order_by: values.order_by,
            limited: values.limit.is_some(),
            filter: values.filter,
        };
        self.list_rows(relation, &rows, values.link, &parent, path);
        let Some(relation) = relation else { return };
        match values.value {
            RowValue::Column(name) => {
                self.field_column(&FieldColumn {
                    relation,
                    table,
                    is_promoted: false,
                    name,
                    ty: values.element(),
                    is_element: true,
                    path,
                    filters: [values.filter, None],
                    is_root_key: false,
                });
            }
            RowValue::Expr(expr) => {
                self.fragment(path, "expr", expr, table);
                let question = Question::Expr {
                    text: expr,
                    table,
                    ty: values.element(),
                    is_promoted: false,
                };
                self.ask(path, question);
            }
        }
    }

    /// Compares the columns by which the rows of a list are found, ordered and filtered. `relation` is
    /// that of the rows.
    fn list_rows(
        &mut self,
        relation: Option<&'a CatalogRelation>,
        rows: &ListRows,
        link: Link,
        parent: &Joined<'a>,
        path: &str,
    ) {
        match link {
            Link::ForeignKey(fk) => {
                // With a limit, an index that has the order, too, finds the first rows.
                let order = if rows.limited { rows.order_by } else { &[] };
                if let Some(relation) = relation {
                    self.child_rows(relation, rows.table, fk, order, parent, path);
                }
            }
            Link::Through { .. } => self.through(relation, rows, link, parent, path),
        }
        let Some(relation) = relation else { return };
        self.order_columns(relation, rows.table, rows.order_by, path);
        if let Some(filter) = rows.filter {
            self.filter(rows.table, path, filter);
        }
    }

    /// The columns that rows are ordered by.
    fn order_columns(
        &mut self,
        relation: &'a CatalogRelation,
        table: Table,
        order_by: &'static [OrderBy],
        path: &str,
    ) {
        for term in order_by {
            let role = ColumnRole::Named("order_by");
            if let Some(column) = self.column(relation, table, term.column, path, role) {
                let question = Question::Order {
                    table,
                    column: term.column,
                    type_sql: self.type_of(column),
                };
                self.ask(path, question);
            }
        }
    }

    /// The rows of a list that are linked by a join table.
    fn through(
        &mut self,
        part_relation: Option<&'a CatalogRelation>,
        part: &ListRows,
        link: Link,
        parent: &Joined<'a>,
        path: &str,
    ) {
        let Link::Through {
            table,
            fk,
            to,
            key,
            order_by,
        } = link
        else {
            return;
        };
        let join_relation = self.table(table, path);
        let key = key.unwrap_or(part.key);
        let key_columns =
            part_relation.and_then(|it| self.columns(it, part.table, key, path, "key"));
        if let (Some(rows), Some(_)) = (part_relation, &key_columns) {
            self.lookup(rows, part.table, key, path, &[]);
        }
        let Some(join_rows) = join_relation else {
            return;
        };
        let order = if part.limited { order_by } else { &[] };
        self.child_rows(join_rows, table, fk, order, parent, path);
        self.order_columns(join_rows, table, order_by, path);
        if let Some(columns) = self.columns(join_rows, table, to, path, "to") {
            self.upward_lookup(join_rows, table, to, path, part.table);
            let linked = key_columns.as_deref().map(|columns| (part.table, columns));
            self.reference(join_rows, (table, &columns), part_relation, linked, path);
        }
    }

    pub(super) fn aggregate(
        &mut self,
        relation: Option<&'a CatalogRelation>,
        shape: &Shape,
        aggregate: &Aggregate,
        path: &str,
    ) {
        let mut parent = self.parent(relation, shape, aggregate.key, path);
        if let Some(between) = aggregate.through {
            parent = self.between(between, &parent, path);
        }
        let table = aggregate.table;
        let Some(rows) = self.table(table, path) else {
            return;
        };
        self.child_rows(rows, table, aggregate.fk, &[], &parent, path);
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

    /// An aggregate of the rows of a group.
    pub(super) fn of_group(
        &mut self,
        relation: Option<&'a CatalogRelation>,
        shape: &Shape,
        aggregate: &Aggregate,
        path: &str,
    ) {
        if relation.is_none() {
            return;
        }
        if let Some(filter) = aggregate.filter {
            self.filter(shape.table, path, filter);
        }
        if let Some(expr) = aggregate.expr {
            self.fragment(path, "expr", expr, shape.table);
            let question = Question::Aggregate {
                text: expr,
                aggregate: *aggregate,
            };
            self.ask(path, question);
        }
    }

    /// The rows between a row and those of an aggregate. Returns their columns that the latter refer to.
    fn between(&mut self, rows: Between, parent: &Joined<'a>, path: &str) -> Joined<'a> {
        let relation = self.table(rows.table, path);
        let mut columns = None;
        if let Some(relation) = relation {
            self.child_rows(relation, rows.table, rows.fk, &[], parent, path);
            columns = self.columns(relation, rows.table, rows.key, path, "key");
            if columns.is_some() {
                self.lookup(relation, rows.table, rows.key, path, &[]);
            }
            if let Some(filter) = rows.filter {
                self.filter(rows.table, path, filter);
            }
        }
        Joined {
            table: rows.table,
            relation,
            columns,
        }
    }

    /// The columns of the parent row that other rows refer to.
    fn parent(
        &mut self,
        relation: Option<&'a CatalogRelation>,
        shape: &Shape,
        key: Option<Columns>,
        path: &str,
    ) -> Joined<'a> {
        let key = key.unwrap_or(shape.key_columns());
        let columns = relation.and_then(|it| self.columns(it, shape.table, key, path, "key"));
        Joined {
            table: shape.table,
            relation,
            columns,
        }
    }

    /// The rows of `table` that refer to a parent by `fk`.
    fn child_rows(
        &mut self,
        rows: &'a CatalogRelation,
        table: Table,
        fk: Columns,
        order: &[OrderBy],
        parent: &Joined<'a>,
        path: &str,
    ) {
        if let Some(columns) = self.columns(rows, table, fk, path, "fk") {
            self.lookup(rows, table, fk, path, order);
            let key = parent
                .columns
                .as_deref()
                .map(|columns| (parent.table, columns));
            self.reference(rows, (table, &columns), parent.relation, key, path);
        }
    }
}
