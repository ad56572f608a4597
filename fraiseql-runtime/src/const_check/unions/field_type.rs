//! The GraphQL type of a field, in a constant.

use super::members::MemberField;
use crate::const_check::compare::same;
use crate::const_check::message::Message;
use crate::schema::scalar::JsonEncoding;
use crate::schema::{Shape, Source};

/// The GraphQL type of a field, as `fraiseql-graphql` has it in a schema.
#[derive(Clone, Copy)]
pub(super) struct FieldType {
    /// The name of the type; for a list, of its elements. Empty for a field whose type is not a scalar,
    /// which is reported there.
    name: &'static str,
    /// The struct, if the value is an object or a list of them.
    part: Option<&'static Shape>,
    nullable: bool,
    /// `None` for a single value; for a list, whether its elements may be null.
    elements: Option<bool>,
}

impl FieldType {
    pub(super) const fn of(of: MemberField) -> Self {
        match (&of.field.source, of.part) {
            (Source::One(one), Some(part)) => Self::of_part(part, one.nullable, None),
            (Source::Many(_), Some(part)) => Self::of_part(part, false, Some(false)),
            (Source::First(_), Some(part)) => Self::of_part(part, true, None),
            (source, _) => match source.scalar() {
                Some(ty) => Self {
                    name: match (ty.encoding, ty.graphql.as_bytes()) {
                        (JsonEncoding::Enum(table), _) => table.type_name,
                        (_, b"UUID" | b"String") if is_key(of) => "ID",
                        _ => ty.graphql,
                    },
                    part: None,
                    nullable: ty.admits_null(),
                    elements: ty.admits_null_elements(),
                },
                // Parts are in the list of children, so this is none of them.
                None => Self::of_part(of.shape, false, None),
            },
        }
    }

    const fn of_part(part: &'static Shape, nullable: bool, elements: Option<bool>) -> Self {
        Self {
            name: part.type_name,
            part: Some(part),
            nullable,
            elements,
        }
    }

    pub(super) const fn same(self, other: Self) -> bool {
        if self.name.is_empty() || other.name.is_empty() {
            return true;
        }
        let same_part = match (self.part, other.part) {
            (Some(one), Some(other)) => same(one.id, other.id),
            (None, None) => same(self.name, other.name),
            _ => false,
        };
        let same_elements = match (self.elements, other.elements) {
            (Some(one), Some(other)) => one == other,
            (None, None) => true,
            _ => false,
        };
        same_part && same_elements && self.nullable == other.nullable
    }

    /// Appends the type in the notation of GraphQL, in backticks.
    pub(super) const fn push(self, message: Message) -> Message {
        let message = message.push("`");
        let message = match self.elements {
            None => message.push(self.name),
            Some(true) => message.push("[").push(self.name).push("]"),
            Some(false) => message.push("[").push(self.name).push("!]"),
        };
        message.push(if self.nullable { "`" } else { "!`" })
    }
}

/// Whether the field is of the key of its struct.
const fn is_key(of: MemberField) -> bool {
    let (Source::Column { column, .. }, Some(key)) = (&of.field.source, of.shape.key) else {
        return false;
    };
    let names = key.columns.names();
    let mut index = 0;
    while index < names.len() {
        if same(names[index], column) {
            return true;
        }
        index += 1;
    }
    false
}
