//! Finds the rows that are deleted or changed together with other rows, by the foreign keys of the
//! database. It has to look before that happens, or through a connection that still sees the rows.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use sqlx::PgConnection;

use crate::error::Result;
use crate::mutation::dependents::foreign_keys::{
    ActionKind, ForeignKey, ForeignKeys, ReachedTable,
};
use crate::mutation::dependents::images::{ColumnValues, Images, Tuple, Wanted};
use crate::mutation::dependents::index::DependencyIndex;
use crate::schema::columns::ColumnNames;
use crate::schema::{Columns, Table};

/// The rows that are deleted or changed together with others, as they were before.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cascades {
    /// The values by which these rows led to documents, by table.
    pub(crate) origins: Vec<(Table, ColumnValues)>,
    /// The values that foreign keys have set in rows that were changed.
    pub(crate) landings: Vec<Landing>,
    /// Foreign keys that were met and not followed: `"public"."tb_line" (tb_line_order_fk)`.
    pub(crate) not_followed: BTreeSet<String>,
    /// There are more rows than the limit.
    pub(crate) truncated: bool,
}

/// Columns of a referencing table of which an action has set some to new values.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Landing {
    pub(crate) table: Table,
    pub(crate) columns: ColumnNames,
    /// The values, in the order of the columns.
    pub(crate) values: Vec<LandingValue>,
    /// The types of the columns, as SQL.
    pub(crate) types: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LandingValue {
    /// The value that the row has had: the action does not set this column.
    Kept(String),
    /// The value that a column of the first row has now: `ON UPDATE CASCADE`.
    Of(String),
    /// The value of this SQL: `SET DEFAULT`.
    Default(String),
}

/// The first rows of a search: values that a foreign key refers to.
#[derive(Debug)]
pub(crate) struct Start {
    /// The position of the key.
    key: usize,
    tuples: BTreeSet<Tuple>,
    /// The rows exist, and may have been deleted and inserted again. Whether they were, rows that
    /// referred to them show: they no longer do.
    uncertain: bool,
}

impl Landing {
    fn is_from_a_sequence(&self) -> bool {
        self.values
            .iter()
            .any(|value| matches!(value, LandingValue::Default(sql) if sql.contains("nextval(")))
    }
}

/// What a search needs.
#[derive(Clone, Copy)]
pub(crate) struct Search<'a> {
    pub(crate) index: &'a DependencyIndex,
    pub(crate) foreign_keys: &'a ForeignKeys,
    /// The maximum number of referenced values.
    pub(crate) limit: usize,
    /// Whether the rows are locked as they are found.
    pub(crate) lock: bool,
}

/// A foreign key to follow from rows.
struct Step {
    key: usize,
    tuples: BTreeSet<Tuple>,
    uncertain: bool,
    /// Which column of the first rows the new value of a referenced column comes from.
    sources: BTreeMap<String, String>,
}

/// The columns of `table` whose values have to be known of rows before they are changed: those by
/// which paths leave them, those that foreign keys refer to, and `more`.
pub(crate) fn image_columns(
    index: &DependencyIndex,
    table: Table,
    foreign_keys: &ForeignKeys,
    more: &ColumnNames,
) -> BTreeSet<String> {
    let mut columns = names_of(index.first_columns(table));
    columns.extend(more.names().iter().cloned());
    if let Some(reached) = foreign_keys.find(table) {
        columns.extend(referenced_columns(foreign_keys.referencing(reached)));
    }
    columns
}

/// The names of all columns of some sets.
fn names_of(sets: impl IntoIterator<Item = Columns>) -> BTreeSet<String> {
    let names = sets.into_iter().flat_map(|columns| columns.names());
    names.map(|&name| name.to_owned()).collect()
}

fn referenced_columns<'k>(
    keys: impl IntoIterator<Item = (usize, &'k ForeignKey)>,
) -> impl Iterator<Item = String> {
    let columns = keys.into_iter().flat_map(|(_, key)| &key.columns);
    columns.map(|column| column.key.clone())
}

