//! `find_unless`: reads a document unless the caller has it.

use std::fmt;
use std::str::FromStr;

use serde_json::value::RawValue;
use sqlx::Row as _;
use sqlx::types::Json;

use crate::error::Result;
use crate::read::by_key::{KeyRead, version};
use crate::read::error::read_failed;
use crate::read::scope::Scope;
use crate::read::target::ReadTarget;
use crate::schema::key::Key;
use crate::view::Handle;

/// The version of a stored document, as the `ETag` of HTTP.
///
/// It consists of the shape of the struct, the number of the document's version and the transaction that wrote
/// it. So it changes with the document, and is never that of other content: neither after the document was
/// deleted and inserted again, nor in a release with another struct. A sync that finds the document equal
/// mostly keeps it.
///
/// `Display` writes a weak tag, `W/".."`, because what serves the document may compress it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ETag(String);

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "W/\"{}\"", self.0)
    }
}

impl ETag {
    /// The tag with this text, which has no quotes.
    #[doc(hidden)]
    #[must_use]
    pub const fn of_text(opaque: String) -> Self {
        Self(opaque)
    }
}

/// The versions that a client has: the header `If-None-Match`.
///
/// Whatever a client sends can be parsed: a tag that is none of ours is as one of an older version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IfNoneMatch {
    tags: Vec<String>,
    /// `*`: any version.
    any: bool,
}

/// No more tags of one header are compared. A client has one, or a few.
const MAX_TAGS: usize = 32;

impl FromStr for IfNoneMatch {
    type Err = std::convert::Infallible;

    fn from_str(header: &str) -> std::result::Result<Self, Self::Err> {
        let tags = header.split(',').map(str::trim).take(MAX_TAGS);
        let opaque = tags.clone().filter_map(|tag| {
            let tag = tag.strip_prefix("W/").unwrap_or(tag);
            tag.strip_prefix('"')?.strip_suffix('"')
        });
        Ok(Self {
            tags: opaque.map(str::to_owned).collect(),
            any: header.trim() == "*",
        })
    }
}

impl IfNoneMatch {
    /// Whether the client has the version of a tag.
    #[doc(hidden)]
    #[must_use]
    pub fn matches(&self, tag: &ETag) -> bool {
        self.any || self.tags.contains(&tag.0)
    }

    /// The texts of the tags, without quotes.
    #[doc(hidden)]
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.tags.iter().map(String::as_str)
    }
}

impl From<&ETag> for IfNoneMatch {
    fn from(tag: &ETag) -> Self {
        Self {
            tags: vec![tag.0.clone()],
            any: false,
        }
    }
}

/// What [`TView::find_unless`](crate::TView::find_unless) has found.
#[derive(Debug)]
pub enum FoundUnless {
    /// There is no document.
    Missing,
    /// The client has it, in this version: `304 Not Modified`.
    Unchanged(ETag),
    /// The document, as it is stored.
    Document {
        /// Its JSON.
        json: Box<RawValue>,
        /// Its version. `None` if it was built now: with live storage, in a materialized view, or because the
        /// stored one is of another shape.
        etag: Option<ETag>,
    },
}

/// [`TView::find_unless`](crate::TView::find_unless).
pub(super) async fn find_unless<K: Key>(
    target: impl ReadTarget,
    view: Handle,
    scope: Scope,
    key: K,
    held: &IfNoneMatch,
) -> Result<FoundUnless> {
    let view = target.view(view);
    // The shape is known here: only the rest is compared in the statement.
    let shape = format!("{:016x}-", view.statements().shape);
    let versions = held.tags.iter().filter_map(|tag| tag.strip_prefix(&*shape));
    let versions = versions.map(str::to_owned).collect();
    let read = KeyRead::one_unless(view, &scope, &key, versions);
    let rows = target.read(read).await?;
    let Some(row) = rows.first() else {
        return Ok(FoundUnless::Missing);
    };
    let version = version(row).map_err(read_failed(view))?;
    let etag = version.map(|version| ETag(format!("{shape}{version}")));
    let json: Option<Json<Box<RawValue>>> = row.try_get(0).map_err(read_failed(view))?;
    Ok(match (json, etag) {
        (None, Some(etag)) => FoundUnless::Unchanged(etag),
        (Some(_), Some(etag)) if held.any => FoundUnless::Unchanged(etag),
        (Some(Json(json)), etag) => FoundUnless::Document { json, etag },
        (None, None) => FoundUnless::Missing,
    })
}

#[cfg(test)]
mod tests {
    use super::IfNoneMatch;

    #[test]
    fn headers_have_one_tag_several_or_none() {
        let tags = |header: &str| header.parse::<IfNoneMatch>().unwrap();
        for (header, expected) in [
            ("\"a\"", &["a"][..]),
            ("W/\"a\"", &["a"]),
            (" \"a\" , W/\"b\",\"\"", &["a", "b", ""]),
            ("a", &[]),
            ("\"a", &[]),
            ("", &[]),
            (",,", &[]),
            ("*", &[]),
        ] {
            assert_eq!(tags(header).tags, expected, "{header}");
            assert_eq!(tags(header).any, header == "*");
        }
        assert_eq!(tags(&"\"a\",".repeat(1000)).tags.len(), 32);
    }
}
