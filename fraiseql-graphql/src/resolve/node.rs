//! `WithNode`: the root field `node` of the
//! [Relay specification](https://relay.dev/graphql/objectidentification.htm), beside the root fields of
//! views.

use std::borrow::Cow;
use std::fmt;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::Field;
use async_graphql::registry::{MetaType, Registry};
use async_graphql::resolver_utils::resolve_container;
use async_graphql::{
    ContainerType, Context, ContextSelectionSet, ID, ObjectType, OutputType, Positioned,
    ServerResult, Value,
};

use crate::resolve::federation::root::{Federated, FederatedRoot};
use crate::resolve::views::arguments::typed;
use crate::resolve::views::fields::{RootFieldKind, names};
use crate::resolve::views::key::global_id;
use crate::resolve::views::root_field::{Reads, ViewField};
use crate::resolve::views::view_set::{ViewMember, ViewSet};
use crate::schema::{types, union};
use fraiseql_runtime::__graphql::type_name_of;
use fraiseql_runtime::GlobalId;

/// The name of the interface.
const INTERFACE: &str = "Node";
/// What identifies the interface among the Rust types of a schema.
const INTERFACE_ID: &str = "fraiseql_graphql::Node";
/// The name of the root field.
const FIELD: &str = "node";
/// The name of its argument, and of the field of the interface.
const ID_FIELD: &str = "id";

/// Root fields of views, and `node(id: ID!): Node`, which finds a document of any view that has a
/// [`global_id`](derive@fraiseql_runtime::TView): [`Query::node`](crate::Query::node) and
/// [`Views::node`](crate::Views::node) create it.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
/// use async_graphql::{EmptyMutation, EmptySubscription, Schema};
/// use fraiseql_graphql::{Prepared, Query};
/// use fraiseql_runtime::GlobalId;
///
/// #[derive(TView)]
/// pub struct Ticket {
///     #[tview(key)]
///     pub org_id: i32,
///     #[tview(key)]
///     pub number: i32,
///     #[tview(global_id)]
///     pub id: GlobalId,
///     pub title: String,
/// }
///
/// # fn main() { on("CREATE TABLE tb_ticket (org_id int4, number int4, title text NOT NULL, PRIMARY KEY (org_id, number));
/// #     INSERT INTO tb_ticket VALUES (1, 42, 'Printer')", async |pool| {
/// # migrate::<Ticket>(&pool).await;
/// # sync_all_tickets(&pool).await?;
/// let query = Query::<(Ticket,)>::new(pool).node();
/// let schema = Schema::build(query, EmptyMutation, EmptySubscription)
///     .extension(Prepared::default())
///     .finish();
///
/// let id = GlobalId::of::<Ticket>(&(1, 42));
/// let response = schema
///     .execute(format!(r#"{{ node(id: "{id}") {{ __typename ... on Ticket {{ title }} }} }}"#))
///     .await;
/// assert_eq!(
///     serde_json::to_string(&response)?,
///     r#"{"data":{"node":{"__typename":"Ticket","title":"Printer"}}}"#
/// );
/// # Ok(()) }) }
/// ```
///
/// The interface `Node { id: ID! }` has these views as members. The field is read as the root field of the
/// view that the id names, by one statement: documents of another tenant are null, as are those that do
/// not exist. An id that names none of these views is null as well.
///
/// # Panics
/// Building a schema panics if it has another type of the name `Node`.
pub struct WithNode<Q> {
    root: Q,
}

