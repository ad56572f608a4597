//! What a part has by `shape_of`: its table, filter and key.

use crate::schema::embed::{Children, Embed, Own};
use crate::schema::{Key, Table};

/// The maximum number of structs that inherit from each other. A longer chain is a circle, and
/// following it further would not end.
pub(super) const MAX_CHAIN: usize = 32;

/// What `T` declares, completed by what it inherits.
pub(super) const fn resolved<T: Embed>(remaining: usize) -> Own {
    completed(T::shape_of, T::OWN, remaining)
}

/// `own`, completed by the struct in the list that `_shape_of` returns. The function is passed only
/// for its type: the list is behind `impl Children`, and has no other name.
const fn completed<L: Children, F: Fn() -> L + Copy>(
    _shape_of: F,
    own: Own,
    remaining: usize,
) -> Own {
    if L::END || remaining == 0 {
        own
    } else {
        own.or(resolved::<L::Head>(remaining - 1))
    }
}

/// The table of `T`.
#[must_use]
pub const fn table<T: Embed>() -> Table {
    match resolved::<T>(MAX_CHAIN).table {
        Some(table) => table,
        // A circle, which `chain` reports.
        None => Table {
            schema: "",
            name: "",
        },
    }
}

/// The filter of `T`.
#[must_use]
pub const fn filter<T: Embed>() -> Option<&'static str> {
    resolved::<T>(MAX_CHAIN).filter
}

/// The key of `T`.
#[must_use]
pub const fn key<T: Embed>() -> Option<Key> {
    resolved::<T>(MAX_CHAIN).key
}
