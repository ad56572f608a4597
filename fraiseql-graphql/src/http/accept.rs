//! Content negotiation: the media type of a response, and of a request's body.

use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use mediatype::names::{_STAR, APPLICATION, CHARSET, HTML, JSON, Q, TEXT};
use mediatype::{MediaType, MediaTypeList, Name, ReadParams as _};

use crate::http::refusal::Refusal;

/// A media type of responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// `application/graphql-response+json`: the status shows whether the request failed.
    Response,
    /// `application/json`, which older clients use: 200 for every well-formed request.
    Json,
}

static RESPONSE_TYPE: MediaType<'static> = MediaType::from_parts(
    APPLICATION,
    Name::new_unchecked("graphql-response"),
    Some(JSON),
    &[],
);
static JSON_TYPE: MediaType<'static> = MediaType::new(APPLICATION, JSON);
static HTML_TYPE: MediaType<'static> = MediaType::new(TEXT, HTML);
static EVENTS_TYPE: MediaType<'static> = MediaType::new(TEXT, Name::new_unchecked("event-stream"));

impl Format {
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Response => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        }
    }
}

/// The precision with which a media range names a type.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Precision {
    /// `*/*`
    Any,
    /// `application/*`
    AnySubtype,
    /// `application/json`
    Exact,
}

/// The client's preference for a media type. Compared by weight first, then by precision.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Preference {
    /// The parameter `q` in thousandths.
    weight: u16,
    precision: Precision,
}

/// Returns the media type that the client prefers. `None` if it accepts neither.
///
/// Of two with the same weight, the one that is named more precisely is preferred. If both are
/// named exactly, it is `application/graphql-response+json`; if neither is, or there is no
/// `Accept`, it is `application/json`.
pub(super) fn negotiate(headers: &HeaderMap) -> Option<Format> {
    let Some(accept) = accept(headers) else {
        return Some(Format::Json);
    };
    let response = preference(&accept, &RESPONSE_TYPE);
    let json = preference(&accept, &JSON_TYPE);
    match (response, json) {
        (None, None) => None,
        (Some(_), None) => Some(Format::Response),
        (None, Some(_)) => Some(Format::Json),
        (Some(response), Some(json)) if response > json => Some(Format::Response),
        (Some(response), Some(json))
            if response == json && response.precision == Precision::Exact =>
        {
            Some(Format::Response)
        }
        (Some(_), Some(_)) => Some(Format::Json),
    }
}

/// Whether the client is a browser that opens a page: it accepts HTML by name, and JSON not by
/// name.
pub(super) fn wants_page(headers: &HeaderMap) -> bool {
    let Some(accept) = accept(headers) else {
        return false;
    };
    let names = |media_type| {
        preference(&accept, media_type)
            .is_some_and(|preference| preference.precision == Precision::Exact)
    };
    names(&HTML_TYPE) && !names(&JSON_TYPE) && !names(&RESPONSE_TYPE)
}

/// Whether the client asks for server-sent events.
pub(super) fn wants_events(headers: &HeaderMap) -> bool {
    let accept = accept(headers);
    let preferred = accept.and_then(|accept| preference(&accept, &EVENTS_TYPE));
    preferred.is_some_and(|preference| preference.precision == Precision::Exact)
}

/// The `Accept` headers as one list. `None` if there are none. Values that are not text are
/// ignored.
fn accept(headers: &HeaderMap) -> Option<String> {
    let mut lines = headers.get_all(ACCEPT).iter().peekable();
    lines.peek()?;
    let lines: Vec<&str> = lines.filter_map(|line| line.to_str().ok()).collect();
    Some(lines.join(","))
}

/// The client's preference for a media type, which the most precise matching range determines (RFC
/// 9110, section 12.5.1). `None` if it is not accepted.
fn preference(accept: &str, media_type: &MediaType<'_>) -> Option<Preference> {
    // Invalid ranges are ignored.
    let ranges = MediaTypeList::new(accept).flatten();
    ranges
        .filter(is_utf_8)
        .filter_map(|range| {
            let precision = precision(&range, media_type)?;
            let weight = weight(&range)?;
            Some((precision, weight))
        })
        .max()
        // A weight of 0 excludes the type, even if a less precise range accepts it.
        .filter(|(_, weight)| *weight > 0)
        .map(|(precision, weight)| Preference { weight, precision })
}

/// The precision with which a range matches a media type. `None` if it does not match. Parameters
/// other than the charset are ignored.
fn precision(range: &MediaType<'_>, media_type: &MediaType<'_>) -> Option<Precision> {
    if is_same(range, media_type) {
        Some(Precision::Exact)
    } else if range.subty != _STAR || range.suffix.is_some() {
        None
    } else if range.ty == media_type.ty {
        Some(Precision::AnySubtype)
    } else if range.ty == _STAR {
        Some(Precision::Any)
    } else {
        None
    }
}

