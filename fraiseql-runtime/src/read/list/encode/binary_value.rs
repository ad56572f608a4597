//! A parameter in the binary format, with the OID of its type.

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo};
use sqlx::{Encode, Postgres, Type};

/// A parameter in the binary format of its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::read) struct BinaryValue {
    oid: u32,
    bytes: Vec<u8>,
    /// The type that the parameter is cast to in the text of the statement.
    pub(in crate::read::list) cast: String,
}

/// The OIDs of a built-in type and of its array type, which are the same in every database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TypeOids {
    scalar: u32,
    array: u32,
}

impl TypeOids {
    pub(super) const INT8: Self = Self::new(20, 1016);
    pub(super) const TEXT: Self = Self::new(25, 1009);
    pub(super) const JSONB: Self = Self::new(3802, 3807);
    pub(super) const JSON_PATH: Self = Self::new(4072, 4073);

    pub(super) const fn new(scalar: u32, array: u32) -> Self {
        Self { scalar, array }
    }
}

impl BinaryValue {
    /// A single value.
    pub(super) fn scalar(ty: TypeOids, bytes: Vec<u8>, cast: impl Into<String>) -> Self {
        Self {
            oid: ty.scalar,
            bytes,
            cast: cast.into(),
        }
    }

    /// An array of one dimension. `None` is a null element.
    ///
    /// The caller limits the number of elements and their lengths; both fit in an `i32`.
    pub(super) fn array(
        ty: TypeOids,
        elements: &[Option<Vec<u8>>],
        cast: impl Into<String>,
    ) -> Self {
        let mut bytes = Vec::new();
        let int = |bytes: &mut Vec<u8>, value: usize| {
            bytes.extend(i32::try_from(value).unwrap_or(i32::MAX).to_be_bytes());
        };
        // The header: number of dimensions, whether there are nulls, type of the elements. An
        // empty array has no dimensions.
        int(&mut bytes, usize::from(!elements.is_empty()));
        int(&mut bytes, elements.iter().any(Option::is_none).into());
        bytes.extend(ty.scalar.to_be_bytes());
        if !elements.is_empty() {
            // Each dimension has a length and the index of its first element.
            int(&mut bytes, elements.len());
            int(&mut bytes, 1);
        }
        for element in elements {
            match element {
                Some(element) => {
                    int(&mut bytes, element.len());
                    bytes.extend(element);
                }
                // A null has the length -1 and no bytes.
                None => bytes.extend((-1_i32).to_be_bytes()),
            }
        }
        Self {
            oid: ty.array,
            bytes,
            cast: cast.into(),
        }
    }

    /// A `jsonb` or a `jsonpath`: the version of the format, which is 1 of both, and a text.
    pub(super) fn versioned_text(ty: TypeOids, text: &str, cast: &str) -> Self {
        let mut bytes = vec![1];
        bytes.extend_from_slice(text.as_bytes());
        Self::scalar(ty, bytes, cast)
    }

    /// A `bigint`.
    pub(in crate::read::list) fn int8(value: i64) -> Self {
        Self::scalar(TypeOids::INT8, value.to_be_bytes().to_vec(), "int8")
    }

    /// A `text[]`.
    pub(in crate::read::list) fn text_array<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        let elements: Vec<_> = texts
            .into_iter()
            .map(|text| Some(text.as_bytes().to_vec()))
            .collect();
        Self::array(TypeOids::TEXT, &elements, "text[]")
    }
}

impl Type<Postgres> for BinaryValue {
    // sqlx asks `produces` first, which knows the type of this value.
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(TypeOids::TEXT.scalar))
    }
}

impl Encode<'_, Postgres> for BinaryValue {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.extend_from_slice(&self.bytes);
        Ok(IsNull::No)
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        Some(PgTypeInfo::with_oid(Oid(self.oid)))
    }

    fn size_hint(&self) -> usize {
        self.bytes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::{BinaryValue, TypeOids};

    #[test]
    fn arrays_are_encoded_as_array_send_encodes_them() {
        let int4 = |value: i32| Some(value.to_be_bytes().to_vec());
        for (elements, expected) in ARRAYS {
            let elements: Vec<_> = elements.iter().map(|value| value.and_then(int4)).collect();
            let array = BinaryValue::array(TypeOids::new(23, 1007), &elements, "int4[]");
            assert_eq!(array.oid, 1007);
            assert_eq!(hex(&array.bytes), *expected, "{elements:?}");
        }
        let texts = BinaryValue::text_array(["a", ""]);
        assert_eq!(texts.oid, 1009);
        assert_eq!(hex(&texts.bytes), TEXTS);
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// `encode(array_send(..), 'hex')` of PostgreSQL 15.
    const ARRAYS: &[(&[Option<i32>], &str)] = &[
        (&[], "000000000000000000000017"),
        (
            &[Some(1), Some(-1)],
            "0000000100000000000000170000000200000001000000040000000100000004ffffffff",
        ),
        (
            &[Some(7), None],
            "00000001000000010000001700000002000000010000000400000007ffffffff",
        ),
    ];
    const TEXTS: &str = "0000000100000000000000190000000200000001000000016100000000";
}
