//! Which media type an answer has, and which a request may have.

use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use mediatype::names::{_STAR, APPLICATION, CHARSET, HTML, JSON, Q, TEXT};
use mediatype::{MediaType, MediaTypeList, Name, ReadParams as _};

use crate::http::refusal::Refusal;

/// A media type that an answer can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// `application/graphql-response+json`: the status says whether the request failed.
    Response,
    /// `application/json`: what clients had before; 200 for every request that is well formed.
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

impl Format {
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Response => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Exactness {
    Any,
    AnyOfType,
    Named,
}

/// How well a media type fits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Fit {
    /// In thousandths.
    weight: u16,
    exactness: Exactness,
}

/// The media type that the client likes best of those that there are. `None`: it takes neither.
///
/// Of two that it likes equally, the one that it has named; of two that it has named,
/// `application/graphql-response+json`; of two that it has not, `application/json`, as when it
/// says nothing at all.
pub(super) fn negotiate(headers: &HeaderMap) -> Option<Format> {
    let Some(accept) = accept(headers) else {
        return Some(Format::Json);
    };
    match (fit(&accept, &RESPONSE_TYPE), fit(&accept, &JSON_TYPE)) {
        (None, None) => None,
        (Some(_), None) => Some(Format::Response),
        (None, Some(_)) => Some(Format::Json),
        (Some(response), Some(json)) if response > json => Some(Format::Response),
        (Some(response), Some(json))
            if response == json && response.exactness == Exactness::Named =>
        {
            Some(Format::Response)
        }
        (Some(_), Some(_)) => Some(Format::Json),
    }
}

/// Whether a person looks: HTML is asked for by name, and JSON is not.
pub(super) fn wants_page(headers: &HeaderMap) -> bool {
    let Some(accept) = accept(headers) else {
        return false;
    };
    let named =
        |media_type| fit(&accept, media_type).is_some_and(|fit| fit.exactness == Exactness::Named);
    named(&HTML_TYPE) && !named(&JSON_TYPE) && !named(&RESPONSE_TYPE)
}

/// What a client says that it accepts, in one line. What is no text is not understood.
fn accept(headers: &HeaderMap) -> Option<String> {
    let mut lines = headers.get_all(ACCEPT).iter().peekable();
    lines.peek()?;
    let lines: Vec<&str> = lines.filter_map(|line| line.to_str().ok()).collect();
    Some(lines.join(","))
}

/// How well a media type fits: the most exact range that it is in says so (RFC 9110, 12.5.1).
fn fit(accept: &str, media_type: &MediaType<'_>) -> Option<Fit> {
    // A range that cannot be read is as if it were not there.
    let ranges = MediaTypeList::new(accept).flatten();
    ranges
        .filter(is_utf_8)
        .filter_map(|range| {
            let exactness = exactness(&range, media_type)?;
            let weight = weight(&range)?;
            Some((exactness, weight))
        })
        .max()
        .filter(|(_, weight)| *weight > 0)
        .map(|(exactness, weight)| Fit { weight, exactness })
}

/// Whether a media type is in a range. Parameters other than the charset do not matter.
fn exactness(range: &MediaType<'_>, media_type: &MediaType<'_>) -> Option<Exactness> {
    if is(range, media_type) {
        Some(Exactness::Named)
    } else if range.subty != _STAR || range.suffix.is_some() {
        None
    } else if range.ty == media_type.ty {
        Some(Exactness::AnyOfType)
    } else if range.ty == _STAR {
        Some(Exactness::Any)
    } else {
        None
    }
}

fn is(one: &MediaType<'_>, other: &MediaType<'_>) -> bool {
    one.ty == other.ty && one.subty == other.subty && one.suffix == other.suffix
}

/// `0.25` as 250. `None` where it is no weight.
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

/// Whether a media type names no charset, or UTF-8.
fn is_utf_8(media_type: &MediaType<'_>) -> bool {
    media_type.get_param(CHARSET).is_none_or(|charset| {
        let charset = charset.unquoted_str();
        charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8")
    })
}

/// Refuses a body that is no JSON in UTF-8, as it is.
///
/// Forms are among these: a page of another site can make a browser send one, with the user's
/// cookies, and without asking the server first. For JSON it has to ask.
pub(super) fn check_body(headers: &HeaderMap) -> Result<(), Refusal> {
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
        Some(Ok(media_type)) if is(&media_type, &JSON_TYPE) => {
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

    fn answer(accept: &[&str]) -> Option<Format> {
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
            // Ranges that cannot be read, beside one that can.
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
            assert_eq!(answer(accept), *expected, "{accept:?}");
        }
    }
}
