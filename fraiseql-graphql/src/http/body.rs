//! The body of a request, read within the size limit.

use std::error::Error;

use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use crate::http::refusal::Refusal;

/// Refuses a body whose declared length exceeds the limit, before any of it is read.
pub(super) fn check_length(headers: &HeaderMap, max: usize) -> Result<(), Refusal> {
    let length = headers.get(CONTENT_LENGTH).and_then(|it| it.to_str().ok());
    match length.and_then(|length| length.parse::<u64>().ok()) {
        Some(length) if length > max as u64 => Err(too_large(max)),
        _ => Ok(()),
    }
}

/// Reads a body of any length up to the limit. A chunked body declares no length.
pub(super) async fn read(body: Body, max: usize) -> Result<Bytes, Refusal> {
    match Limited::new(body, max).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        // A layer in front may have a lower limit.
        Err(error) if is_length_limit(&*error) => Err(too_large(max)),
        Err(_) => Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "the body of the request broke off",
        )),
    }
}

/// Whether the error, or one that it is made of, is that of a limit.
fn is_length_limit(error: &(dyn Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error: &&(dyn Error + 'static)| {
        (*error).source()
    })
    .any(<dyn Error>::is::<LengthLimitError>)
}

fn too_large(max: usize) -> Refusal {
    Refusal::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("the body of a request has {max} bytes at most"),
    )
}