/// The first steps from rows of `table`: of all keys that refer to values which the rows had, and
/// which no row of them has now. With `uncertain`, also of values that rows still have.
pub(crate) fn starts(
    foreign_keys: &ForeignKeys,
    table: Table,
    former: &Images,
    present: &Images,
    uncertain: bool,
) -> Vec<Start> {
    let Some(reached) = foreign_keys.find(table) else {
        return Vec::new();
    };
    let mut starts = Vec::new();
    for (position, key) in foreign_keys.referencing(reached) {
        let present = present.tuples(key);
        let (kept, gone): (BTreeSet<Tuple>, BTreeSet<Tuple>) = former
            .tuples(key)
            .into_iter()
            .partition(|tuple| present.contains(tuple));
        let mut start = |tuples: BTreeSet<Tuple>, uncertain| {
            if !tuples.is_empty() {
                starts.push(Start {
                    key: position,
                    tuples,
                    uncertain,
                });
            }
        };
        start(gone, false);
        if uncertain && key.on_delete {
            start(kept, true);
        }
    }
    starts
}

impl Search<'_> {
    /// The rows that are deleted or changed when the rows of `starts` are, and when these are in
    /// turn. `now` is a connection that sees the rows as they are, for starts that are uncertain.
    pub(crate) async fn run(
        self,
        connection: &mut PgConnection,
        mut now: Option<&mut PgConnection>,
        starts: Vec<Start>,
    ) -> Result<Cascades> {
        let mut found = Cascades::default();
        // The values that were followed. References may form a circle: it ends because a value is
        // followed once.
        let mut seen: BTreeMap<usize, BTreeSet<Tuple>> = BTreeMap::new();
        let mut total = 0;
        let first = |start| Step::first(self.foreign_keys, start);
        let mut queue: VecDeque<Step> = starts.into_iter().map(first).collect();
        while let Some(mut step) = queue.pop_front() {
            let seen = seen.entry(step.key).or_default();
            step.tuples.retain(|tuple| !seen.contains(tuple));
            if step.tuples.is_empty() {
                continue;
            }
            seen.extend(step.tuples.iter().cloned());
            total += step.tuples.len();
            if total > self.limit {
                found.truncated = true;
                break;
            }
            let next = self
                .step(connection, now.as_deref_mut(), step, &mut found)
                .await?;
            queue.extend(next);
        }
        found.landings.sort();
        found.landings.dedup();
        Ok(found)
    }

    /// Follows one key. Returns the steps that continue from its rows.
    async fn step(
        self,
        connection: &mut PgConnection,
        now: Option<&mut PgConnection>,
        step: Step,
        found: &mut Cascades,
    ) -> Result<Vec<Step>> {
        let key = self.foreign_keys.key(step.key);
        let Some(child) = self.foreign_keys.table(key.child) else {
            return Ok(Vec::new());
        };
        let tables: Vec<Table> = self
            .foreign_keys
            .relatives(child)
            .iter()
            .filter_map(|name| self.index.find_table(name))
            .collect();
        let next = self.next_keys(key, child);
        let columns = self.child_columns(key, &tables, &next);
        if tables.is_empty() && next.is_empty() {
            return Ok(Vec::new());
        }
        if !child.readable {
            found.not_followed.insert(key.describe(child));
            return Ok(Vec::new());
        }
        let wanted = Wanted {
            table: child.name(),
            // The action is executed on the rows of this table alone.
            only: !child.partitioned,
            columns: &columns,
            lock: self.lock && child.lockable,
            limit: self.limit,
        };
        let mut images = wanted
            .by_reference(self.index, connection, key, &step.tuples)
            .await?;
        found.truncated |= images.truncated;
        if step.uncertain
            && let Some(now) = now
        {
            let present = wanted
                .by_reference(self.index, now, key, &step.tuples)
                .await?;
            images.rows.retain(|row| !present.rows.contains(row));
        }
        if images.rows.is_empty() {
            return Ok(Vec::new());
        }
        for table in &tables {
            let leaving = self.index.first_columns(*table);
            let values = leaving
                .iter()
                .filter_map(|&columns| images.values(&columns.into()));
            found.origins.extend(values.map(|values| (*table, values)));
            let landings = landings(key, *table, &images, &leaving, &step.sources);
            // A default that differs each time cannot be computed again.
            let (unknown, known): (Vec<Landing>, Vec<Landing>) =
                landings.into_iter().partition(Landing::is_from_a_sequence);
            if !unknown.is_empty() {
                found.not_followed.insert(key.describe(child));
            }
            found.landings.extend(known);
        }
        // What a column of the referencing rows gets from the first rows.
        let sources = |column: &str| {
            let pair = key.columns.iter().find(|pair| pair.fk == column)?;
            step.sources.get(&pair.key).cloned()
        };
        let steps = next.into_iter().map(|(position, next)| Step {
            key: position,
            tuples: images.tuples(next),
            uncertain: false,
            sources: next
                .columns
                .iter()
                .filter_map(|pair| Some((pair.key.clone(), sources(&pair.key)?)))
                .collect(),
        });
        Ok(steps.collect())
    }

    /// The keys that act in turn, when `key` has acted on rows of `child`.
    fn next_keys(&self, key: &ForeignKey, child: &ReachedTable) -> Vec<(usize, &ForeignKey)> {
        let mut next = self.foreign_keys.referencing(child);
        next.retain(|(_, next)| {
            if key.deletes() {
                return next.on_delete;
            }
            // The row stays, and only the columns of the foreign key change.
            let changes = |name: &str| key.columns.iter().any(|pair| pair.fk == name);
            !next.on_delete && next.columns.iter().any(|pair| changes(&pair.key))
        });
        next
    }

    /// The columns whose values have to be known of the rows that refer by `key`.
    fn child_columns(
        &self,
        key: &ForeignKey,
        tables: &[Table],
        next: &[(usize, &ForeignKey)],
    ) -> BTreeSet<String> {
        let leaving = names_of(
            tables
                .iter()
                .flat_map(|table| self.index.first_columns(*table)),
        );
        let own = key.columns.iter().map(|pair| pair.fk.clone());
        leaving
            .into_iter()
            .chain(own)
            .chain(referenced_columns(next.iter().copied()))
            .collect()
    }
}

