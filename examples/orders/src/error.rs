//! `OrderError`: the errors of class `OR` that the functions of the database raise, as a Rust enum.

use fraiseql_runtime::TEnum as _;
use rust_decimal::Decimal;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::postgres::PgDatabaseError;
use uuid::Uuid;

use crate::views::OrderStatus;

/// An error of a command, of which nothing was committed.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// A row does not exist (OR001).
    #[error("there is no {what} {id}")]
    NotFound {
        /// The kind of row: `order`, `customer` or `product`.
        what: String,
        /// Its key.
        id: Uuid,
    },
    /// The order was changed since it was read (OR002). To go on, read it again, and retry with the
    /// version that was found.
    #[error(
        "the order was changed meanwhile: it is at version {found}, you have read version {expected}. \
         Read it again, and retry with its version"
    )]
    Conflict {
        /// The version that the caller has read.
        expected: i32,
        /// The version of the row.
        found: i32,
    },
    /// Too few units are in stock (OR003).
    #[error("{available} units of product {product} are in stock, and {requested} were ordered")]
    OutOfStock {
        /// The product.
        product: Uuid,
        /// The units that were ordered.
        requested: i64,
        /// The units that are in stock.
        available: i32,
    },
    /// The command is not possible in this status (OR004).
    #[error("{message}. {hint}")]
    Status {
        /// The status of the order.
        status: OrderStatus,
        /// What is not possible.
        message: String,
        /// What is.
        hint: String,
    },
    /// The amount is more than what is due (OR005).
    #[error("{amount} is more than the {due} that are due")]
    TooMuch {
        /// The amount.
        amount: Decimal,
        /// What is due.
        due: Decimal,
    },
    /// An argument is invalid (OR006).
    #[error("{0}")]
    Invalid(String),
    /// A document could not be written, or the transaction failed.
    #[error(transparent)]
    ReadModel(#[from] fraiseql_runtime::Error),
    /// A list could not be read.
    #[error(transparent)]
    List(#[from] fraiseql_runtime::list::ListError),
    /// A statement failed for another reason than a rule.
    #[error(transparent)]
    Database(sqlx::Error),
}

/// The result of a command.
pub type Result<T> = std::result::Result<T, OrderError>;

impl OrderError {
    /// The code for clients, and the HTTP status that says the same; `None` if the error is only for the
    /// log.
    ///
    /// ```
    /// use orders::OrderError;
    ///
    /// let error = OrderError::Conflict { expected: 3, found: 4 };
    /// assert_eq!(error.code(), Some(("CONFLICT", 409)));
    /// ```
    #[must_use]
    pub const fn code(&self) -> Option<(&'static str, u16)> {
        match self {
            Self::NotFound { .. } => Some(("NOT_FOUND", 404)),
            Self::Conflict { .. } => Some(("CONFLICT", 409)),
            Self::OutOfStock { .. } => Some(("OUT_OF_STOCK", 409)),
            Self::Status { .. } => Some(("WRONG_STATUS", 409)),
            Self::TooMuch { .. } => Some(("TOO_MUCH", 422)),
            Self::Invalid(_) => Some(("BAD_USER_INPUT", 422)),
            Self::ReadModel(_) | Self::List(_) | Self::Database(_) => None,
        }
    }
}

/// Reads the SQLSTATE, and the values in DETAIL.
impl From<sqlx::Error> for OrderError {
    fn from(error: sqlx::Error) -> Self {
        let refused = error
            .as_database_error()
            .and_then(|error| error.try_downcast_ref::<PgDatabaseError>())
            .and_then(of_sqlstate);
        refused.unwrap_or(Self::Database(error))
    }
}

/// `None` if no rule has raised the error, or its values cannot be read.
fn of_sqlstate(error: &PgDatabaseError) -> Option<OrderError> {
    let detail: Value = error
        .detail()
        .and_then(|detail| serde_json::from_str(detail).ok())
        .unwrap_or_default();
    let detail = &detail;
    let message = error.message().to_owned();
    let hint = error.hint().unwrap_or_default();
    Some(match error.code() {
        "OR001" => OrderError::NotFound {
            what: value(detail, "what")?,
            id: value(detail, "id")?,
        },
        "OR002" => OrderError::Conflict {
            expected: value(detail, "expected")?,
            found: value(detail, "found")?,
        },
        "OR003" => OrderError::OutOfStock {
            product: value(detail, "product")?,
            requested: value(detail, "requested")?,
            available: value(detail, "available")?,
        },
        "OR004" => OrderError::Status {
            status: OrderStatus::from_label(detail["status"].as_str()?)?,
            message,
            hint: hint.to_owned(),
        },
        "OR005" => OrderError::TooMuch {
            amount: value(detail, "amount")?,
            due: value(detail, "due")?,
        },
        "OR006" => OrderError::Invalid(format!("{message}. {hint}")),
        // A sum with more digits than its column: the constraints of the tables are rules, too.
        "22003" => OrderError::Invalid(message),
        _ => return None,
    })
}

fn value<T: DeserializeOwned>(detail: &Value, name: &str) -> Option<T> {
    T::deserialize(&detail[name]).ok()
}
