//! The limits on the size of a filter, whose author may be a client.

use super::error::ListError;

/// The maximum depth of a filter.
const MAX_DEPTH: usize = 16;
/// The maximum number of nodes in a filter: comparisons, and the groups that they are in.
const MAX_NODES: usize = 250;

/// The number of levels that a filter may still have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Depth(usize);

impl Depth {
    pub(super) const MAX: Self = Self(MAX_DEPTH);
}

/// The nodes of a list's filters.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    count: usize,
}

impl Nodes {
    /// Counts a node that may have this many levels. Returns the number of levels of the nodes within it.
    pub(super) fn enter(&mut self, depth: Depth) -> Result<Depth, ListError> {
        self.count += 1;
        if self.count > MAX_NODES {
            return Err(ListError::TooLarge {
                what: "conditions in a filter",
                limit: MAX_NODES,
            });
        }
        let within = depth.0.checked_sub(1);
        within.map(Depth).ok_or(ListError::TooLarge {
            what: "levels in a filter",
            limit: MAX_DEPTH,
        })
    }
}
