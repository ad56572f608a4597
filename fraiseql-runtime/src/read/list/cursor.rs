//! A place in a list.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::error::ListError;
use super::order::Order;
use super::parameters::Parameters;
use super::value;
use crate::schema::View;
use crate::sql::list::Bound;

/// Counts up when what is in a cursor changes.
const VERSION: u8 = 1;
/// How long the text of a cursor may be.
const MOST: usize = 65_536;
/// The length of a null.
const NULL: u32 = u32::MAX;

/// A place in a list: that of one document, whether it is still there or not.
///
/// It is a text for others to keep and to send back, and says nothing to them. It holds the
/// values that the list is ordered by, and fits every list of the same view in the same order,
/// whatever its filter. One that was made by hand is at worst the place of a document that is
/// not there: its values are checked, and never part of a statement's text.
///
/// ```
/// use fraiseql_runtime::list::Cursor;
///
/// let error = "'; DROP TABLE tb_post; --".parse::<Cursor>().unwrap_err();
/// assert_eq!(error.to_string(), "this is not a cursor of a list");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// The order that it is of.
    order: u64,
    /// The values of the order's terms, in binary form.
    values: Vec<Option<Vec<u8>>>,
}

impl Cursor {
    pub(super) const fn new(order: u64, values: Vec<Option<Vec<u8>>>) -> Self {
        Self { order, values }
    }

    /// The place in a list of this order.
    pub(super) fn bound(
        &self,
        view: &View,
        order: &Order,
        parameters: &mut Parameters,
    ) -> Result<Bound, ListError> {
        if self.order != order.fingerprint(view) || self.values.len() != order.columns.len() {
            return Err(ListError::Cursor {
                reason: "this cursor is of another list, or of another order",
            });
        }
        let changed = ListError::Cursor {
            reason: "this cursor was changed: it holds a value that no document has",
        };
        let mut bound = Bound::new();
        for (column, value) in order.columns.iter().zip(&self.values) {
            bound.push(match value {
                None if column.is_key => return Err(changed),
                None => None,
                Some(bytes) => match value::of_cursor(column.ty, bytes) {
                    Some(wire) => Some(parameters.push(wire)),
                    None => return Err(changed),
                },
            });
        }
        Ok(bound)
    }

    fn decode(text: &str) -> Option<Self> {
        if text.len() > MOST {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (version, rest) = bytes.split_first()?;
        let (order, mut rest) = rest.split_first_chunk()?;
        let mut values = Vec::new();
        while let Some((length, tail)) = rest.split_first_chunk() {
            let length = u32::from_be_bytes(*length);
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
