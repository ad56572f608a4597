//! The isolation level of a mutation.

/// The isolation level of a mutation.
///
/// REPEATABLE READ is not available: with a snapshot that is older than the changes of concurrent
/// transactions, a sync would silently overwrite them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// Each statement sees what is committed when it begins.
    #[default]
    ReadCommitted,
    /// The result is one that transactions could have had one after another. Otherwise the mutation
    /// fails with 40001 and has to be run again:
    /// [`ReadModel::mutate`](crate::ReadModel::mutate) does that.
    Serializable,
}
