//! Trusted documents: a manifest that is checked at start, and its documents by their identifiers.
//!
//! They are the persisted documents of appendix A of the [GraphQL over
//! HTTP](https://graphql.github.io/graphql-over-http/draft/) specification. [`documents`] is what the
//! application declares, [`manifest`] the formats in which build tools write it, [`load`] checks it with
//! the schema, [`known`] finds documents for requests, and [`id`] has the syntax of identifiers.

mod declared;
pub(super) mod documents;
mod errors;
pub(super) mod id;
pub(super) mod known;
mod load;
mod manifest;

pub use documents::TrustedDocuments;
pub use errors::{TrustedError, TrustedErrors};
