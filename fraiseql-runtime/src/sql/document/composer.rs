//! The joins of a row: one for each object, list and aggregate that its record is made of.

use std::collections::HashSet;

use super::{Lookup, Purpose, write_from};
use crate::schema::{Aggregate, Data, Field, Function, Link, Many, One, Shape, Source};
use crate::sql::text::{Sql, column, fragment, ident};
use crate::sql::{aggregate, form};

/// The longest identifier that PostgreSQL does not cut.
const MAX_IDENTIFIER: usize = 63;

/// Something written later, into its place.
pub(super) type Part = Box<dyn FnOnce(&mut Sql)>;

/// The joins of one row, and what the record selects from them.
pub(super) struct Joins {
    parts: Vec<Part>,
    /// For each field, the expression of its value, where a join provides it.
    pub(super) values: Vec<Option<String>>,
}

impl Joins {
    fn write(self, sql: &mut Sql) {
        for part in self.parts {
            part(sql);
        }
    }
}

pub(super) struct Composer {
    pub(super) data: Data,
    lookup: Lookup,
    pub(super) purpose: Purpose,
    /// How many lists are around the row in hand.
    lists: usize,
    /// Whether the innermost of them has a limit.
    limited: bool,
    aliases: HashSet<String>,
}

impl Composer {
    pub(super) fn new(data: Data, lookup: Lookup, purpose: Purpose) -> Self {
        Self {
            data,
            lookup,
            purpose,
            lists: 0,
            limited: false,
            // The view table's, in the statements around this one.
            aliases: HashSet::from(["v".to_owned()]),
        }
    }

    /// The aliases of the root row and of the document.
    pub(super) fn root(&mut self) -> (String, String) {
        (self.alias("root"), self.alias("_document"))
    }

    /// The whole query. `fence` keeps what the document computes from being computed in each
    /// place where it is used.
    #[expect(clippy::too_many_arguments, reason = "the parts of one statement")]
    pub(super) fn write(
        mut self,
        sql: &mut Sql,
        shape: &'static Shape,
        root: &str,
        document: &str,
        select: Vec<String>,
        fence: bool,
        pick: impl FnOnce(&str) -> Vec<String>,
    ) {
        let joins = self.joins(shape, root, "");
        let record = self.record(shape, root, "", &joins);
        sql.line("SELECT");
        sql.block_list(select);
        write_from(sql, shape.table, root, shape.filter.as_slice());
        joins.write(sql);
        sql.block("CROSS JOIN LATERAL (", format!(") AS {document}"), |sql| {
            record.write(sql);
            if fence {
                sql.line("OFFSET 0");
            }
        });
        sql.conditions("WHERE", &pick(root));
    }

    /// A quoted alias that nothing else has, also after PostgreSQL would have cut it.
    pub(super) fn alias(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_owned();
        let mut count = 1;
        while name.len() > MAX_IDENTIFIER || !self.aliases.insert(name.clone()) {
            count += 1;
            let suffix = format!("_{count}");
            let mut end = wanted.len().min(MAX_IDENTIFIER - suffix.len());
            while !wanted.is_char_boundary(end) {
                end -= 1;
            }
            name = format!("{}{suffix}", &wanted[..end]);
        }
        ident(&name)
    }

