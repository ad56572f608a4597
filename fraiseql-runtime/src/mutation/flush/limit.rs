//! Applies the limits of a mutation to the documents that were found.

use std::cmp::Reverse;

use crate::error::{Error, Result};
use crate::mutation::dependents::documents::Dependents;
use crate::mutation::dependents::find::MatchedPath;
use crate::mutation::flush::affected::AffectedDocuments;
use crate::mutation::limits::{Limits, OverLimit};
use crate::mutation::report::{DeferredView, MutationReport};

/// The maximum number of paths that an error or a report names.
const MAX_PATHS_SHOWN: usize = 3;

/// The documents to sync. If a limit is exceeded, that is an error, or views are deferred and
/// reported.
pub(super) fn apply(
    limits: Limits,
    affected: &mut AffectedDocuments,
    report: &mut MutationReport,
) -> Result<Dependents> {
    let documents = affected.take_documents();
    match limits.over_limit {
        OverLimit::Fail => {
            check(limits, affected, documents.len())?;
            Ok(documents)
        }
        OverLimit::Defer => Ok(defer(limits, affected, documents, report)),
    }
}

fn check(limits: Limits, affected: &AffectedDocuments, documents: usize) -> Result<()> {
    let too_deep = |path: &&MatchedPath| path.depth > limits.depth;
    if let Some(path) = affected.paths.iter().find(too_deep) {
        return Err(Error::TooDeep {
            path: path.text.to_string(),
            depth: path.depth,
            limit: limits.depth,
        });
    }
    // A lookup keeps at most `limit` documents of a path, so the total does not show that there
    // were more.
    let truncated = affected.truncated || affected.paths.iter().any(|path| path.truncated);
    if truncated || documents > limits.documents {
        return Err(Error::TooManyDependents {
            limit: limits.documents,
            paths: describe_paths(affected, |_| true),
        });
    }
    Ok(())
}

/// Takes the views, in their order, whose documents still fit into the limit, and defers the
/// others. A view is synced as a whole or not at all: a deferred one needs a full sync anyway.
fn defer(
    limits: Limits,
    affected: &AffectedDocuments,
    documents: Dependents,
    report: &mut MutationReport,
) -> Dependents {
    // If cascades were cut off, it is unknown which views the rest of the rows belong to.
    let defer_all = affected.truncated;
    let mut within = Dependents::default();
    let mut remaining = limits.documents;
    for (view, keys) in documents.into_views() {
        let is_of_view = |path: &MatchedPath| path.view.view.table == view.view.table;
        let is_over =
            |path: &MatchedPath| is_of_view(path) && (path.truncated || path.depth > limits.depth);
        if defer_all || keys.len() > remaining || affected.paths.iter().any(is_over) {
            report.deferred.push(DeferredView {
                entity: view.view.entity,
                view: view.view.table,
                at_least: keys.len(),
                paths: describe_paths(affected, is_of_view),
            });
            continue;
        }
        remaining -= keys.len();
        within.add(view, keys);
    }
    within
}

/// `200 by tb_user.id -> Post.author`, for the paths with the most documents.
fn describe_paths(affected: &AffectedDocuments, filter: impl Fn(&MatchedPath) -> bool) -> String {
    let mut paths: Vec<&MatchedPath> = affected.paths.iter().filter(|path| filter(path)).collect();
    paths.sort_by_key(|path| Reverse(path.keys.len()));
    let texts: Vec<String> = paths
        .into_iter()
        .take(MAX_PATHS_SHOWN)
        .map(|path| {
            let more = if path.truncated { "more than " } else { "" };
            format!("{more}{} by {}", path.keys.len(), path.text)
        })
        .collect();
    texts.join(", ")
}
