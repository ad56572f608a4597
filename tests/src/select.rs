//! Properties of projections that hold for arbitrary bytes; the fuzz target runs this function,
//! too.

use std::sync::OnceLock;

use fraiseql_runtime::select::ProjectionError;
use fraiseql_runtime::select::{Segment, StoredKeys};
use fraiseql_runtime::{Embed, Projection, Selection, TView};
use serde_json::Value;

use crate::naive;

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

/// A projection, and the naming of the documents that it reads.
fn projections() -> &'static [(Projection, StoredKeys)] {
    static PROJECTIONS: OnceLock<Vec<(Projection, StoredKeys)>> = OnceLock::new();
    PROJECTIONS.get_or_init(|| {
        let mut all = Vec::new();
        for text in SELECTIONS {
            let selection: Selection = text.parse().expect("a selection");
            let projection = Projection::of::<Post>(&selection).expect("of a post");
            let rust = projection.clone().reading(StoredKeys::Rust);
            all.push((projection, StoredKeys::Json));
            all.push((rust, StoredKeys::Rust));
        }
        let everything = Projection::all::<Post>().reading(StoredKeys::Rust);
        all.push((everything, StoredKeys::Rust));
        all
    })
}

/// Passes arbitrary bytes to projections, and to the parser of selections.
///
/// # Panics
/// If a property does not hold: refused bytes leave no output behind, a JSON document gives what
/// [`naive::select`] gives, and a selection is parsed back from its own text.
pub fn any_bytes(bytes: &[u8]) {
    let json = std::str::from_utf8(bytes)
        .ok()
        .filter(|text| serde_json::from_str::<Value>(text).is_ok());
    for (projection, keys) in projections() {
        let (out, errors) = write(projection, bytes);
        let Some(json) = json else { continue };
        let (answer, wrong) = naive::select(Post::SHAPE, projection.selection(), *keys, json);
        let told = format!("{projection:?}\n{json}");
        assert_eq!(
            out.as_deref(),
            answer.as_deref().map(str::as_bytes),
            "{told}"
        );
        let paths: Vec<&[Segment]> = errors.iter().map(ProjectionError::path).collect();
        assert_eq!(paths, wrong, "{told}");
    }
    let (out, _) = write(&Projection::all::<Post>(), bytes);
    if let Some(json) = json {
        let whole = json.trim_ascii();
        assert_eq!(
            out.as_deref(),
            whole.starts_with('{').then_some(whole.as_bytes())
        );
    }
    let text = String::from_utf8_lossy(bytes);
    if let Ok(selection) = Selection::parse(&text) {
        assert_eq!(selection.to_string().parse(), Ok(selection.clone()));
        let _ = Projection::of::<Post>(&selection);
    }
}

/// The output, if there is any, after the bytes that the buffer already held.
fn write(projection: &Projection, document: &[u8]) -> (Option<Vec<u8>>, Vec<ProjectionError>) {
    const BEFORE: &[u8] = b"before";
    let mut errors = Vec::new();
    let mut out = BEFORE.to_vec();
    let written = projection.write_with(document, &mut out, &mut errors);
    let answer = out.strip_prefix(BEFORE).expect("what was there before");
    assert_eq!(written, !answer.is_empty());
    assert!(written || !errors.is_empty());
    (written.then(|| answer.to_vec()), errors)
}
