//! Tests that a projection of random structs, documents and selections writes the bytes, nulls and
//! errors of a plain implementation, which parses each object and searches its keys.
//!
//! Each case has four documents. For more cases: `PROPTEST_CASES=1000000 cargo test --release -p
//! fraiseql-tests --test pure select::oracle`. A failure prints its seed, and `SEED=..` runs that
//! case alone.

mod documents;
mod shapes;

use fraiseql_runtime::schema::{Shape, Source};
use fraiseql_runtime::select::{ProjectionError, Selected, StoredKeys};
use fraiseql_runtime::{Projection, Selection};
use fraiseql_tests::naive;

use self::documents::{Print, add_others, print, random_object};
use self::shapes::{MADE, random_shape};

/// Pseudorandom numbers, the same for the same seed.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn one_in(&mut self, of: usize) -> bool {
        self.below(of) == 0
    }

    fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }

    fn shuffle<T>(&mut self, list: &mut [T]) {
        for end in (1..list.len()).rev() {
            list.swap(end, self.below(end + 1));
        }
    }
}

fn random_selection(chance: &mut Chance, shape: &Shape) -> Selection {
    let mut selection = Selection::new();
    // In the stored order, or almost: then parts of the document are copied at once.
    if chance.one_in(3) {
        for field in shape.fields {
            let fields = match &field.source {
                _ if chance.one_in(8) => continue,
                Source::One(one) => Some(random_selection(chance, one.shape.get())),
                Source::Many(many) => Some(random_selection(chance, many.shape.get())),
                _ => None,
            };
            selection.push(Selected {
                name: field.json.to_owned(),
                alias: None,
                fields,
            });
        }
    }
    if !selection.fields().is_empty() && !chance.one_in(4) {
        return selection;
    }
    for _ in 0..1 + chance.below(shape.fields.len() * 2) {
        // Named after the field, so that one alias never stands for two fields where selections are
        // merged.
        let prefix = chance.one_in(4).then(|| chance.pick(&["n", "ä\"", "id_"]));
        let alias = |name: &str| prefix.map(|prefix| format!("{prefix}{name}"));
        if chance.one_in(8) {
            selection.push(Selected {
                name: "__typename".to_owned(),
                alias: alias("__typename"),
                fields: None,
            });
            continue;
        }
        let field = &shape.fields[chance.below(shape.fields.len())];
        let fields = match &field.source {
            Source::One(one) => Some(random_selection(chance, one.shape.get())),
            Source::Many(many) => Some(random_selection(chance, many.shape.get())),
            _ => None,
        };
        selection.push(Selected {
            name: field.json.to_owned(),
            alias: alias(field.json),
            fields,
        });
    }
    selection
}

/// Runs one case; returns whether a required value in it was null.
fn case(seed: u64) -> bool {
    let mut chance = Chance(seed);
    MADE.with_borrow_mut(Vec::clear);
    let shape = random_shape(&mut chance, 0);
    let selection = random_selection(&mut chance, shape);
    let stored = chance.pick(&[StoredKeys::Json, StoredKeys::Json, StoredKeys::Rust]);
    let projection = Projection::of_shape(shape, &selection)
        .unwrap_or_else(|error| panic!("seed {seed}: {error}\n{selection}"))
        .reading(stored);
    let mut wrong = false;
    for _ in 0..4 {
        let right = chance.one_in(3);
        let mut tree = random_object(&mut chance, shape, stored, right);
        if chance.one_in(3) {
            add_others(&mut chance, &mut tree, shape, stored);
        }
        let print_as = chance.pick(&[Print::Jsonb, Print::Json, Print::Shuffled, Print::Spaced]);
        let mut document = chance.pick(&["", "", " \n"]).to_string();
        print(&mut chance, &mut tree, print_as, &mut document);
        serde_json::from_str::<serde_json::Value>(&document).expect("the document is JSON");

        let (expected, wrong_at) = naive::select(shape, &selection, stored, &document);
        let context = || format!("seed {seed}, {print_as:?}\n{selection}\n{document}\n{shape:#?}");

        let mut errors = Vec::new();
        let mut out = b"before".to_vec();
        let written = projection.write_with(document.as_bytes(), &mut out, &mut errors);
        assert_eq!(written, expected.is_some(), "{errors:?} {}", context());
        let answer = format!("before{}", expected.as_deref().unwrap_or_default());
        assert_eq!(String::from_utf8_lossy(&out), answer, "{}", context());
        let paths: Vec<_> = errors.iter().map(|error| error.path().to_vec()).collect();
        assert_eq!(paths, wrong_at, "{}", context());

        let mut out = b"before".to_vec();
        let result = projection.write(document.as_bytes(), &mut out);
        match errors.first() {
            None => {
                assert_eq!(
                    (result, String::from_utf8_lossy(&out).as_ref()),
                    (Ok(()), &*answer)
                );
                serde_json::from_slice::<serde_json::Value>(&out[6..]).expect("an answer is JSON");
            }
            Some(error) => {
                assert_eq!((result.as_ref(), &out[..]), (Err(error), &b"before"[..]));
            }
        }
        wrong |= !errors.is_empty();
        mutated(&mut chance, &projection, document.as_bytes());
    }
    wrong
}

/// The document with some bytes changed, or truncated: whatever it is, it is written or refused.
fn mutated(chance: &mut Chance, projection: &Projection, document: &[u8]) {
    for _ in 0..4 {
        let mut document = document.to_vec();
        for _ in 0..1 + chance.below(3) {
            let at = chance.below(document.len());
            match chance.below(4) {
                0 => document.truncate(at.max(1)),
                1 => document[at] = chance.pick(b"\"\\{}[]:,n 0\xff"),
                2 => document.insert(at, chance.pick(b"\"\\{}[]:,n 0\xff")),
                _ => {
                    let end = (at + chance.below(9)).min(document.len() - 1);
                    document.drain(at..end.max(at));
                }
            }
        }
        let mut out = Vec::new();
        let result: Result<(), ProjectionError> = projection.write(&document, &mut out);
        assert_eq!(result.is_ok(), !out.is_empty());
        assert!(result.is_err() || out.len() < 64 * (document.len() + 1_000));
    }
}

#[test]
fn projections_write_what_the_naive_implementation_gives() {
    if let Ok(seed) = std::env::var("SEED") {
        case(seed.parse().expect("a number"));
        return;
    }
    let cases = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok());
    let cases = cases.unwrap_or(400);
    let wrong = (0..cases).filter(|&seed| case(seed)).count() as u64;
    // Both kinds of case have occurred.
    assert!(
        wrong > cases / 20 && wrong < cases / 20 * 19,
        "{wrong} of {cases}"
    );
}

#[test]
fn a_corpus_of_bytes_is_written_or_refused() -> anyhow::Result<()> {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/projection");
    let mut count = 0;
    for entry in std::fs::read_dir(corpus)? {
        let bytes = std::fs::read(entry?.path())?;
        fraiseql_tests::select::any_bytes(&bytes);
        count += 1;
    }
    assert!(count > 0);
    Ok(())
}
