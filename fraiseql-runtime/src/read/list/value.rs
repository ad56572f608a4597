//! From JSON to values of a field's type, checked before anything is sent.

use serde_json::Value;
use uuid::Uuid;

use super::error::{ListError, shown};
use super::wire::{Wire, WireType};
use super::{calendar, numeric};
use crate::schema::scalar::{ElementNull, Enum, Form, ScalarType};

/// How many values `in`, `notIn` or a list may have.
const MOST_VALUES: usize = 1_000;
/// How long a text may be, in bytes. No text in an index is longer.
const MOST_TEXT: usize = 10_000;

/// What a value is, in JSON and on the wire.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
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
    /// A type of the user's, by its name in SQL: is sent as text.
    Other(&'static str),
}

impl Kind {
    pub(super) fn of(ty: &ScalarType) -> Self {
        match (ty.form, ty.sql) {
            (Form::Enum(table), _) => Self::Enum(table),
            (_, "boolean") => Self::Bool,
            (_, "int2") => Self::Int2,
            (_, "int4") => Self::Int4,
            (_, "int8") => Self::Int8,
            (_, "float4") => Self::Float4,
            (_, "float8") => Self::Float8,
            (_, "numeric") => Self::Numeric,
            (_, "text") => Self::Text,
            (_, "uuid") => Self::Uuid,
            (_, "date") => Self::Date,
            (_, "time") => Self::Time,
            (_, "timestamp") => Self::Timestamp,
            (_, "timestamptz") => Self::Timestamptz,
            (_, sql) => Self::Other(sql),
        }
    }

    const fn wire(self) -> WireType {
        match self {
            Self::Bool => WireType::BOOL,
            Self::Int2 => WireType::INT2,
            Self::Int4 => WireType::INT4,
            Self::Int8 => WireType::INT8,
            Self::Float4 => WireType::FLOAT4,
            Self::Float8 => WireType::FLOAT8,
            Self::Numeric => WireType::NUMERIC,
            Self::Text | Self::Enum(_) | Self::Other(_) => WireType::TEXT,
            Self::Uuid => WireType::UUID,
            Self::Date => WireType::DATE,
            Self::Time => WireType::TIME,
            Self::Timestamp => WireType::TIMESTAMP,
            Self::Timestamptz => WireType::TIMESTAMPTZ,
        }
    }

    fn cast(self, ty: &ScalarType, array: bool) -> String {
        let brackets = if array { "[]" } else { "" };
        match self {
            Self::Other(sql) => format!("text{brackets}::{sql}{brackets}"),
            _ => format!("{}{brackets}", ty.sql),
        }
    }

