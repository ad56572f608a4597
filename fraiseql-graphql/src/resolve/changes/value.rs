//! `TvChanges`: the documents that a mutation has changed.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use async_graphql::parser::types::Field;
use async_graphql::registry::{MetaTypeId, Registry};
use async_graphql::resolver_utils::resolve_container;
use async_graphql::{
    ContainerType, Context, ContextSelectionSet, ObjectType, OutputType, Positioned, ServerResult,
    Value,
};
use fraiseql_runtime::__graphql::Scope;
use fraiseql_runtime::schema::Table;
use fraiseql_runtime::{Key, MutationReport, Readers, WalPosition};
use futures_util::future::join_all;

use crate::request::position;
use crate::resolve::changes::fields::{
    DELETED, DeletedDocument, INCOMPLETE, IncompleteChanges, IncompleteReason, definitions,
};
use crate::resolve::changes::of_view::{Source, ViewChanges};
use crate::resolve::views::view_set::{UntenantedViews, ViewMember, ViewSet, ViewsOfTenant};
use crate::schema::types;
use crate::spec::field_order::in_order;

/// The default number of documents of each view.
const DEFAULT_MAX: usize = 100;

/// The documents that a mutation has changed, as the value of a resolver: a client updates its cache from
/// the response, whichever documents the changed rows are in.
///
/// The type has a list for each view, and the documents that were deleted:
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
/// use async_graphql::{EmptySubscription, Object, Schema};
/// use fraiseql_graphql::{Prepared, Query, TvChanges};
///
/// #[derive(TView)]
/// pub struct Post { pub id: i32, pub title: String, #[tview(one(fk = "author_id"))] pub author: User }
///
/// #[derive(TView)]
/// pub struct User { pub id: i32, pub name: String }
///
/// struct Mutation { blog: ReadModel, pool: PgPool }
///
/// #[Object]
/// impl Mutation {
///     async fn rename(&self, id: i32, name: String) -> async_graphql::Result<TvChanges<(Post, User)>> {
///         let mut m = self.blog.mutation(&self.pool).await?;
///         let sql = "UPDATE tb_user SET name = $2 WHERE id = $1";
///         sqlx::query(sql).bind(id).bind(name).execute(&mut *m).await?;
///         m.changed::<User>(&[id]);
///         Ok(TvChanges::new(m.commit().await?, self.pool.clone()))
///     }
/// }
///
/// # fn main() { on("CREATE TABLE tb_user (id int4 PRIMARY KEY, name text NOT NULL);
/// #     CREATE TABLE tb_post (id int4 PRIMARY KEY, title text NOT NULL, author_id int4 NOT NULL);
/// #     CREATE INDEX ON tb_post (author_id);
/// #     INSERT INTO tb_user VALUES (1, 'Ada'); INSERT INTO tb_post VALUES (7, 'Notes', 1)", async |pool| {
/// # let blog = ReadModel::builder().view::<Post>().view::<User>().build()?;
/// # blog.migrate(&pool).await?;
/// # blog.sync_all(&pool).await?;
/// let query = Query::<(Post, User)>::new(pool.clone());
/// let schema = Schema::build(query, Mutation { blog, pool }, EmptySubscription)
///     .extension(Prepared::default())
///     .finish();
///
/// let response = schema
///     .execute(
///         r#"mutation { rename(id: 1, name: "Grace") {
///             posts { id author { name } } users { id name } deleted { type key }
///         } }"#,
///     )
///     .await;
/// assert_eq!(
///     serde_json::to_string(&response)?,
///     r#"{"data":{"rename":{"posts":[{"id":7,"author":{"name":"Grace"}}],"users":[{"id":1,"name":"Grace"}],"deleted":[]}}}"#
/// );
/// # Ok(()) }) }
/// ```
///
/// In the schema it is, with the name of its views in the name:
///
/// ```graphql
/// type PostUserChanges {
///   posts: [Post!]
///   users: [User!]
///   deleted: [DeletedDocument!]
///   incomplete: [IncompleteChanges!]!
/// }
/// type DeletedDocument { type: String!, deletedId: ID, key: JSON! }
/// type IncompleteChanges { type: String!, reason: IncompleteReason! }
/// enum IncompleteReason { TRUNCATED, LATER, DEFERRED, DELETED }
/// ```
///
/// - **Documents** are read when they are selected: by one statement for each view in which the mutation
///   has changed something, and by none for others. They are as the statement finds them, and in the order
///   of their keys. Beside a changed document of a view there may be others that the mutation has found
///   to be equal.
/// - **Deleted documents** are named by their type and key, as a client's cache knows them. `deletedId` is the
///   global id, or a key of one field. A key that had no document may be among them.
/// - **[`max_documents`](Self::max_documents)** bounds the documents of each view.
/// - **`incomplete`** has the types of which there is more: `TRUNCATED` if there were more documents,
///   `LATER` if documents were [left to a worker](MutationReport::left), `DEFERRED` if they need a
///   [full sync](MutationReport::deferred), and `DELETED` if documents of [a tenant](Self::scoped) may have
///   been deleted.
/// - A read that fails makes its field null, with an error beside it: the mutation is committed
///   nevertheless.
/// - Reads on [`Replicas`](fraiseql_runtime::Replicas) see the mutation, if its report has a
///   [position](MutationReport::position).
pub struct TvChanges<V> {
    /// Of each view that was changed, by its position in the set.
    views: Vec<(usize, ViewChanges)>,
    incomplete: Vec<(Table, IncompleteReason)>,
    position: Option<WalPosition>,
    readers: Readers,
    max: usize,
    of: PhantomData<fn() -> V>,
}

