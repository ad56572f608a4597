//! The members of a union, and the checks of each.

use crate::const_check::compare::same;
use crate::const_check::message::Message;
use crate::schema::embed::{Children, Embed};
use crate::schema::union::TUnion;
use crate::schema::{Field, Shape};

/// Panics if the member with this index has the GraphQL name of one before it.
///
/// A struct that is two members is reported by the derive, or, if a name of it is an alias, by the
/// compiler.
#[track_caller]
pub const fn member<U: TUnion>(index: usize) {
    let Some(this) = shape_of::<U>(index) else {
        return;
    };
    let mut before = 0;
    while before < index {
        if let Some(other) = shape_of::<U>(before) {
            check_pair::<U>(this, other);
        }
        before += 1;
    }
}

#[track_caller]
const fn check_pair<U: TUnion>(this: &Shape, other: &Shape) {
    if same(this.type_name, other.type_name) && !same(this.id, other.id) {
        Message::new()
            .push("two members of ")
            .code(U::UNION.name)
            .push(" have the GraphQL name ")
            .code(this.type_name)
            .push(": give one of the structs another with #[tview(type_name = \"..\")]")
            .panic();
    }
}

/// Panics if the union has the GraphQL name of a member.
#[track_caller]
pub const fn type_name<U: TUnion>() {
    let mut index = 0;
    while let Some(member) = shape_of::<U>(index) {
        if same(member.type_name, U::UNION.type_name) {
            Message::new()
                .code(U::UNION.name)
                .push(" and its member ")
                .code(member.name)
                .push(" have the same GraphQL name ")
                .code(member.type_name)
                .push(": give one of them another with #[tview(type_name = \"..\")]")
                .panic();
        }
        index += 1;
    }
}

/// The shape of the member with this index. `None` if there are not so many.
pub(super) const fn shape_of<U: TUnion>(index: usize) -> Option<&'static Shape> {
    shape_in_list(U::members, index)
}

/// The function is passed only for its type: `L` is behind `impl Children`, and has no other name.
const fn shape_in_list<L: Children, F: Fn() -> L + Copy>(
    _members: F,
    index: usize,
) -> Option<&'static Shape> {
    shape_in::<L>(index)
}

const fn shape_in<L: Children>(index: usize) -> Option<&'static Shape> {
    if L::END {
        None
    } else if index == 0 {
        Some(L::Head::SHAPE)
    } else {
        shape_in::<L::Tail>(index - 1)
    }
}

/// A field of a member.
#[derive(Clone, Copy)]
pub(super) struct MemberField {
    pub(super) shape: &'static Shape,
    pub(super) field: &'static Field,
    /// The shape of the part in it.
    pub(super) part: Option<&'static Shape>,
}

impl MemberField {
    /// The field with an index, of the member with an index.
    pub(super) const fn of<U: TUnion>(member: usize, field: usize) -> Option<Self> {
        let Some(shape) = shape_of::<U>(member) else {
            return None;
        };
        Some(Self {
            shape,
            field: &shape.fields[field],
            part: part_in_list(U::members, member, field),
        })
    }
}

const fn part_in_list<L: Children, F: Fn() -> L + Copy>(
    _members: F,
    member: usize,
    field: usize,
) -> Option<&'static Shape> {
    part_in::<L>(member, field)
}

const fn part_in<L: Children>(member: usize, field: usize) -> Option<&'static Shape> {
    if L::END {
        None
    } else if member == 0 {
        part_of_field(<L::Head as Embed>::children, field)
    } else {
        part_in::<L::Tail>(member - 1, field)
    }
}

const fn part_of_field<L: Children, F: Fn() -> L + Copy>(
    _children: F,
    field: usize,
) -> Option<&'static Shape> {
    part_at::<L>(field)
}

const fn part_at<L: Children>(field: usize) -> Option<&'static Shape> {
    if L::END {
        None
    } else if L::FIELD == field {
        Some(L::Head::SHAPE)
    } else {
        part_at::<L::Tail>(field)
    }
}
