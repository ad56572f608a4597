//! `rust_decimal::Decimal`, as a string with every digit.

use std::borrow::Cow;

use rust_decimal::Decimal;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};

use super::{Form, Scalar, ScalarType};

impl Scalar for Decimal {
    const TYPE: ScalarType = ScalarType::new("numeric", Form::Decimal, "Decimal");

    fn serialize_json<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // PostgreSQL has no -0.
        let value = if self.is_zero() { self.abs() } else { *self };
        serializer.collect_str(&value)
    }

    fn deserialize_json<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Cow::<'_, str>::deserialize(from)?;
        // Exact: more digits than the type holds are an error, never rounded away.
        Self::from_str_exact(&text)
            .map_err(|error| D::Error::custom(format_args!("numeric {text}: {error}")))
    }
}
