//! The flush of a mutation: finds the documents that depend on its marks and syncs them, just
//! before the commit.
//!
//! [`first`] prepares the transaction. [`lookup`] finds the documents. It looks twice. First through the
//! tables as they are now, in the mutation's own transaction, where the rows on the paths are locked,
//! so that no other transaction moves them before this one ends. Then, by [`former`], through the rows
//! as they were before, if they were deleted or may have been moved: the documents that they belonged
//! to have to lose them.
//!
//! [`call`] does all of that by one function of the database, if it exists, in the usual case. If changes are
//! [`captured`], marks are not needed.
//!
//! [`affected`] decides how each document is synced, and [`limit`] which documents are.

mod affected;
mod call;
mod captured;
mod first;
mod former;
mod limit;
mod lookup;

use std::collections::BTreeMap;
use std::sync::Arc;

use self::affected::AffectedDocuments;
use self::call::{Called, FlushCall};
use self::first::Prepared;
use crate::error::{Error, Result};
use crate::mutation::change_set::{MarkedColumns, MarkedRows};
use crate::mutation::left::leave;
use crate::mutation::report::{LeftView, MutationReport, ViewReport};
use crate::mutation::transaction::Mutation;
use crate::schema::SyncTime;
use crate::schema::key::Keys;
use crate::sync::report::SyncReport;
use crate::sync::request::SyncRequest;
use crate::sync::run;
use crate::view::Handle;

/// Syncs every document that depends on the marks of a mutation, and on its captured changes.
pub(super) async fn flush(mutation: &mut Mutation) -> Result<MutationReport> {
    let mut marks = std::mem::take(&mut mutation.marks);
    if let Some(mistake) = marks.mistake.take() {
        return Err(mistake);
    }
    let context = Arc::clone(&mutation.context);
    let captures = context.capture.is_on();
    let mut call = FlushCall::of(mutation, &marks);
    if !captures && call.as_ref().is_some_and(FlushCall::is_empty) {
        call = None;
    }
    let functions = context.functions().filter(|_| captures || call.is_some());
    let mut changes = None;
    // What is known already needs no question.
    let mut is_called = false;
    if let Some(functions) = functions
        && (captures || !mutation.strict)
        && context.is_callable(&mutation.pool)
        && let Some(call) = call.take()
    {
        match call.run(mutation, functions).await? {
            Called::Synced(report) => return refuse_invalid(mutation, report),
            Called::TooMany(taken) => changes = taken,
        }
        is_called = true;
    }
    // Before the lookups, which cannot find a document that another sync makes depend on the marked
    // rows later. From here on, such a sync waits for the rows that it embeds, and then sees the
    // changes of this mutation.
    let question = functions.filter(|_| !is_called);
    let question = question.map(|functions| functions.can_flush.as_str());
    let Prepared {
        mut unmarked,
        can_call,
    } = first::prepare(mutation, &marks, question).await?;
    if let Some(functions) = functions.filter(|_| !is_called) {
        context.note_callable(&mutation.pool, can_call);
        match call {
            _ if captures && !can_call => {
                return Err(Error::NotCaptured {
                    schema: functions.schema,
                });
            }
            Some(call) if can_call => match call.run(mutation, functions).await? {
                Called::Synced(report) => {
                    first::refuse(unmarked)?;
                    return refuse_invalid(mutation, report);
                }
                Called::TooMany(taken) => {
                    changes = taken;
                    is_called = true;
                }
            },
            // They are left to a worker, too: documents that other transactions have begun to make of these
            // rows are not in the snapshot.
            None if captures => changes = captured::own(mutation, functions).await?,
            _ => {}
        }
    }
    let mut affected = AffectedDocuments::new(marks.documents);
    if let (Some(changes), Some(functions)) = (&changes, functions) {
        captured::find(mutation, functions, changes, &mut affected).await?;
    }
    if is_called && changes.is_some() {
        // The call has found what depends on marked rows.
        marks.rows.clear();
    }
    if captures {
        // What the rows were before is in the changes.
        marks.looks.clear();
        for rows in marks.rows.values_mut() {
            rows.preexisting = rows.keys.none();
        }
    }
    mutation.unseen = unseen(&marks.rows);
    let cascaded = lookup::find(mutation, marks.rows, marks.looks, &mut affected).await?;
    if let Some(unused) = mutation.reserved.take() {
        unused.end().await;
    }
    unmarked.retain(|table| !cascaded.iter().any(|written| *written == *table));
    first::refuse(unmarked)?;
    if mutation.strict && !affected.not_followed.is_empty() {
        return Err(Error::NotFollowed {
            keys: affected.take_not_followed(),
        });
    }
    let mut report = MutationReport {
        not_followed: affected.take_not_followed(),
        ..MutationReport::default()
    };
    let documents = limit::apply(mutation.limits, &mut affected, &mut report)?;
    // In the order of view tables, and of keys in each: two mutations lock documents in the same
    // order, and do not deadlock on them.
    for (view, keys) in documents.into_views() {
        if mutation.deferred || view.view.sync == SyncTime::Eventual {
            report.left.push(LeftView {
                entity: view.view.entity,
                view: view.view.table,
                documents: keys.len(),
            });
            let queue = mutation.context.queue();
            report.token = leave(queue, &mut mutation.connection, view, &keys).await?;
            continue;
        }
        let synced = sync_view(mutation, view, keys.clone(), &mut affected).await?;
        report.views.push(ViewReport {
            entity: view.view.entity,
            view: view.view.table,
            keys,
            report: synced,
        });
    }
    refuse_invalid(mutation, report)
}

/// Refuses a strict mutation with invalid documents.
fn refuse_invalid(mutation: &Mutation, report: MutationReport) -> Result<MutationReport> {
    if mutation.strict && report.invalid().next().is_some() {
        return Err(Error::Invalid {
            documents: report.invalid().cloned().collect(),
        });
    }
    Ok(report)
}

/// The marked rows that were not looked up before they were changed.
fn unseen(rows: &BTreeMap<MarkedColumns, MarkedRows>) -> Vec<(MarkedColumns, Keys)> {
    let unseen = rows.iter().filter(|(_, rows)| !rows.preexisting.is_empty());
    unseen
        .map(|(column, rows)| (column.clone(), rows.preexisting.clone()))
        .collect()
}

/// Syncs the documents of one view: replaces parts in some, and builds the rest.
async fn sync_view(
    mutation: &mut Mutation,
    view: Handle,
    mut keys: Keys,
    affected: &mut AffectedDocuments,
) -> Result<SyncReport> {
    let mut synced = SyncReport::default();
    let observers = &mutation.context.observers;
    for replacement in affected.take_replacements(view) {
        keys.remove(&replacement.keys);
        let request = SyncRequest::Replace {
            view,
            part: replacement.part,
            rows: replacement.rows,
            keys: replacement.keys,
        };
        synced += run::run_observed_in_span(&mut *mutation.connection, observers, request).await?;
    }
    if !keys.is_empty() {
        let request = SyncRequest::Sync { view, keys };
        synced += run::run_observed_in_span(&mut *mutation.connection, observers, request).await?;
    }
    Ok(synced)
}
