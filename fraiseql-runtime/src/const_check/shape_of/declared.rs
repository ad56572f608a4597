//! The checks of what a part declares beside `shape_of`, and may as well leave out.

use super::inherited::{MAX_CHAIN, resolved};
use super::tables::{push_name, same_table};
use crate::const_check::compare::same_columns;
use crate::const_check::message::Message;
use crate::schema::embed::{Children, Embed, Own};

/// Panics if `T` declares another table than the struct of its `shape_of` has.
#[track_caller]
pub const fn written_table<T: Embed>() {
    check_table(T::shape_of, T::OWN);
}

#[track_caller]
const fn check_table<L: Children, F: Fn() -> L + Copy>(_shape_of: F, own: Own) {
    let whole = resolved::<L::Head>(MAX_CHAIN);
    if let (Some(here), Some(there)) = (own.table, whole.table)
        && !same_table(here, there)
        // A struct with errors of its own has a table without a name.
        && !there.name.is_empty()
    {
        let message = Message::new().code(own.name).push(" has the table ");
        let message = push_name(message, here).push(", and ");
        push_name(message.code(whole.name).push(" has "), there)
            .push(": a part has the table of the struct in `shape_of`, so leave `table` out")
            .panic();
    }
}

/// Panics if `T` marks another key than the struct of its `shape_of` has.
#[track_caller]
pub const fn key_column<T: Embed>() {
    check_key(T::shape_of, T::OWN);
}

#[track_caller]
const fn check_key<L: Children, F: Fn() -> L + Copy>(_shape_of: F, own: Own) {
    let whole = resolved::<L::Head>(MAX_CHAIN);
    if let (Some(here), Some(there)) = (own.key, whole.key)
        && !same_columns(here.columns, there.columns)
    {
        Message::new()
            .push("the key is ")
            .columns(here.columns)
            .push(" here and ")
            .columns(there.columns)
            .push(" in ")
            .code(whole.name)
            .push(": leave `key` out; for a relation to another column than the key, write `one(fk = \"..\", key = \"")
            .names(here.columns.names())
            .push("\")`")
            .panic();
    }
}
