//! The parameters of a list's statement, numbered as they are added.

use super::encode::BinaryValue;
use crate::sql::list::Parameter;

/// The parameters of a statement, in the order of their numbers.
#[derive(Debug)]
pub(super) struct Parameters {
    /// The number of parameters before these.
    before: usize,
    values: Vec<BinaryValue>,
}

impl Parameters {
    /// No parameters, to be numbered after this number of others.
    pub(super) const fn after(before: usize) -> Self {
        Self {
            before,
            values: Vec::new(),
        }
    }

    /// Adds a value, and returns the parameter that stands for it in the statement.
    pub(super) fn push(&mut self, value: BinaryValue) -> Parameter {
        let cast = value.cast.clone();
        self.values.push(value);
        Parameter {
            number: self.before + self.values.len(),
            cast,
        }
    }

    /// The parameters as sqlx sends them.
    pub(super) fn values(self) -> Vec<BinaryValue> {
        self.values
    }
}
