//! Groups of the rows of a list: a sub-select that takes the place of the rows, with the columns of the
//! groups under their names, and the aggregates.

use crate::schema::scalar::{JsonEncoding, ScalarType};
use crate::schema::{Shape, Source};
use crate::sql::aggregate;
use crate::sql::enums::place_of_label;
use crate::sql::text::{Sql, column, ident};

/// The name of the aggregate in the field with this index.
pub(super) fn group_value(place: usize) -> String {
    format!("group {}", place + 1)
}

/// The SELECT list and the GROUP BY of the groups of the rows `row`.
pub(super) struct Groups {
    select: Vec<String>,
    group_by: Vec<String>,
}

impl Groups {
    pub(super) fn of(shape: &Shape, row: &str) -> Self {
        let mut select = Vec::new();
        let mut group_by = Vec::new();
        for name in shape.group_by {
            let value = column(row, name);
            let ty = shape.group_column(name);
            select.push(format!("{} AS {}", shown(&value, ty), ident(name)));
            group_by.push(match ty.map(|ty| ty.encoding) {
                // Labels of one variant are one value.
                Some(JsonEncoding::Enum(table)) => place_of_label(&value, table),
                _ => value,
            });
        }
        for (place, field) in shape.fields.iter().enumerate() {
            if let Source::OfGroup(aggregate) = &field.source {
                select.push(format!(
                    "{} AS {}",
                    aggregate::of_group(aggregate, row),
                    ident(&group_value(place))
                ));
            }
        }
        Self { select, group_by }
    }

    pub(super) fn write_select(&self, sql: &mut Sql) {
        sql.line("SELECT");
        sql.block_list(self.select.clone());
    }

    pub(super) fn write_group_by(&self, sql: &mut Sql) {
        sql.line(format!("GROUP BY {}", self.group_by.join(", ")));
    }
}

/// The value of a column in a group. Equal values may have different texts, such as 1.0 and 1.00, or two
/// spellings in a collation that ignores case: always the same one is shown.
fn shown(value: &str, ty: Option<&ScalarType>) -> String {
    let has_texts = ty.is_some_and(|ty| {
        let of_texts = matches!(ty.encoding, JsonEncoding::Decimal | JsonEncoding::Enum(_))
            || matches!(ty.sql, "text" | "jsonb");
        of_texts && ty.list.is_none()
    });
    if !has_texts {
        return value.to_owned();
    }
    format!("(pg_catalog.array_agg({value} ORDER BY {value}::text COLLATE \"C\"))[1]")
}
