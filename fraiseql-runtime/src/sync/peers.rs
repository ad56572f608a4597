//! The transactions that work on one full sync together.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

/// The number by which the transactions of one full sync know each other, if its keys are divided
/// among several connections.
///
/// A guarded statement that skips an equal document usually has to find out whether another
/// transaction is about to replace it. Peers never write the same document, so a peer that is
/// writing does not count.
///
/// Each transaction shows the number by an advisory lock, which ends with it. The process id of a
/// backend would not do: behind a pooler, the next transaction of the same backend may be anybody's.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PeerGroup(Option<i32>);

impl PeerGroup {
    /// A group with a random number.
    pub(super) fn new() -> Self {
        // The keys of a hash map are the only random numbers of the standard library.
        let random = RandomState::new().build_hasher().finish();
        let [a, b, c, d, ..] = random.to_be_bytes();
        // An `oid` in `pg_locks` has no sign.
        Self(Some(i32::from_be_bytes([a & 0x7f, b, c, d])))
    }

    /// The number; `None` if a full sync has one connection.
    pub(super) fn number(self) -> Option<i32> {
        self.0
    }
}
