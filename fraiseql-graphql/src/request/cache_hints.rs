//! How long a response may be cached, of the hints of its root fields.
//!
//! async-graphql has such hints at the types of a schema, where one that is missing does not count. Root fields of views
//! have theirs in values, [`Views::cache`](crate::Views::cache), and there a root field without one keeps the response from
//! being cached.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_graphql::parser::types::OperationType;
use async_graphql::{CacheControl, Context};
use fraiseql_runtime::__graphql::lock;

use crate::spec::root_fields::RootFields;

/// `max_age` of what must not be cached without asking the server.
const NO_CACHE: i32 = -1;

/// In the data of an execution: the hints of root fields, by their response keys.
#[derive(Clone, Default)]
pub(crate) struct CacheHints(Arc<Mutex<HashMap<String, CacheControl>>>);

impl CacheHints {
    /// Notes the hint of a field of a view, if the field is a root field of a query.
    pub(crate) fn note(ctx: &Context<'_>, hint: CacheControl) {
        let is_root = ctx.path_node.is_some_and(|node| node.parent.is_none());
        let is_query = ctx.query_env.operation.node.ty == OperationType::Query;
        if let Some(hints) = ctx.data_opt::<Self>().filter(|_| is_root && is_query) {
            let key = ctx.item.node.response_key().node.to_string();
            lock(&hints.0).insert(key, hint);
        }
    }

    /// How long the response may be cached. `of_types` is what async-graphql says; it stays if no field has a hint of its
    /// view.
    pub(crate) fn combined(&self, fields: &RootFields, of_types: CacheControl) -> CacheControl {
        let noted = lock(&self.0);
        if noted.is_empty() {
            return of_types;
        }
        let hints = fields.cache_hints().map(|(key, of_type)| {
            let of_view = noted.get(key.as_str());
            of_view.copied().unwrap_or(of_type)
        });
        let Some(all) = hints.reduce(strictest) else {
            return of_types;
        };
        match of_types.max_age {
            0 => CacheControl {
                public: all.public && of_types.public,
                ..all
            },
            _ => strictest(all, of_types),
        }
    }
}

/// What both of two hints allow. Without an age, nothing is cached.
fn strictest(one: CacheControl, other: CacheControl) -> CacheControl {
    CacheControl {
        public: one.public && other.public,
        max_age: match (one.max_age, other.max_age) {
            (NO_CACHE, _) | (_, NO_CACHE) => NO_CACHE,
            (one, other) => one.min(other),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strictest_of_two_hints_counts() {
        let hint = |max_age, public| CacheControl { public, max_age };
        for (one, other, both) in [
            (hint(60, true), hint(30, true), hint(30, true)),
            (hint(60, true), hint(90, false), hint(60, false)),
            (hint(60, true), hint(0, true), hint(0, true)),
            (hint(0, true), hint(NO_CACHE, false), hint(NO_CACHE, false)),
        ] {
            assert_eq!(strictest(one, other), both);
            assert_eq!(strictest(other, one), both);
        }
    }
}
