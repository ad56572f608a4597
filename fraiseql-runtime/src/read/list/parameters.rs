//! The parameters of a list's statement, numbered as they are added.

use sqlx::Arguments;
use sqlx::postgres::PgArguments;

use super::encode::BinaryValue;
use crate::error::{Error, Operation, Result};
use crate::sql::list::Parameter;

/// The parameters of a statement, in the order of their numbers.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    values: Vec<BinaryValue>,
}

impl Parameters {
    /// Adds a value, and returns the parameter that stands for it in the statement.
    pub(super) fn push(&mut self, value: BinaryValue) -> Parameter {
        let cast = value.cast.clone();
        self.values.push(value);
        Parameter {
            number: self.values.len(),
            cast,
        }
    }

    /// The parameters as sqlx sends them.
    pub(super) fn arguments(self) -> Result<PgArguments> {
        let mut arguments = PgArguments::default();
        for value in self.values {
            arguments.add(value).map_err(|source| {
                Error::database(Operation::EncodeParameters)(sqlx::Error::Encode(source))
            })?;
        }
        Ok(arguments)
    }
}
