//! Subscription types of the schema.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;

use async_graphql::indexmap::IndexMap;
use async_graphql::registry::{MetaType, Registry};
use async_graphql::{Context, Response, SubscriptionType};
use futures_util::stream::Stream;

use crate::request::tenant::{RequestData, TenantSource};
use crate::resolve::live::fields::{definitions, names};
use crate::resolve::live::live_field::LiveField;
use crate::resolve::live::shared_reads::SharedReads;
use crate::resolve::views::arguments::DEFAULT_MAX_PAGE;
use crate::resolve::views::cache::ViewHints;
use crate::resolve::views::root_field::Reads;
use crate::resolve::views::view_set::{UntenantedViews, ViewSet, ViewsOfTenant};
use crate::schema::types;
use fraiseql_runtime::Key;
use fraiseql_runtime::feed::Feed;
use fraiseql_runtime::schema::Storage;

/// Root fields of subscriptions to the views of an application. A view `Post` has:
///
/// ```graphql
/// post(id: ID!): Post
/// posts(where: PostWhere, orderBy: [PostOrderBy!], limit: Int! = 20, offset: Int! = 0): [Post!]!
/// postChanged: PostChange!
///
/// type PostChange { kind: ChangeKind!, id: ID, document: Post }
/// enum ChangeKind { RESET, CHANGED, DELETED }
/// ```
///
/// `post` and `posts` are sent as they are when the subscription begins, and again whenever the fields that are selected
/// have changed. `postChanged` has an element for each document that changes; its first one is a `RESET`, which comes again
/// when changes may have been missed.
///
/// [`Subscription`] is a subscription type that has only these fields. To add fields of your own, merge them with
/// `#[derive(MergedSubscription)]`.
///
/// Documents are read on the pool of the [`Feed`], and so from the primary. The tenant is taken from the data of the request
/// again for each element: once the function returns an error, or another tenant, the subscription ends with an error.
pub struct Live<V> {
    feed: Feed,
    reads: Reads,
    shared: SharedReads,
    fields: HashMap<String, LiveField>,
    of: PhantomData<fn() -> V>,
}

/// A subscription type that consists of [`Live`] only. Its name in the schema is `Subscription`.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
/// use async_graphql::{EmptyMutation, Schema};
/// use fraiseql_graphql::{Prepared, Query, Subscription};
/// use futures_util::StreamExt as _;
///
/// #[derive(TView)]
/// pub struct Post { pub id: i64, pub title: String }
///
/// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL);
/// #     INSERT INTO tb_post VALUES (7, 'Notes')", async |pool| {
/// let blog = ReadModel::builder().view::<Post>().feed().build()?;
/// blog.migrate(&pool).await?;
/// # sync_all_posts(&pool).await?;
/// let feed = blog.feed(&pool).start().await?;
/// let subscription = Subscription::<(Post,)>::new(feed);
/// let schema = Schema::build(Query::<(Post,)>::new(pool.clone()), EmptyMutation, subscription)
///     .extension(Prepared::default())
///     .finish();
///
/// let mut titles = schema.execute_stream("subscription { post(id: 7) { title } }");
/// let first = titles.next().await.unwrap();
/// assert_eq!(serde_json::to_string(&first)?, r#"{"data":{"post":{"title":"Notes"}}}"#);
///
/// sqlx::query("UPDATE tb_post SET title = 'News'").execute(&pool).await?;
/// sync_post(&pool, &[7]).await?;
/// let second = titles.next().await.unwrap();
/// assert_eq!(serde_json::to_string(&second)?, r#"{"data":{"post":{"title":"News"}}}"#);
/// # Ok(()) }) }
/// ```
pub struct Subscription<V> {
    live: Live<V>,
}

impl<V: ViewSet> Live<V> {
    /// Creates root fields whose documents a feed tells of.
    ///
    /// Views with a tenant do not compile here: see [`scoped`](Self::scoped).
    ///
    /// # Panics
    /// If two views have root fields of the same name, or if a view has live storage or is a materialized view: the feed
    /// does not hear of changes of such documents.
    #[must_use]
    pub fn new(feed: Feed) -> Self
    where
        V: UntenantedViews,
    {
        Self::of_tenant(feed, None)
    }

