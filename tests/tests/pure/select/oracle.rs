//! Tests that a projection of random structs, documents and selections writes the bytes, nulls and
//! errors of a plain implementation that parses each object and searches its keys.
//!
//! Each case has four documents. More: `PROPTEST_CASES=1000000 cargo test --release -p
//! fraiseql-tests --test pure select::oracle`. A failure says its seed, and `SEED=..` runs that one
//! alone.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Write as _;

use fraiseql_runtime::scalar::{ElementNull, JsonEncoding, ScalarType};
use fraiseql_runtime::schema::{Field, Link, Many, One, Shape, Source, Table};
use fraiseql_runtime::select::ProjectionError;
use fraiseql_runtime::select::{Selected, StoredKeys};
use fraiseql_runtime::{Projection, Selection};
use fraiseql_tests::naive;

/// Numbers by chance, the same for the same seed.
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

// Random structs. A table reaches another by a plain function, so there is one function for
// each of a few places where tables are put.

const SHAPES: usize = 24;

thread_local! {
    static MADE: RefCell<Vec<&'static Shape>> = const { RefCell::new(Vec::new()) };
}

fn made<const PLACE: usize>() -> &'static Shape {
    MADE.with_borrow(|made| made[PLACE])
}

macro_rules! places {
    ($($place:literal)*) => { [$(made::<$place>),*] };
}

const PLACES: [fn() -> &'static Shape; SHAPES] =
    places!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23);

/// Keys that are alike: of equal length, beginnings of each other, longer than a comparison.
const KEYS: [(&str, &str); 20] = [
    ("id", "id"),
    ("i", "i"),
    ("ix", "i_x"),
    ("title", "title"),
    ("titel", "titel"),
    ("role", "role"),
    ("accessToken", "access_token"),
    ("author", "author"),
    ("authorId", "author_id"),
    ("comments", "comments"),
    ("commentCount", "comment_count"),
    ("commentCounts", "comment_counts"),
    ("createdAt", "created_at"),
    (
        "aNameThatIsLongerThanSixteenBytes",
        "a_name_that_is_longer_than_sixteen_bytes",
    ),
    (
        "aNameThatIsLongerThanSixteenWords",
        "a_name_that_is_longer_than_sixteen_words",
    ),
    ("größe", "groesse"),
    ("quote\"d", "quote_d"),
    ("back\\slash", "back_slash"),
    ("a:b", "a_b"),
    ("_id", "_id"),
];

const TABLE: Table = Table {
    schema: "public",
    name: "tb",
};

fn random_shape(chance: &mut Chance, depth: usize) -> &'static Shape {
    let mut keys = KEYS;
    chance.shuffle(&mut keys);
    let many_fields = if depth == 0 && chance.one_in(6) {
        20
    } else {
        5
    };
    let count = 1 + chance.below(many_fields);
    let mut fields = Vec::new();
    for &(json, name) in &keys[..count] {
        let full = MADE.with_borrow(Vec::len) + depth >= SHAPES - 4;
        let nested = depth < 3 && !full && chance.one_in(3);
        let source = if nested {
            let shape = random_shape(chance, depth + 1);
            let place = MADE.with_borrow_mut(|made| {
                made.push(shape);
                made.len() - 1
            });
            let shape = PLACES[place];
            match chance.one_in(2) {
                true => Source::One(One {
                    fk: "fk",
                    key: None,
                    nullable: chance.one_in(2),
                    shape,
                }),
                false => Source::Many(Many {
                    link: Link::ForeignKey("fk"),
                    key: None,
                    order_by: &[],
                    limit: None,
                    filter: None,
                    shape,
                }),
            }
        } else {
            let mut ty = ScalarType::new("text", JsonEncoding::Native, "String");
            ty.nullable = chance.one_in(2);
            ty.list = chance.pick(&[
                None,
                None,
                None,
                Some(ElementNull::No),
                Some(ElementNull::Yes),
            ]);
            Source::Column { column: "c", ty }
        };
        fields.push(Field {
            name,
            json,
            docs: None,
            source,
            promoted: None,
        });
    }
    let type_name: &'static str = chance.pick(&["Post", "User", "id"]);
    Box::leak(Box::new(Shape {
        id: "random",
        name: type_name,
        type_name,
        docs: None,
        table: TABLE,
        filter: None,
        key: None,
        fields: Vec::leak(fields),
    }))
}

