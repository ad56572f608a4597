//! A position in the keys of a view.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::schema::key::Keys;

/// A place in the keys of a view, up to which a full sync has come. It can be stored by serde.
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
