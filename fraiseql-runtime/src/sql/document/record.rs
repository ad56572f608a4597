//! The object of a row: its columns, each with the form that it has in the document.

use super::Purpose;
use super::composer::{Composer, Joins, Part, child_path};
use crate::schema::scalar::ScalarType;
use crate::schema::{Data, Field, One, Shape, Source};
use crate::sql::text::{Sql, column, fragment, ident};
use crate::sql::{aggregate, form};

/// The columns of one object, in the order they are written.
pub(super) struct Record(Vec<(String, Value)>);

pub(super) enum Value {
    Inline(String),
    List(Part),
}

impl Record {
    /// `SELECT` and its list, without FROM.
    pub(super) fn write(self, sql: &mut Sql) {
        let last = self.0.len().saturating_sub(1);
        sql.line("SELECT");
        sql.indented(|sql| {
            for (index, (json, value)) in self.0.into_iter().enumerate() {
                let comma = if index == last { "" } else { "," };
                match value {
                    Value::Inline(value) => sql.line(format!("{value} AS {}{comma}", ident(&json))),
                    Value::List(part) => {
                        sql.block("ARRAY(", format!(") AS {}{comma}", ident(&json)), part);
                    }
                }
            }
        });
    }
}

/// The value of a field.
enum Raw {
    Scalar(String, &'static ScalarType),
    One(String, &'static One),
    List(Value),
}

impl Composer {
    /// The columns of the object of a row.
    pub(super) fn record(
        &mut self,
        shape: &'static Shape,
        row: &str,
        path: &str,
        joins: &Joins,
    ) -> Record {
        let mut columns: Vec<(String, Value)> = Vec::with_capacity(shape.fields.len());
        // Those that cannot be null in the document.
        let mut never_null = Vec::new();
        let mut checked: Option<(usize, String, &ScalarType)> = None;
        for (field, joined) in shape.fields.iter().zip(&joins.values) {
            let key = || field.json.to_owned();
            match self.raw(field, shape, row, path, joined) {
                Raw::Scalar(value, ty) => {
                    let is_key = matches!(
                        field.source,
                        Source::Column { column, .. } if column == shape.key_column()
                    );
                    if checked.is_none() || is_key {
                        checked = Some((columns.len(), value.clone(), ty));
                    }
                    let computed = matches!(field.source, Source::Aggregate(_));
                    if form::never_null(ty) && !is_key && !computed {
                        never_null.push(value.clone());
                    }
                    match self.purpose {
                        Purpose::Documents => {
                            columns
                                .push((key(), Value::Inline(form::value(&value, ty, self.data))));
                        }
                        Purpose::Flaws => columns.extend(
                            form::flaw(&value, ty).map(|flaw| (key(), Value::Inline(flaw))),
                        ),
                    }
                }
                Raw::One(alias, one) => {
                    if !one.nullable {
                        if self.purpose == Purpose::Flaws {
                            columns.push((format!("{}?", field.json), Value::Inline(format!(
                                "CASE WHEN pg_catalog.num_nulls({alias}) > 0 THEN 'there is no row' END"
                            ))));
                        }
                        never_null.push(alias.clone());
                    }
                    columns.push((key(), Value::Inline(alias)));
                }
                Raw::List(value) => columns.push((key(), value)),
            }
        }
        if self.purpose == Purpose::Documents
            && !never_null.is_empty()
            && let Some((index, value, ty)) = checked
            && let Some((_, Value::Inline(text))) = columns.get_mut(index)
        {
            *text = form::unless_null(text, &value, ty, &never_null);
        }
        if self.data == Data::Jsonb {
            // The order in which jsonb stores keys: it then has nothing to sort.
            columns.sort_by(|(a, _), (b, _)| (a.len(), a).cmp(&(b.len(), b)));
        }
        Record(columns)
    }

    /// The value of a field, before it gets the form that it has in the document.
    fn raw(
        &mut self,
        field: &'static Field,
        shape: &'static Shape,
        row: &str,
        path: &str,
        joined: &Option<String>,
    ) -> Raw {
        let joined = joined.clone();
        match &field.source {
            Source::Column { column: name, ty } => Raw::Scalar(column(row, name), ty),
            Source::Expr { expr, ty } => Raw::Scalar(
                joined.unwrap_or_else(|| format!("({})", fragment(expr, row))),
                ty,
            ),
            Source::One(one) => Raw::One(joined.unwrap_or_default(), one),
            Source::Many(many) => Raw::List(match joined {
                Some(list) => Value::Inline(list),
                None => {
                    let path = child_path(path, field.name);
                    Value::List(self.many(many, shape, row, &path))
                }
            }),
            Source::Aggregate(aggregate) => Raw::Scalar(
                joined.unwrap_or_else(|| {
                    // Only `exists` has no join of its own.
                    let inner = self.alias(&child_path(path, field.name));
                    let on = aggregate::conditions(aggregate, shape, row, &inner).join(" AND ");
                    let table = aggregate.table;
                    format!("EXISTS (SELECT FROM {table} AS {inner} WHERE {on})")
                }),
                &aggregate.ty,
            ),
        }
    }
}
