//! Paths of errors in lists, and errors that async-graphql reports twice.

use std::collections::HashSet;

use async_graphql::ServerError;

use crate::response::ErrorPath;

/// Sets the path of each error to where it came up, and removes duplicates.
pub(crate) fn complete(errors: &mut Vec<ServerError>) {
    for error in errors.iter_mut() {
        // async-graphql has replaced the path of an error in a list's item by that of the list; the
        // source still has the whole path. It is removed, because an error with a source is taken
        // for an internal one.
        let path = error.source::<ErrorPath>().map(|path| path.0.clone());
        if let Some(path) = path {
            error.path = path;
            error.source = None;
        }
    }
    // async-graphql resolves each of the fields that share a response key, and so reports an error
    // of the one response field as often.
    if errors.len() > 1 {
        let mut reported = HashSet::new();
        errors
            .retain(|error| reported.insert((format!("{:?}", error.path), error.message.clone())));
    }
}
