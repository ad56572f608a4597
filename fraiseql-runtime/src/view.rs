//! The traits behind the derives: what a part is, what a view is, and what can hold them.

use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::cycle::{Children, End};
use crate::error::Result;
use crate::key::{Key, Keys};
use crate::list::List;
use crate::read::{self, target::ReadTarget};
use crate::schema::{Shape, View};
use crate::shape_of::Own;
use crate::sql::Statements;

/// A struct that is (part of) a document: the shape of a base table's row.
///
/// Derive it for parts; `#[derive(TView)]` implements it too, so that a view can be a part
/// of another view's documents.
///
/// ```
/// use fraiseql_runtime::Embed;
///
/// #[derive(Embed)]
/// #[tview(table = "tb_user")]
/// pub struct Author {
///     pub id: uuid::Uuid,
///     pub full_name: String,
/// }
/// # fn main() {
/// assert_eq!(Author::shape().fields[1].json, "fullName");
/// # }
/// ```
///
/// A part may be some fields of another struct. It has that struct's table, key and row
/// filter, and the compiler proves that its fields are that struct's:
///
/// ```
/// use fraiseql_runtime::{Embed, TView};
///
/// #[derive(TView)]
/// #[tview(table = "app.tb_user", filter = "deleted_at IS NULL")]
/// pub struct User {
///     pub id: uuid::Uuid,
///     #[tview(column = "full_name")]
///     pub name: String,
///     pub email: Option<String>,
/// }
///
/// #[derive(Embed)]
/// #[tview(shape_of = User)]
/// pub struct Author {
///     #[tview(column = "full_name")]
///     pub name: String,
/// }
/// # fn main() {
/// assert_eq!(Author::shape().table, User::shape().table);
/// assert_eq!(Author::shape().filter, Some("deleted_at IS NULL"));
/// # }
/// ```
///
/// A name that `User` does not have is an error at the field: `` `nmae` is not a field of
/// `User`; did you mean `name`? Its fields are id, name, email``.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a part of a document",
    label = "needs #[derive(Embed)] or #[derive(TView)]",
    note = "one(..) goes on a field of type T or Option<T>, many(..) on Vec<T>, where T has \
            #[derive(Embed)] or #[derive(TView)], and may be in a Box or an Arc"
)]
pub trait Embed: Sized + 'static {
    /// The constant table of the struct.
    const SHAPE: &'static Shape;

    /// The type of the key field, or what stands for it; see [`Keyed`](crate::Keyed).
    #[doc(hidden)]
    type KeyField;

    /// The children as types. Behind `impl`, so that a public struct may have private parts.
    #[doc(hidden)]
    fn children() -> impl Children;

    /// What is written on the struct itself, without what `shape_of` adds.
    #[doc(hidden)]
    const OWN: Own = Own::of(Self::SHAPE);

    /// The struct that `shape_of` names, as a list of one or none.
    #[doc(hidden)]
    fn shape_of() -> impl Children {
        End
    }

    /// [`SHAPE`](Self::SHAPE), as a function that other tables can point to.
    #[must_use]
    fn shape() -> &'static Shape {
        Self::SHAPE
    }
}

/// What is in a pointer is as good as what is beside it.
macro_rules! pointers {
    ($($pointer:ident)*) => {$(
        impl<T: Embed> Embed for $pointer<T> {
            const SHAPE: &'static Shape = T::SHAPE;

            type KeyField = T::KeyField;

            fn children() -> impl Children {
                T::children()
            }

            const OWN: Own = T::OWN;

            fn shape_of() -> impl Children {
                T::shape_of()
            }
        }
    )*};
}

// A view with an `Rc` is refused, because it is not `Send`: that is all that should be said.
pointers!(Box Arc Rc);

/// A type of a `one(..)` field: a part, or an `Option` of one.
// The words are those of `Embed`: the compiler names either for one mistake, and says what is
// the same only once.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a part of a document",
    label = "needs #[derive(Embed)] or #[derive(TView)]",
    note = "one(..) goes on a field of type T or Option<T>, many(..) on Vec<T>, where T has \
            #[derive(Embed)] or #[derive(TView)], and may be in a Box or an Arc"
)]
pub trait OneField {
    /// The part.
    type Part: Embed;
    /// Whether the field can be null.
    const NULLABLE: bool;
}

