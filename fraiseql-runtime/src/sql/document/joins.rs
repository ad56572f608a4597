//! The joins of a row: one for each object, expression, shared list and group of aggregates that
//! its record refers to.

use super::composer::{Composer, SqlWriter, child_path};
use super::from::write_from;
use super::options::BatchSize;
use crate::schema::{Aggregate, Field, Function, One, Shape, Source};
use crate::sql::aggregate;
use crate::sql::fragment::fragment;
use crate::sql::row_key::same_columns;
use crate::sql::text::{Sql, column, ident};

/// The joins of one row, and the values that its record takes from them.
pub(super) struct Joins {
    writers: Vec<SqlWriter>,
    /// For each field of the shape, the expression of its value if a join provides it.
    pub(super) values: Vec<Option<String>>,
}

/// An aggregate, and the index of its field.
type IndexedAggregate = (usize, &'static Field, Aggregate);

impl Joins {
    fn none(shape: &Shape) -> Self {
        Self {
            writers: Vec::new(),
            values: shape.fields.iter().map(|_| None).collect(),
        }
    }

    fn push(&mut self, field: usize, (value, writer): (String, SqlWriter)) {
        self.values[field] = Some(value);
        self.writers.push(writer);
    }

    pub(super) fn write(self, sql: &mut Sql) {
        for write in self.writers {
            write(sql);
        }
    }
}

impl Composer {
    /// The joins of a row of `shape`. The order of the loops is the order of the joins in the
    /// text.
    pub(super) fn joins(&mut self, shape: &'static Shape, row: &str, path: &str) -> Joins {
        let mut joins = Joins::none(shape);
        for (index, field) in shape.fields.iter().enumerate() {
            if !self.wants(index) {
                continue;
            }
            let path = child_path(path, field.name);
            let join = match &field.source {
                Source::One(one) => self.inside(index, |composer| composer.one(one, row, &path)),
                Source::First(first) => {
                    self.inside(index, |composer| composer.first(first, shape, row, &path))
                }
                Source::Values(values) => self.values(values, shape, row, &path),
                _ => continue,
            };
            joins.push(index, join);
        }
        for (index, field) in shape.fields.iter().enumerate() {
            // A function call may be expensive, and an encoding may use the value several times.
            if let Source::Expr { expr, ty } = &field.source
                && self.wants(index)
                && (calls_function(expr) || ty.repeats_value())
            {
                joins.push(index, self.expr(expr, row, &child_path(path, field.name)));
            }
        }
        for (list, count) in counted_lists(shape) {
            let Source::Many(many) = &shape.fields[list].source else {
                continue;
            };
            if !self.wants(list) || !self.wants(count) {
                continue;
            }
            let path = child_path(path, shape.fields[list].name);
            let (value, writer) = self.inside(list, |composer| {
                composer.shared_list(many, shape, row, &path)
            });
            joins.values[count] = Some(format!("pg_catalog.cardinality({value})"));
            joins.push(list, (value, writer));
        }
        for mut group in aggregate_groups(shape, &joins) {
            group.retain(|(index, ..)| self.wants(*index));
            if group.is_empty() {
                continue;
            }
            self.aggregates(&group, shape, row, path, &mut joins);
        }
        joins
    }

    /// `LEFT JOIN LATERAL` the row that a foreign key refers to. A missing row makes the whole
    /// record null, and so the object in the document.
    fn one(&mut self, one: &'static One, row: &str, path: &str) -> (String, SqlWriter) {
        let child = one.shape.get();
        let inner = self.alias(path);
        let outer = self.alias(&format!("_{path}"));
        self.levels += 1;
        let joins = self.joins(child, &inner, path);
        let record = self.record(child, &inner, path, &joins);
        self.levels -= 1;
        let key = one.key.unwrap_or(child.key_columns());
        let on = same_columns(&inner, key, row, one.fk);
        let alias = outer.clone();
        // See `BatchSize`. A limited list runs once for each row around it: a table that the
        // planner joined inside of it would be read once for each of these rows.
        let fenced =
            self.batch_size == BatchSize::Few || self.list_depth != 1 || self.in_limited_list;
        let writer: SqlWriter = Box::new(move |sql| {
            sql.block(
                "LEFT JOIN LATERAL (",
                format!(") AS {outer} ON true"),
                |sql| {
                    record.write(sql);
                    write_from(sql, child.table, &inner, child.filter.as_slice());
                    joins.write(sql);
                    sql.conditions("WHERE", &[on]);
                    if fenced {
                        sql.line("OFFSET 0");
                    }
                },
            );
        });
        (alias, writer)
    }

    /// An expression as a join, so that it is computed once and can be used several times.
    fn expr(&mut self, expr: &str, row: &str, path: &str) -> (String, SqlWriter) {
        let alias = self.alias(&format!("_{path}_expr"));
        let value = column(&alias, "value");
        let expr = fragment(expr, row);
        let writer: SqlWriter = Box::new(move |sql| {
            sql.block("CROSS JOIN LATERAL (", format!(") AS {alias}"), |sql| {
                sql.line(format!("SELECT {expr} AS \"value\""));
                sql.line("OFFSET 0");
            });
        });
        (value, writer)
    }

    /// The alias of the rows between a row and those that an aggregate is computed from.
    pub(super) fn between(&mut self, aggregate: &Aggregate, path: &str) -> String {
        match aggregate.through {
            Some(_) => self.alias(&format!("{path}_through")),
            None => String::new(),
        }
    }

    /// A join that computes all aggregates of a group in one scan of their rows.
    fn aggregates(
        &mut self,
        group: &[IndexedAggregate],
        shape: &Shape,
        row: &str,
        path: &str,
        joins: &mut Joins,
    ) {
        let (_, field, first) = group[0];
        let path = child_path(path, field.name);
        let inner = self.alias(&path);
        let outer = self.alias(&format!("_{path}"));
        let between = self.between(&first, &path);
        let on = aggregate::conditions(&first, shape, row, &inner, &between);
        let mut select = Vec::new();
        for (index, field, aggregate) in group {
            select.push(format!(
                "{} AS {}",
                aggregate::value(aggregate, &inner),
                ident(field.json)
            ));
            joins.values[*index] = Some(column(&outer, field.json));
        }
        joins.writers.push(Box::new(move |sql| {
            sql.block("CROSS JOIN LATERAL (", format!(") AS {outer}"), |sql| {
                sql.line("SELECT");
                sql.block_list(select);
                sql.line(format!("FROM {} AS {inner}", first.table));
                sql.conditions("WHERE", &on);
            });
        }));
    }
}

/// Whether an expression calls a function. One that does not costs less to compute twice than to
/// keep in a join.
fn calls_function(expr: &str) -> bool {
    expr.contains('(')
}

/// Pairs of fields, a list and a count of the same rows: the count is the length of the list.
fn counted_lists(shape: &Shape) -> Vec<(usize, usize)> {
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    for (count, field) in shape.fields.iter().enumerate() {
        let Source::Aggregate(aggregate) = &field.source else {
            continue;
        };
        let list = shape.fields.iter().position(|field| match &field.source {
            Source::Many(many) => aggregate::counts_list(aggregate, many),
            _ => false,
        });
        if let Some(list) = list
            && pairs.iter().all(|(other, _)| *other != list)
        {
            pairs.push((list, count));
        }
    }
    pairs
}

/// The aggregates without a value yet, grouped by the rows that they are computed from.
fn aggregate_groups(shape: &'static Shape, joins: &Joins) -> Vec<Vec<IndexedAggregate>> {
    let mut groups: Vec<Vec<IndexedAggregate>> = Vec::new();
    for (index, field) in shape.fields.iter().enumerate() {
        let Source::Aggregate(aggregate) = field.source else {
            continue;
        };
        // `exists` stops at the first row, so it is not computed with others.
        if aggregate.function == Function::Exists || joins.values[index].is_some() {
            continue;
        }
        let same_rows = groups
            .iter_mut()
            .find(|group| aggregate::same_rows(&group[0].2, &aggregate));
        match same_rows {
            Some(group) => group.push((index, field, aggregate)),
            None => groups.push(vec![(index, field, aggregate)]),
        }
    }
    groups
}
