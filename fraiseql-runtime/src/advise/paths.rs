//! How often base tables are written, and how many documents one change of them reaches.

use std::collections::{BTreeMap, HashMap};

use sqlx::{PgConnection, Row as _};

use crate::advise::report::PathLoad;
use crate::db::statement::Statement;
use crate::error::{Operation, Result};
use crate::mutation::dependents::find::find_dependents;
use crate::mutation::dependents::index::DependencyIndex;
use crate::schema::columns::ColumnNames;
use crate::schema::key::Keys;
use crate::schema::naming::table_name;
use crate::schema::{Columns, Table};
use crate::sql::advise as sql;
use crate::view::Handle;

/// The rows of a table that are followed to documents.
const FOLLOWED: i64 = 20;
/// The most documents that are counted for each of them.
const MAX_COUNTED: usize = 100_000;

/// The paths to the documents of a view, each with its writes and its fan-out, the heaviest first.
pub(super) async fn loads(
    connection: &mut PgConnection,
    view: Handle,
    given: &HashMap<String, f64>,
) -> Result<Vec<PathLoad>> {
    let index = DependencyIndex::new(&[view]);
    let mut loads = Vec::new();
    for table in index.tables() {
        let (writes_per_day, counted_days) = match given.get(&table_name(table)) {
            Some(rows) => (*rows, f64::INFINITY),
            None => counted(connection, table).await?,
        };
        let mut by_columns: BTreeMap<Columns, Vec<&str>> = BTreeMap::new();
        for path in index.paths(table) {
            by_columns
                .entry(path.first_columns())
                .or_default()
                .push(&path.text);
        }
        for (columns, texts) in by_columns {
            let fan_outs = fan_outs(connection, &index, table, columns).await?;
            for text in texts {
                loads.push(PathLoad {
                    path: text.to_owned(),
                    table,
                    writes_per_day,
                    counted_days,
                    fan_out: fan_outs
                        .as_ref()
                        .map(|it| it.get(text).copied().unwrap_or(0.0)),
                });
            }
        }
    }
    loads.sort_by(|a, b| b.documents_per_day().total_cmp(&a.documents_per_day()));
    Ok(loads)
}

/// How many rows of a table were written in a day, and for how many days that was counted.
async fn counted(connection: &mut PgConnection, table: Table) -> Result<(f64, f64)> {
    Statement::new(sql::WRITES, Operation::Advise)
        .on(table)
        .bind(table.to_string())
        .fetch_one(connection, |row| {
            Ok((row.try_get("writes")?, row.try_get("days")?))
        })
        .await
}

/// The mean number of documents that a random row reaches, by path. `None` if the rows cannot be
/// followed, because their column has a type that no key has.
async fn fan_outs(
    connection: &mut PgConnection,
    index: &DependencyIndex,
    table: Table,
    columns: Columns,
) -> Result<Option<BTreeMap<String, f64>>> {
    let Some(rows) = sample(connection, table, columns).await? else {
        return Ok(None);
    };
    let names = ColumnNames::from(columns);
    let mut documents: BTreeMap<String, f64> = BTreeMap::new();
    let count = rows.len() as f64;
    for position in 1..=rows.len() {
        let row = rows.at(&[position]);
        let limit = MAX_COUNTED;
        let found = find_dependents(index, connection, table, &names, &row, false, limit).await?;
        for path in found.paths {
            *documents.entry(path.text.to_string()).or_default() += path.keys.len() as f64;
        }
    }
    for documents in documents.values_mut() {
        *documents /= count;
    }
    Ok(Some(documents))
}

/// Random values of columns.
async fn sample(
    connection: &mut PgConnection,
    table: Table,
    columns: Columns,
) -> Result<Option<Keys>> {
    let found: Option<(String, bool, f64)> = Statement::new(sql::COLUMN, Operation::Advise)
        .on(table)
        .bind(table.to_string())
        .bind(columns.names().first().copied())
        .fetch_optional(&mut *connection, |row| {
            Ok((
                row.try_get("ty")?,
                row.try_get("sampled")?,
                row.try_get("rows")?,
            ))
        })
        .await?;
    let Some((ty, sampled, rows)) = found else {
        return Ok(None);
    };
    let none = match ty.as_str() {
        _ if columns.len() > 1 => Keys::Tuples(Vec::new()),
        "smallint" => Keys::I16(Vec::new()),
        "integer" => Keys::I32(Vec::new()),
        "bigint" => Keys::I64(Vec::new()),
        "text" | "character varying" => Keys::Text(Vec::new()),
        "uuid" => Keys::Uuid(Vec::new()),
        _ => return Ok(None),
    };
    for sampled in [sampled, false] {
        let found = Statement::composed(sql::values(table, columns, sampled), Operation::Advise)
            .on(table)
            .bind(FOLLOWED)
            .bind(rows.max(1.0))
            .fetch_one(&mut *connection, |row| none.read(row, 0))
            .await?;
        if !found.is_empty() {
            return Ok(Some(found));
        }
    }
    Ok(Some(none))
}
