//! The parameters of a list statement.

use std::fmt;

/// A parameter with a cast: the type of a parameter is then the same for every value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Parameter {
    /// Its number, from 1.
    pub(crate) number: usize,
    /// Its type, or several casts in a row: `text::bit(4)`.
    pub(crate) cast: String,
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${}::{}", self.number, self.cast)
    }
}
