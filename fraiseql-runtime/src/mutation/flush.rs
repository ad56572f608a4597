//! What happens before a mutation commits: the documents that depend on what was changed are
//! found, and synced.
//!
//! They are found twice. As the tables are now, in the mutation's own transaction: there the
//! rows on the way are locked, so that no other transaction moves them elsewhere before this one
//! ends. And as the tables were before, for rows that are gone or may have been moved.

use sqlx::PgConnection;

use crate::dependents::Dependents;
use crate::dependents::find::{Found, FoundWay, find};
use crate::error::{Error, Result};
use crate::key::Keys;
use crate::mutation::limits::Beyond;
use crate::mutation::past::Past;
use crate::mutation::report::{LeftToFullSync, MutationReport, ViewReport};
use crate::mutation::{Isolation, Mutation};
use crate::schema::Table;
use crate::sync::{Request, observe};

/// How many ways an error names.
const WAYS_TOLD: usize = 3;

pub(super) async fn flush(mutation: &mut Mutation) -> Result<MutationReport> {
    let mut report = MutationReport::default();
    let found = Search::run(mutation).await?;
    let documents = found.within_limits(mutation, &mut report)?;
    for (view, keys) in documents.into_views() {
        let request = Request::Sync { view, keys };
        let watchers = &mutation.model.watchers;
        let synced = observe::told(&mut *mutation.transaction, watchers, request).await?;
        report.views.push(ViewReport {
            entity: view.view.entity,
            view: view.view.table,
            report: synced,
        });
    }
    if mutation.strict && report.invalid().next().is_some() {
        return Err(Error::Invalid {
            documents: report.invalid().cloned().collect(),
        });
    }
    Ok(report)
}

/// Rows that were there before, and may be gone, or elsewhere.
struct Before {
    table: Table,
    column: String,
    /// Those to look for.
    keys: Keys,
    /// Those of them that are gone.
    gone: Keys,
}

/// What was found.
struct Search {
    documents: Dependents,
    /// The ways that led there.
    ways: Vec<FoundWay>,
}

impl Search {
    async fn run(mutation: &mut Mutation) -> Result<Self> {
        let marks = std::mem::take(&mut mutation.marks);
        let mut search = Self {
            documents: marks.documents,
            ways: Vec::new(),
        };
        let index = std::sync::Arc::clone(&mutation.model.dependents);
        let limit = mutation.limits.documents;
        let mut before = Vec::new();
        for ((table, column, _), rows) in marks.rows {
            let connection: &mut PgConnection = &mut mutation.transaction;
            let found = find(&index, connection, table, &column, &rows.keys, true, limit).await?;
            let mut gone = rows.past.clone();
            gone.remove(&found.existing);
            let may_move = index.ways(table).iter().any(|way| way.leaves_by_other(&column))
                // Its snapshot may be older than what is committed.
                || mutation.isolation == Isolation::Serializable;
            let keys = if may_move { rows.past } else { gone.clone() };
            search.add(found);
            if !keys.is_empty() {
                before.push(Before {
                    table,
                    column,
                    keys,
                    gone,
                });
            }
        }
        if !before.is_empty() {
            search.look_back(mutation, &before).await?;
        }
        Ok(search)
    }

    /// Finds the documents that rows belonged to before.
    async fn look_back(&mut self, mutation: &Mutation, before: &[Before]) -> Result<()> {
        let model = &mutation.model;
        let limit = mutation.limits.documents;
        let mut past = Past::begin(&mutation.pool, &model.spare).await?;
        for rows in before {
            let connection = past.connection();
            let found = find(
                &model.dependents,
                connection,
                rows.table,
                &rows.column,
                &rows.keys,
                false,
                limit,
            );
            self.add(found.await?);
        }
        past.end().await;
        Ok(())
    }

    fn add(&mut self, found: Found) {
        for way in found.ways {
            self.documents.add(way.view, way.keys.clone());
            self.ways.push(way);
        }
    }

    /// The documents that may be synced. Where there are more, and the caller wants it so, the
    /// views that have too many are left out and reported.
    fn within_limits(self, mutation: &Mutation, report: &mut MutationReport) -> Result<Dependents> {
        let limits = mutation.limits;
        if limits.beyond == Beyond::Fail {
            if let Some(way) = self.ways.iter().find(|way| way.depth > limits.depth) {
                return Err(Error::TooDeep {
                    way: way.text.to_string(),
                    depth: way.depth,
                    most: limits.depth,
                });
            }
            if self.documents.len() > limits.documents || self.ways.iter().any(|way| way.truncated)
            {
                return Err(Error::TooManyDependents {
                    most: limits.documents,
                    ways: self.told(|_| true),
                });
            }
            return Ok(self.documents);
        }
        let mut within = Dependents::default();
        let mut left = limits.documents;
        for (view, keys) in self.documents.clone().into_views() {
            let is_of = |way: &FoundWay| way.view.view.table == view.view.table;
            let beyond = |way: &FoundWay| is_of(way) && (way.truncated || way.depth > limits.depth);
            if keys.len() > left || self.ways.iter().any(beyond) {
                report.left.push(LeftToFullSync {
                    entity: view.view.entity,
                    view: view.view.table,
                    at_least: keys.len(),
                    ways: self.told(is_of),
                });
                continue;
            }
            left -= keys.len();
            within.add(view, keys);
        }
        Ok(within)
    }

    /// `200 by tb_user.id -> Post.author`, the most first.
    fn told(&self, of: impl Fn(&FoundWay) -> bool) -> String {
        let mut ways: Vec<&FoundWay> = self.ways.iter().filter(|way| of(way)).collect();
        ways.sort_by_key(|way| std::cmp::Reverse(way.keys.len()));
        let told: Vec<String> = ways
            .into_iter()
            .take(WAYS_TOLD)
            .map(|way| {
                let more = if way.truncated { "more than " } else { "" };
                format!("{more}{} by {}", way.keys.len(), way.text)
            })
            .collect();
        told.join(", ")
    }
}
