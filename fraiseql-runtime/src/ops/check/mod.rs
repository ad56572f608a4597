//! Compares a read model with a live database, and says all at once what does not fit.
//!
//! `catalog` reads what there is. `walk` goes through the structs (`tables`, `columns` and
//! `null` are parts of it), `storage` through the view tables, `server` looks at the server
//! itself; `fit` knows which types go together, `labels` which labels an enum has. `ask` is for what only the server can judge,
//! `whole` for its word on every statement. `findings` collects, each fault once; [`report`]
//! is what comes out.

mod ask;
mod catalog;
mod columns;
pub(crate) mod findings;
mod fit;
mod labels;
mod lookups;
mod null;
mod server;
mod storage;
mod tables;
mod walk;
mod whole;

use std::collections::{BTreeSet, HashSet};

use sqlx::{Connection, PgConnection};

pub use crate::error::check_report::{CheckReport, Finding, FindingKind, Remedy, Severity};
use crate::error::{Error, Operation, Result};
use crate::ops::check::catalog::{Catalog, command};
use crate::ops::check::findings::Findings;
use crate::schema::{Link, Shape, Source, Table, View};
use crate::sql::catalog as sql;
use crate::view::Handle;

/// Checks the views in a read-only transaction, which is rolled back.
pub(crate) async fn run(views: &[Handle], connection: &mut PgConnection) -> Result<CheckReport> {
    let failed = || Error::database(Operation::Check);
    let mut transaction = Connection::begin(connection).await.map_err(failed())?;
    let report = check(views, &mut transaction).await.map_err(failed())?;
    transaction.rollback().await.map_err(failed())?;
    Ok(report)
}

async fn check(handles: &[Handle], connection: &mut PgConnection) -> sqlx::Result<CheckReport> {
    command(connection, sql::READ_ONLY).await?;
    command(connection, sql::SAVEPOINT).await?;
    let views: Vec<&'static View> = handles.iter().map(|handle| handle.view).collect();
    let (tables, names) = needs(&views);
    let server = catalog::server(connection).await?;
    let catalog = Catalog::load(connection, &tables, &names).await?;
    let mut findings = Findings::new(&catalog, &server);
    for fault in server::faults(&server) {
        findings.add(None, "", fault);
    }
    let mut fragments = Vec::new();
    for handle in handles {
        let (questions, own) = walk::view(&mut findings, handle.view);
        storage::bounds(connection, &mut findings, handle.view).await?;
        storage::view(&mut findings, handle.view, handle.statements());
        ask::questions(connection, &mut findings, handle.view, &questions).await?;
        fragments.push(own);
    }
    // The whole statements come last, when every reason why they may fail is known.
    for (handle, own) in handles.iter().zip(&fragments) {
        let statements = handle.statements();
        whole::statements(connection, &mut findings, handle.view, statements, own).await?;
    }
    Ok(CheckReport::new(findings.finish(), &views))
}

/// The tables that views need, and the types that their fields name.
fn needs(views: &[&'static View]) -> (Vec<Table>, Vec<&'static str>) {
    let mut tables = BTreeSet::new();
    let mut names = BTreeSet::new();
    let mut seen = HashSet::new();
    for view in views {
        tables.insert(view.table);
        names.extend([view.data.sql(), view.key.ty.sql]);
        shape_needs(view.shape, &mut tables, &mut names, &mut seen);
    }
    let also: Vec<&str> = names.iter().map(|name| fit::canonical(name)).collect();
    names.extend(also);
    (tables.into_iter().collect(), names.into_iter().collect())
}

fn shape_needs(
    shape: &'static Shape,
    tables: &mut BTreeSet<Table>,
    names: &mut BTreeSet<&'static str>,
    seen: &mut HashSet<&'static str>,
) {
    if !seen.insert(shape.id) {
        return;
    }
    tables.insert(shape.table);
    for field in shape.fields {
        match &field.source {
            Source::Column { ty, .. } | Source::Expr { ty, .. } => {
                names.insert(ty.sql);
            }
            Source::Aggregate(aggregate) => {
                tables.insert(aggregate.table);
                names.insert(aggregate.ty.sql);
            }
            Source::One(one) => shape_needs((one.shape)(), tables, names, seen),
            Source::Many(many) => {
                if let Link::Through { table, .. } = many.link {
                    tables.insert(table);
                }
                shape_needs((many.shape)(), tables, names, seen);
            }
        }
    }
}
