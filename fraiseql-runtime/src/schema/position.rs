//! The position of a full sync.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::schema::key::Keys;

/// The last key that a full sync has processed, from which another one can resume. It can be stored
/// with serde.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub(crate) Keys);

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("the start");
        }
        write!(f, "{}", self.0)
    }
}
