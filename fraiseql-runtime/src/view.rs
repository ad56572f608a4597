//! The trait behind `#[derive(TView)]`, without what reads documents: [`TView`](crate::TView) adds
//! that in a higher room.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::schema::View;
use crate::schema::embed::Embed;
use crate::schema::key::{Key, Keys};
use crate::sql::Statements;

/// What `#[derive(TView)]` implements: a struct whose documents are stored in a view table.
///
/// Users import [`TView`](crate::TView), which every such struct is, and which has these items by
/// shorter names.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a view",
    label = "needs #[derive(TView)]",
    note = "a struct with #[derive(Embed)] is a part of other documents, and has no view table \
            of its own"
)]
pub trait ViewDef: Embed + Serialize + DeserializeOwned + Send + Sync {
    /// The type of the documents' keys.
    type DocumentKey: Key;

    /// The constant table of the view.
    const DEFINITION: &'static View;

    /// The view's statements, composed on first use.
    fn composed() -> &'static Statements;

    /// The view without its type, for what works on any of them.
    #[doc(hidden)]
    fn handle() -> Handle {
        Handle {
            view: Self::DEFINITION,
            statements: Self::composed,
            no_keys: || Keys::of::<Self::DocumentKey>(&[]),
        }
    }
}

/// A view without its type.
#[derive(Clone, Copy, Debug)]
pub struct Handle {
    /// Its constant table.
    pub view: &'static View,
    pub(crate) statements: fn() -> &'static Statements,
    pub(crate) no_keys: fn() -> Keys,
}

impl Handle {
    /// The view's statements.
    #[must_use]
    pub fn statements(self) -> &'static Statements {
        (self.statements)()
    }

    pub(crate) fn no_keys(self) -> Keys {
        (self.no_keys)()
    }
}
