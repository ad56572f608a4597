//! `Cursor`: names a document of a list by the values that the list is ordered by.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::encode;
use super::error::ListError;
use super::order::Order;
use super::parameters::Parameters;
use crate::schema::View;
use crate::schema::key::Keys;
use crate::schema::key_tuple::KeyTuple;
use crate::sql::list::Bound;
use crate::view::Handle;

/// The version of the format below.
const VERSION: u8 = 1;
/// The maximum length of a cursor's text, in bytes.
const MAX_LEN: usize = 65_536;
/// The length that marks a null.
const NULL: u32 = u32::MAX;

/// The position of one document in a list. It stays valid if the document is deleted.
///
/// Its text is opaque: a client stores it and sends it back. It holds the values that the list is
/// ordered by, and is valid for every list of the same view in the same order, with any filter. A
/// forged cursor can at most name a position at which there is no document: its values are checked,
/// and are sent as parameters.
///
/// ```
/// use fraiseql_runtime::list::Cursor;
///
/// let error = "'; DROP TABLE tb_post; --".parse::<Cursor>().unwrap_err();
/// assert_eq!(error.to_string(), "this is not a cursor of a list");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// The [fingerprint](Order::fingerprint) of the order.
    order: u64,
    /// The values of the order's terms in PostgreSQL's binary format; `None` for null.
    values: Vec<Option<Vec<u8>>>,
}

impl Cursor {
    pub(super) const fn new(order: u64, values: Vec<Option<Vec<u8>>>) -> Self {
        Self { order, values }
    }

    /// The position in a list of this order, for the statement.
    pub(super) fn bound(
        &self,
        view: &View,
        order: &Order,
        parameters: &mut Parameters,
    ) -> Result<Bound, ListError> {
        if self.order != order.fingerprint(view) || self.values.len() != order.columns.len() {
            return Err(ListError::Cursor {
                reason: "this cursor belongs to another list, or to another order",
            });
        }
        let altered = ListError::Cursor {
            reason: "this cursor was altered: it holds a value that no document can have",
        };
        let mut bound = Bound::new();
        for (column, value) in order.columns.iter().zip(&self.values) {
            bound.push(match value {
                None if column.is_key => return Err(altered),
                None => None,
                Some(bytes) => match encode::cursor_value(column.ty, bytes) {
                    Some(value) => Some(parameters.push(value)),
                    None => return Err(altered),
                },
            });
        }
        Ok(bound)
    }

    /// The key that it stands for in a list that is ordered by it, as PostgreSQL prints it.
    pub(crate) fn key(&self, view: Handle) -> Option<String> {
        let mut tuple = KeyTuple::empty();
        for (ty, value) in view.view.key.types.iter().zip(&self.values) {
            let bytes = value.as_deref()?;
            tuple.push(match ty.sql {
                "int2" => Keys::I16(vec![i16::from_be_bytes(bytes.try_into().ok()?)]),
                "int4" => Keys::I32(vec![i32::from_be_bytes(bytes.try_into().ok()?)]),
                "int8" => Keys::I64(vec![i64::from_be_bytes(bytes.try_into().ok()?)]),
                "uuid" => Keys::Uuid(vec![uuid::Uuid::from_slice(bytes).ok()?]),
                _ => Keys::Text(vec![String::from_utf8(bytes.to_vec()).ok()?]),
            });
        }
        tuple.into_keys(&view.no_keys()).texts().next()
    }

    /// Decodes a version byte, the fingerprint, and each value with its length.
    fn decode(text: &str) -> Option<Self> {
        if text.len() > MAX_LEN {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (version, rest) = bytes.split_first()?;
        let (order, mut rest) = rest.split_first_chunk()?;
        let mut values = Vec::new();
        while let Some((length, tail)) = rest.split_first_chunk() {
            let length = u32::from_be_bytes(*length);
            // The length is checked against the bytes that are left before anything is allocated.
            let (value, tail) = if length == NULL {
                (None, tail)
            } else {
                let (value, tail) = tail.split_at_checked(usize::try_from(length).ok()?)?;
                (Some(value.to_vec()), tail)
            };
            values.push(value);
            rest = tail;
        }
        (*version == VERSION && rest.is_empty()).then(|| Self {
            order: u64::from_be_bytes(*order),
            values,
        })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![VERSION];
        bytes.extend(self.order.to_be_bytes());
        for value in &self.values {
            match value {
                None => bytes.extend(NULL.to_be_bytes()),
                Some(value) => {
                    let length = u32::try_from(value.len()).map_err(|_| fmt::Error)?;
                    bytes.extend(length.to_be_bytes());
                    bytes.extend(value);
                }
            }
        }
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl FromStr for Cursor {
    type Err = ListError;

    fn from_str(text: &str) -> Result<Self, ListError> {
        Self::decode(text).ok_or(ListError::Cursor {
            reason: "this is not a cursor of a list",
        })
    }
}