    /// The joins that a row of `shape` needs for its objects and aggregates.
    fn joins(&mut self, shape: &'static Shape, row: &str, path: &str) -> Joins {
        let mut joins = Joins {
            parts: Vec::new(),
            values: shape.fields.iter().map(|_| None).collect(),
        };
        for (index, field) in shape.fields.iter().enumerate() {
            if let Source::One(one) = &field.source {
                let (alias, part) = self.one(one, row, &child_path(path, field.name));
                joins.values[index] = Some(alias);
                joins.parts.push(part);
            }
        }
        for (index, field) in shape.fields.iter().enumerate() {
            if let Source::Expr { expr, ty } = &field.source
                && (!is_plain(expr) || form::repeats(ty))
            {
                let (value, part) = self.expr(expr, row, &child_path(path, field.name));
                joins.values[index] = Some(value);
                joins.parts.push(part);
            }
        }
        for (list, count) in counted_lists(shape) {
            let Source::Many(many) = &shape.fields[list].source else {
                continue;
            };
            let (value, part) =
                self.list(many, shape, row, &child_path(path, shape.fields[list].name));
            joins.values[count] = Some(format!("pg_catalog.cardinality({value})"));
            joins.values[list] = Some(value);
            joins.parts.push(part);
        }
        // Aggregates over the same rows are computed together.
        let mut groups: Vec<Vec<(usize, &'static Field, Aggregate)>> = Vec::new();
        for (index, field) in shape.fields.iter().enumerate() {
            let Source::Aggregate(aggregate) = field.source else {
                continue;
            };
            if aggregate.function == Function::Exists || joins.values[index].is_some() {
                continue;
            }
            match groups
                .iter_mut()
                .find(|group| aggregate::same_rows(&group[0].2, &aggregate))
            {
                Some(group) => group.push((index, field, aggregate)),
                None => groups.push(vec![(index, field, aggregate)]),
            }
        }
        for group in groups {
            let path = child_path(path, group[0].1.name);
            let inner = self.alias(&path);
            let outer = self.alias(&format!("_{path}"));
            let first = group[0].2;
            let on = aggregate::conditions(&first, shape, row, &inner);
            let mut select = Vec::new();
            for (index, field, aggregate) in &group {
                select.push(format!(
                    "{} AS {}",
                    aggregate::value(aggregate, &inner),
                    ident(field.json)
                ));
                joins.values[*index] = Some(column(&outer, field.json));
            }
            joins.parts.push(Box::new(move |sql| {
                sql.block("CROSS JOIN LATERAL (", format!(") AS {outer}"), |sql| {
                    sql.line("SELECT");
                    sql.block_list(select);
                    sql.line(format!("FROM {} AS {inner}", first.table));
                    sql.conditions("WHERE", &on);
                });
            }));
        }
        joins
    }

    /// `LEFT JOIN LATERAL` the row that a foreign key refers to.
    fn one(&mut self, one: &'static One, row: &str, path: &str) -> (String, Part) {
        let child = (one.shape)();
        let inner = self.alias(path);
        let outer = self.alias(&format!("_{path}"));
        let joins = self.joins(child, &inner, path);
        let record = self.record(child, &inner, path, &joins);
        let on = format!(
            "{} = {}",
            column(&inner, one.key.unwrap_or(child.key_column())),
            column(row, one.fk)
        );
        let alias = outer.clone();
        // A limited list is run for each row around it: whatever the planner would rather join
        // it with, it would read for each of them.
        let fence = self.lookup == Lookup::Few || self.lists != 1 || self.limited;
        let part: Part = Box::new(move |sql| {
            sql.block(
                "LEFT JOIN LATERAL (",
                format!(") AS {outer} ON true"),
                |sql| {
                    record.write(sql);
                    write_from(sql, child.table, &inner, child.filter.as_slice());
                    joins.write(sql);
                    sql.conditions("WHERE", &[on]);
                    if fence {
                        sql.line("OFFSET 0");
                    }
                },
            );
        });
        (alias, part)
    }

    /// An expression as a join, so that it is computed once though it is used twice.
    fn expr(&mut self, expr: &str, row: &str, path: &str) -> (String, Part) {
        let alias = self.alias(&format!("_{path}_expr"));
        let value = column(&alias, "value");
        let expr = fragment(expr, row);
        let part: Part = Box::new(move |sql| {
            sql.block("CROSS JOIN LATERAL (", format!(") AS {alias}"), |sql| {
                sql.line(format!("SELECT {expr} AS \"value\""));
                sql.line("OFFSET 0");
            });
        });
        (value, part)
    }

    /// A list as a join, for more than one use of it. `OFFSET 0` keeps the planner from
    /// putting the whole of it in each place.
    fn list(
        &mut self,
        many: &'static Many,
        shape: &Shape,
        row: &str,
        path: &str,
    ) -> (String, Part) {
        let alias = self.alias(&format!("_{path}_list"));
        let rows = self.many(many, shape, row, path);
        let value = column(&alias, "list");
        let part: Part = Box::new(move |sql| {
            sql.block("CROSS JOIN LATERAL (", format!(") AS {alias}"), |sql| {
                sql.line("SELECT");
                sql.indented(|sql| sql.block("ARRAY(", ") AS \"list\"", rows));
                sql.line("OFFSET 0");
            });
        });
        (value, part)
    }

    /// The body of `ARRAY(..)`: the rows that refer to `row`, as records, in order.
    pub(super) fn many(
        &mut self,
        many: &'static Many,
        shape: &Shape,
        row: &str,
        path: &str,
    ) -> Part {
        let child = (many.shape)();
        let inner = self.alias(path);
        let item = self.alias(&format!("_{path}"));
        self.lists += 1;
        let around = std::mem::replace(&mut self.limited, many.limit.is_some());
        let joins = self.joins(child, &inner, path);
        let record = self.record(child, &inner, path, &joins);
        self.limited = around;
        self.lists -= 1;
        let parent = column(row, many.key.unwrap_or(shape.key_column()));
        let (link, on) = match many.link {
            Link::ForeignKey(fk) => (None, format!("{} = {parent}", column(&inner, fk))),
            Link::Through { table, fk, to, key } => {
                let through = self.alias(&format!("{path}_through"));
                (
                    Some(format!(
                        "JOIN {table} AS {through} ON {} = {}",
                        column(&through, to),
                        column(&inner, key.unwrap_or(child.key_column()))
                    )),
                    format!("{} = {parent}", column(&through, fk)),
                )
            }
        };
        let order = order(many, child, &inner);
        let order = (!order.is_empty()).then(|| format!("ORDER BY {}", order.join(", ")));
        Box::new(move |sql| {
            let filters: Vec<&str> = child.filter.into_iter().chain(many.filter).collect();
            sql.line(format!("SELECT {item}"));
            let rows = |sql: &mut Sql| {
                write_from(sql, child.table, &inner, &filters);
                if let Some(link) = link {
                    sql.line(link);
                }
            };
            // Limited before anything else is looked up for the rows, or can fail for them.
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
            if let Some(order) = &order {
                sql.line(order);
            }
        })
    }
}

/// Whether an expression calls nothing, so that computing it twice costs less than keeping it.
fn is_plain(expr: &str) -> bool {
    !expr.contains('(')
}

/// Pairs of a list and a count of the same rows: the list is long enough to know it.
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

pub(super) fn child_path(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}_{name}")
    }
}

/// The user's order, made total: by the child's key, or without one by all its columns.
fn order(many: &Many, child: &Shape, row: &str) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut terms = Vec::new();
    for term in many.order_by {
        seen.insert(term.column);
        let direction = if term.descending { " DESC" } else { "" };
        let nulls = match term.nulls_first {
            None => "",
            Some(true) => " NULLS FIRST",
            Some(false) => " NULLS LAST",
        };
        terms.push(format!("{}{direction}{nulls}", column(row, term.column)));
    }
    let rest: Vec<&str> = match child.key {
        Some(key) => vec![key.column],
        None => child
            .fields
            .iter()
            .filter_map(|field| match &field.source {
                // json has no order; two rows that differ only there may swap.
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