impl<V: ViewSet> TvChanges<V> {
    /// What a mutation has changed, read with these readers.
    ///
    /// Views with a tenant do not compile here: see [`scoped`](Self::scoped).
    #[must_use]
    pub fn new(report: MutationReport, readers: impl Into<Readers>) -> Self
    where
        V: UntenantedViews,
    {
        Self::in_scope(report, readers.into(), &Scope::Whole)
    }

    /// What a mutation has changed in the documents of one tenant. Those of other tenants are not shown,
    /// whoever has changed them. Views without a tenant are read as by [`new`](Self::new).
    ///
    /// A deleted document is shown if its key has the tenant. If the tenant is in another field, nobody
    /// knows any more whose document it was: then `incomplete` has the type, with the reason `DELETED`.
    ///
    /// ```
    /// use async_graphql::Context;
    /// use fraiseql_graphql::TvChanges;
    /// use fraiseql_runtime::{MutationReport, TView};
    ///
    /// #[derive(TView)]
    /// struct Ticket { id: i32, #[tview(tenant)] org_id: i32 }
    ///
    /// struct Session { org: i32 }
    ///
    /// fn changes(
    ///     ctx: &Context<'_>,
    ///     report: MutationReport,
    ///     pool: sqlx::PgPool,
    /// ) -> async_graphql::Result<TvChanges<(Ticket,)>> {
    ///     let session = ctx.data::<Session>()?;
    ///     Ok(TvChanges::scoped(report, pool, &session.org))
    /// }
    /// # fn main() {}
    /// ```
    #[must_use]
    pub fn scoped<T: Key>(report: MutationReport, readers: impl Into<Readers>, tenant: &T) -> Self
    where
        V: ViewsOfTenant<T>,
    {
        Self::in_scope(report, readers.into(), &Scope::of(tenant))
    }

    /// What a mutation has changed in the documents of all tenants, for a schema of operators.
    #[must_use]
    pub fn across_tenants(report: MutationReport, readers: impl Into<Readers>) -> Self {
        Self::in_scope(report, readers.into(), &Scope::AcrossTenants)
    }

    fn in_scope(report: MutationReport, readers: Readers, scope: &Scope) -> Self {
        let position = report.position();
        let later = report.left.iter().map(|left| left.view);
        let later = later.map(|table| (table, IncompleteReason::Later));
        let deferred = report.deferred.iter().map(|deferred| deferred.view);
        let deferred = deferred.map(|table| (table, IncompleteReason::Deferred));
        let incomplete = later.chain(deferred).collect();
        let members = V::members();
        let changed = report.views.into_iter();
        let changed = changed.filter(|changed| changed.report.changed() > 0);
        let views = changed.filter_map(|changed| {
            let place = members
                .iter()
                .position(|it| it.handle.is_of(changed.view))?;
            let member = members[place];
            let scope = match member.handle.view.tenant {
                Some(_) => scope.clone(),
                None => Scope::Whole,
            };
            let deleted = changed.report.deleted;
            Some((
                place,
                ViewChanges::new(member, scope, changed.keys, deleted),
            ))
        });
        Self {
            views: views.collect(),
            incomplete,
            position,
            readers,
            max: DEFAULT_MAX,
            of: PhantomData,
        }
    }

