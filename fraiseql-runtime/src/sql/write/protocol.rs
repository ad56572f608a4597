//! The two protocols by which a batch is written.

/// How a write statement avoids replacing a newer document: [`write`](crate::sql::write) says why
/// each is enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WriteProtocol {
    /// The *guarded statement*. It locks nothing beforehand, and replaces a document only if its
    /// snapshot sees the transaction that wrote it. `$2` is an array of backend process ids, `int4[]`:
    /// the other connections of the same full sync, which write other documents. It is empty
    /// otherwise. `$3` is whether the statement looks for transactions that have synced and are
    /// still open.
    Guarded,
    /// The *locked statement*. This transaction has locked the documents beforehand, so its
    /// snapshot is newer than the locks. `$2` is the array of their keys.
    Locked,
}
