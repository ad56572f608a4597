//! `Capture`: who says which rows were changed.

/// Who says which rows of base tables were changed: code, or triggers of these tables.
///
/// | | `Off` | `Queue` | `AtCommit` |
/// |---|---|---|---|
/// | a [`Mutation`](crate::Mutation) | marks by code, right with its commit | no marks, right with its commit | the same |
/// | `sync_*` by code | right when it returns | the same | the same |
/// | psql, other programs, functions, triggers of the user, foreign keys | stale | right once a worker has synced them | right with their commit |
///
/// The triggers are created by [`migrate`](crate::ReadModel::migrate). They write to the table `fraiseql_change`
/// what each statement has changed, in the transaction of the statement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Capture {
    /// Code marks changed rows, or calls `sync_*`. There are no triggers.
    #[default]
    Off,
    /// Triggers write changes. A mutation takes its own, and a worker those of everybody else.
    Queue,
    /// Triggers write changes, and every transaction syncs the documents of its changes when it commits. What cannot
    /// be synced then is left to a worker.
    AtCommit,
}

impl Capture {
    /// Whether triggers write changes.
    pub(crate) const fn is_on(self) -> bool {
        !matches!(self, Self::Off)
    }
}
