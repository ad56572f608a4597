//! Which pages may open a WebSocket.
//!
//! A browser lets any page open one to any server, and sends the cookies of that server with it; what the page reads is not
//! restricted, as it is for other requests. So the page has to be one of this server, or of an origin that the application
//! names.

use axum::http::header::{HOST, ORIGIN};
use axum::http::{StatusCode, Uri, request::Parts};

use crate::http::refusal::Refusal;

/// Refuses pages of other origins. Clients that are no browsers send none.
pub(super) fn check(parts: &Parts, allowed: &[String]) -> Result<(), Refusal> {
    let Some(origin) = parts.headers.get(ORIGIN) else {
        return Ok(());
    };
    let origin = origin.to_str().unwrap_or_default();
    let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| parts.uri.authority().map(|it| it.as_str()));
    let of_page = origin.parse::<Uri>().ok();
    let of_page = of_page.as_ref().and_then(Uri::authority);
    let is_same = of_page
        .zip(host)
        .is_some_and(|(page, host)| page.as_str().eq_ignore_ascii_case(host));
    let is_allowed = allowed.iter().any(|it| it.eq_ignore_ascii_case(origin));
    if is_same || is_allowed {
        return Ok(());
    }
    let message = "a page of another origin cannot open a WebSocket here";
    Err(Refusal::new(StatusCode::FORBIDDEN, message).code("FORBIDDEN_ORIGIN"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_this_server_and_named_origins_are_allowed() {
        let allowed = ["https://app.example.com".to_owned()];
        for (origin, host, is_allowed) in [
            (None, "api.example.com", true),
            (Some("https://api.example.com"), "api.example.com", true),
            (Some("http://LOCALHOST:8000"), "localhost:8000", true),
            (Some("https://app.example.com"), "api.example.com", true),
            (Some("http://localhost:8001"), "localhost:8000", false),
            (Some("https://evil.example"), "api.example.com", false),
            (
                Some("https://api.example.com.evil.example"),
                "api.example.com",
                false,
            ),
            (Some("null"), "api.example.com", false),
            (Some(""), "api.example.com", false),
        ] {
            let mut request = axum::http::Request::get("/graphql").header(HOST, host);
            if let Some(origin) = origin {
                request = request.header(ORIGIN, origin);
            }
            let (parts, ()) = request.body(()).unwrap().into_parts();
            assert_eq!(check(&parts, &allowed).is_ok(), is_allowed, "{origin:?}");
        }
    }
}
