//! The check that no part is the `shape_of` itself.

use super::inherited::MAX_CHAIN;
use crate::const_check::compare::{is_before, same};
use crate::const_check::message::Message;
use crate::schema::embed::{Children, Embed, Own};

/// Panics at compile time if `T` is part of a circle of `shape_of`. Of the structs on a circle, the
/// first in the source reports it.
#[track_caller]
pub const fn chain<T: Embed>() {
    let message = Message::new()
        .push("`shape_of` is circular: ")
        .push(T::OWN.name);
    follow(T::shape_of, T::OWN, message, MAX_CHAIN);
}

#[track_caller]
const fn follow<L: Children, F: Fn() -> L + Copy>(
    _shape_of: F,
    start: Own,
    path: Message,
    remaining: usize,
) {
    if !L::END && remaining > 0 {
        step::<L::Head>(start, path, remaining);
    }
}

#[track_caller]
const fn step<T: Embed>(start: Own, path: Message, remaining: usize) {
    let path = path.push(" -> ").push(T::OWN.name);
    if same(T::OWN.id, start.id) {
        path.push("; remove it from the struct that has all fields")
            .panic();
    }
    // A struct before `start` reports the circle itself.
    if !is_before(T::OWN.id, start.id) {
        follow(T::shape_of, start, path, remaining - 1);
    }
}
