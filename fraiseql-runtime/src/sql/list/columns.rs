//! The columns that a list returns in place of its documents.
//!
//! A promoted column has the value of its field, and a client can write the JSON of the field from it, if PostgreSQL
//! writes the same JSON of it. It does, in any session, for the types that are chosen here. It does not for a float,
//! whose digits are those of `jsonb`.
//!
//! Of a `String` the column has the value as text, which is not the text in JSON if the base table has a type
//! such as `inet` or `char(n)`. So the statement tests which type the base table has.

use super::view_row::column;
use crate::schema::scalar::{JsonEncoding, ScalarType};
use crate::schema::{Data, Field, Function, Source, Table, View};
use crate::sql::text::literal;

/// The types that are the same as text and in JSON: `text`, `varchar`, `name`, `uuid`, and arrays of these.
const SAME_AS_TEXT: &str = "'{25,1043,19,2950,1009,1015,1003,2951}'::oid[]";

/// The columns of a list, in the order of the keys of a document.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Columns {
    pub(crate) fields: Vec<FieldColumn>,
    /// The columns of the base table whose types are tested.
    tested: Vec<&'static str>,
}

/// The column of a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct FieldColumn {
    pub(crate) json: &'static str,
    pub(crate) name: &'static str,
    pub(crate) ty: &'static ScalarType,
}

impl Columns {
    /// The columns of these fields. `None` if a field has none, or one of which other JSON may be written.
    pub(crate) fn of(view: &'static View, is_wanted: impl Fn(&Field) -> bool) -> Option<Self> {
        let fields = view.shape.shown_fields().filter(|field| is_wanted(field));
        let mut tested: Vec<&str> = fields
            .clone()
            .filter_map(|field| match field.source {
                Source::Column { column, ty } if is_string(&ty) => Some(column),
                _ => None,
            })
            .collect();
        let mut fields: Vec<FieldColumn> = fields
            .map(|field| FieldColumn::of(view, field))
            .collect::<Option<_>>()?;
        if view.data == Data::Jsonb {
            fields.sort_unstable_by_key(|field| (field.json.len(), field.json));
        }
        tested.sort_unstable();
        tested.dedup();
        Some(Self { fields, tested })
    }

    /// Whether the types of the base table are tested.
    pub(crate) fn are_tested(&self) -> bool {
        !self.tested.is_empty()
    }

    /// The same columns, of a base table that was tested before.
    pub(crate) fn untested(self) -> Self {
        Self {
            tested: Vec::new(),
            ..self
        }
    }

    /// True, or whether the base table has types that make the columns the same as the document.
    pub(super) fn are_same(&self, base: Table) -> String {
        if self.tested.is_empty() {
            return "true".to_owned();
        }
        let names: Vec<String> = self.tested.iter().map(|name| literal(name)).collect();
        // Of a domain, its base type.
        format!(
            "(SELECT pg_catalog.count(*) = {} FROM pg_catalog.pg_attribute AS a\n    \
             JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid\n    \
             JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace\n    \
             JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid\n    \
             WHERE n.nspname = {} AND c.relname = {} AND a.attname IN ({})\n      \
             AND (COALESCE(NULLIF(t.typbasetype, '0'), t.oid) = ANY ({SAME_AS_TEXT})\n        \
             OR t.typtype = 'e' OR t.typname = 'citext'))",
            names.len(),
            literal(base.schema),
            literal(base.name),
            names.join(", "),
        )
    }

    /// The values that the statement returns.
    pub(super) fn values(&self, data: Data) -> impl Iterator<Item = String> {
        self.fields.iter().map(move |field| {
            let value = field.ty.encode_stored(column(field.name));
            match field.ty.list {
                None => value,
                Some(_) => format!("pg_catalog.to_{}({value})::text", data.sql()),
            }
        })
    }
}

impl FieldColumn {
    fn of(view: &'static View, field: &'static Field) -> Option<Self> {
        let ty = field.source.scalar()?;
        is_same(&field.source, ty).then_some(())?;
        let key = || match field.source {
            Source::Column { column, .. } => {
                let names = view.key.columns.names().iter();
                let place = names.clone().position(|name| *name == column)?;
                view.key_columns().get(place).copied()
            }
            _ => None,
        };
        let promoted = field.promoted.map(|promoted| promoted.column);
        Some(Self {
            json: field.json,
            name: promoted.or_else(key)?,
            ty,
        })
    }
}

fn is_string(ty: &ScalarType) -> bool {
    ty.encoding == JsonEncoding::Native && ty.sql == "text"
}

/// Whether the JSON of a column is that of the field whose value it has.
fn is_same(source: &Source, ty: &ScalarType) -> bool {
    let is_list = ty.list.is_some();
    match (source, ty.encoding, ty.sql) {
        // The column has the name in JSON.
        (_, JsonEncoding::Enum(_), _) => !is_list,
        (_, JsonEncoding::Native, "boolean") => !is_list || matches!(source, Source::Column { .. }),
        (
            Source::Aggregate(it) | Source::OfGroup(it),
            JsonEncoding::Native,
            "int2" | "int4" | "int8",
        ) => it.function == Function::Count,
        (Source::Column { .. }, encoding, sql) => match (encoding, sql) {
            (JsonEncoding::Native, "int2" | "int4" | "int8" | "text" | "uuid")
            | (JsonEncoding::Decimal, "numeric")
            | (JsonEncoding::Timestamp, "timestamp")
            | (JsonEncoding::Date, "date")
            | (JsonEncoding::Time, "time") => true,
            // In a list, PostgreSQL writes the zone of the session.
            (JsonEncoding::Timestamptz { .. }, "timestamptz") => !is_list,
            _ => false,
        },
        // An expression may have another type than its field.
        _ => false,
    }
}