/// A document before it is printed. What is no object of a struct is text already.
enum Tree {
    Text(String),
    Object(Vec<(String, Tree)>),
    List(Vec<Tree>),
}

/// Values, some of which look like the document around them.
const TEXTS: [&str; 16] = [
    "1",
    "-12.5e+3",
    "true",
    "false",
    "\"\"",
    "\"word\"",
    "\"a text that is longer than sixteen bytes, and than sixty-four, and has no end in it\"",
    "\"quote \\\" and \\\\\"",
    "\"\\\\\\\\\\\"\\u00e9 é \\\\\"",
    "\"}]{[ \\\", \\\"id\\\": 1\"",
    "{}",
    "[]",
    "{\"id\": 1, \"title\": {\"role\": [\"}\", {\"id\": \"\\\"\"}]}}",
    "{\"id\":1,\"accessToken\":\"secret\",\"author\":{\"id\":null}}",
    "[{\"id\":[[]],\"x\":\"]\"}, {}, \"\\\\\"]",
    "{\"full_name\": {\"snake_case\": 1}, \"role\" : null}",
];

fn name_of(field: &Field, keys: StoredKeys) -> &'static str {
    match keys {
        StoredKeys::Json => field.json,
        StoredKeys::Rust => field.name,
    }
}

fn random_object(chance: &mut Chance, shape: &Shape, keys: StoredKeys, right: bool) -> Tree {
    let mut object = Vec::new();
    for field in shape.fields {
        let key = name_of(field, keys);
        if !right && chance.one_in(40) {
            continue;
        }
        object.push((key.to_owned(), random_value(chance, field, keys, right)));
    }
    Tree::Object(object)
}

fn random_value(chance: &mut Chance, field: &Field, keys: StoredKeys, right: bool) -> Tree {
    let null = || Tree::Text("null".to_owned());
    match &field.source {
        _ if !right && chance.one_in(40) => null(),
        Source::One(one) if one.nullable && chance.one_in(3) => null(),
        Source::One(_) | Source::Many(_) if !right && chance.one_in(60) => {
            Tree::Text(chance.pick(&["1", "\"{\"", "true"]).to_string())
        }
        Source::One(one) => random_object(chance, (one.shape)(), keys, right),
        Source::Many(many) => {
            let items = (0..chance.below(3)).map(|_| match !right && chance.one_in(30) {
                true => Tree::Text(chance.pick(&["null", "7", "[]"]).to_string()),
                false => random_object(chance, (many.shape)(), keys, right),
            });
            Tree::List(items.collect())
        }
        Source::Column { ty, .. } if ty.nullable && chance.one_in(4) => null(),
        Source::Column { ty, .. } if ty.list.is_some() => {
            let space = chance.pick(&["", " ", "\n "]);
            let mut text = format!("[{space}");
            let count = chance.below(4);
            for index in 0..count {
                let may = ty.list == Some(ElementNull::Yes) || (!right && chance.one_in(10));
                let element = match may && chance.one_in(3) {
                    true => "null",
                    false => chance.pick(&TEXTS),
                };
                let comma = if index + 1 < count { "," } else { "" };
                write!(text, "{element}{comma}{space}").unwrap();
            }
            text.push(']');
            Tree::Text(text)
        }
        _ => Tree::Text(chance.pick(&TEXTS).to_string()),
    }
}

