//! The checks of the fields of an interface.

use super::field_type::FieldType;
use super::members::{MemberField, shape_of};
use crate::const_check::compare::same;
use crate::const_check::message::Message;
use crate::const_check::nearest::{NameIn, nearest};
use crate::schema::Shape;
use crate::schema::union::TUnion;

/// Panics if a member does not have the field `name`, or two members have it with different types.
#[track_caller]
pub const fn field<U: TUnion>(name: &str) {
    let mut first: Option<MemberField> = None;
    let mut index = 0;
    while let Some(member) = shape_of::<U>(index) {
        if !is_stub(member) {
            let Some(place) = place_of(name, member) else {
                missing(name, member);
            };
            let this = MemberField::of::<U>(index, place);
            if let (Some(first), Some(this)) = (first, this) {
                if !FieldType::of(first).same(FieldType::of(this)) {
                    push_types(Message::new(), first, this)
                        .push(": a field of an interface has the same type in all members")
                        .panic();
                }
            } else {
                first = this;
            }
        }
        index += 1;
    }
}

/// Panics if no field is in all members, with the same type.
#[track_caller]
pub const fn common<U: TUnion>() {
    let Some(first) = shape_of::<U>(0) else {
        return;
    };
    // A field that all members have, but with different types.
    let mut different = None;
    let mut place = 0;
    while place < first.fields.len() {
        if let Some(field) = MemberField::of::<U>(0, place)
            && !field.field.is_hidden()
        {
            match in_members::<U>(field) {
                InMembers::Same => return,
                InMembers::Different(other) => different = Some((field, other)),
                InMembers::Missing => {}
            }
        }
        place += 1;
    }
    // Nothing is known about the fields of a struct with errors of its own.
    if has_stubs::<U>() {
        return;
    }
    let mut message = Message::new()
        .push("no field is in all members of ")
        .code(U::UNION.name)
        .push(" with the same type, and an interface needs one");
    if let Some((one, other)) = different {
        message = push_types(message.push(" ("), one, other).push(")");
    }
    message
        .push(": remove `interface`, and it is a union")
        .panic()
}

/// A field of the first member in the others.
enum InMembers {
    Same,
    Different(MemberField),
    Missing,
}

const fn in_members<U: TUnion>(of_first: MemberField) -> InMembers {
    let mut found = InMembers::Same;
    let mut index = 1;
    while let Some(member) = shape_of::<U>(index) {
        let Some(place) = place_of(of_first.field.json, member) else {
            return InMembers::Missing;
        };
        if let Some(other) = MemberField::of::<U>(index, place)
            && !FieldType::of(of_first).same(FieldType::of(other))
        {
            found = InMembers::Different(other);
        }
        index += 1;
    }
    found
}

/// Whether a struct has errors of its own, and so a shape without fields.
const fn is_stub(shape: &Shape) -> bool {
    shape.fields.is_empty()
}

const fn has_stubs<U: TUnion>() -> bool {
    let mut index = 0;
    while let Some(member) = shape_of::<U>(index) {
        if is_stub(member) {
            return true;
        }
        index += 1;
    }
    false
}

/// The index of the field with this key in documents.
const fn place_of(key: &str, shape: &'static Shape) -> Option<usize> {
    let mut index = 0;
    while index < shape.fields.len() {
        let field = &shape.fields[index];
        if same(field.json, key) && !field.is_hidden() {
            return Some(index);
        }
        index += 1;
    }
    None
}

/// Panics: the documents of `member` do not have the field.
#[track_caller]
const fn missing(name: &str, member: &'static Shape) -> ! {
    let message = Message::new().code(name);
    let mut index = 0;
    while index < member.fields.len() {
        let field = &member.fields[index];
        if same(field.name, name) && !field.is_hidden() {
            message
                .push(" of ")
                .code(member.name)
                .push(" has the key ")
                .code(field.json)
                .push(" in documents: write ")
                .code(field.json)
                .panic();
        }
        if same(field.json, name) {
            message
                .push(" of ")
                .code(member.name)
                .push(" is hidden, so its documents do not have it")
                .panic();
        }
        index += 1;
    }
    let message = message
        .push(" is not a field of ")
        .code(member.name)
        .push(", and an interface has only fields of all members");
    match nearest(name, member.fields, NameIn::Document) {
        Some(near) => message.push("; did you mean ").code(near).push("?").panic(),
        None => message.panic(),
    }
}

/// Appends the types of a field in two members.
const fn push_types(message: Message, one: MemberField, other: MemberField) -> Message {
    let message = message.code(one.field.json).push(" is ");
    let message = FieldType::of(one).push(message).push(" in ");
    let message = message.code(one.shape.name).push(" and ");
    let message = FieldType::of(other).push(message).push(" in ");
    message.code(other.shape.name)
}
