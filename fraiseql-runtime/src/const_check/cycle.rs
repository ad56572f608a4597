//! Refuses cyclic types while compiling, with the path that closes the cycle.
//!
//! Tables refer to each other by function pointer, which the compiler cannot call in a
//! constant. So the derives also list each struct's children as types, and [`check`] walks
//! those: the walk stops where a type comes back, so it ends for cyclic types too. Of the
//! types on a cycle the first in the source reports it, and those that merely lead to one
//! don't.

use std::marker::PhantomData;

use crate::const_check::message::Message;
use crate::const_check::scalar::same;
use crate::schema::Shape;
use crate::schema::embed::Children;
use crate::schema::embed::Embed;
use crate::schema::embed::End;

/// The way from the root of the walk to a type.
trait Way {
    const START: bool;
    /// The shape that a step starts at, and the field it takes.
    const SHAPE: &'static Shape;
    const FIELD: usize;
    type Back: Way;
}

struct Step<T, L, Back>(PhantomData<(T, L, Back)>);

impl Way for End {
    const START: bool = true;
    const SHAPE: &'static Shape = <End as Embed>::SHAPE;
    const FIELD: usize = 0;
    type Back = End;
}

impl<T: Embed, L: Children, Back: Way> Way for Step<T, L, Back> {
    const START: bool = false;
    const SHAPE: &'static Shape = T::SHAPE;
    const FIELD: usize = L::FIELD;
    type Back = Back;
}

/// Panics, while compiling, when `T` is part of itself.
#[track_caller]
pub const fn check<T: Embed>() {
    visit::<T, T, End>();
}

#[track_caller]
const fn visit<Root: Embed, T: Embed, W: Way>() {
    if !W::START && same(T::SHAPE.id, Root::SHAPE.id) && first::<W>(Root::SHAPE.id) {
        report::<W>(Root::SHAPE);
    }
    // A cycle that the root is not on is reported by the types that are.
    if !seen::<W>(T::SHAPE.id) {
        children_of::<Root, T, _, _, W>(T::children);
    }
}

/// [`children`], of what `_children` returns. It is not called: its type says it all.
#[track_caller]
const fn children_of<Root: Embed, T: Embed, F: Fn() -> L + Copy, L: Children, W: Way>(
    _children: F,
) {
    children::<Root, T, L, W>();
}

#[track_caller]
const fn children<Root: Embed, T: Embed, L: Children, W: Way>() {
    if !L::END {
        visit::<Root, L::Head, Step<T, L, W>>();
        children::<Root, T, L::Tail, W>();
    }
}

const fn seen<W: Way>(id: &str) -> bool {
    !W::START && (same(W::SHAPE.id, id) || seen::<W::Back>(id))
}

/// Whether no shape on the way stands before that of `id`.
const fn first<W: Way>(id: &str) -> bool {
    W::START || (!before(W::SHAPE.id, id) && first::<W::Back>(id))
}

/// An order of ids: by line, and within a line, or between files, by the id as text.
pub(crate) const fn before(a: &str, b: &str) -> bool {
    let (line_a, line_b) = (line(a), line(b));
    if line_a != line_b {
        return line_a < line_b;
    }
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut index = 0;
    while index < a.len() && index < b.len() {
        if a[index] != b[index] {
            return a[index] < b[index];
        }
        index += 1;
    }
    a.len() < b.len()
}

/// The line in an id: `module::Name@line:column`.
const fn line(id: &str) -> u32 {
    let id = id.as_bytes();
    let mut line = 0;
    let mut inside = false;
    let mut index = 0;
    while index < id.len() {
        match id[index] {
            b'@' => inside = true,
            b':' => inside = false,
            digit if inside && digit.is_ascii_digit() => line = line * 10 + (digit - b'0') as u32,
            _ => {}
        }
        index += 1;
    }
    line
}

/// `User.posts -> Post.author -> `, from the start of the way.
const fn path<W: Way>(message: Message) -> Message {
    if W::START {
        return message;
    }
    path::<W::Back>(message)
        .push(W::SHAPE.name)
        .push(".")
        .push(W::SHAPE.fields[W::FIELD].name)
        .push(" -> ")
}

#[track_caller]
const fn report<W: Way>(root: &'static Shape) {
    path::<W>(Message::new().push("type cycle "))
        .push(root.name)
        .push(
            "; a document cannot contain itself, so give one of these fields a type of its own: \
             a struct with #[derive(Embed)] and the fields that are needed there",
        )
        .panic()
}
