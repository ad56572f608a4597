//! The lists of a row: arrays of the records of the rows that refer to it.

use std::collections::HashSet;

use super::composer::{Composer, SqlWriter};
use super::from::write_from;
use super::groups::{Groups, group_value};
use crate::schema::{Columns, Link, Many, OrderBy, Shape, Source, Table};
use crate::sql::enums::{enum_of, place_of_label};
use crate::sql::row_key::same_columns;
use crate::sql::text::{Sql, column, direction_and_nulls, ident, row_value};

/// The rows of a list, before their joins.
struct LinkedRows {
    table: Table,
    alias: String,
    filters: Vec<&'static str>,
    /// The join of the join table, if there is one.
    link: Option<String>,
    join_row: Option<JoinRow>,
    /// The condition that links them to the row that has the list.
    on: String,
    order: Vec<String>,
    order_in_sub_select: Vec<String>,
    /// The groups that are the elements of the list, in place of the rows.
    groups: Option<Groups>,
    limit: Option<u64>,
}

/// The row of a join table by which a row is in a list.
#[derive(Clone)]
pub(super) struct JoinRow {
    alias: String,
    /// The columns that the list needs of it.
    columns: Vec<&'static str>,
    /// The alias of the sub-select of a limited list, which has these columns under names of its own:
    /// the row of the list may have columns of the same names.
    limited: Option<String>,
}

impl JoinRow {
    fn new(alias: String, many: &Many, child: &Shape, inner: &str) -> Self {
        let mut columns = Vec::new();
        let ordered = order_of_link(&many.link).iter();
        columns.extend(ordered.map(|term| term.column));
        columns.extend(child.through_columns().map(|(name, _)| name));
        columns.sort_unstable();
        columns.dedup();
        Self {
            alias,
            columns,
            limited: many.limit.is_some().then(|| inner.to_owned()),
        }
    }

    /// A column of the row.
    pub(super) fn column(&self, name: &str) -> String {
        let place = self.columns.iter().position(|column| *column == name);
        match (&self.limited, place) {
            (Some(limited), Some(place)) => column(limited, &exported(place)),
            _ => column(&self.alias, name),
        }
    }

    /// The terms of an order by its columns.
    fn terms(&self, order_by: &[OrderBy]) -> Vec<String> {
        let term = |term: &OrderBy| {
            let value = self.column(term.column);
            format!("{value}{}", direction_and_nulls(term))
        };
        order_by.iter().map(term).collect()
    }

    /// What the sub-select of a limited list has of the row.
    fn exports(&self) -> String {
        let columns = self.columns.iter().enumerate();
        columns
            .map(|(place, name)| {
                format!(
                    ", {} AS {}",
                    column(&self.alias, name),
                    ident(&exported(place))
                )
            })
            .collect()
    }
}

/// The order by columns of the join table.
fn order_of_link(link: &Link) -> &'static [OrderBy] {
    match link {
        Link::ForeignKey(_) => &[],
        Link::Through { order_by, .. } => order_by,
    }
}

/// The name of a column of the join table in the sub-select of a limited list.
fn exported(place: usize) -> String {
    format!("through {}", place + 1)
}

impl LinkedRows {
    /// Writes FROM, without the condition.
    fn write_from(&self, sql: &mut Sql) {
        write_from(sql, self.table, &self.alias, &self.filters);
        if let Some(link) = &self.link {
            sql.line(link);
        }
    }

    /// Writes FROM with a sub-select of the first rows.
    fn write_limited(&self, sql: &mut Sql) {
        let alias = &self.alias;
        sql.block("FROM (", format!(") AS {alias}"), |sql| {
            let exports = self.join_row.as_ref().map(JoinRow::exports);
            sql.line(format!("SELECT {alias}.*{}", exports.unwrap_or_default()));
            self.write_from(sql);
            sql.conditions("WHERE", std::slice::from_ref(&self.on));
            write_order(sql, &self.order_in_sub_select);
            if let Some(limit) = self.limit {
                sql.line(format!("LIMIT {limit}"));
            }
        });
    }

