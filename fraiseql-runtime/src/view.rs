//! The trait that `#[derive(TView)]` implements, and a view without its type. [`TView`](crate::TView)
//! adds the methods that read documents.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::schema::View;
use crate::schema::embed::Embed;
use crate::schema::key::{Key, Keys};
use crate::sql::Statements;

/// A struct whose documents are stored in a view table. `#[derive(TView)]` implements it.
///
/// Import [`TView`](crate::TView) instead: every such struct implements it, and it has these items
/// under shorter names.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a view",
    label = "needs #[derive(TView)]",
    note = "a struct with #[derive(Embed)] is a part of other documents, and has no view table \
            of its own"
)]
pub trait ViewDef: Embed + Serialize + DeserializeOwned + Send + Sync {
    /// The type of the keys of documents.
    type DocumentKey: Key;

    /// The constant table of the view.
    const DEFINITION: &'static View;

    /// The statements of the view, composed on first use.
    fn composed() -> &'static Statements;

    /// The view without its type, for code that works on any view.
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
    /// The constant table of the view.
    pub view: &'static View,
    pub(crate) statements: fn() -> &'static Statements,
    pub(crate) no_keys: fn() -> Keys,
}

impl Handle {
    /// The statements of the view.
    #[must_use]
    pub fn statements(self) -> &'static Statements {
        (self.statements)()
    }

    /// An empty list of keys of the view.
    pub(crate) fn no_keys(self) -> Keys {
        (self.no_keys)()
    }
}
