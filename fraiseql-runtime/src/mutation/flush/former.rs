//! Finds the documents that depended on rows as they were before the mutation: what was looked up
//! before the rows were changed, and what the second connection sees.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use sqlx::{PgConnection, Row};

use crate::db::statement::Statement;
use crate::error::{Error, Operation, Result};
use crate::mutation::change_set::MarkedColumns;
use crate::mutation::committed_reader::CommittedReader;
use crate::mutation::dependents::cascade::{
    Cascades, Landing, LandingValue, Search, image_columns, starts,
};
use crate::mutation::dependents::find::{find_dependents, find_former_dependents};
use crate::mutation::dependents::foreign_keys::ForeignKeys;
use crate::mutation::dependents::images::{ColumnValues, Images, Wanted};
use crate::mutation::dependents::index::DependencyIndex;
use crate::mutation::early_look::EarlyLook;
use crate::mutation::flush::affected::AffectedDocuments;
use crate::mutation::flush::lookup::CurrentRows;
use crate::mutation::isolation::Isolation;
use crate::mutation::transaction::Mutation;
use crate::schema::columns::ColumnNames;
use crate::schema::key::Keys;
use crate::schema::{Table, TableName};

/// Values by which rows led to documents before the mutation.
pub(super) struct FormerOrigin {
    table: Table,
    values: ColumnValues,
    /// The number of steps from a marked row: 1 for rows that were deleted or changed with it.
    extra_depth: usize,
}

/// Marked rows of one table.
pub(super) struct FormerRows {
    pub(super) table: Table,
    pub(super) columns: ColumnNames,
    /// All marked values.
    pub(super) marked: Keys,
    /// Those whose former rows are looked up.
    pub(super) keys: Keys,
    /// Whether a foreign key may have acted on other rows.
    pub(super) may_have_acted: bool,
}

/// What is known of former rows, and of those that foreign keys have deleted or changed with them.
#[derive(Default)]
pub(super) struct Former {
    origins: Vec<FormerOrigin>,
    /// The tables that these foreign keys write to.
    pub(super) cascaded: BTreeSet<TableName>,
}

impl Former {
    /// Adds what was looked up before the rows were changed.
    pub(super) async fn add_looks(
        &mut self,
        mutation: &mut Mutation,
        looks: Vec<EarlyLook>,
        current: &BTreeMap<MarkedColumns, CurrentRows>,
        affected: &mut AffectedDocuments,
    ) -> Result<()> {
        for look in looks {
            let ty = look.keys.sql_type();
            let Some(now) = current.get(&(look.table, look.columns.clone(), ty)) else {
                // Foreseen, and this time not marked.
                continue;
            };
            self.add_rows(&mutation.context.index, look.table, &look.images);
            affected.truncated |= look.images.truncated;
            self.cascaded.extend(look.foreign_keys.written_tables());
            let mut gone = look.keys.clone();
            gone.remove(&now.existing);
            let has_cascades = !look.cascades.origins.is_empty()
                || !look.cascades.not_followed.is_empty()
                || look.cascades.truncated;
            if !has_cascades || gone.is_empty() && !now.may_have_acted {
                continue;
            }
            let rows = FormerRows {
                table: look.table,
                columns: look.columns,
                marked: now.marked.clone(),
                keys: look.keys,
                may_have_acted: now.may_have_acted,
            };
            let present = present_images(mutation, &rows, &look.foreign_keys).await?;
            let (keys, acted) = (&look.foreign_keys, now.may_have_acted);
            if !starts(keys, rows.table, &look.images, &present, acted).is_empty() {
                self.add_cascades(mutation, look.cascades, &present, affected)
                    .await?;
            }
        }
        Ok(())
    }

