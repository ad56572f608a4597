//! `Option` and `Vec` of a scalar type.

use serde::{Deserialize, Deserializer, Serializer};

use super::scalar_trait::{JsonDe, JsonSer};
use super::{ElementNull, Scalar, ScalarType};

impl<T: Scalar> Scalar for Option<T> {
    const TYPE: ScalarType = ScalarType {
        nullable: true,
        ..T::TYPE
    };

    const FLAW: Option<&'static str> = match T::FLAW {
        None if T::TYPE.nullable => Some(
            "`Option<Option<_>>` is not supported, because SQL has only one null: write one `Option`",
        ),
        flaw => flaw,
    };

    fn serialize_json<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Some(value) => serializer.serialize_some(&JsonSer(value)),
            None => serializer.serialize_none(),
        }
    }

    fn deserialize_json<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<JsonDe<T>>::deserialize(deserializer)?.map(|de| de.0))
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
            "`Vec<Vec<_>>` is not supported, because a PostgreSQL array type has no fixed number of \
             dimensions: write `serde_json::Value` for a column of type jsonb",
        ),
        flaw => flaw,
    };

    fn serialize_json<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(JsonSer))
    }

    fn deserialize_json<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Vec::<JsonDe<T>>::deserialize(deserializer)?
            .into_iter()
            .map(|de| de.0)
            .collect())
    }
}