/// Adds keys that no struct has, or has elsewhere, and second values of keys: the first counts.
fn add_others(chance: &mut Chance, tree: &mut Tree, shape: &Shape, keys: StoredKeys) {
    match tree {
        Tree::Object(entries) => {
            for (key, value) in entries.iter_mut() {
                let field = shape
                    .fields
                    .iter()
                    .find(|field| name_of(field, keys) == key);
                match field.map(|field| &field.source) {
                    Some(Source::One(one)) => add_others(chance, value, (one.shape)(), keys),
                    Some(Source::Many(many)) => add_others(chance, value, (many.shape)(), keys),
                    _ => {}
                }
            }
            while chance.one_in(2) {
                let (json, name) = chance.pick(&KEYS);
                let key = chance
                    .pick(&[json, name, "unknown", "", "__typename", "\u{1}"])
                    .to_string();
                let place = chance.below(entries.len() + 1);
                let known = entries.iter().position(|(other, _)| *other == key);
                let absent = shape.fields.iter().any(|field| name_of(field, keys) == key);
                if known.map_or(!absent, |known| known < place) {
                    entries.insert(place, (key, Tree::Text(chance.pick(&TEXTS).to_string())));
                }
            }
        }
        Tree::List(items) => {
            items
                .iter_mut()
                .for_each(|item| add_others(chance, item, shape, keys));
        }
        Tree::Text(_) => {}
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Print {
    Jsonb,
    Json,
    Shuffled,
    Spaced,
}

fn print(chance: &mut Chance, tree: &mut Tree, print_as: Print, out: &mut String) {
    let space = |chance: &mut Chance, out: &mut String| {
        if print_as == Print::Spaced {
            out.push_str(chance.pick(&["", "", " ", "\n\t", "\r\n  "]));
        }
    };
    let (comma, colon) = match print_as {
        Print::Jsonb => (", ", ": "),
        _ => (",", ":"),
    };
    match tree {
        Tree::Text(text) => out.push_str(text),
        Tree::Object(entries) => {
            match print_as {
                // Not of one key's values: the first counts.
                Print::Jsonb => entries.sort_by(|(a, _), (b, _)| (a.len(), a).cmp(&(b.len(), b))),
                Print::Json => {}
                Print::Shuffled | Print::Spaced => {
                    let keys: BTreeSet<_> = entries.iter().map(|(key, _)| key.clone()).collect();
                    if keys.len() == entries.len() {
                        chance.shuffle(entries);
                    }
                }
            }
            out.push('{');
            space(chance, out);
            for (index, (key, value)) in entries.iter_mut().enumerate() {
                if index > 0 {
                    out.push_str(comma);
                    space(chance, out);
                }
                let mut key = serde_json::to_string(key).unwrap();
                if print_as == Print::Spaced
                    && chance.one_in(8)
                    && key[1..].starts_with(|c: char| c.is_ascii_alphabetic())
                {
                    key = format!("\"\\u{:04x}{}", key.as_bytes()[1], &key[2..]);
                }
                out.push_str(&key);
                space(chance, out);
                out.push_str(colon);
                space(chance, out);
                print(chance, value, print_as, out);
                space(chance, out);
            }
            out.push('}');
        }
        Tree::List(items) => {
            out.push('[');
            space(chance, out);
            for (index, item) in items.iter_mut().enumerate() {
                if index > 0 {
                    out.push_str(comma);
                    space(chance, out);
                }
                print(chance, item, print_as, out);
                space(chance, out);
            }
            out.push(']');
        }
    }
}

fn random_selection(chance: &mut Chance, shape: &Shape) -> Selection {
    let mut selection = Selection::new();
    // As it is stored, or almost: then parts of the document are copied at once.
    if chance.one_in(3) {
        for field in shape.fields {
            let fields = match &field.source {
                _ if chance.one_in(8) => continue,
                Source::One(one) => Some(random_selection(chance, (one.shape)())),
                Source::Many(many) => Some(random_selection(chance, (many.shape)())),
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
        // Of the field's name, so that none stands for two where selections are merged.
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
            Source::One(one) => Some(random_selection(chance, (one.shape)())),
            Source::Many(many) => Some(random_selection(chance, (many.shape)())),
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

/// One case; gives whether something in it was null that cannot be.
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
        let told = || format!("seed {seed}, {print_as:?}\n{selection}\n{document}\n{shape:#?}");

        let mut errors = Vec::new();
        let mut out = b"before".to_vec();
        let written = projection.write_with(document.as_bytes(), &mut out, &mut errors);
        assert_eq!(written, expected.is_some(), "{errors:?} {}", told());
        let answer = format!("before{}", expected.as_deref().unwrap_or_default());
        assert_eq!(String::from_utf8_lossy(&out), answer, "{}", told());
        let paths: Vec<_> = errors.iter().map(|error| error.path().to_vec()).collect();
        assert_eq!(paths, wrong_at, "{}", told());

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

/// The document with some bytes changed, or without its end: whatever it is, it is written or
/// refused.
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
fn what_is_written_is_what_the_naive_way_gives() {
    if let Ok(seed) = std::env::var("SEED") {
        case(seed.parse().expect("a number"));
        return;
    }
    let cases = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok());
    let cases = cases.unwrap_or(400);
    let wrong = (0..cases).filter(|&seed| case(seed)).count() as u64;
    // Neither kind is missing.
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