    /// Adds what the second connection sees.
    ///
    /// Only the first step is read through the committed rows: the values that the rows had in the
    /// columns by which paths leave them. From these values, the paths are followed in the mutation's
    /// own transaction, because only there can the rows on them be locked. A row on a path that
    /// another transaction moves meanwhile is waited for, and leads to its new documents.
    pub(super) async fn add_committed(
        &mut self,
        mutation: &mut Mutation,
        former: &[FormerRows],
        affected: &mut AffectedDocuments,
    ) -> Result<()> {
        let Some(first) = former.first() else {
            return Ok(());
        };
        let acted = former.iter().filter(|rows| rows.may_have_acted);
        let tables: BTreeSet<Table> = acted.map(|rows| rows.table).collect();
        let foreign_keys = match tables.is_empty() {
            true => ForeignKeys::default(),
            false => ForeignKeys::load(&mut mutation.connection, tables).await?,
        };
        self.cascaded.extend(foreign_keys.written_tables());
        let context = mutation.context.clone();
        let (wait, waiting) = (mutation.second_connection_wait, &context.waiting);
        let table = TableName::from(first.table);
        let mut reader = match mutation.reserved.take() {
            Some(reader) => reader,
            None => CommittedReader::begin(&mutation.pool, wait, waiting, table).await?,
        };
        let mut cascades = Vec::new();
        for rows in former {
            let committed = reader.connection();
            let found = committed_rows(mutation, committed, rows, &foreign_keys, affected).await?;
            self.add_rows(&mutation.context.index, rows.table, &found.images);
            affected.truncated |= found.images.truncated;
            cascades.extend(found.cascades);
        }
        // The connection is back before the statements below, which may wait for locks.
        reader.end().await;
        for (found, present) in cascades {
            self.add_cascades(mutation, found, &present, affected)
                .await?;
        }
        Ok(())
    }

    /// Follows the paths from all that was added.
    pub(super) async fn find(
        self,
        mutation: &mut Mutation,
        affected: &mut AffectedDocuments,
    ) -> Result<BTreeSet<TableName>> {
        let index = &mutation.context.index;
        let limit = mutation.limits.documents;
        for origin in self.origins {
            let connection: &mut PgConnection = &mut mutation.connection;
            let (table, values) = (origin.table, &origin.values);
            let paths = find_former_dependents(index, connection, table, values, limit).await?;
            affected.add_former(paths, origin.extra_depth);
        }
        Ok(self.cascaded)
    }

    fn add_rows(&mut self, index: &DependencyIndex, table: Table, images: &Images) {
        for columns in index.first_columns(table) {
            self.origins
                .extend(images.values(&columns.into()).map(|values| FormerOrigin {
                    table,
                    values,
                    extra_depth: 0,
                }));
        }
    }

    /// Adds rows that were deleted or changed with others. `present` has the first of these others as
    /// they are now.
    async fn add_cascades(
        &mut self,
        mutation: &mut Mutation,
        cascades: Cascades,
        present: &Images,
        affected: &mut AffectedDocuments,
    ) -> Result<()> {
        affected.truncated |= cascades.truncated;
        affected.not_followed.extend(cascades.not_followed);
        let mut landed = Vec::new();
        for landing in cascades.landings {
            landed.extend(land(mutation, landing, present).await?);
        }
        let origins = cascades.origins.into_iter().chain(landed);
        self.origins
            .extend(origins.map(|(table, values)| FormerOrigin {
                table,
                values,
                extra_depth: 1,
            }));
        Ok(())
    }
}

/// Rows as the second connection sees them.
struct CommittedRows {
    images: Images,
    /// The rows that were deleted or changed with them, and the present images of the marked rows.
    cascades: Option<(Cascades, Images)>,
}

async fn committed_rows(
    mutation: &mut Mutation,
    committed: &mut PgConnection,
    rows: &FormerRows,
    foreign_keys: &ForeignKeys,
    affected: &mut AffectedDocuments,
) -> Result<CommittedRows> {
    let context = mutation.context.clone();
    let (index, limit) = (&context.index, mutation.limits.documents);
    let images = images(index, committed, rows, &rows.keys, foreign_keys, limit).await?;
    refuse_hidden(rows, &images)?;
    if mutation.isolation == Isolation::Serializable {
        let (table, columns, keys) = (rows.table, &rows.columns, &rows.keys);
        let found = find_dependents(index, committed, table, columns, keys, false, limit).await?;
        affected.add_former(found.paths, 0);
    }
    if !rows.may_have_acted {
        let cascades = None;
        return Ok(CommittedRows { images, cascades });
    }
    let present = present_images(mutation, rows, foreign_keys).await?;
    let starts = starts(foreign_keys, rows.table, &images, &present, true);
    let search = Search {
        index,
        foreign_keys,
        limit,
        lock: false,
    };
    let now = Some(&mut *mutation.connection);
    let cascades = search.run(committed, now, starts).await?;
    let cascades = Some((cascades, present));
    Ok(CommittedRows { images, cascades })
}

