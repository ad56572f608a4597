//! The callbacks of a rebuild.

use std::pin::Pin;

use crate::schema::Table;
use crate::sync::full::progress::Progress;

/// A closure that is called after each chunk, with the view table.
pub(super) type OnRebuildProgress<'a> = Box<dyn FnMut(Table, &Progress) + Send + 'a>;

/// A future that stops a rebuild when it is ready. `None` after that, or if there is none.
pub(super) type Until<'a> = Option<Pin<Box<dyn Future<Output = ()> + Send + 'a>>>;