/// The values that `key` sets in columns by which paths leave rows of `table`.
fn landings(
    key: &ForeignKey,
    table: Table,
    images: &Images,
    leaving: &BTreeSet<Columns>,
    sources: &BTreeMap<String, String>,
) -> Vec<Landing> {
    let set_value = |name: &str| {
        let pair = key.columns.iter().find(|pair| pair.fk == name)?;
        match key.kind {
            ActionKind::Cascade if !key.on_delete => {
                sources.get(&pair.key).cloned().map(LandingValue::Of)
            }
            ActionKind::Default => pair.default.clone().map(LandingValue::Default),
            ActionKind::Cascade | ActionKind::Null => None,
        }
    };
    let mut landings = Vec::new();
    for columns in leaving {
        let names = columns.names().iter();
        let set: Vec<Option<LandingValue>> = names.clone().map(|name| set_value(name)).collect();
        let types: Option<Vec<&str>> = names.map(|name| images.type_of(name)).collect();
        let Some(types) = types.filter(|_| set.iter().any(Option::is_some)) else {
            continue;
        };
        // The rows differ in the columns that are not set. Of a single column, all get the same value.
        let kept: BTreeSet<Vec<Option<LandingValue>>> = images
            .rows_of(*columns)
            .map(|row| {
                let values = row.into_iter().zip(&set);
                values
                    .map(|(value, set)| set.clone().or(value.map(LandingValue::Kept)))
                    .collect()
            })
            .collect();
        landings.extend(kept.into_iter().filter_map(|values| {
            Some(Landing {
                table,
                columns: (*columns).into(),
                values: values.into_iter().collect::<Option<_>>()?,
                types: types.iter().map(|&ty| ty.to_owned()).collect(),
            })
        }));
    }
    landings
}

impl Step {
    /// The new values of referenced columns are those of the first rows.
    fn first(foreign_keys: &ForeignKeys, start: Start) -> Self {
        let columns = foreign_keys.key(start.key).columns.iter();
        Self {
            sources: columns
                .map(|pair| (pair.key.clone(), pair.key.clone()))
                .collect(),
            key: start.key,
            tuples: start.tuples,
            uncertain: start.uncertain,
        }
    }
}
