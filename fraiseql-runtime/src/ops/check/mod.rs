//! Check: compares a read model with a live database, and reports everything that does not fit.
//!
//! `requirements` lists the tables and types that the views need, `catalog` reads them. `walk`
//! compares the shapes of a view with the base tables, `view_table` and `view_columns` compare its
//! view table, `server_settings` checks the server. `type_compat` knows which types fit which
//! fields, `enum_labels` compares enums.
//!
//! `matview` compares the definition of a materialized view, `text_search` checks the configurations of full-text indexes.
//! `privileges` checks what no field names; `capture` the functions of the read model and the triggers
//! that capture changes; `unfilled` looks whether rows lack documents.
//!
//! What only the server can judge is in `server_checks`, with `expressions` for types and `mutability`
//! for values that do not follow from the row; at last
//! `prepare_all` lets it parse every statement. `execute` runs such statements, `rejections`
//! describes why one was rejected, `fragments` where in the user's SQL.
//!
//! A problem is a `Diagnostic`; `findings` collects each of them once, for the [`CheckReport`].

mod capture;
mod catalog;
mod diagnostic;
mod enum_labels;
mod execute;
mod expressions;
mod findings;
mod fragments;
mod matview;
mod mutability;
mod prepare_all;
mod privileges;
mod rejections;
mod requirements;
mod server_checks;
mod server_settings;
mod text_search;
mod type_compat;
mod unfilled;
mod view_columns;
mod view_table;
mod walk;

pub use crate::error::check_report::{CheckReport, Finding, FindingKind, Remedy, Severity};

use sqlx::{Connection, PgConnection};

use self::catalog::{Catalog, read_server_info};
use self::execute::command;
use self::findings::Findings;
use self::requirements::Requirements;
use crate::error::{Error, Operation, Result};
use crate::ops::migrate::ModelObjects;
use crate::schema::{Storage, View};
use crate::sql::catalog as sql;
use crate::sql::privileges::BaseTables;
use crate::sql::session::Session;
use crate::sync::log::SyncLog;
use crate::view::Handle;

/// Checks the views in a read-only transaction, which is rolled back.
pub(crate) async fn run(
    views: &[Handle],
    model: Option<&ModelObjects<'_>>,
    base: &BaseTables,
    log: Option<&SyncLog>,
    connection: &mut PgConnection,
) -> Result<CheckReport> {
    let failed = || Error::database(Operation::Check);
    let mut transaction = Connection::begin(connection).await.map_err(failed())?;
    let report = check(views, model, base, log, &mut transaction).await?;
    transaction.rollback().await.map_err(failed())?;
    Ok(report)
}

async fn check(
    handles: &[Handle],
    model: Option<&ModelObjects<'_>>,
    base: &BaseTables,
    log: Option<&SyncLog>,
    connection: &mut PgConnection,
) -> Result<CheckReport> {
    command(connection, sql::READ_ONLY).await?;
    command(connection, sql::GENERIC_PLANS).await?;
    let views: Vec<&'static View> = handles.iter().map(|handle| handle.view).collect();
    // Fragments are judged with the settings with which they are evaluated.
    let session = Session::of(views.iter().map(|view| view.shape)).with_every_setting();
    command(connection, session.set_local()).await?;
    mutability::prepare_session(connection).await?;
    // Rejected statements roll back to this savepoint.
    command(connection, sql::SAVEPOINT).await?;
    let server = read_server_info(connection).await?;
    let catalog = Catalog::load(connection, &Requirements::of(&views)).await?;
    let mut findings = Findings::new(&catalog, &server, base);
    for diagnostic in server_settings::diagnostics(&server) {
        findings.add(None, "", diagnostic);
    }
    privileges::type_schemas(connection, &mut findings).await?;
    let mut fragments = Vec::new();
    for handle in handles {
        let (checks, view_fragments) = walk::view(&mut findings, handle.view);
        if handle.view.storage != Storage::Live {
            view_table::partition_bounds(connection, &mut findings, handle.view).await?;
            view_table::view(&mut findings, handle.view, handle.statements());
            text_search::view(connection, &mut findings, handle.view).await?;
            matview::definition(connection, &mut findings, *handle).await?;
        }
        if handle.view.is_synced() {
            privileges::of_rebuilds(&mut findings, handle.view);
        }
        server_checks::run(connection, &mut findings, handle.view, &checks).await?;
        let is_captured = model.is_some_and(|model| model.capture.is_some());
        if is_captured && handle.view.is_synced() {
            capture::fragments(&mut findings, handle.view, &view_fragments);
        }
        fragments.push(view_fragments);
    }
    if let Some(log) = log {
        privileges::of_log(connection, &mut findings, log).await?;
    }
    if let Some(model) = model {
        capture::model(connection, &mut findings, model).await?;
    }
    privileges::of_cascades(connection, &mut findings).await?;
    // Whole statements come last: by then every finding that explains a rejection is known.
    for (handle, view_fragments) in handles.iter().zip(&fragments) {
        let (view, statements) = (handle.view, handle.statements());
        prepare_all::statements(connection, &mut findings, view, statements, view_fragments)
            .await?;
        if view.is_synced() {
            unfilled::view(connection, &mut findings, *handle).await?;
        }
    }
    Ok(CheckReport::new(findings.finish(), &views))
}
