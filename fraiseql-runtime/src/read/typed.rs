//! Reading documents as their struct.

use std::future::Future;

use serde_json::value::RawValue;

use crate::error::Result;
use crate::read::list::List;
use crate::read::{self, target::ReadTarget};
use crate::schema::View;
use crate::schema::key::Key;
use crate::sql::Statements;
use crate::view::ViewDef;

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
pub trait TView: ViewDef<DocumentKey = <Self as TView>::Key> {
    /// The type of the documents' keys.
    type Key: Key;

    /// The constant table of the view.
    const VIEW: &'static View;

    /// The view's statements, composed on first use.
    fn statements() -> &'static Statements;

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
    /// [`list`](mod@crate::read::list).
    fn list() -> List {
        List::of::<Self>()
    }
}

#[diagnostic::do_not_recommend]
impl<V: ViewDef> TView for V {
    type Key = V::DocumentKey;
    const VIEW: &'static View = V::DEFINITION;

    fn statements() -> &'static Statements {
        V::composed()
    }
}
