//! `shape_of = User`: a part that is some fields of another struct.
//!
//! What the part does not say itself (table, filter, key) is taken from that struct, which may
//! have it from a third. So that a circle of them is a message and not a constant without an
//! end, the way goes over [`Own`], what is written on each struct, and not over their shapes.

use crate::const_check::cycle::before;
use crate::const_check::message::Message;
use crate::const_check::scalar::same;
use crate::schema::embed::Children;
use crate::schema::embed::Embed;
use crate::schema::embed::Own;
use crate::schema::{Key, Table};

mod fields;
mod nearest;

pub use fields::field;

/// Longer ways are circles.
const STEPS: usize = 32;

/// What is written on `T`, and what it has from the struct that it is the shape of.
const fn whole<T: Embed>(steps: usize) -> Own {
    rest(T::shape_of, T::OWN, steps)
}

/// Takes the type of `_next`, which is not called: its type says it all.
const fn rest<L: Children, F: Fn() -> L + Copy>(_next: F, own: Own, steps: usize) -> Own {
    if L::END || steps == 0 {
        own
    } else {
        own.or(whole::<L::Head>(steps - 1))
    }
}

/// The table.
#[must_use]
pub const fn table<T: Embed>() -> Table {
    match whole::<T>(STEPS).table {
        Some(table) => table,
        // A circle: it is reported by `chain`.
        None => Table {
            schema: "",
            name: "",
        },
    }
}

/// The filter.
#[must_use]
pub const fn filter<T: Embed>() -> Option<&'static str> {
    whole::<T>(STEPS).filter
}

/// The key.
#[must_use]
pub const fn key<T: Embed>() -> Option<Key> {
    whole::<T>(STEPS).key
}

/// Panics, while compiling, when `T` is the shape of itself. Of a circle, the first struct in
/// the source reports it.
#[track_caller]
pub const fn chain<T: Embed>() {
    let message = Message::new()
        .push("a circle of `shape_of`: ")
        .push(T::OWN.name);
    back(T::shape_of, T::OWN, message, STEPS);
}

#[track_caller]
const fn back<L: Children, F: Fn() -> L + Copy>(_next: F, root: Own, way: Message, steps: usize) {
    if !L::END && steps > 0 {
        step::<L::Head>(root, way, steps);
    }
}

#[track_caller]
const fn step<T: Embed>(root: Own, way: Message, steps: usize) {
    let way = way.push(" -> ").push(T::OWN.name);
    if same(T::OWN.id, root.id) {
        way.push("; one of them is the whole, and is written without `shape_of`")
            .panic();
    }
    if !before(T::OWN.id, root.id) {
        back(T::shape_of, root, way, steps - 1);
    }
}

/// The table that is written beside `shape_of` is the same.
#[track_caller]
pub const fn written_table<T: Embed>() {
    beside_table(T::shape_of, T::OWN);
}

#[track_caller]
const fn beside_table<L: Children, F: Fn() -> L + Copy>(_next: F, own: Own) {
    let whole = whole::<L::Head>(STEPS);
    if let (Some(here), Some(there)) = (own.table, whole.table)
        && !same_table(here, there)
        && !there.name.is_empty()
    {
        name(Message::new().code(own.name).push(" reads from "), here)
            .push(" and ")
            .code(whole.name)
            .push(" from ")
            .push(there.schema)
            .push(".")
            .push(there.name)
            .push(": a part has the table of what it is the shape of, so leave `table` out")
            .panic();
    }
}

/// The key that is marked beside `shape_of` is the same.
#[track_caller]
pub const fn key_column<T: Embed>() {
    beside_key(T::shape_of, T::OWN);
}

#[track_caller]
const fn beside_key<L: Children, F: Fn() -> L + Copy>(_next: F, own: Own) {
    let whole = whole::<L::Head>(STEPS);
    if let (Some(here), Some(there)) = (own.key, whole.key)
        && !same(here.column, there.column)
    {
        Message::new()
            .push("the key is ")
            .code(here.column)
            .push(" here and ")
            .code(there.column)
            .push(" in ")
            .code(whole.name)
            .push(": leave `key` out; a relation to another column says so: `one(fk = \"..\", key = \"")
            .push(here.column)
            .push("\")`")
            .panic();
    }
}

const fn name(message: Message, table: Table) -> Message {
    message.push(table.schema).push(".").push(table.name)
}

const fn same_table(a: Table, b: Table) -> bool {
    same(a.schema, b.schema) && same(a.name, b.name)
}
