//! State that the mutations of one read model share.

use std::sync::Arc;

use crate::mutation::committed_reader::SpareSlot;
use crate::mutation::dependents::index::DependencyIndex;
use crate::mutation::limits::Limits;
use crate::sync::watch::Observers;

/// State that the mutations of one read model share.
#[derive(Debug)]
pub(crate) struct MutationContext {
    /// The paths from base tables to documents.
    pub(crate) index: DependencyIndex,
    pub(crate) observers: Arc<Observers>,
    /// The limits of a mutation that sets none.
    pub(crate) limits: Limits,
    pub(crate) spare: SpareSlot,
}
