//! Values as PostgreSQL's protocol has them.
//!
//! A value is sent in the binary form of its type, and a cursor has it in the same form: nothing
//! is lost on the way, no setting of the session matters, and the server need not parse a text
//! for each row.

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo};
use sqlx::{Encode, Postgres, Type};

use super::MOST;

/// A value in the binary form of a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wire {
    oid: u32,
    bytes: Vec<u8>,
    /// The type in the statement's text.
    pub(super) cast: String,
}

/// The type of a value on the wire: its numbers in the catalog, which never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WireType {
    oid: u32,
    array: u32,
}

impl WireType {
    pub(super) const BOOL: Self = Self::new(16, 1000);
    pub(super) const INT2: Self = Self::new(21, 1005);
    pub(super) const INT4: Self = Self::new(23, 1007);
    pub(super) const INT8: Self = Self::new(20, 1016);
    pub(super) const FLOAT4: Self = Self::new(700, 1021);
    pub(super) const FLOAT8: Self = Self::new(701, 1022);
    pub(super) const NUMERIC: Self = Self::new(1700, 1231);
    pub(super) const TEXT: Self = Self::new(25, 1009);
    pub(super) const UUID: Self = Self::new(2950, 2951);
    pub(super) const DATE: Self = Self::new(1082, 1182);
    pub(super) const TIME: Self = Self::new(1083, 1183);
    pub(super) const TIMESTAMP: Self = Self::new(1114, 1115);
    pub(super) const TIMESTAMPTZ: Self = Self::new(1184, 1185);

    const fn new(oid: u32, array: u32) -> Self {
        Self { oid, array }
    }
}

impl Wire {
    /// One value.
    pub(super) fn one(ty: WireType, bytes: Vec<u8>, cast: impl Into<String>) -> Self {
        Self {
            oid: ty.oid,
            bytes,
            cast: cast.into(),
        }
    }

    /// An array, with nulls. There are less of them than an `i32` counts.
    pub(super) fn array(
        ty: WireType,
        elements: &[Option<Vec<u8>>],
        cast: impl Into<String>,
    ) -> Self {
        let mut bytes = Vec::new();
        let int = |bytes: &mut Vec<u8>, value: usize| {
            bytes.extend(i32::try_from(value).unwrap_or(i32::MAX).to_be_bytes());
        };
        int(&mut bytes, usize::from(!elements.is_empty())); // dimensions
        int(&mut bytes, elements.iter().any(Option::is_none).into());
        bytes.extend(ty.oid.to_be_bytes());
        if !elements.is_empty() {
            int(&mut bytes, elements.len());
            int(&mut bytes, 1); // the first index
        }
        for element in elements {
            match element {
                Some(element) => {
                    int(&mut bytes, element.len());
                    bytes.extend(element);
                }
                None => bytes.extend((-1_i32).to_be_bytes()),
            }
        }
        Self {
            oid: ty.array,
            bytes,
            cast: cast.into(),
        }
    }

    /// A count.
    pub(super) fn int8(value: u64) -> Self {
        let value = i64::try_from(value.min(MOST)).unwrap_or(i64::MAX);
        Self::one(WireType::INT8, value.to_be_bytes().to_vec(), "int8")
    }

    /// Texts.
    pub(super) fn texts<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        let texts: Vec<_> = texts
            .into_iter()
            .map(|text| Some(text.as_bytes().to_vec()))
            .collect();
        Self::array(WireType::TEXT, &texts, "text[]")
    }
}

impl Type<Postgres> for Wire {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(WireType::TEXT.oid))
    }
}

impl Encode<'_, Postgres> for Wire {
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
