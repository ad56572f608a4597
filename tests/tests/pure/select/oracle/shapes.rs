//! Random structs. A table refers to another by a plain function, so there is one function for each
//! of a few slots for tables.

use std::cell::RefCell;

use fraiseql_runtime::scalar::{ElementNull, JsonEncoding, ScalarType};
use fraiseql_runtime::schema::{Columns, Field, Link, Many, One, PartShape, Shape, Source, Table};

use super::Chance;

const SHAPES: usize = 24;

thread_local! {
    pub(super) static MADE: RefCell<Vec<&'static Shape>> = const { RefCell::new(Vec::new()) };
}

fn made<const PLACE: usize>() -> &'static Shape {
    MADE.with_borrow(|made| made[PLACE])
}

macro_rules! places {
    ($($place:literal)*) => { [$(made::<$place>),*] };
}

const PLACES: [fn() -> &'static Shape; SHAPES] =
    places!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23);

/// Keys that resemble each other: of equal length, prefixes of each other, longer than one
/// comparison.
pub(super) const KEYS: [(&str, &str); 20] = [
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

pub(super) fn random_shape(chance: &mut Chance, depth: usize) -> &'static Shape {
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
                    fk: Columns::new(&["fk"]),
                    key: None,
                    nullable: chance.one_in(2),
                    shape: PartShape::Declared(shape),
                }),
                false => Source::Many(Many {
                    link: Link::ForeignKey(Columns::new(&["fk"])),
                    key: None,
                    order_by: &[],
                    limit: None,
                    filter: None,
                    shape: PartShape::Declared(shape),
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
        group_by: &[],
        fields: Vec::leak(fields),
    }))
}
