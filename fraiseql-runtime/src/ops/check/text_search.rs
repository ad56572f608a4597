//! Checks that the text search configurations of indexes exist.

use sqlx::{PgConnection, Row as _};

use crate::db::statement::Statement;
use crate::error::check_report::FindingKind;
use crate::error::{Operation, Result};
use crate::ops::check::diagnostic::Diagnostic;
use crate::ops::check::execute::prepare;
use crate::ops::check::findings::Findings;
use crate::schema::naming::{did_you_mean, nearest_name};
use crate::schema::{IndexOn, View};
use crate::sql::{catalog as sql, probe};

/// Checks the full-text indexes of a view.
pub(crate) async fn view(
    connection: &mut PgConnection,
    findings: &mut Findings<'_>,
    view: &'static View,
) -> Result<()> {
    for index in view.indexes {
        let IndexOn::FullText { language, .. } = index.on else {
            continue;
        };
        if prepare(connection, &probe::text_search(language))
            .await?
            .is_ok()
        {
            continue;
        }
        let existing = Statement::new(sql::TEXT_SEARCH_CONFIGURATIONS, Operation::Check)
            .uncached()
            .fetch_each(&mut *connection, |row| {
                Ok((row.try_get(0)?, row.try_get(1)?))
            })
            .await?;
        let diagnostic = missing(language, &existing);
        findings.add(Some(view), view.shape.name, diagnostic);
    }
    Ok(())
}

/// The problem of a configuration that does not exist. `existing` has schemas and names.
fn missing(language: &str, existing: &[(String, String)]) -> Diagnostic {
    let name = language
        .rsplit('.')
        .next()
        .unwrap_or(language)
        .trim_matches('"');
    // As it is written in the attribute: those of PostgreSQL without a schema.
    let written = |(schema, name): &(String, String)| match schema.as_str() {
        "pg_catalog" => name.clone(),
        _ => format!("{schema}.{name}"),
    };
    let elsewhere = existing
        .iter()
        .find(|(_, other)| other == name)
        .map(written);
    let similar = elsewhere.or_else(|| {
        let nearest = nearest_name(name, existing.iter().map(|(_, other)| other.as_str()))?;
        existing
            .iter()
            .find(|(_, other)| other == nearest)
            .map(written)
    });
    let message = format!(
        "there is no text search configuration `{language}`, so its index cannot be created{}",
        did_you_mean(similar.as_deref())
    );
    let diagnostic = Diagnostic::error(FindingKind::TextSearch, language, message);
    match similar {
        Some(similar) => diagnostic.rust(format!("language = \"{similar}\"")),
        None => {
            let names: Vec<String> = existing.iter().map(written).collect();
            diagnostic.advice(format!(
                "create the configuration, or write one that exists: {}",
                names.join(", ")
            ))
        }
    }
}
