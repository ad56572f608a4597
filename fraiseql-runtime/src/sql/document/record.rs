//! The record of a row: a column for each field of the object, named like its JSON key.

use super::composer::{Composer, SqlWriter, child_path};
use super::groups::group_value;
use super::joins::Joins;
use super::options::Purpose;
use crate::schema::scalar::ScalarType;
use crate::schema::{Data, Field, Shape, Source};
use crate::sql::aggregate;
use crate::sql::fragment::fragment;
use crate::sql::text::{Sql, column, ident, row_argument, row_value};

/// The columns of a record with their names, in the order in which they are written.
pub(super) struct Record(Vec<(String, RecordColumn)>);

/// The value of a column.
enum RecordColumn {
    Expression(String),
    /// The body of `ARRAY(..)`.
    List(SqlWriter),
}

impl Record {
    /// Writes `SELECT` and its columns, without FROM.
    pub(super) fn write(self, sql: &mut Sql) {
        let last = self.0.len().saturating_sub(1);
        sql.line("SELECT");
        sql.indented(|sql| {
            for (index, (json, value)) in self.0.into_iter().enumerate() {
                let comma = if index == last { "" } else { "," };
                match value {
                    RecordColumn::Expression(value) => {
                        sql.line(format!("{value} AS {}{comma}", ident(&json)));
                    }
                    RecordColumn::List(write) => {
                        sql.block("ARRAY(", format!(") AS {}{comma}", ident(&json)), write);
                    }
                }
            }
        });
    }
}

/// The value of a field, before it is encoded.
enum FieldValue {
    Scalar(String, &'static ScalarType),
    /// The alias of a joined record, and whether it may be null.
    One(String, bool),
    List(RecordColumn),
}

/// The column that the null check of a record is attached to.
struct CheckedColumn {
    /// Its index in the record.
    index: usize,
    /// Its value, before it is encoded.
    value: String,
    ty: &'static ScalarType,
}

impl CheckedColumn {
    /// Makes the column raise an error if one of the values `not_null` is null: one check for the
    /// whole record is cheaper than one for each value.
    fn add_null_check(&self, columns: &mut [(String, RecordColumn)], not_null: &[String]) {
        if !not_null.is_empty()
            && let Some((_, RecordColumn::Expression(encoded))) = columns.get_mut(self.index)
        {
            *encoded = self.ty.raise_if_null(encoded, &self.value, not_null);
        }
    }
}

/// The reason for a missing row of a `one(..)` field, whose record has this alias.
fn missing_row_reason(field: &Field, alias: &str) -> (String, RecordColumn) {
    // `IS NULL` is also true for a row that has only nulls; `num_nulls` counts a row that is
    // missing.
    let reason = format!(
        "CASE WHEN pg_catalog.num_nulls({}) > 0 THEN 'there is no row' END",
        row_argument(alias)
    );
    (format!("{}?", field.json), RecordColumn::Expression(reason))
}

impl Composer {
    /// The record of a row.
    pub(super) fn record(
        &mut self,
        shape: &'static Shape,
        row: &str,
        path: &str,
        joins: &Joins,
    ) -> Record {
        let mut columns: Vec<(String, RecordColumn)> = Vec::with_capacity(shape.fields.len());
        // The values that must not be null in the document.
        let mut not_null = Vec::new();
        let mut checked: Option<CheckedColumn> = None;
        for (index, (field, joined)) in shape.fields.iter().zip(&joins.values).enumerate() {
            if !self.wants(index) {
                continue;
            }
            let json = || field.json.to_owned();
            let value = self.inside(index, |composer| {
                composer.field_value(field, shape, row, path, joined)
            });
            match value {
                FieldValue::Scalar(value, ty) => {
                    let is_key = matches!(
                        field.source,
                        Source::Column { column, .. }
                            if shape.key_columns().names().contains(&column)
                    );
                    // The key is best, because the error message contains it; else the first.
                    if checked.is_none() || is_key {
                        checked = Some(CheckedColumn {
                            index: columns.len(),
                            value: value.clone(),
                            ty,
                        });
                    }
                    // Keys are never null, nor what is made of them, and the derives check the types
                    // of aggregates and lists.
                    let is_never_null = matches!(
                        field.source,
                        Source::GlobalId { .. }
                            | Source::Aggregate(_)
                            | Source::Values(_)
                            | Source::OfGroup(_)
                    );
                    if ty.rejects_null() && !is_key && !is_never_null {
                        not_null.push(value.clone());
                    }
                    match self.purpose {
                        Purpose::Documents => {
                            let encoded = ty.encode(&value, self.data, self.levels);
                            columns.push((json(), RecordColumn::Expression(encoded)));
                        }
                        Purpose::RejectReasons => columns.extend(
                            ty.reject_reason(&value, self.levels)
                                .map(|reason| (json(), RecordColumn::Expression(reason))),
                        ),
                    }
                }
                FieldValue::One(alias, nullable) => {
                    if !nullable {
                        if self.purpose == Purpose::RejectReasons {
                            columns.push(missing_row_reason(field, &alias));
                        }
                        not_null.push(row_argument(&alias));
                    }
                    columns.push((json(), RecordColumn::Expression(row_value(&alias))));
                }
                FieldValue::List(list) => columns.push((json(), list)),
            }
        }
        if self.purpose == Purpose::Documents
            && self.extract.is_none()
            && self.checks_nulls
            && let Some(checked) = checked
        {
            checked.add_null_check(&mut columns, &not_null);
        }
        if self.data == Data::Jsonb {
            // The order in which jsonb stores keys, by length and then by bytes: `to_jsonb` then
            // has nothing to sort.
            columns.sort_by(|(a, _), (b, _)| (a.len(), a).cmp(&(b.len(), b)));
        }
        Record(columns)
    }

