//! `Option` and `Vec` of a scalar.

use serde::{Deserialize, Deserializer, Serializer};

use super::{De, ElementNull, Scalar, ScalarType, Ser};

impl<T: Scalar> Scalar for Option<T> {
    const TYPE: ScalarType = ScalarType {
        nullable: true,
        ..T::TYPE
    };

    const FLAW: Option<&'static str> = match T::FLAW {
        None if T::TYPE.nullable => {
            Some("an `Option` of an `Option`: SQL has only one null; write one `Option`")
        }
        flaw => flaw,
    };

    fn serialize_json<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Some(value) => serializer.serialize_some(&Ser(value)),
            None => serializer.serialize_none(),
        }
    }

    fn deserialize_json<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<De<T>>::deserialize(deserializer)?.map(|de| de.0))
    }
}

impl<T: Scalar> Scalar for Vec<T> {
    const TYPE: ScalarType = ScalarType {
        nullable: false,
        list: Some(if T::TYPE.nullable {
            ElementNull::Yes
        } else {
            ElementNull::No
        }),
        ..T::TYPE
    };

    const FLAW: Option<&'static str> = match T::FLAW {
        None if T::TYPE.list.is_some() => Some(
            "a `Vec` of a `Vec`: an array in PostgreSQL has no fixed number of dimensions; write \
             `serde_json::Value`, for a column of type jsonb",
        ),
        flaw => flaw,
    };

    fn serialize_json<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Ser))
    }

    fn deserialize_json<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Vec::<De<T>>::deserialize(deserializer)?
            .into_iter()
            .map(|de| de.0)
            .collect())
    }
}
