//! What happens before a mutation commits: the documents that depend on what was changed are
//! found, and synced.
//!
//! They are found twice. As the tables are now, in the mutation's own transaction: there the
//! rows on the way are locked, so that no other transaction moves them elsewhere before this one
//! ends. And as the tables were before, for rows that are gone or may have been moved.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sqlx::{AssertSqlSafe, PgConnection};

use crate::db::telemetry::statement as trace_statement;
use crate::error::{Error, Operation, Result};
use crate::mutation::dependents::Dependents;
use crate::mutation::dependents::cascade::cascades;
use crate::mutation::dependents::find::{FoundWay, OldValues, find, find_from, old_values};
use crate::mutation::dependents::index::Index;
use crate::mutation::limits::Beyond;
use crate::mutation::marks::Rows;
use crate::mutation::past::Past;
use crate::mutation::report::{LeftToFullSync, MutationReport, ViewReport};
use crate::mutation::{Isolation, Mutation};
use crate::schema::TableName;
use crate::schema::key::Keys;
use crate::schema::{Table, View};
use crate::sql::part::PartSql;
use crate::sync::report::SyncReport;
use crate::sync::request::Request;
use crate::sync::{part, run};
use crate::view::Handle;

/// How many ways an error names.
const WAYS_TOLD: usize = 3;

