//! The GraphiQL page.

use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, Response};
use uuid::Uuid;

/// The page loads its scripts from unpkg.com in fixed versions, and the browser verifies them
/// against the hashes in the page.
const PAGE: &str = include_str!("graphiql.html");

/// Returns the page. Its content security policy allows no other scripts, and no connections to
/// other servers.
pub(super) fn page() -> Response<Body> {
    let nonce = Uuid::new_v4().simple().to_string();
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}' https://unpkg.com/graphiql@3.9.0/ \
         https://unpkg.com/react@18.3.1/ https://unpkg.com/react-dom@18.3.1/; \
         style-src 'unsafe-inline' https://unpkg.com/graphiql@3.9.0/; font-src data:; \
         img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    );
    let mut response = Response::new(Body::from(PAGE.replace("{nonce}", &nonce)));
    let headers = response.headers_mut();
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    headers.insert(CONTENT_TYPE, html);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(VARY, HeaderValue::from_static("accept"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Always valid: the policy is ASCII without control characters.
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}
