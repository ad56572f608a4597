//! Tests that the files of GraphiQL are served, and are those of the packages.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use fraiseql_graphql::http::GraphQl;
use fraiseql_tests::web::{Server, shop};

const BROWSER: &str = "Accept: text/html,application/xhtml+xml,*/*;q=0.8";

/// The values of an attribute in a text.
fn attributes<'t>(text: &'t str, name: &str) -> Vec<&'t str> {
    let start = format!("{name}=\"");
    let parts = text.split(start.as_str()).skip(1);
    parts.map(|part| part.split('"').next().unwrap()).collect()
}

/// What a program writes to its output for this input.
fn piped(program: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let mut output = Vec::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_end(&mut output)
        .unwrap();
    writer.join().unwrap().unwrap();
    assert!(child.wait().unwrap().success());
    output
}

#[tokio::test]
async fn every_file_of_graphiql_is_served_and_is_that_of_its_package() {
    let server = Server::start(GraphQl::new(shop().0).graphiql(true)).await;
    let page = server.request("GET /graphql", &[BROWSER], b"").await.text();
    let mut files = attributes(&page, "src");
    files.extend(attributes(&page, "href"));
    files.retain(|file| *file != "data:,");
    let mut hashes = attributes(&page, "integrity");
    assert_eq!((files.len(), hashes.len()), (4, 4), "{files:?}");
    for file in files {
        assert!(file.starts_with('?'), "{file}");
        let request = format!("GET /graphql{file}");
        let compressed = server
            .request(&request, &["Accept: */*", "Accept-Encoding: gzip, br"], b"")
            .await;
        assert_eq!(compressed.status, 200, "{file}");
        assert_eq!(compressed.header("content-encoding"), "gzip");
        assert!(compressed.header("cache-control").contains("immutable"));
        assert_eq!(compressed.header("x-content-type-options"), "nosniff");
        let kind = if file.ends_with(".css") {
            "text/css"
        } else {
            "text/javascript"
        };
        assert!(
            compressed.header("content-type").starts_with(kind),
            "{file}"
        );

        let plain = server.request(&request, &["Accept: */*"], b"").await;
        assert!(!plain.headers.contains_key("content-encoding"));
        assert!(plain.body.len() > compressed.body.len());
        assert_eq!(piped("gzip", &["-dc"], &compressed.body), plain.body);
        let hash = piped("openssl", &["dgst", "-sha384", "-binary"], &plain.body);
        let hash = format!(
            "sha384-{}",
            String::from_utf8(piped("openssl", &["base64", "-A"], &hash)).unwrap()
        );
        let at = hashes.iter().position(|known| *known == hash);
        hashes.remove(at.unwrap_or_else(|| panic!("{file} is not the file of its package")));
        let off = Server::start(GraphQl::new(shop().0)).await;
        off.request(&request, &[], b"")
            .await
            .assert_refused(400, "`query` is missing");
    }
    let unknown = server
        .request("GET /graphql?graphiql=3.9.0/../x", &[], b"")
        .await;
    unknown.assert_refused(400, "`query` is missing");
}
