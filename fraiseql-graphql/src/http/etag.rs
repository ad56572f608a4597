//! Conditional requests: the header `If-None-Match`, the tag of a response, and `304 Not Modified`.

use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE,
    ETAG, IF_NONE_MATCH, TRANSFER_ENCODING,
};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use fraiseql_runtime::read::{ETag, IfNoneMatch};
use sha2::{Digest as _, Sha256};

use crate::http::accept::Format;
use crate::request::direct::tag::Conditional;

/// The headers that describe a body, which a response of this status has not.
const OF_BODY: [axum::http::HeaderName; 6] = [
    CONTENT_TYPE,
    CONTENT_LENGTH,
    CONTENT_ENCODING,
    CONTENT_LANGUAGE,
    CONTENT_RANGE,
    TRANSFER_ENCODING,
];

/// Reads what the client has. Whatever is no tag is as one of an older version.
pub(super) fn read(headers: &HeaderMap, format: Format) -> Conditional {
    let lines = headers.get_all(IF_NONE_MATCH).iter();
    let lines: Vec<&str> = lines.filter_map(|line| line.to_str().ok()).collect();
    let Ok(held) = lines.join(",").parse::<IfNoneMatch>();
    let media_type = format.content_type();
    Conditional { held, media_type }
}

/// The tag of a response by its bytes.
///
/// It is weak, like those by versions: a layer may compress the body, and keeps the tag.
pub(super) fn of_body(body: &[u8], format: Format) -> ETag {
    let mut hash = Sha256::new();
    hash.update(format.content_type());
    hash.update([0]);
    hash.update(body);
    ETag::of_text(format!("{:x}", hash.finalize()))
}

/// Whether a response with these headers has a tag. A resolver may have set one of its own, or forbidden to store the
/// response.
pub(super) fn is_taggable(headers: &HeaderMap) -> bool {
    let mut cache = headers.get_all(CACHE_CONTROL).iter();
    let is_stored = cache.all(|value| {
        let directives = value.as_bytes().split(|byte| *byte == b',');
        let mut directives = directives.map(<[u8]>::trim_ascii);
        !directives.any(|directive| directive.eq_ignore_ascii_case(b"no-store"))
    });
    is_stored && !headers.contains_key(ETAG)
}

/// Adds a tag to the headers of a response.
pub(super) fn insert(headers: &mut HeaderMap, tag: &ETag) {
    if let Ok(value) = HeaderValue::try_from(tag.to_string()) {
        headers.insert(ETAG, value);
    }
}

/// Makes a response without its body. What is not about the body stays.
pub(super) fn not_modified(mut response: Response<Body>) -> Response<Body> {
    for name in &OF_BODY {
        response.headers_mut().remove(name);
    }
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    *response.body_mut() = Body::empty();
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_headers_are_one_list() {
        let mut headers = HeaderMap::new();
        for line in ["\"a\", W/\"b\"", "\"c\""] {
            headers.append(IF_NONE_MATCH, HeaderValue::from_static(line));
        }
        let read = read(&headers, Format::Json);
        assert!(read.held.texts().eq(["a", "b", "c"]));
    }

    #[test]
    fn the_tag_of_a_body_depends_on_its_media_type() {
        let json = of_body(b"{}", Format::Json);
        assert_eq!(json, of_body(b"{}", Format::Json));
        assert_ne!(json, of_body(b"{}", Format::Response));
        assert_ne!(json, of_body(b"{ }", Format::Json));
    }

    #[test]
    fn what_must_not_be_stored_has_no_tag() {
        for (name, value, expected) in [
            (CACHE_CONTROL, "no-cache", true),
            (CACHE_CONTROL, "private, No-Store", false),
            (ETAG, "\"own\"", false),
        ] {
            let headers = HeaderMap::from_iter([(name, HeaderValue::from_static(value))]);
            assert_eq!(is_taggable(&headers), expected, "{value}");
        }
    }
}
