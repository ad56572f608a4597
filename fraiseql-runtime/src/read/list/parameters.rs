//! The values that are sent with a statement.

use sqlx::Arguments;
use sqlx::postgres::PgArguments;

use super::wire::Wire;
use crate::error::{Error, Operation, Result};
use crate::sql::list::Parameter;

/// The values that are sent with a statement, in their order.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    values: Vec<Wire>,
}

impl Parameters {
    pub(super) fn push(&mut self, wire: Wire) -> Parameter {
        let cast = wire.cast.clone();
        self.values.push(wire);
        Parameter {
            number: self.values.len(),
            cast,
        }
    }

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
