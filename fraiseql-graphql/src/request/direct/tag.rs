//! The tag of a direct answer: the versions of its documents, and a hash of everything else that its bytes depend on.
//!
//! A tag is the hash, `-`, and a version for each root field with `.` between them. So what a client has of each
//! document is known before documents are read, and those that it has are not.

use async_graphql::Variables;
use fraiseql_runtime::__graphql::{DocumentUnless, Scope};
use fraiseql_runtime::read::{ETag, IfNoneMatch};
use sha2::{Digest as _, Sha256};

use crate::request::direct::plan::{Asked, CachedPlan, Found};

/// The number of root fields that a tag has the versions of at most: it is a header.
const MAX_FIELDS: usize = 32;
/// The bytes of a hash that are in a tag.
const HASH_BYTES: usize = 16;
/// In place of the version of a document that does not exist.
const MISSING: &str = "none";

/// A request whose response is to have a tag.
pub(crate) struct Conditional {
    /// The tags that the client has.
    pub(crate) held: IfNoneMatch,
    /// The media type of the response.
    pub(crate) media_type: &'static str,
}

/// What a tag begins with: the hash, and `-`.
pub(super) struct TagPrefix(String);

impl CachedPlan {
    /// The prefix of the tags of a request. None if a root field reads something that has no version.
    pub(super) fn tag_prefix(
        &self,
        asked: Asked<'_>,
        variables: &Variables,
        scopes: &[Scope],
        media_type: &str,
    ) -> Option<TagPrefix> {
        let constant = self.hash.get_or_init(|| self.constant_hash(asked));
        let mut hash = constant.clone()?;
        add(&mut hash, media_type.as_bytes());
        add(&mut hash, &serde_json::to_vec(variables).ok()?);
        for scope in scopes {
            add(&mut hash, format!("{scope:?}").as_bytes());
        }
        let hash = hash.finalize();
        let hex = hash.iter().take(HASH_BYTES);
        let hex: String = hex.map(|byte| format!("{byte:02x}")).collect();
        Some(TagPrefix(hex + "-"))
    }

    /// The hash of what all answers by this plan have in common.
    fn constant_hash(&self, asked: Asked<'_>) -> Option<Sha256> {
        if self.fields.len() > MAX_FIELDS {
            return None;
        }
        let mut hash = Sha256::new();
        // A release of this crate may write other bytes.
        add(&mut hash, env!("CARGO_PKG_VERSION").as_bytes());
        add(&mut hash, asked.text.as_bytes());
        add(&mut hash, asked.name.unwrap_or_default().as_bytes());
        for field in &self.fields {
            add(&mut hash, field.recorded.read.origin()?.as_bytes());
            add(&mut hash, &field.recorded.projection.outline());
        }
        Some(hash)
    }
}

/// Adds a part with its length, so that different parts are never the same bytes.
fn add(hash: &mut Sha256, part: &[u8]) {
    hash.update((part.len() as u64).to_le_bytes());
    hash.update(part);
}

impl TagPrefix {
    /// The versions that a client has, of the document of each root field.
    pub(super) fn versions(&self, held: &IfNoneMatch, fields: usize) -> Vec<Vec<String>> {
        let mut by_field = vec![Vec::new(); fields];
        for tag in held.texts() {
            let Some(versions) = tag.strip_prefix(&self.0) else {
                continue;
            };
            let versions: Vec<_> = versions.split('.').collect();
            if versions.len() == fields {
                for (held, version) in by_field.iter_mut().zip(versions) {
                    held.push(version.to_owned());
                }
            }
        }
        by_field
    }

    /// The tag of an answer. None if a document has no version.
    pub(super) fn tag(&self, found: &[Found]) -> Option<ETag> {
        let versions: Option<Vec<&str>> = found.iter().map(version).collect();
        Some(ETag::of_text(format!("{}{}", self.0, versions?.join("."))))
    }
}

fn version(found: &Found) -> Option<&str> {
    match found {
        Found::One(DocumentUnless::Missing) => Some(MISSING),
        Found::One(DocumentUnless::Unchanged(version)) => Some(version),
        Found::One(DocumentUnless::Document { version, .. }) => version.as_deref(),
        Found::List(_) | Found::Connection(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(header: &str) -> Vec<Vec<String>> {
        let prefix = TagPrefix("ab-".to_owned());
        prefix.versions(&header.parse().unwrap(), 2)
    }

    #[test]
    fn the_versions_of_a_tag_are_those_of_its_fields() {
        let of = |first: &[&str], second: &[&str]| {
            [first, second].map(|all| all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(held("W/\"ab-1-7.none\""), of(&["1-7"], &["none"]));
        let two = "W/\"ab-1-7.2-8\", \"ab-3-9.4-9\"";
        assert_eq!(held(two), of(&["1-7", "3-9"], &["2-8", "4-9"]));
        for other in [
            "*",
            "",
            "\"ab-1-7\"",
            "\"ab-1.2.3\"",
            "\"ac-1.2\"",
            "\"ab\"",
        ] {
            assert_eq!(held(other), of(&[], &[]), "{other}");
        }
    }

    #[test]
    fn a_missing_document_has_a_tag_and_one_without_a_version_has_none() {
        let prefix = TagPrefix("ab-".to_owned());
        let missing = || Found::One(DocumentUnless::Missing);
        let unchanged = Found::One(DocumentUnless::Unchanged("1-7".to_owned()));
        let tag = prefix.tag(&[missing(), unchanged]).unwrap();
        assert_eq!(tag.to_string(), "W/\"ab-none.1-7\"");
        assert_eq!(
            prefix.tag(&[missing(), Found::Connection(Vec::new())]),
            None
        );
    }
}
