//! Checks privileges that no field of a struct names: on the schemas of types, on the bookkeeping table
//! and the sync log, and on tables that are reached by foreign keys.

use sqlx::{PgConnection, Row as _};

use crate::db::statement::Statement;
use crate::error::check_report::{FindingKind, Remedy};
use crate::error::{Operation, Result};
use crate::ops::check::catalog::{CatalogRelation, RelationKind, Resolution};
use crate::ops::check::diagnostic::{Breaks, Diagnostic};
use crate::ops::check::findings::Findings;
use crate::ops::check::requirements::bookkeeping;
use crate::schema::View;
use crate::sql::privileges::{BOOKKEEPING, LOG};
use crate::sql::text::ident;
use crate::sql::{catalog as sql, probe};
use crate::sync::log::SyncLog;

fn query<'q>(sql: &'static str) -> Statement<'q> {
    Statement::new(sql, Operation::Check).uncached()
}

/// A schema that the role may not use. The subject is that of other findings about the schema.
pub(crate) fn no_usage(schema: &str, role: &str) -> Diagnostic {
    Diagnostic::error(
        FindingKind::Privilege,
        format!("schema {schema}"),
        format!("the role {role} may not use the schema `{schema}`"),
    )
    .sql(probe::grant_usage(schema, role))
}

/// Checks the schemas of types that statements name.
pub(crate) async fn type_schemas(
    connection: &mut PgConnection,
    findings: &mut Findings<'_>,
) -> Result<()> {
    let wanted: Vec<&str> = findings
        .base
        .type_schemas
        .iter()
        .map(String::as_str)
        .collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let hidden = query(sql::SCHEMAS_WITHOUT_USAGE)
        .bind(wanted)
        .fetch_each(connection, |row| row.try_get::<String, _>(0))
        .await?;
    for schema in hidden {
        let diagnostic = no_usage(&schema, &findings.server.role).breaks(Breaks::Documents);
        findings.add(None, "", diagnostic);
    }
    Ok(())
}

/// Checks the bookkeeping table of rebuilds.
pub(crate) fn of_rebuilds(findings: &mut Findings<'_>, view: &'static View) {
    let table = bookkeeping(view);
    let Resolution::Found(relation) = findings.catalog.table(table) else {
        return;
    };
    let role = &findings.server.role;
    let lacking: Vec<&str> = BOOKKEEPING
        .into_iter()
        .filter(|privilege| !has(relation, privilege))
        .collect();
    if lacking.is_empty() {
        return;
    }
    let lacking = lacking.join(", ");
    let message = format!(
        "the role {role} lacks privileges on {table}, in which rebuilds record their progress: \
         {lacking}; ReadModel::rebuild fails, syncs and reads work"
    );
    let diagnostic = Diagnostic::warning(FindingKind::Privilege, table.to_string(), message)
        .sql(probe::grant(&lacking, table, role));
    findings.add(Some(view), view.shape.name, diagnostic);
}

fn has(relation: &CatalogRelation, privilege: &str) -> bool {
    match privilege {
        "INSERT" => relation.can_insert,
        "UPDATE" => relation.can_update,
        "DELETE" => relation.can_delete,
        _ => relation.columns.iter().all(|column| column.can_select),
    }
}

/// Checks the table of the sync log.
pub(crate) async fn of_log(
    connection: &mut PgConnection,
    findings: &mut Findings<'_>,
    log: &SyncLog,
) -> Result<()> {
    let Some((schema, name, table)) = log.table_name() else {
        return Ok(());
    };
    let (usage, exists, lacking) = query(sql::TABLE_PRIVILEGES)
        .bind(schema)
        .bind(name)
        .bind(LOG.as_slice())
        .fetch_one(connection, |row| {
            let lacking: Vec<String> = row.try_get("lacking")?;
            Ok((
                row.try_get::<bool, _>("usage")?,
                row.try_get::<bool, _>("exists")?,
                lacking,
            ))
        })
        .await?;
    let role = &findings.server.role;
    let diagnostic = if !usage {
        no_usage(schema, role)
    } else if !exists {
        let message =
            format!("there is no table {table} of the sync log, so batches are not logged");
        Diagnostic::warning(FindingKind::OutdatedViewTable, table, message)
            .remedies([Remedy::Migrate])
    } else if !lacking.is_empty() {
        let lacking = lacking.join(", ");
        let message =
            format!("the role {role} lacks privileges on {table}, the sync log: {lacking}");
        Diagnostic::warning(FindingKind::Privilege, table, message)
            .sql(probe::grant(&lacking, table, role))
    } else {
        return Ok(());
    };
    findings.add(None, "", diagnostic);
    Ok(())
}

/// Checks the tables that a mutation reads to follow foreign keys.
pub(crate) async fn of_cascades(
    connection: &mut PgConnection,
    findings: &mut Findings<'_>,
) -> Result<()> {
    let relations: Vec<i64> = findings
        .base
        .tables
        .iter()
        .filter_map(|table| findings.catalog.relation(*table))
        .filter(|relation| relation.kind == RelationKind::Table)
        .map(|relation| relation.oid)
        .collect();
    let hidden = query(sql::HIDDEN_CASCADES)
        .bind(relations)
        .fetch_each(connection, |row| {
            Ok((
                row.try_get::<String, _>("schema")?,
                row.try_get::<String, _>("name")?,
                row.try_get::<bool, _>("usage")?,
            ))
        })
        .await?;
    let role = &findings.server.role;
    let diagnostics: Vec<Diagnostic> = hidden
        .into_iter()
        .map(|(schema, name, usage)| {
            if !usage {
                return no_usage(&schema, role);
            }
            let table = format!("{}.{}", ident(&schema), ident(&name));
            let message = format!(
                "the role {role} may not read {table}, whose rows are deleted together with rows of \
                 this read model: a mutation that deletes such rows fails"
            );
            Diagnostic::warning(FindingKind::Privilege, format!("{table} SELECT"), message)
                .sql(probe::grant("SELECT", table, role))
        })
        .collect();
    for diagnostic in diagnostics {
        findings.add(None, "", diagnostic);
    }
    Ok(())
}
