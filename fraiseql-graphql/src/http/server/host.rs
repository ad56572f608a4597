//! The header `Host`, which HTTP/1.1 requires exactly once (RFC 9112, section 3.2).

use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::http::{Request, StatusCode, Version};

use crate::http::refusal::Refusal;

/// Refuses a request that names no host, or several.
pub(super) fn check<B>(request: &Request<B>) -> Result<(), Refusal> {
    let refuse = |message: &'static str| Err(Refusal::new(StatusCode::BAD_REQUEST, message));
    let mut hosts = request.headers().get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) if request.version() < Version::HTTP_11 => Ok(()),
        (None, _) => refuse("the header Host is missing"),
        (Some(_), Some(_)) => refuse("the header Host is given twice"),
        // A request to a URI without an authority has an empty one.
        (Some(host), None) if host.is_empty() => Ok(()),
        (Some(host), None) => match Authority::try_from(host.as_bytes()) {
            Ok(host) if !host.as_str().contains('@') => Ok(()),
            _ => refuse("the header Host is not a host"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_names_one_host() {
        let is_ok = |version, hosts: &[&str]| {
            let mut request = Request::get("/").version(version);
            for host in hosts {
                request = request.header(HOST, *host);
            }
            check(&request.body(()).unwrap()).is_ok()
        };
        for hosts in [&["a.example"][..], &["127.0.0.1:80"], &["[::1]:80"], &[""]] {
            assert!(is_ok(Version::HTTP_11, hosts), "{hosts:?}");
        }
        for hosts in [
            &[][..],
            &["a", "a"],
            &["a", "b"],
            &["a, b"],
            &["u@a"],
            &["a/b"],
        ] {
            assert!(!is_ok(Version::HTTP_11, hosts), "{hosts:?}");
        }
        assert!(is_ok(Version::HTTP_10, &[]));
        assert!(!is_ok(Version::HTTP_10, &["a", "b"]));
    }
}