    /// Writes FROM with a sub-select of the groups.
    fn write_groups(&self, sql: &mut Sql) {
        let Some(groups) = &self.groups else { return };
        let alias = &self.alias;
        sql.block("FROM (", format!(") AS {alias}"), |sql| {
            let write = |sql: &mut Sql| {
                groups.write_select(sql);
                self.write_from(sql);
                sql.conditions("WHERE", std::slice::from_ref(&self.on));
                groups.write_group_by(sql);
            };
            match self.limit {
                None => write(sql),
                // The order is that of the groups, and the limit counts them.
                Some(limit) => {
                    sql.line(format!("SELECT {alias}.*"));
                    sql.block("FROM (", format!(") AS {alias}"), write);
                    write_order(sql, &self.order);
                    sql.line(format!("LIMIT {limit}"));
                }
            }
        });
    }
}

/// Joins an array under this alias and name. `OFFSET 0` keeps the planner from copying the sub-select into
/// each use of the array.
pub(super) fn array_join(alias: String, name: &'static str, rows: SqlWriter) -> SqlWriter {
    Box::new(move |sql| {
        sql.block("CROSS JOIN LATERAL (", format!(") AS {alias}"), |sql| {
            sql.line("SELECT");
            sql.indented(|sql| sql.block("ARRAY(", format!(") AS {}", ident(name)), rows));
            sql.line("OFFSET 0");
        });
    })
}

fn write_order(sql: &mut Sql, order: &[String]) {
    if !order.is_empty() {
        sql.line(format!("ORDER BY {}", order.join(", ")));
    }
}

impl Composer {
    /// A list as a join, for more than one use of it.
    pub(super) fn shared_list(
        &mut self,
        many: &'static Many,
        shape: &Shape,
        row: &str,
        path: &str,
    ) -> (String, SqlWriter) {
        let alias = self.alias(&format!("_{path}_list"));
        let rows = self.list_rows(many, shape, row, path);
        let value = column(&alias, "list");
        (value, array_join(alias, "list", rows))
    }

    /// The body of `ARRAY(..)`: the rows that refer to `row`, as records, in order. Without rows
    /// the array is empty, and never null.
    pub(super) fn list_rows(
        &mut self,
        many: &'static Many,
        shape: &Shape,
        row: &str,
        path: &str,
    ) -> SqlWriter {
        let child = many.shape.get();
        let inner = self.alias(path);
        let item = self.alias(&format!("_{path}"));
        self.list_depth += 1;
        self.levels += 2;
        let rows = self.linked_rows(many, shape, row, &inner, path);
        let outer_limited = std::mem::replace(&mut self.in_limited_list, many.limit.is_some());
        let outer_through = std::mem::replace(&mut self.through, rows.join_row.clone());
        let joins = self.joins(child, &inner, path);
        let record = self.record(child, &inner, path, &joins);
        self.through = outer_through;
        self.in_limited_list = outer_limited;
        self.list_depth -= 1;
        self.levels -= 2;
        Box::new(move |sql| {
            sql.line(format!("SELECT {}", row_value(&item)));
            // The limit comes before the joins: rows beyond it cost no lookups, and a value in
            // them that cannot be encoded raises no error.
            if rows.groups.is_some() {
                rows.write_groups(sql);
            } else if many.limit.is_some() {
                rows.write_limited(sql);
            } else {
                rows.write_from(sql);
            }
            joins.write(sql);
            sql.block("CROSS JOIN LATERAL (", format!(") AS {item}"), |sql| {
                record.write(sql);
            });
            if many.limit.is_none() && rows.groups.is_none() {
                sql.conditions("WHERE", std::slice::from_ref(&rows.on));
            }
            // Also after a limited sub-select: its order is lost in the joins.
            write_order(sql, &rows.order);
        })
    }

    /// `LEFT JOIN LATERAL` the first of the rows that refer to `row`. Without rows the whole record
    /// is null, and so the object in the document.
    pub(super) fn first(
        &mut self,
        first: &'static Many,
        shape: &Shape,
        row: &str,
        path: &str,
    ) -> (String, SqlWriter) {
        let child = first.shape.get();
        let inner = self.alias(path);
        let outer = self.alias(&format!("_{path}"));
        self.levels += 1;
        // It runs once for each row around it, as a limited list does.
        let rows = self.linked_rows(first, shape, row, &inner, path);
        let outer_limited = std::mem::replace(&mut self.in_limited_list, true);
        let outer_through = std::mem::replace(&mut self.through, rows.join_row.clone());
        let joins = self.joins(child, &inner, path);
        let record = self.record(child, &inner, path, &joins);
        self.through = outer_through;
        self.in_limited_list = outer_limited;
        self.levels -= 1;
        let alias = outer.clone();
        let writer: SqlWriter = Box::new(move |sql| {
            sql.block(
                "LEFT JOIN LATERAL (",
                format!(") AS {outer} ON true"),
                |sql| {
                    record.write(sql);
                    rows.write_limited(sql);
                    joins.write(sql);
                },
            );
        });
        (alias, writer)
    }

