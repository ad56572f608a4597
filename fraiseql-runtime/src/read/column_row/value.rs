//! The JSON of a value in PostgreSQL's binary format.

use std::io::Write as _;

use sqlx::ValueRef as _;
use sqlx::postgres::{PgValueFormat, PgValueRef};

use super::calendar;
use crate::schema::scalar::{JsonEncoding, ScalarType};

/// The form of a value, which gives its JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Bool,
    /// An integer, of any size: in a materialized view the column has that of the base table.
    Int,
    Uuid,
    Date,
    Time,
    Timestamp,
    Timestamptz,
    /// A text, also of a `numeric` or the name of an enum's variant.
    Text,
    /// A list, as text in JSON.
    Json,
}

impl Form {
    /// The form in which a statement returns a value of a type.
    pub(super) fn of(ty: &ScalarType) -> Self {
        if ty.list.is_some() {
            return Self::Json;
        }
        match (ty.encoding, ty.sql) {
            (JsonEncoding::Timestamptz { .. }, _) => Self::Timestamptz,
            (JsonEncoding::Timestamp, _) => Self::Timestamp,
            (JsonEncoding::Date, _) => Self::Date,
            (JsonEncoding::Time, _) => Self::Time,
            (JsonEncoding::Native, "boolean") => Self::Bool,
            (JsonEncoding::Native, "int2" | "int4" | "int8") => Self::Int,
            (JsonEncoding::Native, "uuid") => Self::Uuid,
            _ => Self::Text,
        }
    }

    /// Appends the JSON of a value.
    pub(super) fn write(self, value: &PgValueRef<'_>, out: &mut Vec<u8>) -> sqlx::Result<()> {
        if value.is_null() {
            out.extend_from_slice(b"null");
            return Ok(());
        }
        let is_binary = value.format() == PgValueFormat::Binary;
        let bytes = value.as_bytes().map_err(sqlx::Error::Decode)?;
        let written = match self {
            // Both formats of a text are the same.
            Self::Text | Self::Json => std::str::from_utf8(bytes).ok().and_then(|text| {
                if self == Self::Json {
                    out.extend_from_slice(bytes);
                    return Some(());
                }
                serde_json::to_writer(out, text).ok()
            }),
            _ if is_binary => self.write_binary(bytes, out),
            _ => None,
        };
        written.ok_or_else(|| {
            sqlx::Error::Protocol(format!("the value is not a {self:?} in binary format"))
        })
    }

    /// Appends the JSON of a value in binary format. `None` if it has another size.
    fn write_binary(self, bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
        match self {
            Self::Bool => out.extend_from_slice(match bytes {
                [0] => b"false",
                [_] => b"true",
                _ => return None,
            }),
            Self::Int => write!(out, "{}", integer(bytes)?).ok()?,
            Self::Uuid => {
                let uuid = uuid::Uuid::from_slice(bytes).ok()?;
                write!(out, "\"{uuid}\"").ok()?;
            }
            Self::Date => {
                out.push(b'"');
                calendar::date(integer(bytes)?, out);
                out.push(b'"');
            }
            Self::Time => {
                out.push(b'"');
                calendar::time(integer(bytes)?, out);
                out.push(b'"');
            }
            Self::Timestamp | Self::Timestamptz => {
                out.push(b'"');
                calendar::timestamp(integer(bytes)?, out);
                if self == Self::Timestamptz {
                    out.extend_from_slice(b"+00:00");
                }
                out.push(b'"');
            }
            Self::Text | Self::Json => return None,
        }
        Some(())
    }
}

/// An integer of two, four or eight bytes.
fn integer(bytes: &[u8]) -> Option<i64> {
    Some(match *bytes {
        [a, b] => i16::from_be_bytes([a, b]).into(),
        [a, b, c, d] => i32::from_be_bytes([a, b, c, d]).into(),
        _ => i64::from_be_bytes(bytes.try_into().ok()?),
    })
}