pub(super) async fn flush(mutation: &mut Mutation) -> Result<MutationReport> {
    let mut report = MutationReport::default();
    let mut found = Search::run(mutation).await?;
    report.not_followed = std::mem::take(&mut found.not_followed)
        .into_iter()
        .collect();
    let documents = found.within_limits(mutation, &mut report)?;
    for (view, mut keys) in documents.into_views() {
        let mut synced = SyncReport::default();
        let observers = &mutation.context.observers;
        for Replaced {
            part,
            rows,
            keys: of,
        } in found.replaced(view)
        {
            keys.remove(&of);
            let request = Request::Replace {
                view,
                part,
                rows,
                keys: of,
            };
            synced +=
                run::run_observed_in_span(&mut *mutation.connection, observers, request).await?;
        }
        if !keys.is_empty() {
            let request = Request::Sync { view, keys };
            synced +=
                run::run_observed_in_span(&mut *mutation.connection, observers, request).await?;
        }
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

/// Documents of one view that only differ in a part of their root objects.
struct Replaced {
    part: &'static PartSql,
    rows: Keys,
    keys: Keys,
}

/// What was found.
struct Search {
    documents: Dependents,
    /// Those that must be built.
    built: Dependents,
    /// Those that embed changed rows in their root objects, by part.
    parts: Vec<(Handle, Replaced)>,
    /// The ways that led there.
    ways: Vec<FoundWay>,
    /// More rows than may be touched went with deleted ones.
    truncated: bool,
    /// Foreign keys of deleted rows that lead further, and cannot be followed.
    not_followed: BTreeSet<String>,
}

impl Search {
    async fn run(mutation: &mut Mutation) -> Result<Self> {
        let marks = std::mem::take(&mut mutation.marks);
        let mut search = Self {
            built: marks.documents.clone(),
            documents: marks.documents,
            parts: Vec::new(),
            ways: Vec::new(),
            truncated: false,
            not_followed: BTreeSet::new(),
        };
        let context = Arc::clone(&mutation.context);
        let index = &context.index;
        search.announce(mutation, index, &marks.rows).await?;
        let limit = mutation.limits.documents;
        let mut before = Vec::new();
        for ((table, column, _), rows) in marks.rows {
            let connection: &mut PgConnection = &mut mutation.connection;
            let found = find(index, connection, table, &column, &rows.keys, true, limit).await?;
            let mut gone = rows.past.clone();
            gone.remove(&found.existing);
            let may_move = index.ways(table).iter().any(|way| way.leaves_by_other(&column))
                // Its snapshot may be older than what is committed.
                || mutation.isolation == Isolation::Serializable;
            let keys = if may_move { rows.past } else { gone.clone() };
            search.add(found.ways, 0, Some(&rows.keys));
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

    /// Says to syncs outside of this transaction that from now on it may overlook documents.
    async fn announce(
        &self,
        mutation: &mut Mutation,
        index: &Index,
        rows: &BTreeMap<(Table, String, &'static str), Rows>,
    ) -> Result<()> {
        let mut views: BTreeMap<Table, &'static View> = BTreeMap::new();
        let ways = rows.keys().flat_map(|(table, ..)| index.ways(*table));
        for handle in ways.map(|way| way.view).chain(self.documents.handles()) {
            views.insert(handle.view.table, handle.view);
        }
        if views.is_empty() {
            return Ok(());
        }
        let views: Vec<&View> = views.into_values().collect();
        let sql = index.announce(&views);
        trace_statement(&sql);
        sqlx::query(AssertSqlSafe(sql))
            .execute(&mut *mutation.connection)
            .await
            .map_err(Error::database(Operation::Announce))?;
        Ok(())
    }

    /// Finds the documents that rows belonged to before. What they had in the columns that ways
    /// begin with is read from the past; the ways are followed here, where the rows on them can
    /// be locked: one that somebody else moves meanwhile leads elsewhere.
    async fn look_back(&mut self, mutation: &mut Mutation, before: &[Before]) -> Result<()> {
        let limit = mutation.limits.documents;
        let context = Arc::clone(&mutation.context);
        let index = &context.index;
        // With how much further they are than the rows that were marked.
        let mut old: Vec<(Table, OldValues, usize)> = Vec::new();
        let mut past = Past::begin(&mutation.pool, &context.spare).await?;
        let connection = past.connection();
        for rows in before {
            let Before { table, column, .. } = rows;
            let values = old_values(index, connection, *table, column, &rows.keys).await?;
            old.extend(values.into_iter().map(|values| (*table, values, 0)));
            if mutation.isolation == Isolation::Serializable {
                let keys = &rows.keys;
                let found = find(index, connection, *table, column, keys, false, limit).await?;
                self.add(found.ways, 0, None);
            }
            if rows.gone.is_empty() {
                continue;
            }
            let name = TableName::from(*table);
            let cache = &index.foreign_keys;
            let cascades = cascades(cache, connection, name, column, &rows.gone, limit).await?;
            self.truncated |= cascades.truncated;
            self.not_followed.extend(cascades.not_followed);
            for rows in cascades.rows {
                // Of other tables there are no documents.
                let Some(table) = index.table_called(&rows.table.schema, &rows.table.name) else {
                    continue;
                };
                let values = old_values(index, connection, table, &rows.column, &rows.keys).await?;
                old.extend(values.into_iter().map(|values| (table, values, 1)));
            }
        }
        past.end().await;
        let connection: &mut PgConnection = &mut mutation.connection;
        for (table, old, further) in old {
            let found = find_from(index, connection, table, &old, limit).await?;
            self.add(found, further, None);
        }
        Ok(())
    }

    /// Adds what was found for rows that are so many steps away from those that were marked.
    /// `now` are these rows, where they were looked for as they are now.
    fn add(&mut self, found: Vec<FoundWay>, further: usize, now: Option<&Keys>) {
        for mut way in found {
            way.depth += further;
            self.documents.add(way.view, way.keys.clone());
            match (way.part, now) {
                (Some(part), Some(rows)) => {
                    let replaced = Replaced {
                        part,
                        rows: rows.clone(),
                        keys: way.keys.clone(),
                    };
                    self.parts.push((way.view, replaced));
                }
                // Who embedded them before, and does so now, is among the parts.
                (Some(part), None) => {
                    let mut keys = way.keys.clone();
                    for (_, replaced) in &self.parts {
                        if std::ptr::eq(replaced.part, part) {
                            keys.remove(&replaced.keys);
                        }
                    }
                    self.built.add(way.view, keys);
                }
                (None, _) => self.built.add(way.view, way.keys.clone()),
            }
            self.ways.push(way);
        }
    }

    /// Which documents of `view` only differ in a part, where that is worth a statement of its
    /// own. A document that differs in two is built.
    fn replaced(&mut self, view: Handle) -> Vec<Replaced> {
        let is_of = |(of, _): &mut (Handle, Replaced)| of.view.table == view.view.table;
        let parts: Vec<Replaced> = self
            .parts
            .extract_if(.., is_of)
            .map(|(_, part)| part)
            .collect();
        let mut others = self.built.keys_of(view);
        let mut twice = view.no_keys();
        let mut once = view.no_keys();
        for part in &parts {
            let mut again = part.keys.clone();
            let mut first = part.keys.clone();
            first.remove(&once);
            again.remove(&first);
            twice.unite(again);
            once.unite(first);
        }
        others.unite(twice);
        parts
            .into_iter()
            .map(|mut part| {
                part.keys.remove(&others);
                part
            })
            .filter(|part| part.keys.len() >= part::LEAST)
            .collect()
    }

    /// Takes the documents that may be synced. Where there are more, and the caller wants it so, the
    /// views that have too many are left out and reported.
    fn within_limits(
        &mut self,
        mutation: &Mutation,
        report: &mut MutationReport,
    ) -> Result<Dependents> {
        let limits = mutation.limits;
        let documents = std::mem::take(&mut self.documents);
        if limits.beyond == Beyond::Fail {
            if let Some(way) = self.ways.iter().find(|way| way.depth > limits.depth) {
                return Err(Error::TooDeep {
                    way: way.text.to_string(),
                    depth: way.depth,
                    most: limits.depth,
                });
            }
            let truncated = self.truncated || self.ways.iter().any(|way| way.truncated);
            if truncated || documents.len() > limits.documents {
                return Err(Error::TooManyDependents {
                    most: limits.documents,
                    ways: self.told(|_| true),
                });
            }
            return Ok(documents);
        }
        // What goes with so many rows is not known.
        let all_left = self.truncated;
        let mut within = Dependents::default();
        let mut left = limits.documents;
        for (view, keys) in documents.into_views() {
            let is_of = |way: &FoundWay| way.view.view.table == view.view.table;
            let beyond = |way: &FoundWay| is_of(way) && (way.truncated || way.depth > limits.depth);
            if all_left || keys.len() > left || self.ways.iter().any(beyond) {
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
