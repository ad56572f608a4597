//! `TView`: reading the documents of a view, by key or as a list.

use std::future::Future;

use serde_json::value::RawValue;

use crate::error::Result;
use crate::read::conditional::{self, FoundUnless, IfNoneMatch};
use crate::read::find;
use crate::read::list::List;
use crate::read::scope::Scope;
use crate::read::scoped::Scoped;
use crate::read::target::ReadTarget;
use crate::schema::View;
use crate::schema::key::Key;
use crate::sql::Statements;
use crate::view::{Tenancy as _, ViewDef, WithTenant};

/// A struct whose documents are stored in a view table.
///
/// Derive it. The attributes are described at [the derive](derive@crate::TView), with an example
/// of each in [the reference](crate::guide::attributes).
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
/// // As it is stored, without parsing.
/// let json = Post::find_json(&pool, 7).await?.unwrap();
/// assert_eq!(json.get(), r#"{"id": 7, "title": "Notes"}"#);
///
/// // In the order of the keys; keys without a document are skipped.
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

    /// Reads the document of `key`, or `None` if there is none.
    ///
    /// It is one lookup by key. A stale document, which an older or a newer release of the
    /// application wrote, is built from the base tables by a second statement; see
    /// [`guide::evolution`](crate::guide::evolution).
    ///
    /// # Errors
    /// If the query fails, or the stored document cannot be deserialized as the struct.
    /// [`Error::Invalid`](crate::Error::Invalid) if the document is stale and cannot be built.
    fn find(
        target: impl ReadTarget,
        key: Self::Key,
    ) -> impl Future<Output = Result<Option<Self>>> + Send {
        const { names_no_tenant::<Self>() };
        find::find(target, Self::handle(), Scope::Whole, key)
    }

    /// Reads the document of `key` as JSON, without parsing it. A stale document is built, as by
    /// [`find`](Self::find).
    ///
    /// # Errors
    /// As [`find`](Self::find).
    fn find_json(
        target: impl ReadTarget,
        key: Self::Key,
    ) -> impl Future<Output = Result<Option<Box<RawValue>>>> + Send {
        const { names_no_tenant::<Self>() };
        find::find_json(target, Self::handle(), Scope::Whole, key)
    }

    /// Reads the document of `key` as JSON, unless the client has it: for `ETag` and `304 Not Modified`.
    ///
    /// It is one statement. The row of a document that the client has is found, and its JSON, which may be
    /// large, is not read.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
    /// use fraiseql_runtime::read::{FoundUnless, IfNoneMatch};
    ///
    /// #[derive(TView)]
    /// pub struct Post {
    ///     pub id: i64,
    ///     pub title: String,
    /// }
    ///
    /// /// The status, the header `ETag` and the body of a response.
    /// async fn answer(
    ///     pool: &sqlx::PgPool,
    ///     id: i64,
    ///     if_none_match: Option<&str>,
    /// ) -> fraiseql_runtime::Result<(u16, Option<String>, String)> {
    ///     let held: IfNoneMatch = if_none_match.unwrap_or_default().parse().unwrap_or_default();
    ///     Ok(match Post::find_unless(pool, id, &held).await? {
    ///         FoundUnless::Missing => (404, None, String::new()),
    ///         FoundUnless::Unchanged(etag) => (304, Some(etag.to_string()), String::new()),
    ///         FoundUnless::Document { json, etag } => {
    ///             (200, etag.map(|etag| etag.to_string()), json.get().to_owned())
    ///         }
    ///     })
    /// }
    /// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL);
    /// #     INSERT INTO tb_post VALUES (7, 'Notes')", async |pool| {
    /// # migrate::<Post>(&pool).await;
    /// # sync_all_posts(&pool).await?;
    /// let (status, etag, body) = answer(&pool, 7, None).await?;
    /// assert_eq!((status, &*body), (200, r#"{"id": 7, "title": "Notes"}"#));
    ///
    /// let (status, ..) = answer(&pool, 7, etag.as_deref()).await?;
    /// assert_eq!(status, 304);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    /// As [`find`](Self::find).
    fn find_unless(
        target: impl ReadTarget,
        key: Self::Key,
        held: &IfNoneMatch,
    ) -> impl Future<Output = Result<FoundUnless>> + Send {
        const { names_no_tenant::<Self>() };
        conditional::find_unless(target, Self::handle(), Scope::Whole, key, held)
    }

    /// Reads the documents of `keys`, in the order of `keys`. Keys without a document are
    /// skipped.
    ///
    /// # Errors
    /// As [`find`](Self::find).
    fn find_many(
        target: impl ReadTarget,
        keys: &[Self::Key],
    ) -> impl Future<Output = Result<Vec<Self>>> + Send {
        const { names_no_tenant::<Self>() };
        find::find_many(target, Self::handle(), Scope::Whole, keys)
    }

    /// A list of all documents, which can be filtered, ordered and read page by page; see
    /// [`list`](mod@crate::read::list).
    fn list() -> List<Self> {
        const { names_no_tenant::<Self>() };
        List::of_view(Self::handle()).typed()
    }

    /// The documents of one tenant, of a view with `#[tview(tenant)]`.
    ///
    /// Such a view is read by this, or by [`across_tenants`](Self::across_tenants):
    /// [`find`](Self::find) and [`list`](Self::list) of it do not compile. A document of another tenant
    /// is as one that does not exist. See [`guide::tenants`](crate::guide::tenants).
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
    /// #[derive(TView)]
    /// pub struct Ticket {
    ///     pub id: i64,
    ///     #[tview(tenant)]
    ///     pub org_id: i64,
    ///     pub title: String,
    /// }
    /// # fn main() { on("CREATE TABLE tb_ticket (id int8 PRIMARY KEY, org_id int8 NOT NULL, title text NOT NULL);
    /// #     INSERT INTO tb_ticket VALUES (7, 1, 'Printer'), (8, 2, 'Phone')", async |pool| {
    /// # migrate::<Ticket>(&pool).await;
    /// # sync_all_tickets(&pool).await?;
    /// let ticket = Ticket::of(1).find(&pool, 7).await?.unwrap();
    /// assert_eq!(ticket.title, "Printer");
    /// assert!(Ticket::of(1).find(&pool, 8).await?.is_none()); // of another tenant
    ///
    /// let tickets: Vec<Ticket> = Ticket::of(2).list().fetch(&pool).await?;
    /// assert_eq!(tickets.len(), 1);
    /// # Ok(()) }) }
    /// ```
    ///
    /// Nor does generic code that reads the documents of all tenants compile for such a view:
    ///
    /// ```compile_fail,E0080
    /// # use fraiseql_runtime::TView;
    /// # #[derive(TView)]
    /// # pub struct Ticket { pub id: i64, #[tview(tenant)] pub org_id: i64 }
    /// async fn first<V: TView>(pool: &sqlx::PgPool, key: V::Key) -> Option<V> {
    ///     V::find(pool, key).await.ok()?
    /// }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # let pool = sqlx::PgPool::connect_lazy("postgres://").unwrap();
    /// let ticket: Option<Ticket> = first(&pool, 7).await;
    /// # }
    /// ```
    fn of(tenant: Self::Tenant) -> Scoped<Self>
    where
        Self: WithTenant,
    {
        Scoped::new(Scope::of(&tenant))
    }

    /// The documents of all tenants, of a view with `#[tview(tenant)]`: for jobs, reports and
    /// operators. Its name is easy to search for.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
    /// # #[derive(TView)]
    /// # pub struct Ticket { pub id: i64, #[tview(tenant)] pub org_id: i64, pub title: String }
    /// # fn main() { on("CREATE TABLE tb_ticket (id int8 PRIMARY KEY, org_id int8 NOT NULL, title text NOT NULL);
    /// #     INSERT INTO tb_ticket VALUES (7, 1, 'Printer'), (8, 2, 'Phone')", async |pool| {
    /// # migrate::<Ticket>(&pool).await;
    /// # sync_all_tickets(&pool).await?;
    /// let all: Vec<Ticket> = Ticket::across_tenants().list().fetch(&pool).await?;
    /// assert_eq!(all.len(), 2);
    /// # Ok(()) }) }
    /// ```
    fn across_tenants() -> Scoped<Self>
    where
        Self: WithTenant,
    {
        Scoped::new(Scope::AcrossTenants)
    }
}

/// Fails to compile for a view with a tenant. Called by its name, as in `Post::find`, the derive has
/// functions that fail earlier, and with a better message: this is for generic code.
const fn names_no_tenant<V: ViewDef>() {
    assert!(
        V::Tenant::IS_NONE,
        "this view has a tenant, and this reads the documents of all of them: `of(tenant)` reads \
         those of one tenant, `across_tenants()` those of all, for a job"
    );
}

#[diagnostic::do_not_recommend]
impl<V: ViewDef> TView for V {
    type Key = V::DocumentKey;
    const VIEW: &'static View = V::DEFINITION;

    fn statements() -> &'static Statements {
        V::composed()
    }
}
