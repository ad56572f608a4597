//! `rust_decimal::Decimal`, encoded as a string with every digit.

use std::borrow::Cow;

use rust_decimal::Decimal;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};

use super::{JsonEncoding, Scalar, ScalarType};

impl Scalar for Decimal {
    const TYPE: ScalarType = ScalarType::new("numeric", JsonEncoding::Decimal, "Decimal");

    fn serialize_json<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // PostgreSQL has no negative zero.
        let value = if self.is_zero() { self.abs() } else { *self };
        serializer.collect_str(&value)
    }

    fn deserialize_json<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Cow::<'_, str>::deserialize(from)?;
        // More digits than the type holds are an error. `from_str` would round them.
        Self::from_str_exact(&text)
            .map_err(|error| D::Error::custom(format_args!("numeric {text}: {error}")))
    }
}
