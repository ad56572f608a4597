//! What the mutations of one read model share.

use std::sync::Arc;

use crate::mutation::dependents::index::Index;
use crate::mutation::limits::Limits;
use crate::mutation::past::Spare;
use crate::sync::watch::Observers;

/// What the mutations of one read model share.
#[derive(Debug)]
pub(crate) struct Context {
    /// Who embeds what.
    pub(crate) index: Index,
    pub(crate) observers: Arc<Observers>,
    pub(crate) limits: Limits,
    pub(crate) spare: Spare,
}
