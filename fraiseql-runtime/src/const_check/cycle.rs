//! The check that no document contains itself.
//!
//! A constant table refers to the tables of its parts by function pointer, which the compiler
//! cannot call in a constant. So the derives also list the parts of each struct as types
//! ([`Children`]), and [`check`] walks those. The walk stops at a type that it has seen on the path,
//! so it ends for cyclic types too. Of the types on a cycle, the first in the source reports it;
//! types that only lead to a cycle report nothing.

use std::marker::PhantomData;

use crate::const_check::compare::{is_before, same};
use crate::const_check::message::Message;
use crate::schema::Shape;
use crate::schema::embed::{Children, Embed, End};

/// The path from the root of the walk to a type, as a type-level list: the last field first.
trait FieldPath {
    /// Whether the path is empty.
    const EMPTY: bool;
    /// The shape that has the last field.
    const SHAPE: &'static Shape;
    /// The index of the last field.
    const FIELD: usize;
    /// The path without the last field.
    type Parent: FieldPath;
}

/// The field of `T` that is the first of the list `L`, at the end of the path `Parent`.
struct Append<T, L, Parent>(PhantomData<(T, L, Parent)>);

impl FieldPath for End {
    const EMPTY: bool = true;
    const SHAPE: &'static Shape = <End as Embed>::SHAPE;
    const FIELD: usize = 0;
    type Parent = End;
}

impl<T: Embed, L: Children, Parent: FieldPath> FieldPath for Append<T, L, Parent> {
    const EMPTY: bool = false;
    const SHAPE: &'static Shape = T::SHAPE;
    const FIELD: usize = L::FIELD;
    type Parent = Parent;
}

/// Panics at compile time if `T` contains itself.
#[track_caller]
pub const fn check<T: Embed>() {
    visit::<T, T, End>();
}

#[track_caller]
const fn visit<Root: Embed, T: Embed, P: FieldPath>() {
    if !P::EMPTY && same(T::SHAPE.id, Root::SHAPE.id) && is_first_on::<P>(Root::SHAPE.id) {
        report::<P>(Root::SHAPE);
    }
    // A cycle without the root is reported by its own types. The walk must not follow it.
    if !is_on::<P>(T::SHAPE.id) {
        children_of::<Root, T, _, _, P>(T::children);
    }
}

/// Visits the types in the list `L`, which `_children` returns. The function is passed only for
/// its type: `L` is behind `impl Children`, and has no other name.
#[track_caller]
const fn children_of<Root: Embed, T: Embed, F: Fn() -> L + Copy, L: Children, P: FieldPath>(
    _children: F,
) {
    children::<Root, T, L, P>();
}

#[track_caller]
const fn children<Root: Embed, T: Embed, L: Children, P: FieldPath>() {
    if !L::END {
        visit::<Root, L::Head, Append<T, L, P>>();
        children::<Root, T, L::Tail, P>();
    }
}

/// Whether the shape with this id has a field on the path.
const fn is_on<P: FieldPath>(id: &str) -> bool {
    !P::EMPTY && (same(P::SHAPE.id, id) || is_on::<P::Parent>(id))
}

/// Whether no shape on the path comes before the one with this id in the source.
const fn is_first_on<P: FieldPath>(id: &str) -> bool {
    P::EMPTY || (!is_before(P::SHAPE.id, id) && is_first_on::<P::Parent>(id))
}

/// `User.posts -> Post.author -> `.
const fn path<P: FieldPath>(message: Message) -> Message {
    if P::EMPTY {
        return message;
    }
    path::<P::Parent>(message)
        .push(P::SHAPE.name)
        .push(".")
        .push(P::SHAPE.fields[P::FIELD].name)
        .push(" -> ")
}

#[track_caller]
const fn report<P: FieldPath>(root: &'static Shape) {
    path::<P>(Message::new().push("type cycle "))
        .push(root.name)
        .push(
            "; a document cannot contain itself, so give one of these fields a type of its own: \
             a struct with #[derive(Embed)] and the fields that are needed there",
        )
        .panic()
}
