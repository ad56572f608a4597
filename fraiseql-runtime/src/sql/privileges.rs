//! The privileges that the statements of a read model need, as GRANT statements.

use std::collections::{BTreeMap, BTreeSet};

use crate::schema::{Columns, Link, Shape, Source, Storage, Table, View};
use crate::sql::feed::FeedSql;
use crate::sql::function::FunctionDdl;
use crate::sql::text::ident;
use crate::sql::{lock, probe, rebuild};

/// What a role does with a read model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// It reads documents.
    Read,
    /// It also syncs, rebuilds and verifies them.
    Sync,
}

/// The base tables of views, and what is done with their rows.
#[derive(Debug, Default)]
pub(crate) struct BaseTables {
    pub(crate) tables: BTreeSet<Table>,
    /// The tables whose rows are locked, each with columns of theirs.
    pub(crate) locked: BTreeMap<Table, Columns>,
    /// The schemas of types that statements name.
    pub(crate) type_schemas: BTreeSet<String>,
}

impl BaseTables {
    /// The base tables of `views`. `locked` are those that mutations lock on their way to documents.
    pub(crate) fn of<'v>(
        views: impl IntoIterator<Item = &'v View>,
        locked: BTreeMap<Table, Columns>,
    ) -> Self {
        let mut base = Self {
            locked,
            ..Self::default()
        };
        for view in views {
            base.shape(view.shape);
            for ty in view.key.types {
                base.ty(ty.sql);
            }
            // Documents that are not synced lock nothing.
            if view.is_synced() {
                for (table, column) in lock::locked_tables(view) {
                    base.locked.entry(table).or_insert(column);
                }
            }
        }
        base
    }

    fn shape(&mut self, shape: &'static Shape) {
        self.tables.insert(shape.table);
        for field in shape.fields {
            match &field.source {
                Source::Column { ty, .. }
                | Source::Expr { ty, .. }
                | Source::GlobalId { ty }
                | Source::Through { ty, .. } => self.ty(ty.sql),
                Source::OfGroup(aggregate) => self.ty(aggregate.ty.sql),
                Source::Aggregate(aggregate) => {
                    self.tables.insert(aggregate.table);
                    let between = aggregate.through.map(|rows| rows.table);
                    self.tables.extend(between);
                    self.ty(aggregate.ty.sql);
                }
                Source::Values(values) => {
                    self.tables.insert(values.table);
                    self.link(&values.link);
                    self.ty(values.ty.sql);
                }
                // Ends because the derives refuse types that contain themselves.
                Source::One(one) => self.shape(one.shape.get()),
                Source::Many(many) | Source::First(many) => {
                    self.link(&many.link);
                    self.shape(many.shape.get());
                }
            }
        }
    }

    fn link(&mut self, link: &Link) {
        if let Link::Through { table, .. } = link {
            self.tables.insert(*table);
        }
    }

    /// A type whose name has a schema can only be named by a role that may use the schema.
    fn ty(&mut self, sql: &str) {
        if let Some((schema, _)) = sql.rsplit_once('.')
            && schema != "pg_catalog"
        {
            let schema = match schema.strip_prefix('"').and_then(|it| it.strip_suffix('"')) {
                Some(quoted) => quoted.replace("\"\"", "\""),
                // PostgreSQL folds names without quotes to lower case.
                None => schema.to_lowercase(),
            };
            self.type_schemas.insert(schema);
        }
    }
}

/// The tables and functions that a role needs to sync, beside view tables and base tables.
#[derive(Debug, Default)]
pub(crate) struct SyncObjects<'a> {
    /// The schema and the quoted name of the sync log.
    pub(crate) log: Option<(&'a str, &'a str)>,
    /// The quoted name of the change table.
    pub(crate) changes: Option<String>,
    /// The feed of documents that it reads.
    pub(crate) feed: Option<&'a FeedSql>,
    /// The functions that it calls.
    pub(crate) functions: Vec<&'a FunctionDdl>,
}

/// The GRANT statements for `role`.
pub(crate) fn grants(
    views: &[&View],
    base: &BaseTables,
    objects: &SyncObjects<'_>,
    purpose: Purpose,
    role: &str,
) -> Vec<String> {
    let syncs = purpose == Purpose::Sync;
    let log = objects.log.filter(|_| syncs);
    let views = || views.iter().filter(|view| view.storage != Storage::Live);
    let synced = || views().filter(|view| view.is_synced());
    let view_schemas: BTreeSet<&str> = views().map(|view| view.table.schema).collect();
    let schemas: BTreeSet<&str> = view_schemas
        .iter()
        .copied()
        .chain(base.tables.iter().map(|table| table.schema))
        .chain(base.type_schemas.iter().map(String::as_str))
        .chain(log.map(|(schema, _)| schema))
        .collect();
    let mut grants: Vec<String> = schemas
        .into_iter()
        .map(|schema| probe::grant_usage(schema, role))
        .collect();
    for table in &base.tables {
        grants.push(probe::grant("SELECT", table, role));
        if let Some(column) = base.locked.get(table).filter(|_| syncs) {
            grants.push(probe::grant_lock(*table, *column, role));
        }
    }
    let written: BTreeSet<Table> = synced().map(|view| view.table).collect();
    let tables: BTreeSet<Table> = views().map(|view| view.table).collect();
    grants.extend(tables.iter().map(|table| {
        let privileges = if syncs && written.contains(table) {
            "SELECT, INSERT, UPDATE, DELETE"
        } else {
            "SELECT"
        };
        probe::grant(privileges, table, role)
    }));
    if syncs {
        let schemas: BTreeSet<&str> = synced().map(|view| view.table.schema).collect();
        grants.extend(schemas.into_iter().map(|schema| {
            let table = format!("{}.{}", ident(schema), ident(rebuild::TABLE));
            probe::grant(BOOKKEEPING.join(", ").as_str(), table, role)
        }));
        let changes = objects.changes.iter();
        grants.extend(changes.map(|table| probe::grant(&CHANGES.join(", "), table, role)));
        if let Some(feed) = objects.feed {
            grants.push(probe::grant("SELECT, DELETE", &feed.changes, role));
            grants.push(probe::grant(&CHANGES.join(", "), &feed.state, role));
        }
        let functions = objects.functions.iter();
        grants.extend(functions.map(|it| probe::grant_execute(&it.signature(), role)));
    }
    grants.extend(log.map(|(_, table)| probe::grant(LOG.join(", ").as_str(), table, role)));
    grants
}

/// What rebuilds need on their bookkeeping table.
pub(crate) const BOOKKEEPING: [&str; 3] = ["SELECT", "INSERT", "UPDATE"];

/// What a sync log needs on its table. It locks the rows that it prunes.
pub(crate) const LOG: [&str; 4] = ["SELECT", "INSERT", "UPDATE", "DELETE"];

/// What a worker needs on the change table, and a mutation that leaves documents to it.
pub(crate) const CHANGES: [&str; 4] = ["SELECT", "INSERT", "UPDATE", "DELETE"];
