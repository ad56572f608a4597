//! The lists of a row: arrays of the records of the rows that refer to it.

use std::collections::HashSet;

use super::composer::{Composer, SqlWriter};
use super::from::write_from;
use crate::schema::{Link, Many, Shape, Source};
use crate::sql::enums::{enum_of, place_of_label};
use crate::sql::text::{Sql, column, direction_and_nulls, row_value};

impl Composer {
    /// A list as a join, for more than one use of it. `OFFSET 0` keeps the planner from copying
    /// the sub-select into each use.
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
        let writer: SqlWriter = Box::new(move |sql| {
            sql.block("CROSS JOIN LATERAL (", format!(") AS {alias}"), |sql| {
                sql.line("SELECT");
                sql.indented(|sql| sql.block("ARRAY(", ") AS \"list\"", rows));
                sql.line("OFFSET 0");
            });
        });
        (value, writer)
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
        let child = (many.shape)();
        let inner = self.alias(path);
        let item = self.alias(&format!("_{path}"));
        self.list_depth += 1;
        self.levels += 2;
        let outer_limited = std::mem::replace(&mut self.in_limited_list, many.limit.is_some());
        let joins = self.joins(child, &inner, path);
        let record = self.record(child, &inner, path, &joins);
        self.in_limited_list = outer_limited;
        self.list_depth -= 1;
        self.levels -= 2;
        let parent = column(row, many.key.unwrap_or(shape.key_column()));
        let (link, on) = self.link(many.link, child, &inner, &parent, path);
        let order = total_order(many, child, &inner);
        let order = (!order.is_empty()).then(|| format!("ORDER BY {}", order.join(", ")));
        Box::new(move |sql| {
            let filters: Vec<&str> = child.filter.into_iter().chain(many.filter).collect();
            sql.line(format!("SELECT {}", row_value(&item)));
            let rows = |sql: &mut Sql| {
                write_from(sql, child.table, &inner, &filters);
                if let Some(link) = link {
                    sql.line(link);
                }
            };
            // The limit comes before the joins: rows beyond it cost no lookups, and a value in
            // them that cannot be encoded raises no error.
            if let Some(limit) = many.limit {
                sql.block("FROM (", format!(") AS {inner}"), |sql| {
                    sql.line(format!("SELECT {inner}.*"));
                    rows(sql);
                    sql.conditions("WHERE", std::slice::from_ref(&on));
                    if let Some(order) = &order {
                        sql.line(order);
                    }
                    sql.line(format!("LIMIT {limit}"));
                });
            } else {
                rows(sql);
            }
            joins.write(sql);
            sql.block("CROSS JOIN LATERAL (", format!(") AS {item}"), |sql| {
                record.write(sql);
            });
            if many.limit.is_none() {
                sql.conditions("WHERE", &[on]);
            }
            // Also after a limited sub-select: its order is lost in the joins.
            if let Some(order) = &order {
                sql.line(order);
            }
        })
    }

    /// The join with the join table, if there is one, and the condition that links the rows `inner`
    /// of `child` to the column `parent`.
    fn link(
        &mut self,
        link: Link,
        child: &Shape,
        inner: &str,
        parent: &str,
        path: &str,
    ) -> (Option<String>, String) {
        match link {
            Link::ForeignKey(fk) => (None, format!("{} = {parent}", column(inner, fk))),
            Link::Through { table, fk, to, key } => {
                let through = self.alias(&format!("{path}_through"));
                (
                    Some(format!(
                        "JOIN {table} AS {through} ON {} = {}",
                        column(&through, to),
                        column(inner, key.unwrap_or(child.key_column()))
                    )),
                    format!("{} = {parent}", column(&through, fk)),
                )
            }
        }
    }
}

/// The user's order, made total so that documents are deterministic: by the key of the child, or
/// without one by all its columns.
fn total_order(many: &Many, child: &Shape, row: &str) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut terms = Vec::new();
    for term in many.order_by {
        seen.insert(term.column);
        let value = column(row, term.column);
        // Labels are ordered as the variants are declared, whatever the type of the column.
        let value = match enum_of(child, term.column) {
            Some(table) => place_of_label(&value, table),
            None => value,
        };
        terms.push(format!("{value}{}", direction_and_nulls(term)));
    }
    let rest: Vec<&str> = match child.key {
        Some(key) => vec![key.column],
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
            .map(|name| column(row, name)),
    );
    terms
}