impl<T: Embed> OneField for T {
    type Part = T;
    const NULLABLE: bool = false;
}

impl<T: Embed> OneField for Option<T> {
    type Part = T;
    const NULLABLE: bool = true;
}

/// A type of a `many(..)` field: a list of parts.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a #[tview(many(..))] field",
    label = "must be Vec<T>, Box<[T]> or Arc<[T]>, where T has #[derive(Embed)] or #[derive(TView)]",
    note = "a list is never null: without rows it is empty, so Option<Vec<T>> is not needed"
)]
pub trait ManyField {
    /// The part.
    type Part: Embed;
}

impl<T: Embed> ManyField for Vec<T> {
    type Part = T;
}

impl<T: Embed> ManyField for Box<[T]> {
    type Part = T;
}

impl<T: Embed> ManyField for Arc<[T]> {
    type Part = T;
}

/// A struct whose documents are stored in a view table.
///
/// Derive it; the attributes are described at [the derive](derive@crate::TView), and shown at
/// work in [the reference](crate::guide::attributes).
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
/// #[derive(TView)]
/// pub struct Post {
///     pub id: i64,
///     pub title: String,
/// }
/// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL);
/// #     INSERT INTO tb_post VALUES (7, 'Notes'), (8, 'More')", async |pool| {
/// # migrate::<Post>(&pool).await;
/// # sync_all_posts(&pool).await?;
/// let post: Option<Post> = Post::find(&pool, 7).await?;
/// assert_eq!(post.unwrap().title, "Notes");
///
/// // As it is stored, to be sent on: nothing is parsed.
/// let json = Post::find_json(&pool, 7).await?.unwrap();
/// assert_eq!(json.get(), r#"{"id": 7, "title": "Notes"}"#);
///
/// // In the order of the keys; those without a document are left out.
/// let posts = Post::find_many(&pool, &[8, 9, 7]).await?;
/// assert_eq!(posts.iter().map(|post| post.id).collect::<Vec<_>>(), [8, 7]);
/// # Ok(()) }) }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a view",
    label = "needs #[derive(TView)]",
    note = "a struct with #[derive(Embed)] is a part of other documents, and has no view table \
            of its own"
)]
pub trait TView: Embed + Serialize + DeserializeOwned + Send + Sync {
    /// The type of the documents' keys.
    type Key: Key;

    /// The constant table of the view.
    const VIEW: &'static View;

    /// The view's statements, composed on first use.
    fn statements() -> &'static Statements;

    /// The view without its type, for what works on any of them.
    #[doc(hidden)]
    fn handle() -> Handle {
        Handle {
            view: Self::VIEW,
            statements: Self::statements,
            no_keys: || Keys::of::<Self::Key>(&[]),
        }
    }

    /// Reads the document of `key`; `None` where there is none.
    ///
    /// It is one lookup by key. A document that is stored in another shape than the struct's,
    /// because an older or a newer release of the application wrote it, is built from the base
    /// tables instead, by a second statement; see [`guide::evolution`](crate::guide::evolution).
    ///
    /// # Errors
    /// When the database cannot be asked, or what is stored does not fit the struct.
    /// [`Error::Invalid`](crate::Error::Invalid) where the document had to be built, and cannot
    /// be.
    fn find(
        target: impl ReadTarget,
        key: Self::Key,
    ) -> impl Future<Output = Result<Option<Self>>> + Send {
        read::find(target, Self::handle(), key)
    }

    /// Reads the document of `key` as the JSON that is stored, without parsing it; or that is
    /// built, as in [`find`](Self::find).
    ///
    /// # Errors
    /// As [`find`](Self::find).
    fn find_json(
        target: impl ReadTarget,
        key: Self::Key,
    ) -> impl Future<Output = Result<Option<Box<RawValue>>>> + Send {
        read::find_json(target, Self::handle(), key)
    }

    /// Reads the documents of `keys`, in the order of `keys`. Keys without a document are
    /// left out.
    ///
    /// # Errors
    /// As [`find`](Self::find).
    fn find_many(
        target: impl ReadTarget,
        keys: &[Self::Key],
    ) -> impl Future<Output = Result<Vec<Self>>> + Send {
        read::find_many(target, Self::handle(), keys)
    }

    /// All documents, to be filtered, ordered and read page by page; see
    /// [`list`](mod@crate::list).
    fn list() -> List {
        List::of::<Self>()
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