    /// What a value must be, in words.
    fn expected(self) -> String {
        match self {
            Self::Bool => "true or false".to_owned(),
            Self::Int2 => int::<i16>(),
            Self::Int4 => int::<i32>(),
            Self::Int8 => int::<i64>(),
            Self::Float4 => "a number in the range of a 32-bit float".to_owned(),
            Self::Float8 => "a number".to_owned(),
            Self::Numeric => format!(
                "a decimal of at most {} digits, such as \"19.90\"",
                numeric::MOST_DIGITS
            ),
            Self::Text => format!("a text of at most {MOST_TEXT} bytes without U+0000"),
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

    /// The binary form of a value; none, if it is not of the type.
    fn bytes(self, value: &Value) -> Option<Vec<u8>> {
        let text = value.as_str();
        Some(match self {
            Self::Bool => vec![u8::from(value.as_bool()?)],
            Self::Int2 => i16::try_from(whole(value)?).ok()?.to_be_bytes().to_vec(),
            Self::Int4 => i32::try_from(whole(value)?).ok()?.to_be_bytes().to_vec(),
            Self::Int8 => whole(value)?.to_be_bytes().to_vec(),
            Self::Float4 => {
                #[expect(clippy::cast_possible_truncation, reason = "to the nearest")]
                let value = value.as_f64()? as f32;
                value.is_finite().then(|| value.to_be_bytes().to_vec())?
            }
            Self::Float8 => value.as_f64()?.to_be_bytes().to_vec(),
            Self::Numeric => match value {
                Value::Number(number) => numeric::bytes(&number.to_string())?,
                _ => numeric::bytes(text?)?,
            },
            Self::Text | Self::Other(_) => {
                let text = text.filter(|text| text.len() <= MOST_TEXT && !text.contains('\0'))?;
                text.as_bytes().to_vec()
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

    /// Whether these bytes, from a cursor, are a value that a document can have.
    fn accepts(self, bytes: &[u8]) -> bool {
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
            Self::Numeric => numeric::accepts(bytes),
            Self::Text | Self::Enum(_) | Self::Other(_) => {
                std::str::from_utf8(bytes).is_ok_and(|text| !text.contains('\0'))
            }
            Self::Uuid => bytes.len() == 16,
            Self::Date => bytes
                .try_into()
                .is_ok_and(|bytes| calendar::is_date(i32::from_be_bytes(bytes))),
            Self::Time => bytes
                .try_into()
                .is_ok_and(|bytes| calendar::is_time(i64::from_be_bytes(bytes))),
            Self::Timestamp | Self::Timestamptz => bytes
                .try_into()
                .is_ok_and(|bytes| calendar::is_instant(i64::from_be_bytes(bytes))),
        }
    }
}

/// A whole number. As text as well: GraphQL has keys as text, and JavaScript large numbers.
fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn int<T: Bounds>() -> String {
    format!("a whole number from {} to {}", T::LEAST, T::MOST)
}

trait Bounds {
    const LEAST: i64;
    const MOST: i64;
}

macro_rules! bounds {
    ($($ty:ty)*) => {$(
        impl Bounds for $ty {
            const LEAST: i64 = <$ty>::MIN as i64;
            const MOST: i64 = <$ty>::MAX as i64;
        }
    )*};
}

bounds!(i16 i32 i64);

fn wrong(field: &'static str, value: &Value, expected: String) -> ListError {
    // What is large is not printed, only to be cut.
    let value = match value {
        Value::Array(values) => format!("a list of {} values", values.len()),
        Value::Object(_) => "an object".to_owned(),
        Value::String(text) => format!("{:?}", shown(text)),
        value => value.to_string(),
    };
    ListError::Value {
        field,
        value,
        expected,
    }
}

/// The value of `isNull`.
pub(super) fn of_bool(field: &'static str, value: &Value) -> Result<bool, ListError> {
    value
        .as_bool()
        .ok_or_else(|| wrong(field, value, "true or false, of `isNull`".to_owned()))
}

/// A value of the field's type, which may be a list.
pub(super) fn one(field: &'static str, ty: &ScalarType, value: &Value) -> Result<Wire, ListError> {
    let kind = Kind::of(ty);
    if let Some(nulls) = ty.list {
        return elements(field, ty, value, nulls == ElementNull::Yes);
    }
    match kind.bytes(value) {
        Some(bytes) => Ok(Wire::one(kind.wire(), bytes, kind.cast(ty, false))),
        None => {
            let isnull = if value.is_null() {
                ", and `isNull` finds null"
            } else {
                ""
            };
            Err(wrong(field, value, format!("{}{isnull}", kind.expected())))
        }
    }
}

/// The values of `in` and `notIn`.
pub(super) fn list(field: &'static str, ty: &ScalarType, value: &Value) -> Result<Wire, ListError> {
    elements(field, ty, value, false)
}

fn elements(
    field: &'static str,
    ty: &ScalarType,
    value: &Value,
    nulls: bool,
) -> Result<Wire, ListError> {
    let kind = Kind::of(ty);
    let Value::Array(values) = value else {
        let expected = format!("a list, of which each is {}", kind.expected());
        return Err(wrong(field, value, expected));
    };
    if values.len() > MOST_VALUES {
        return Err(ListError::TooLarge {
            what: "values in a list",
            most: MOST_VALUES,
        });
    }
    let elements: Vec<Option<Vec<u8>>> = values
        .iter()
        .map(|value| match kind.bytes(value) {
            Some(bytes) => Ok(Some(bytes)),
            None if nulls && value.is_null() => Ok(None),
            None => Err(wrong(field, value, kind.expected())),
        })
        .collect::<Result<_, _>>()?;
    Ok(Wire::array(kind.wire(), &elements, kind.cast(ty, true)))
}

/// The pattern of `like` and `ilike`.
pub(super) fn pattern(field: &'static str, value: &Value) -> Result<Wire, ListError> {
    let bytes = Kind::Text
        .bytes(value)
        .ok_or_else(|| wrong(field, value, Kind::Text.expected()))?;
    let escapes = bytes.iter().rev().take_while(|byte| **byte == b'\\');
    if escapes.count() % 2 == 1 {
        let expected = "a pattern with a character behind its last backslash";
        return Err(wrong(field, value, expected.to_owned()));
    }
    Ok(Wire::one(WireType::TEXT, bytes, "text"))
}

/// A value of the field's type, as a cursor has it.
pub(super) fn of_cursor(ty: &ScalarType, bytes: &[u8]) -> Option<Wire> {
    let kind = Kind::of(ty);
    kind.accepts(bytes)
        .then(|| Wire::one(kind.wire(), bytes.to_vec(), kind.cast(ty, false)))
}