    /// The rows `inner` that refer to `row`.
    fn linked_rows(
        &mut self,
        many: &'static Many,
        shape: &Shape,
        row: &str,
        inner: &str,
        path: &str,
    ) -> LinkedRows {
        let child = many.shape.get();
        let parent = (row, many.key.unwrap_or(shape.key_columns()));
        let (link, on) = self.link(many.link, child.key_columns(), inner, parent, path);
        let (alias, link) = link.unzip();
        let join_row = alias.map(|alias| JoinRow::new(alias, many, child, inner));
        // Inside of the sub-select of a limited list, the row of the join table has its own alias.
        let in_sub_select = join_row.as_ref().map(|row| JoinRow {
            limited: None,
            ..row.clone()
        });
        LinkedRows {
            table: child.table,
            alias: inner.to_owned(),
            filters: child.filter.into_iter().chain(many.filter).collect(),
            link,
            on,
            order_in_sub_select: total_order(many, child, inner, in_sub_select.as_ref()),
            order: total_order(many, child, inner, join_row.as_ref()),
            join_row,
            groups: (!child.group_by.is_empty()).then(|| Groups::of(child, inner)),
            limit: many.limit,
        }
    }

    /// The alias of the join table and the join with it, if there is one, and the condition that links the rows `inner`
    /// to `parent`, columns of another row. `rows_key` is the key of the rows.
    pub(super) fn link(
        &mut self,
        link: Link,
        rows_key: Columns,
        inner: &str,
        (row, parent): (&str, Columns),
        path: &str,
    ) -> (Option<(String, String)>, String) {
        match link {
            Link::ForeignKey(fk) => (None, same_columns(inner, fk, row, parent)),
            Link::Through {
                table, fk, to, key, ..
            } => {
                let through = self.alias(&format!("{path}_through"));
                let join = format!(
                    "JOIN {table} AS {through} ON {}",
                    same_columns(&through, to, inner, key.unwrap_or(rows_key))
                );
                let on = same_columns(&through, fk, row, parent);
                (Some((through, join)), on)
            }
        }
    }
}

/// The user's order, made total so that documents are deterministic: by the key of the child, or
/// without one by all its columns. Then by what is shown of the join table, which may link a row twice.
fn total_order(many: &Many, child: &Shape, row: &str, join_row: Option<&JoinRow>) -> Vec<String> {
    let mut seen = HashSet::new();
    let terms = join_row.map(|row| row.terms(order_of_link(&many.link)));
    let mut terms = terms.unwrap_or_default();
    for term in many.order_by {
        seen.insert(term.column);
        // A column of the groups comes before an aggregate in a field of that name.
        let value = match child.group_aggregate(term.column) {
            Some(place) if !child.group_by.contains(&term.column) => {
                column(row, &group_value(place))
            }
            _ => column(row, term.column),
        };
        // Labels are ordered as the variants are declared, whatever the type of the column.
        let value = match enum_of(child, term.column) {
            Some(table) => place_of_label(&value, table),
            None => value,
        };
        terms.push(format!("{value}{}", direction_and_nulls(term)));
    }
    let rest: Vec<&str> = match child.key {
        None if !child.group_by.is_empty() => child.group_by.to_vec(),
        Some(key) => key.columns.names().to_vec(),
        None => child
            .fields
            .iter()
            .filter_map(|field| match &field.source {
                // The type json has no order: rows that differ only there may be swapped.
                Source::Column { column, ty } if ty.sql != "jsonb" => Some(*column),
                _ => None,
            })
            .collect(),
    };
    terms.extend(
        rest.into_iter()
            .filter(|name| seen.insert(name))
            .map(|name| match enum_of(child, name) {
                Some(table) if !child.group_by.is_empty() => {
                    place_of_label(&column(row, name), table)
                }
                _ => column(row, name),
            }),
    );
    if let Some(join_row) = join_row {
        let ordered = order_of_link(&many.link);
        let rest = child.through_columns().filter(|(name, ty)| {
            ty.sql != "jsonb" && ordered.iter().all(|term| term.column != *name)
        });
        terms.extend(rest.map(|(name, _)| join_row.column(name)));
    }
    terms
}
