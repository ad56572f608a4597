//! The types of values that a field can be compared with: their SQL and JSON representations.

use serde_json::Value;
use uuid::Uuid;

use super::binary_value::TypeOids;
use super::{calendar, numeric};
use crate::schema::scalar::{Enum, JsonEncoding, ScalarType};

/// The maximum length of a text in bytes. An index entry cannot hold a longer one.
const MAX_TEXT_BYTES: usize = 10_000;

/// The type of a value, or of the elements of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::read::list) enum ValueType {
    Bool,
    Int2,
    Int4,
    Int8,
    Float4,
    Float8,
    Numeric,
    Text,
    Uuid,
    Date,
    Time,
    Timestamp,
    Timestamptz,
    Enum(&'static Enum),
    /// Any other SQL type, by name. Its values are sent as text, which the statement casts.
    Other(&'static str),
}

/// The built-in types, by their names in [`ScalarType::sql`].
const BUILT_IN: [(&str, ValueType, TypeOids); 13] = [
    ("boolean", ValueType::Bool, TypeOids::new(16, 1000)),
    ("int2", ValueType::Int2, TypeOids::new(21, 1005)),
    ("int4", ValueType::Int4, TypeOids::new(23, 1007)),
    ("int8", ValueType::Int8, TypeOids::INT8),
    ("float4", ValueType::Float4, TypeOids::new(700, 1021)),
    ("float8", ValueType::Float8, TypeOids::new(701, 1022)),
    ("numeric", ValueType::Numeric, TypeOids::new(1700, 1231)),
    ("text", ValueType::Text, TypeOids::TEXT),
    ("uuid", ValueType::Uuid, TypeOids::new(2950, 2951)),
    ("date", ValueType::Date, TypeOids::new(1082, 1182)),
    ("time", ValueType::Time, TypeOids::new(1083, 1183)),
    ("timestamp", ValueType::Timestamp, TypeOids::new(1114, 1115)),
    (
        "timestamptz",
        ValueType::Timestamptz,
        TypeOids::new(1184, 1185),
    ),
];

impl ValueType {
    /// The type of a field's values; of their elements if the field is a list.
    pub(in crate::read::list) fn of(ty: &ScalarType) -> Self {
        if let JsonEncoding::Enum(table) = ty.encoding {
            return Self::Enum(table);
        }
        let built_in = BUILT_IN.iter().find(|(name, ..)| *name == ty.sql);
        built_in.map_or(Self::Other(ty.sql), |(_, value_type, _)| *value_type)
    }

    /// The OIDs of the type. Columns of enums are `text`, and other types are sent as `text`.
    pub(super) fn oids(self) -> TypeOids {
        let built_in = BUILT_IN.iter().find(|(_, ty, _)| *ty == self);
        built_in.map_or(TypeOids::TEXT, |(.., oids)| *oids)
    }

    /// The type, or types, that a parameter is cast to in the statement.
    pub(super) fn cast(self, ty: &ScalarType, array: bool) -> String {
        let brackets = if array { "[]" } else { "" };
        match self {
            Self::Other(sql) => format!("text{brackets}::{sql}{brackets}"),
            _ => format!("{}{brackets}", ty.sql),
        }
    }

    /// What a value must be, for an error message.
    pub(in crate::read::list) fn expected(self) -> String {
        match self {
            Self::Bool => "true or false".to_owned(),
            Self::Int2 => integer(i16::MIN, i16::MAX),
            Self::Int4 => integer(i32::MIN, i32::MAX),
            Self::Int8 => integer(i64::MIN, i64::MAX),
            Self::Float4 => "a number in the range of a 32-bit float".to_owned(),
            Self::Float8 => "a number".to_owned(),
            Self::Numeric => format!(
                "a decimal of at most {} digits, such as \"19.90\"",
                numeric::MAX_DIGITS
            ),
            Self::Text => format!("a text of at most {MAX_TEXT_BYTES} bytes without U+0000"),
            Self::Uuid => "a UUID".to_owned(),
            Self::Date => "a date in ISO 8601, such as \"2026-01-31\"".to_owned(),
            Self::Time => "a time of day in ISO 8601, such as \"12:00:00.5\"".to_owned(),
            Self::Timestamp => {
                "a date and time in ISO 8601 without an offset, such as \"2026-01-31T12:00:00.5\""
                    .to_owned()
            }
            Self::Timestamptz => {
                "a time in RFC 3339 with its offset, such as \"2026-01-31T12:00:00.5Z\"".to_owned()
            }
            Self::Enum(table) => {
                let names: Vec<String> = table
                    .variants
                    .iter()
                    .map(|variant| format!("`{}`", variant.json))
                    .collect();
                format!("one of {}", names.join(", "))
            }
            Self::Other(sql) => format!("the text of a value of type {sql}"),
        }
    }

    /// Encodes a JSON value. `None` if it is not a value of this type.
    pub(super) fn encode(self, value: &Value) -> Option<Vec<u8>> {
        let text = value.as_str();
        Some(match self {
            Self::Bool => vec![u8::from(value.as_bool()?)],
            Self::Int2 => i16::try_from(int(value)?).ok()?.to_be_bytes().to_vec(),
            Self::Int4 => i32::try_from(int(value)?).ok()?.to_be_bytes().to_vec(),
            Self::Int8 => int(value)?.to_be_bytes().to_vec(),
            Self::Float4 => {
                #[expect(clippy::cast_possible_truncation, reason = "rounds to nearest")]
                let value = value.as_f64()? as f32;
                value.is_finite().then(|| value.to_be_bytes().to_vec())?
            }
            Self::Float8 => value.as_f64()?.to_be_bytes().to_vec(),
            Self::Numeric => match value {
                Value::Number(number) => numeric::encode(&number.to_string())?,
                _ => numeric::encode(text?)?,
            },
            Self::Text | Self::Other(_) => {
                let fits = |text: &&str| text.len() <= MAX_TEXT_BYTES && !text.contains('\0');
                text.filter(fits)?.as_bytes().to_vec()
            }
            Self::Uuid => Uuid::parse_str(text?).ok()?.as_bytes().to_vec(),
            Self::Date => calendar::date(text?)?.to_be_bytes().to_vec(),
            Self::Time => calendar::time(text?)?.to_be_bytes().to_vec(),
            Self::Timestamp => calendar::timestamp(text?)?.to_be_bytes().to_vec(),
            Self::Timestamptz => calendar::timestamptz(text?)?.to_be_bytes().to_vec(),
            Self::Enum(table) => {
                let text = text?;
                let variant = table.variants.iter().find(|variant| variant.json == text)?;
                variant.json.as_bytes().to_vec()
            }
        })
    }

    /// A value as documents have it, if a document has equal values of this type as equal JSON: the digits of a
    /// decimal and of a time vary. `None` for other types, and if it is not a value of this type.
    pub(in crate::read::list) fn in_document(self, value: &Value) -> Option<Value> {
        self.encode(value)?;
        Some(match self {
            Self::Bool | Self::Float4 | Self::Float8 | Self::Text | Self::Enum(_) => value.clone(),
            Self::Int2 | Self::Int4 | Self::Int8 => int(value)?.into(),
            Self::Uuid => Uuid::parse_str(value.as_str()?).ok()?.to_string().into(),
            // Of a year of four digits, as a text: these are in the order of the dates, too.
            Self::Date => value.as_str().filter(|text| text.len() == 10)?.into(),
            Self::Numeric | Self::Time | Self::Timestamp | Self::Timestamptz | Self::Other(_) => {
                return None;
            }
        })
    }

    /// Whether the bytes, which come from a cursor, are a value that a document can have.
    ///
    /// A client can alter a cursor. PostgreSQL checks the bytes as well, but its error would be
    /// reported as a failure of the database; and it accepts values such as `NaN`, which documents
    /// cannot have.
    pub(super) fn is_valid(self, bytes: &[u8]) -> bool {
        match self {
            Self::Bool => matches!(bytes, [0 | 1]),
            Self::Int2 => bytes.len() == 2,
            Self::Int4 => bytes.len() == 4,
            Self::Int8 => bytes.len() == 8,
            Self::Float4 => bytes
                .try_into()
                .is_ok_and(|bytes| f32::from_be_bytes(bytes).is_finite()),
            Self::Float8 => bytes
                .try_into()
                .is_ok_and(|bytes| f64::from_be_bytes(bytes).is_finite()),
            Self::Numeric => numeric::is_valid(bytes),
            Self::Text | Self::Enum(_) | Self::Other(_) => {
                std::str::from_utf8(bytes).is_ok_and(|text| !text.contains('\0'))
            }
            Self::Uuid => bytes.len() == 16,
            Self::Date => bytes
                .try_into()
                .is_ok_and(|bytes| calendar::is_valid_date(i32::from_be_bytes(bytes))),
            Self::Time => bytes
                .try_into()
                .is_ok_and(|bytes| calendar::is_valid_time(i64::from_be_bytes(bytes))),
            Self::Timestamp | Self::Timestamptz => bytes
                .try_into()
                .is_ok_and(|bytes| calendar::is_valid_timestamp(i64::from_be_bytes(bytes))),
        }
    }
}

/// An integer, as a number or as text: GraphQL has keys as texts, and JavaScript large integers.
fn int(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn integer(min: impl std::fmt::Display, max: impl std::fmt::Display) -> String {
    format!("a whole number from {min} to {max}")
}
