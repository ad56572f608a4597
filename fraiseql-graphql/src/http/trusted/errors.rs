//! What is wrong with trusted documents.

use std::error::Error;
use std::fmt;

use async_graphql::{Pos, ServerError};

/// Everything that is wrong with a manifest or its documents.
///
/// The message has a line for each error, with the identifier of its document.
#[derive(Clone, Debug)]
pub struct TrustedErrors(Vec<TrustedError>);

/// What is wrong with one document.
#[derive(Clone, Debug)]
pub struct TrustedError {
    id: Option<String>,
    message: String,
    position: Option<Pos>,
}

impl TrustedErrors {
    /// `Err` if there are errors.
    pub(super) fn none(errors: Vec<TrustedError>) -> Result<(), Self> {
        match errors.is_empty() {
            true => Ok(()),
            false => Err(Self(errors)),
        }
    }

    /// The errors, in the order of the manifest.
    #[must_use]
    pub fn errors(&self) -> &[TrustedError] {
        &self.0
    }
}

impl From<TrustedError> for TrustedErrors {
    fn from(error: TrustedError) -> Self {
        Self(vec![error])
    }
}

impl TrustedError {
    /// An error of the manifest.
    pub(super) fn of_manifest(message: impl Into<String>) -> Self {
        Self {
            id: None,
            message: message.into(),
            position: None,
        }
    }

    /// An error of a document.
    pub(super) fn of(id: &str, message: impl Into<String>) -> Self {
        Self {
            id: Some(id.to_owned()),
            ..Self::of_manifest(message)
        }
    }

    /// An error in the text of a document.
    pub(super) fn in_text(id: &str, error: &ServerError) -> Self {
        Self {
            position: error.locations.first().copied(),
            ..Self::of(id, error.message.clone())
        }
    }

    /// The identifier of the document. `None` if the manifest as a whole is wrong.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// What is wrong.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Line and column in the text of the document, from 1, if the error has a place there.
    #[must_use]
    pub fn position(&self) -> Option<(usize, usize)> {
        self.position.map(|pos| (pos.line, pos.column))
    }
}

impl fmt::Display for TrustedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.id {
            Some(id) => write!(f, "document `{id}`")?,
            None => write!(f, "the manifest")?,
        }
        if let Some((line, column)) = self.position() {
            write!(f, ", line {line}, column {column}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl fmt::Display for TrustedErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "trusted documents:")?;
        self.0.iter().try_for_each(|error| write!(f, "\n{error}"))
    }
}

impl Error for TrustedError {}
impl Error for TrustedErrors {}
