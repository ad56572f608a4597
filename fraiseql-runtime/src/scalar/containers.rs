//! `Option` and `Vec` of a scalar.

use serde::{Deserialize, Deserializer, Serializer};

use super::{De, ElementNull, Scalar, ScalarType, Ser};

impl<T: Scalar> Scalar for Option<T> {
    const TYPE: ScalarType = {
        assert!(
            !T::TYPE.nullable,
            "Option<Option<_>>: SQL has only one null; write Option<_>"
        );
        ScalarType {
            nullable: true,
            ..T::TYPE
        }
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
    const TYPE: ScalarType = {
        assert!(
            T::TYPE.list.is_none(),
            "Vec<Vec<_>>: PostgreSQL does not fix an array's dimensions; use serde_json::Value"
        );
        ScalarType {
            nullable: false,
            list: Some(if T::TYPE.nullable {
                ElementNull::Yes
            } else {
                ElementNull::No
            }),
            ..T::TYPE
        }
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
