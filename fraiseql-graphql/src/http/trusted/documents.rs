//! The documents that an application trusts, as it declares them.

use crate::http::trusted::declared::Declared;
use crate::http::trusted::errors::TrustedErrors;
use crate::http::trusted::{id, manifest};

/// Documents that clients name by an identifier, in place of sending the text of a query.
///
/// [`GraphQl::trusted`](crate::http::GraphQl::trusted) checks and serves them, and
/// [`GraphQl::only_trusted`](crate::http::GraphQl::only_trusted) refuses all others. They usually come
/// from manifests that the build of a client writes:
///
/// ```
/// use fraiseql_graphql::http::TrustedDocuments;
///
/// // `persisted-documents.json` of graphql-codegen and of Relay: texts by identifiers.
/// let web = TrustedDocuments::from_json(r#"{"5d41402a": "query Hello { hello }"}"#)?;
///
/// // The manifest of Apollo's tools.
/// let app = TrustedDocuments::from_json(
///     r#"{"format": "apollo-persisted-query-manifest", "version": 1, "operations": [
///         {"id": "x-app:Bye", "name": "Bye", "type": "query", "body": "query Bye { bye }"}]}"#,
/// )?;
/// let all = web.and(app).text("{ hello bye }");
///
/// let hash = "sha256:aeaecf6a3a3ebc42c153a2c7d2b2e56050de5f9255f4abde1d404ecb5bd78027";
/// assert!(all.ids().eq(["5d41402a", "x-app:Bye", hash]));
/// # Ok::<(), fraiseql_graphql::http::TrustedErrors>(())
/// ```
///
/// # Identifiers
///
/// They are those of the specification: `sha256:` with the SHA-256 of the text as 64 hexadecimal digits
/// in lower case; or with a prefix of your own that begins with `x-`, such as `x-app:GetPost`; or without
/// a prefix. They have letters, digits, `-`, `.`, `_` and `~`, and 256 bytes at most. Whatever its
/// identifier is, a document is also found by the hash of its text.
#[derive(Clone, Debug, Default)]
pub struct TrustedDocuments {
    pub(super) documents: Vec<Declared>,
}

impl TrustedDocuments {
    /// No documents.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a manifest: an object of texts by identifiers, or
    /// `{"format": "apollo-persisted-query-manifest", "version": 1, "operations": [..]}`.
    ///
    /// # Errors
    /// If it has neither of the two forms: all places where it has not. The documents themselves are
    /// checked by [`GraphQl::trusted`](crate::http::GraphQl::trusted).
    pub fn from_json(manifest: &str) -> Result<Self, TrustedErrors> {
        let documents = manifest::read(manifest)?;
        Ok(Self { documents })
    }

    /// Adds a document with its identifier.
    #[must_use]
    pub fn document(mut self, id: impl Into<String>, text: impl Into<String>) -> Self {
        self.documents.push(Declared {
            id: id.into(),
            text: text.into(),
            operation: None,
        });
        self
    }

    /// Adds a document whose identifier is its hash, `sha256:..`.
    #[must_use]
    pub fn text(self, text: impl Into<String>) -> Self {
        let text = text.into();
        self.document(id::of_hash(&id::sha256_hex(&text)), text)
    }

    /// Adds the documents of another manifest.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.documents.extend(other.documents);
        self
    }

    /// The identifiers, in the order of the documents.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.documents.iter().map(|document| document.id.as_str())
    }
}