    /// Sets the maximum number of documents of each view, deleted ones included. 100 by default. Of a view
    /// with more, the first ones are shown, and `incomplete` has its type.
    #[must_use]
    pub const fn max_documents(mut self, documents: u32) -> Self {
        self.max = documents as usize;
        self
    }

    /// The readers, for documents that the mutation has written.
    fn current_readers(&self, ctx: &Context<'_>) -> Readers {
        let seen = position::at_least(ctx);
        let position = match self.position {
            Some(position) => Some(position.or_later(seen)),
            None => seen,
        };
        self.readers.at_least(position)
    }

    async fn deleted(
        &self,
        ctx: &Context<'_>,
        source: Source<'_>,
    ) -> ServerResult<Vec<DeletedDocument>> {
        let views = self.views.iter();
        let deleted = views.map(|(_, view)| view.deleted(ctx, source));
        let mut documents = Vec::new();
        for of_view in join_all(deleted).await {
            documents.extend(of_view?);
        }
        Ok(documents)
    }

    fn incomplete(&self, members: &[ViewMember]) -> Vec<IncompleteChanges> {
        let known = self.incomplete.iter().filter_map(|(table, reason)| {
            let member = members.iter().find(|it| it.handle.is_of(*table))?;
            Some((member.handle.view, *reason))
        });
        let found = self.views.iter().flat_map(|(_, changes)| {
            let reasons = [
                (changes.is_truncated(self.max), IncompleteReason::Truncated),
                (changes.hides_deleted(), IncompleteReason::Deleted),
            ];
            let reasons = reasons.into_iter().filter(|(applies, _)| *applies);
            reasons.map(|(_, reason)| (changes.view(), reason))
        });
        let all = known.chain(found);
        all.map(|(view, reason)| IncompleteChanges {
            type_name: view.shape.type_name,
            reason,
        })
        .collect()
    }
}

impl<V> fmt::Debug for TvChanges<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let changed = self.views.iter();
        let changed: Vec<_> = changed.map(|(_, it)| it.view().shape.type_name).collect();
        f.debug_struct("TvChanges")
            .field("changed", &changed)
            .field("max_documents", &self.max)
            .finish_non_exhaustive()
    }
}

impl<V: ViewSet> OutputType for TvChanges<V> {
    fn type_name() -> Cow<'static, str> {
        let members = V::members();
        let names = members.iter().map(|it| it.handle.view.shape.type_name);
        Cow::Owned(format!("{}Changes", names.collect::<String>()))
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<Self, _>(MetaTypeId::Object, |registry| {
            let fields = definitions(registry, &V::members());
            let docs = Some("The documents that a mutation has changed.");
            let id = std::any::type_name::<Self>();
            types::meta_object(&Self::type_name(), id, docs, fields)
        })
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        _field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        let object = resolve_container(ctx, self).await?;
        Ok(in_order(ctx, object))
    }
}

impl<V: ViewSet> ObjectType for TvChanges<V> {}

impl<V: ViewSet> ContainerType for TvChanges<V> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        let name = ctx.item.node.name.node.as_str();
        let members = V::members();
        let readers = self.current_readers(ctx);
        let source = Source {
            readers: &readers,
            max: self.max,
        };
        let inner = ctx.with_selection_set(&ctx.item.node.selection_set);
        let value = match name {
            INCOMPLETE => {
                let incomplete = self.incomplete(&members);
                return incomplete.resolve(&inner, ctx.item).await.map(Some);
            }
            DELETED => match self.deleted(ctx, source).await {
                Ok(deleted) => deleted.resolve(&inner, ctx.item).await,
                Err(error) => Err(error),
            },
            name => {
                let is_it = |it: &ViewMember| it.handle.view.list_field == name;
                let Some(place) = members.iter().position(is_it) else {
                    return Ok(None);
                };
                match self.views.iter().find(|(of, _)| *of == place) {
                    Some((_, changes)) => changes.documents(ctx, source).await,
                    None => Ok(Value::List(Vec::new())),
                }
            }
        };
        // The mutation is committed: what cannot be read is null, and the rest of the response stays.
        Ok(Some(value.unwrap_or_else(|error| {
            let located = match error.path.as_slice() {
                [] => ctx.set_error_path(error),
                _ => error,
            };
            ctx.add_error(located);
            Value::Null
        })))
    }
}
