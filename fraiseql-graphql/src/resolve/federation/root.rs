//! `Federated`: root fields whose views are entities.

use std::borrow::Cow;
use std::fmt;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{
    Any, ContainerType, Context, ContextSelectionSet, ObjectType, OutputType, Positioned,
    ServerResult, Value,
};

use crate::request::entity_batches::EntityBatches;
use crate::resolve::federation::batch::{Batch, text};
use crate::resolve::federation::keys;
use crate::resolve::views::root::{Query, Views};
use crate::resolve::views::root_field::Reads;
use crate::resolve::views::view_set::ViewSet;

/// Root fields whose views are entities of a subgraph of Apollo Federation 2:
/// [`Query::federation`] and [`Views::federation`] create it.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
/// use async_graphql::{EmptyMutation, EmptySubscription, Schema};
/// use fraiseql_graphql::{Prepared, Query};
///
/// #[derive(TView)]
/// pub struct Post { pub id: i32, pub title: String }
///
/// # fn main() { on("CREATE TABLE tb_post (id int4 PRIMARY KEY, title text NOT NULL);
/// #     INSERT INTO tb_post VALUES (7, 'Notes'), (8, 'More')", async |pool| {
/// # migrate::<Post>(&pool).await;
/// # sync_all_posts(&pool).await?;
/// let query = Query::<(Post,)>::new(pool).federation();
/// let schema = Schema::build(query, EmptyMutation, EmptySubscription)
///     .extension(Prepared::default())
///     .finish();
///
/// // As a router asks for what other subgraphs refer to.
/// let response = schema
///     .execute(
///         r#"{ _entities(representations: [{__typename: "Post", id: 8}, {__typename: "Post", id: 9}]) {
///             ... on Post { title }
///         } }"#,
///     )
///     .await;
/// assert_eq!(
///     serde_json::to_string(&response)?,
///     r#"{"data":{"_entities":[{"title":"More"},null]}}"#
/// );
/// # Ok(()) }) }
/// ```
///
/// All entities of one type are read by one statement, whatever their number and order. An entity that
/// does not exist is null, and so is one of another tenant.
///
/// # Errors
/// A representation without the fields of a key, or of another type, is an error of that entity, with
/// the code `BAD_USER_INPUT`; the others are answered. More representations than
/// [`max_page`](Views::max_page) are an error of the whole field.
pub struct Federated<Q> {
    root: Q,
}

/// Root fields of views: [`Query`] or [`Views`], or one of them [with `node`](crate::WithNode). It is never
/// implemented by hand.
pub trait FederatedRoot: ObjectType + 'static {
    #[doc(hidden)]
    type Set: ViewSet;

    #[doc(hidden)]
    fn reads(&self) -> &Reads;
}

impl<V: ViewSet> FederatedRoot for Query<V> {
    type Set = V;

    fn reads(&self) -> &Reads {
        self.views().reads()
    }
}

impl<V: ViewSet> FederatedRoot for Views<V> {
    type Set = V;

    fn reads(&self) -> &Reads {
        self.reads()
    }
}

impl<Q: FederatedRoot> Federated<Q> {
    pub(crate) const fn new(root: Q) -> Self {
        Self { root }
    }
}

impl<Q: fmt::Debug> fmt::Debug for Federated<Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Federated").field(&self.root).finish()
    }
}

impl<Q: FederatedRoot> OutputType for Federated<Q> {
    fn type_name() -> Cow<'static, str> {
        Q::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        let name = Q::create_type_info(registry);
        keys::register(registry, &Q::Set::members());
        name
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        self.root.resolve(ctx, field).await
    }
}

impl<Q: FederatedRoot> ObjectType for Federated<Q> {}

impl<Q: FederatedRoot> ContainerType for Federated<Q> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        self.root.resolve_field(ctx).await
    }

    async fn find_entity(&self, ctx: &Context<'_>, one: &Value) -> ServerResult<Option<Value>> {
        let members = Q::Set::members();
        let batch = Batch {
            ctx,
            reads: self.root.reads(),
            members: &members,
        };
        let read = async {
            let (_, all) = ctx.param_value::<Vec<Any>>("representations", None)?;
            batch.read(all).await
        };
        let field = ctx.item.node.response_key().node.as_str();
        let reader = std::ptr::from_ref(self).addr();
        // Without `Prepared` there is nowhere to keep what others will ask for.
        let own;
        let batches = match ctx.data_opt::<EntityBatches>() {
            Some(batches) => batches,
            None => {
                own = EntityBatches::default();
                &own
            }
        };
        let entity = batches.entity(field, reader, &text(one), read).await;
        entity.map_err(|error| ctx.set_error_path(error))
    }
}