fn is_same(one: &MediaType<'_>, other: &MediaType<'_>) -> bool {
    one.ty == other.ty && one.subty == other.subty && one.suffix == other.suffix
}

/// The weight of a range in thousandths: 250 for `q=0.25`. `None` if it is invalid.
fn weight(range: &MediaType<'_>) -> Option<u16> {
    let Some(value) = range.get_param(Q) else {
        return Some(1000);
    };
    let text = value.as_str();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{fraction:0<3}").parse().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

/// Whether a media type has no charset, or UTF-8.
fn is_utf_8(media_type: &MediaType<'_>) -> bool {
    media_type.get_param(CHARSET).is_none_or(|charset| {
        let charset = charset.unquoted_str();
        charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8")
    })
}

/// Refuses a body that is not uncompressed JSON in UTF-8.
///
/// HTML forms are among these: a page of another site can make a browser send one with the user's
/// cookies and without a preflight request. JSON requires a preflight request.
pub(super) fn check_content_type(headers: &HeaderMap) -> Result<(), Refusal> {
    let refuse = |message: &'static str| {
        Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message)
            .with_header(ACCEPT, HeaderValue::from_static("application/json"))
    };
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(content_type), None) = (types.next(), types.next()) else {
        return Err(refuse("send one Content-Type: application/json"));
    };
    let media_type = content_type.to_str().ok().map(MediaType::parse);
    match media_type {
        Some(Ok(media_type)) if is_same(&media_type, &JSON_TYPE) => {
            if !is_utf_8(&media_type) {
                return Err(refuse("the charset of a request is UTF-8"));
            }
        }
        _ => return Err(refuse("the Content-Type of a request is application/json")),
    }
    let encoded = headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .any(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"));
    if encoded {
        let refusal = Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "compressed requests are not supported",
        );
        return Err(refusal.with_header(ACCEPT_ENCODING, HeaderValue::from_static("identity")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn negotiated(accept: &[&str]) -> Option<Format> {
        let mut headers = HeaderMap::new();
        for line in accept {
            headers.append(ACCEPT, line.parse().unwrap());
        }
        negotiate(&headers)
    }

    #[test]
    fn the_client_chooses_the_media_type() {
        let response = "application/graphql-response+json";
        let json = "application/json";
        let cases: &[(&[&str], Option<Format>)] = &[
            (&[], Some(Format::Json)),
            (&["*/*"], Some(Format::Json)),
            (&["application/*"], Some(Format::Json)),
            (&[json], Some(Format::Json)),
            (&[response], Some(Format::Response)),
            (
                &["APPLICATION/GraphQL-Response+JSON"],
                Some(Format::Response),
            ),
            (&[&format!("{json}, {response}")], Some(Format::Response)),
            (&[json, response], Some(Format::Response)),
            (&[&format!("{response};q=0.9, {json}")], Some(Format::Json)),
            (
                &[&format!("{response}; q=0.901, {json};q=0.9")],
                Some(Format::Response),
            ),
            (&[&format!("{response}, */*;q=0.1")], Some(Format::Response)),
            (&[&format!("{json}, */*")], Some(Format::Json)),
            (&[&format!("{response}, */*")], Some(Format::Response)),
            (&[&format!("*/*, {response};q=0")], Some(Format::Json)),
            (&[&format!("*/*, {json};q=0")], Some(Format::Response)),
            (&[&format!("{json};q=0.000, {response};q=0")], None),
            (&["*/*;q=0"], None),
            (&["application/*;q=0, */*"], None),
            (&["text/html"], None),
            (&["application/graphql-response"], None),
            (&["application/xml, text/*"], None),
            (&[""], None),
            (&["json"], None),
            // Invalid ranges beside a valid one.
            (
                &[&format!("json, ;;, {response};q=2, {json}")],
                Some(Format::Json),
            ),
            (
                &[&format!("{response};q=0.1234, {json};q=0.1")],
                Some(Format::Json),
            ),
            (
                &[&format!("text/x;a=\", {response}, \", {json}")],
                Some(Format::Json),
            ),
            (&[&format!("{json};charset=utf-8")], Some(Format::Json)),
            (
                &[&format!("{response};charset=\"UTF-8\"")],
                Some(Format::Response),
            ),
            (
                &[&format!("{response};charset=latin1, {json};q=0.1")],
                Some(Format::Json),
            ),
            (&[&format!("{json};charset=utf-16")], None),
            (
                &["multipart/mixed;deferSpec=20220824, application/json"],
                Some(Format::Json),
            ),
        ];
        for (accept, expected) in cases {
            assert_eq!(negotiated(accept), *expected, "{accept:?}");
        }
    }
}