impl<Q: FederatedRoot> WithNode<Q> {
    /// # Panics
    /// If no view has a global id, or a view cannot be a `Node`.
    pub(crate) fn new(root: Q) -> Self {
        let members = Q::Set::members();
        assert!(
            nodes(&members).next().is_some(),
            "none of these views has a field with #[tview(global_id)], by which `node` finds documents"
        );
        for member in nodes(&members) {
            let view = member.handle.view;
            let name = global_id(view).unwrap_or_default();
            assert!(
                name == ID_FIELD,
                "the global id of `{}` is `{name}` in documents, and `{ID_FIELD}` in the interface \
                 `{INTERFACE}`; write #[tview(global_id, json = \"{ID_FIELD}\")]",
                view.shape.name,
            );
        }
        for member in &members {
            let view = member.handle.view;
            assert!(
                names(view).iter().all(|(name, _)| name != FIELD),
                "`{}` has a root field `{FIELD}` already; give it another name with \
                 #[tview(entity = \"..\", plural = \"..\")]",
                view.shape.name,
            );
        }
        Self { root }
    }

    /// Makes the views entities of a subgraph of Apollo Federation 2: see [`Federated`].
    #[must_use]
    pub const fn federation(self) -> Federated<Self> {
        Federated::new(self)
    }

    /// The document with the id of the arguments. `None` if the id names none of these views.
    async fn node(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        let id = typed::<ID>(ctx, ID_FIELD)?.unwrap_or_default();
        let Some(type_name) = type_name_of(&GlobalId::from(id.0)) else {
            return Ok(None);
        };
        let members = Q::Set::members();
        let mut nodes = nodes(&members);
        let view = nodes.find(|it| it.handle.view.shape.type_name == type_name);
        let Some(view) = view.copied() else {
            return Ok(None);
        };
        // The root field of the view, whose argument with the whole key has the same name.
        let kind = RootFieldKind::ByKey;
        let field = ViewField { view, kind };
        field.resolve_root(ctx, self.root.reads()).await.map(Some)
    }
}

/// The views that have a global id.
fn nodes(members: &[ViewMember]) -> impl Iterator<Item = &ViewMember> {
    let has_id = |member: &&ViewMember| global_id(member.handle.view).is_some();
    members.iter().filter(has_id)
}

/// Registers the interface, and the field at the object type of the root.
fn register(registry: &mut Registry, root: &str, members: &[ViewMember]) {
    let shapes: Vec<_> = nodes(members).map(|it| it.handle.view.shape).collect();
    if types::is_unregistered(registry, INTERFACE, INTERFACE_ID, "type_name") {
        let id = types::meta_field(ID_FIELD, "ID!".to_owned());
        let fields = IndexMap::from([(ID_FIELD.to_owned(), id)]);
        let docs = Some("A document that is found by its `id`.");
        union::interface(registry, INTERFACE, INTERFACE_ID, docs, fields, &shapes);
    } else {
        // Other root fields of the schema have registered it for their views.
        union::add_members(registry, INTERFACE, &shapes);
    }
    if let Some(MetaType::Object { fields, .. }) = registry.types.get_mut(root) {
        let mut field = types::meta_field(FIELD, INTERFACE.to_owned());
        field.description = Some("The document with this `id`; null if there is none.".to_owned());
        let id = types::input_value(ID_FIELD, "ID!".to_owned());
        field.args.insert(id.name.clone(), id);
        fields.insert(FIELD.to_owned(), field);
    }
}

impl<Q: fmt::Debug> fmt::Debug for WithNode<Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WithNode").field(&self.root).finish()
    }
}

impl<Q: FederatedRoot> FederatedRoot for WithNode<Q> {
    type Set = Q::Set;

    fn reads(&self) -> &Reads {
        self.root.reads()
    }
}

impl<Q: FederatedRoot> OutputType for WithNode<Q> {
    fn type_name() -> Cow<'static, str> {
        Q::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        let name = Q::create_type_info(registry);
        register(registry, &Q::type_name(), &Q::Set::members());
        name
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        _field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        resolve_container(ctx, self).await
    }
}

impl<Q: FederatedRoot> ObjectType for WithNode<Q> {}

impl<Q: FederatedRoot> ContainerType for WithNode<Q> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        if ctx.item.node.name.node == FIELD {
            return self.node(ctx).await;
        }
        self.root.resolve_field(ctx).await
    }
}
