//! The advisory lock under which one session rebuilds a view.

use crate::schema::View;
use crate::sql::hash::fnv1a;
use crate::sql::shape;

/// The advisory lock of a view.
pub(super) struct ViewLock {
    /// The key, as a literal.
    pub(super) key: String,
    /// The upper half of the key, as it is in `pg_locks`.
    pub(super) high: u64,
    /// The lower half.
    pub(super) low: u64,
}

/// The lock has the same key for every shape, so that two releases do not rebuild a view to two
/// shapes at once.
pub(super) fn view_lock(view: &View) -> ViewLock {
    let number = fnv1a(&format!("fraiseql rebuild {}", view.table));
    ViewLock {
        key: shape::literal(i64::from_be_bytes(number.to_be_bytes())),
        high: number >> 32,
        low: number & 0xffff_ffff,
    }
}