    /// The value of a field, before it is encoded. `joined` is the expression of a join.
    fn field_value(
        &mut self,
        field: &'static Field,
        shape: &'static Shape,
        row: &str,
        path: &str,
        joined: &Option<String>,
    ) -> FieldValue {
        let joined = joined.clone();
        match &field.source {
            Source::Column { column: name, ty } => FieldValue::Scalar(column(row, name), ty),
            Source::Expr { expr, ty } => FieldValue::Scalar(
                joined.unwrap_or_else(|| format!("({})", fragment(expr, row))),
                ty,
            ),
            Source::GlobalId { ty } => {
                // The derive puts one only into a struct with a key.
                let id = shape
                    .key
                    .map(|key| key.of_row(row).global_id(shape.type_name));
                FieldValue::Scalar(id.unwrap_or_default(), ty)
            }
            Source::Through { column: name, ty } => {
                // Proofs in the derives' output put such a part into no other field.
                let value = self.through.as_ref().map(|join_row| join_row.column(name));
                FieldValue::Scalar(value.unwrap_or_default(), ty)
            }
            Source::One(one) => FieldValue::One(joined.unwrap_or_default(), one.nullable),
            Source::First(_) => FieldValue::One(joined.unwrap_or_default(), true),
            Source::Many(many) => FieldValue::List(match joined {
                Some(list) => RecordColumn::Expression(list),
                None => {
                    let path = child_path(path, field.name);
                    RecordColumn::List(self.list_rows(many, shape, row, &path))
                }
            }),
            Source::Values(values) => FieldValue::Scalar(joined.unwrap_or_default(), &values.ty),
            Source::OfGroup(aggregate) => {
                let place = shape.group_aggregate(field.name).unwrap_or_default();
                FieldValue::Scalar(column(row, &group_value(place)), &aggregate.ty)
            }
            Source::Aggregate(aggregate) => FieldValue::Scalar(
                joined.unwrap_or_else(|| {
                    // Only `exists` has no join.
                    let path = child_path(path, field.name);
                    let inner = self.alias(&path);
                    let between = self.between(aggregate, &path);
                    let on = aggregate::conditions(aggregate, shape, row, &inner, &between);
                    let on = on.join(" AND ");
                    let table = aggregate.table;
                    format!("EXISTS (SELECT FROM {table} AS {inner} WHERE {on})")
                }),
                &aggregate.ty,
            ),
        }
    }
}
