//! The position before which nothing is pending, and the transactions that may have changes before it
//! nevertheless.

use crate::db::snapshot::Snapshot;

/// Where a worker reads on. Before it, only transactions in `late` can have changes: a change carries the xid of
/// the transaction that writes it, and all others had ended when they were read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) xid: u64,
    pub(super) id: i64,
    /// Transactions before `xid` that were open, or had changes, when they were last looked at.
    pub(super) late: Vec<u64>,
}

impl Position {
    /// Moves to the first change that a look from here has found, or to the end of its snapshot if it has
    /// found none. `late` are those of the late transactions that had changes.
    pub(super) fn advance(
        &mut self,
        first: Option<(u64, i64)>,
        late: Vec<u64>,
        snapshot: &Snapshot,
    ) {
        let (xid, id) = first.unwrap_or((snapshot.end, 0));
        (self.xid, self.id) = (xid, id);
        let open = snapshot.open.iter().copied();
        self.late = late
            .into_iter()
            .chain(open.filter(|open| *open < xid))
            .collect();
        self.late.sort_unstable();
        self.late.dedup();
    }

    /// The late transactions, as texts.
    pub(super) fn late_texts(&self) -> Vec<String> {
        self.late.iter().map(ToString::to_string).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Position;
    use crate::db::snapshot::Snapshot;

    fn snapshot(text: &str) -> Snapshot {
        Snapshot::parse(text).expect("a snapshot")
    }

    #[test]
    fn open_transactions_are_remembered_until_they_have_ended_and_are_drained() {
        let mut position = Position::default();
        position.advance(Some((12, 7)), vec![], &snapshot("10:20:10,14"));
        // 14 comes later anyway.
        assert_eq!(
            (position.xid, position.id, &*position.late),
            (12, 7, &[10][..])
        );
        position.advance(None, vec![], &snapshot("10:30:10,14"));
        assert_eq!((position.xid, &*position.late), (30, &[10, 14][..]));
        // 10 has committed with changes, 14 has rolled back.
        position.advance(None, vec![10], &snapshot("31:31:"));
        assert_eq!(position.late, [10]);
        position.advance(None, vec![], &snapshot("31:31:"));
        assert_eq!((position.xid, &*position.late), (31, &[][..]));
    }
}
