//! The header with a position, of requests and of batches of responses.

use axum::http::{HeaderMap, HeaderValue, StatusCode};
use fraiseql_runtime::WalPosition;

use crate::http::refusal::Refusal;
use crate::request::position::HEADER;

/// Reads the position that a client has sent.
pub(super) fn read(headers: &HeaderMap) -> Result<Option<WalPosition>, Refusal> {
    let mut latest: Option<WalPosition> = None;
    for value in headers.get_all(HEADER) {
        let position = parse(value).ok_or_else(|| {
            let message = "the header `fraiseql-position` is not a position that the server has \
                returned; send it unchanged, or not at all";
            Refusal::new(StatusCode::BAD_REQUEST, message)
        })?;
        latest = Some(position.or_later(latest));
    }
    Ok(latest)
}

/// Adds the headers of one response of a batch, of which the latest position counts.
pub(super) fn extend(headers: &mut HeaderMap, with: HeaderMap) {
    let before = headers.get(HEADER).and_then(parse);
    let added = with.get(HEADER).and_then(parse);
    headers.extend(with);
    let (Some(before), Some(added)) = (before, added) else {
        return;
    };
    if let Ok(value) = HeaderValue::try_from(before.or_later(Some(added)).to_string()) {
        headers.insert(HEADER, value);
    }
}

fn parse(value: &HeaderValue) -> Option<WalPosition> {
    value.to_str().ok()?.parse().ok()
}
