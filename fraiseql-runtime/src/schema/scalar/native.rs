//! Types of the standard library, `Uuid` and `serde_json::Value`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{JsonEncoding, Scalar, ScalarType};

/// Implements `Scalar` for types whose serde implementation writes the JSON that PostgreSQL writes.
macro_rules! native {
    ($($ty:ty => $sql:literal, $graphql:literal;)*) => {$(
        impl Scalar for $ty {
            const TYPE: ScalarType = ScalarType::new($sql, JsonEncoding::Native, $graphql);

            fn serialize_json<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.serialize(serializer)
            }

            fn deserialize_json<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                Self::deserialize(from)
            }
        }
    )*};
}

native! {
    bool => "boolean", "Boolean";
    i16 => "int2", "Int";
    i32 => "int4", "Int";
    i64 => "int8", "BigInt";
    String => "text", "String";
    uuid::Uuid => "uuid", "UUID";
    serde_json::Value => "jsonb", "JSON";
}

macro_rules! float {
    ($($ty:ty => $sql:literal, $exact:literal;)*) => {$(
        impl Scalar for $ty {
            const TYPE: ScalarType = ScalarType::new($sql, JsonEncoding::Float, "Float");

            fn serialize_json<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                /// Every whole number below this is exact. Above it, the shortest text that reads
                /// back as the value may name another number, and PostgreSQL writes that text.
                const EXACT: f64 = $exact;
                let wide = f64::from(*self);
                if wide.fract() == 0.0 && wide.abs() < EXACT {
                    // PostgreSQL writes 1 for 1.0, and 0 for -0.
                    #[expect(clippy::cast_possible_truncation, reason = "whole, and below 2^53")]
                    return serializer.serialize_i64(wide as i64);
                }
                if !self.is_finite() {
                    return Err(serde::ser::Error::custom(format_args!(
                        "{self} has no JSON encoding"
                    )));
                }
                self.serialize(serializer)
            }

            fn deserialize_json<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                Self::deserialize(from)
            }
        }
    )*};
}

float! {
    f32 => "float4", 16_777_216.0;
    f64 => "float8", 9_007_199_254_740_992.0;
}