/// The marked rows as they are now.
async fn present_images(
    mutation: &mut Mutation,
    rows: &FormerRows,
    foreign_keys: &ForeignKeys,
) -> Result<Images> {
    let (index, limit) = (&mutation.context.index, mutation.limits.documents);
    let connection: &mut PgConnection = &mut mutation.connection;
    images(index, connection, rows, &rows.marked, foreign_keys, limit).await
}

/// The marked rows with these values of the column by which they were marked, as `connection` sees
/// them.
async fn images(
    index: &DependencyIndex,
    connection: &mut PgConnection,
    rows: &FormerRows,
    keys: &Keys,
    foreign_keys: &ForeignKeys,
    limit: usize,
) -> Result<Images> {
    let columns = image_columns(index, rows.table, foreign_keys, &rows.columns);
    let wanted = Wanted {
        table: rows.table.into(),
        only: false,
        columns: &columns,
        lock: false,
        limit,
    };
    wanted
        .by_columns(index, connection, &rows.columns, keys)
        .await
}

/// Row security may hide rows from the second connection, as it depends on settings that the mutation
/// may have made. A row that is not seen there is hidden or new, and only the caller knows.
fn refuse_hidden(rows: &FormerRows, images: &Images) -> Result<()> {
    if !images.secured {
        return Ok(());
    }
    let seen = images.values(&rows.columns);
    let seen = seen.map(|values| values.values).unwrap_or_default();
    let hidden = rows.keys.without_texts(&seen);
    if hidden.is_empty() {
        return Ok(());
    }
    Err(Error::HiddenRows {
        table: rows.table.into(),
        keys: hidden,
    })
}

/// The values that an action of a foreign key has set in columns. Those of the referenced rows are taken from one row
/// each.
async fn land(
    mutation: &mut Mutation,
    landing: Landing,
    present: &Images,
) -> Result<Option<(Table, ColumnValues)>> {
    let sources = landing.values.iter().filter_map(|value| match value {
        LandingValue::Of(column) => Some(column),
        LandingValue::Kept(_) | LandingValue::Default(_) => None,
    });
    let sources: Vec<&String> = sources.collect();
    // Without sources, one empty tuple.
    let mut tuples: Vec<VecDeque<String>> = match sources.as_slice() {
        [] => vec![VecDeque::new()],
        sources => {
            let tuples = present.tuples_of(sources).into_iter();
            tuples.map(VecDeque::from).collect()
        }
    };
    for (value, ty) in landing.values.iter().zip(&landing.types) {
        let set = match value {
            // The first of the sources that are left.
            LandingValue::Of(_) => None,
            LandingValue::Kept(value) => Some(value.clone()),
            LandingValue::Default(default) => {
                let value = default_value(mutation, landing.table, default, ty).await?;
                let Some(value) = value else { return Ok(None) };
                Some(value)
            }
        };
        for tuple in &mut tuples {
            // Taken from the front, and added to the end: when all columns are through, the tuple is whole.
            let value = match &set {
                Some(value) => Some(value.clone()),
                None => tuple.pop_front(),
            };
            tuple.extend(value);
        }
    }
    let tuples = tuples.into_iter().map(Vec::from).collect();
    let values = ColumnValues::of(landing.columns, &landing.types, tuples);
    Ok(values.map(|values| (landing.table, values)))
}

/// The value of a column's default; `None` if it is null.
async fn default_value(
    mutation: &mut Mutation,
    table: Table,
    default: &str,
    ty: &str,
) -> Result<Option<String>> {
    let sql =
        format!("SELECT pg_catalog.to_jsonb(({default})::{ty}) OPERATOR(pg_catalog.#>>) '{{}}'");
    Statement::composed(sql, Operation::FindFormerValues)
        .on(table)
        .uncached()
        .fetch_one(&mut mutation.connection, |row| row.try_get(0))
        .await
}
