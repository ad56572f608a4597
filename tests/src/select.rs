//! What holds for any bytes that are given to a projection; the fuzz target runs it, too.

use std::sync::OnceLock;

use fraiseql_runtime::select::StoredKeys;
use fraiseql_runtime::{Embed, Projection, Selection, TView};
use serde_json::Value;

#[derive(Embed)]
#[tview(table = "tb_user")]
#[allow(dead_code)]
struct Author {
    id: i64,
    username: String,
    full_name: Option<String>,
}

#[derive(Embed)]
#[tview(table = "tb_comment")]
#[allow(dead_code)]
struct Comment {
    id: i64,
    content: String,
    #[tview(one(fk = "author_id"))]
    author: Option<Author>,
}

#[derive(TView)]
#[tview(table = "tb_post", view = "tv_any_bytes")]
#[allow(dead_code)]
struct Post {
    id: i64,
    title: String,
    meta: Option<Value>,
    tags: Vec<String>,
    #[tview(one(fk = "author_id"))]
    author: Author,
    #[tview(many(fk = "post_id"))]
    comments: Vec<Comment>,
}

const SELECTIONS: [&str; 6] = [
    "{ id title meta tags author { id username fullName } \
     comments { id content author { id username fullName } } }",
    "{ comments { author { fullName username } content } author { __typename } tags }",
    "{ meta }",
    "{ a: comments { id } b: comments { __typename } tags title id }",
    "{ __typename }",
    "{ author { fullName } }",
];

fn projections() -> &'static [Projection] {
    static PROJECTIONS: OnceLock<Vec<Projection>> = OnceLock::new();
    PROJECTIONS.get_or_init(|| {
        let compiled = SELECTIONS.iter().map(|text| {
            let selection: Selection = text.parse().expect("a selection");
            Projection::of::<Post>(&selection).expect("of a post")
        });
        let mut all: Vec<Projection> = compiled.collect();
        all.extend(
            all.clone()
                .into_iter()
                .map(|one| one.reading(StoredKeys::Rust)),
        );
        all.push(Projection::all::<Post>());
        all
    })
}

/// Gives any bytes to projections, and to the parser of selections.
///
/// # Panics
/// When what was promised does not hold: bytes that are refused leave nothing behind, a
/// document that is JSON gives JSON, and a selection is read back from its own text.
pub fn any_bytes(bytes: &[u8]) {
    let json = serde_json::from_slice::<Value>(bytes).is_ok();
    for projection in projections() {
        let mut errors = Vec::new();
        let mut out = b"before".to_vec();
        let written = projection.write_with(bytes, &mut out, &mut errors);
        assert!(out.starts_with(b"before"));
        assert_eq!(written, out.len() > b"before".len());
        assert!(written || !errors.is_empty());
        if json && written {
            let answer = serde_json::from_slice::<Value>(&out[b"before".len()..]);
            assert!(
                answer.is_ok(),
                "{projection:?}: {}",
                String::from_utf8_lossy(&out)
            );
        }
    }
    let text = String::from_utf8_lossy(bytes);
    if let Ok(selection) = Selection::parse(&text) {
        assert_eq!(selection.to_string().parse(), Ok(selection.clone()));
        let _ = Projection::of::<Post>(&selection);
    }
}
