//! One element of a subscription's stream: a response of async-graphql.

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::Field;
use async_graphql::{
    Context, Positioned, QueryEnv, QueryPathNode, QueryPathSegment, Response, SchemaEnv,
    ServerError, ServerResult, Value,
};
use fraiseql_runtime::__graphql::lock;

/// The value of one element.
pub(super) trait Element: Send {
    fn value(self, ctx: &Context<'_>) -> impl Future<Output = ServerResult<Value>> + Send;
}

/// An element that is an error.
impl Element for ServerError {
    async fn value(self, _: &Context<'_>) -> ServerResult<Value> {
        Err(self)
    }
}

/// What the elements of one stream are executed in.
pub(super) struct Events {
    schema_env: SchemaEnv,
    query_env: QueryEnv,
    field: Positioned<Field>,
}

impl Events {
    pub(super) fn of(ctx: &Context<'_>) -> Self {
        Self {
            schema_env: ctx.schema_env.clone(),
            query_env: ctx.query_env.clone(),
            field: ctx.item.clone(),
        }
    }

    /// Executes one element, as async-graphql does with those of its own subscriptions: each is an execution of its own for
    /// the extensions of the schema.
    pub(super) async fn execute(&self, element: impl Element) -> Response {
        let Self {
            schema_env,
            query_env,
            field,
        } = self;
        let key = &field.node.response_key().node;
        let execute = async move |execute_data: Option<async_graphql::Data>| {
            let path = QueryPathNode {
                parent: None,
                segment: QueryPathSegment::Name(key),
            };
            let data = execute_data.as_ref();
            let ctx = query_env.create_context(schema_env, Some(path), field, data);
            let resolved = element.value(&ctx).await;
            let mut response = match resolved {
                Ok(value) => Response::new(Value::Object(IndexMap::from([(key.clone(), value)]))),
                Err(error) => Response::from_errors(vec![if error.path.is_empty() {
                    ctx.set_error_path(error)
                } else {
                    error
                }]),
            };
            response.errors.append(&mut lock(&query_env.errors));
            response
        };
        let name = query_env.operation_name.as_deref();
        query_env.extensions.execute(name, execute).await
    }
}