    /// Creates root fields for the documents of one tenant, which a function takes from the data of the request; see
    /// [`Views::scoped`](crate::Views::scoped).
    ///
    /// # Panics
    /// As [`new`](Self::new).
    #[must_use]
    pub fn scoped<T: Key>(
        feed: Feed,
        tenant: impl Fn(&RequestData<'_>) -> async_graphql::Result<T> + Send + Sync + 'static,
    ) -> Self
    where
        V: ViewsOfTenant<T>,
    {
        Self::of_tenant(feed, Some(TenantSource::of_request(tenant)))
    }

    /// Creates root fields for the documents of all tenants, for a schema of operators.
    ///
    /// # Panics
    /// As [`new`](Self::new).
    #[must_use]
    pub fn across_tenants(feed: Feed) -> Self {
        Self::of_tenant(feed, Some(TenantSource::across()))
    }

    fn of_tenant(feed: Feed, tenant: Option<TenantSource>) -> Self {
        let mut fields = HashMap::new();
        for view in V::members() {
            let name = view.handle.view.shape.name;
            assert!(
                view.handle.view.storage == Storage::Table,
                "`{name}` cannot be in a subscription: its documents are not in a table, so nobody knows when they \
                 change; leave it out, or give it #[tview(storage = \"table\")]",
            );
            for (field, kind) in names(view.handle.view) {
                let other = fields.insert(field.clone(), LiveField { view, kind });
                assert!(
                    other.is_none(),
                    "two views have the root field `{field}`; give `{name}` another name with #[tview(entity = \"..\", \
                     plural = \"..\")]",
                );
            }
        }
        let reads = Reads {
            cache: ViewHints::default(),
            readers: feed.readers().clone(),
            max_page: DEFAULT_MAX_PAGE,
            tenant,
        };
        Self {
            feed,
            reads,
            shared: SharedReads::default(),
            fields,
            of: PhantomData,
        }
    }

    /// Sets the maximum number of documents of one list. 100 by default.
    #[must_use]
    pub fn max_page(mut self, documents: u32) -> Self {
        self.reads.max_page = documents;
        self
    }

    fn stream<'a>(
        &'a self,
        ctx: &'a Context<'_>,
    ) -> Option<Pin<Box<dyn Stream<Item = Response> + Send + 'a>>> {
        // A merged subscription asks each of its parts for a field.
        let field = self.fields.get(ctx.item.node.name.node.as_str())?;
        Some(field.stream(ctx, &self.feed, &self.reads, &self.shared))
    }
}

impl<V: ViewSet> Subscription<V> {
    /// Creates the subscription type, as [`Live::new`] does.
    ///
    /// # Panics
    /// As [`Live::new`].
    #[must_use]
    pub fn new(feed: Feed) -> Self
    where
        V: UntenantedViews,
    {
        Live::new(feed).into()
    }

    /// Creates the subscription type for views with a tenant, as [`Live::scoped`] does.
    ///
    /// # Panics
    /// As [`Live::new`].
    #[must_use]
    pub fn scoped<T: Key>(
        feed: Feed,
        tenant: impl Fn(&RequestData<'_>) -> async_graphql::Result<T> + Send + Sync + 'static,
    ) -> Self
    where
        V: ViewsOfTenant<T>,
    {
        Live::scoped(feed, tenant).into()
    }

    /// Creates the subscription type for operators, as [`Live::across_tenants`] does.
    ///
    /// # Panics
    /// As [`Live::new`].
    #[must_use]
    pub fn across_tenants(feed: Feed) -> Self {
        Live::across_tenants(feed).into()
    }
}

impl<V> From<Live<V>> for Subscription<V> {
    fn from(live: Live<V>) -> Self {
        Self { live }
    }
}

impl<V> fmt::Debug for Live<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names: Vec<_> = self.fields.keys().collect();
        names.sort();
        f.debug_struct("Live")
            .field("fields", &names)
            .field("feed", &self.feed)
            .finish_non_exhaustive()
    }
}

impl<V> fmt::Debug for Subscription<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("live", &self.live)
            .finish()
    }
}

impl<V: ViewSet> SubscriptionType for Subscription<V> {
    fn type_name() -> Cow<'static, str> {
        Cow::Borrowed("Subscription")
    }

    fn create_type_info(registry: &mut Registry) -> String {
        register::<Self, V>(registry)
    }

    fn create_field_stream<'a>(
        &'a self,
        ctx: &'a Context<'_>,
    ) -> Option<Pin<Box<dyn Stream<Item = Response> + Send + 'a>>> {
        self.live.stream(ctx)
    }
}

/// In a merged subscription, only the fields count, and the type itself is not in the schema. It still has to have a unique
/// name.
impl<V: ViewSet> SubscriptionType for Live<V> {
    fn type_name() -> Cow<'static, str> {
        let names: Vec<_> = V::members()
            .iter()
            .map(|member| member.handle.view.shape.type_name)
            .collect();
        Cow::Owned(format!("{}_Live", names.join("_")))
    }

    fn create_type_info(registry: &mut Registry) -> String {
        register::<Self, V>(registry)
    }

    fn create_field_stream<'a>(
        &'a self,
        ctx: &'a Context<'_>,
    ) -> Option<Pin<Box<dyn Stream<Item = Response> + Send + 'a>>> {
        self.stream(ctx)
    }
}

fn register<T: SubscriptionType, V: ViewSet>(registry: &mut Registry) -> String {
    registry.create_subscription_type::<T, _>(|registry| {
        let fields: IndexMap<_, _> = V::members()
            .iter()
            .flat_map(|member| definitions(registry, *member))
            .map(|field| (field.name.clone(), field))
            .collect();
        let name = T::type_name();
        let mut object = types::meta_object(&name, std::any::type_name::<T>(), None, fields);
        if let MetaType::Object {
            is_subscription, ..
        } = &mut object
        {
            *is_subscription = true;
        }
        object
    })
}
