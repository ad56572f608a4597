//! The order of an object's fields in a response: that of the query.

use async_graphql::indexmap::IndexMap;
use async_graphql::{ContextSelectionSet, Value};

use crate::spec::root_fields::collect;

/// Orders the fields of an object, which async-graphql has in the order in which their resolvers have finished.
pub(crate) fn in_order(ctx: &ContextSelectionSet<'_>, object: Value) -> Value {
    let Value::Object(mut fields) = object else {
        return object;
    };
    let env = ctx.query_env;
    let mut selected = IndexMap::new();
    let set = &ctx.item.node;
    collect(set, &env.fragments, &env.variables, &mut selected);
    fields.sort_by_cached_key(|key, _| selected.get_index_of(key));
    Value::Object(fields)
}
