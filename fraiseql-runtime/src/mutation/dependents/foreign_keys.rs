//! The foreign keys of a database that act on other rows, as its catalog has them now.
//!
//! They are read whenever they are needed, and never kept: a key can be added while the application
//! runs, and one read model can work on several databases.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;

use serde::Deserialize;
use sqlx::{PgConnection, Row};

use crate::db::statement::Statement;
use crate::error::{Operation, Result};
use crate::schema::{Table, TableName};
use crate::sql::cascade;

/// The foreign keys that act when rows of some tables are deleted or change their keys, and those
/// that act in turn.
#[derive(Debug, Default)]
pub(crate) struct ForeignKeys {
    tables: BTreeMap<i64, ReachedTable>,
    keys: Vec<ForeignKey>,
}

/// A table that a foreign key leads from or to.
#[derive(Debug, Deserialize)]
pub(super) struct ReachedTable {
    oid: i64,
    #[serde(rename = "name")]
    qualified: (String, String),
    pub(super) partitioned: bool,
    /// Whether the role may read it.
    pub(super) readable: bool,
    /// Whether the role may lock its rows, and rows can be locked.
    pub(super) lockable: bool,
    /// The tables that inherit from it, partitions among them.
    members: Vec<i64>,
    /// The tables that its rows belong to: itself, and those that it inherits from.
    above: Vec<(String, String)>,
}

/// One action of a foreign key.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct ForeignKey {
    /// The referenced table, or the partition of it whose trigger this is.
    parent: i64,
    /// The referencing table.
    pub(super) child: i64,
    pub(super) name: String,
    /// Whether it acts when a referenced row is deleted, and not when its key changes.
    pub(super) on_delete: bool,
    pub(super) kind: ActionKind,
    pub(super) columns: Vec<KeyColumn>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ActionKind {
    Cascade,
    Null,
    Default,
}

/// A pair of columns of a foreign key.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct KeyColumn {
    /// The referencing column.
    pub(super) fk: String,
    /// The referenced column.
    pub(super) key: String,
    /// The type of the referenced column, as SQL.
    pub(super) ty: String,
    /// The operator that compares the two, as SQL.
    pub(super) eq: String,
    /// The default of the referencing column, as SQL, if the action sets it.
    pub(super) default: Option<String>,
}

/// The JSON of the statement.
#[derive(Deserialize)]
struct Catalog {
    tables: Option<Vec<ReachedTable>>,
    keys: Option<Vec<ForeignKey>>,
}

impl ForeignKeys {
    /// Reads the foreign keys that begin at rows of these tables.
    pub(crate) async fn load(
        connection: &mut PgConnection,
        tables: impl IntoIterator<Item = Table>,
    ) -> Result<Self> {
        let names: Vec<String> = tables.into_iter().map(|table| table.to_string()).collect();
        let catalog = Statement::new(cascade::FOREIGN_KEYS, Operation::ReadForeignKeys)
            .bind(names)
            .fetch_one(connection, |row| {
                let json: String = row.try_get(0)?;
                serde_json::from_str(&json).map_err(|error| sqlx::Error::Decode(error.into()))
            })
            .await?;
        let Catalog { tables, keys } = catalog;
        let tables = tables.unwrap_or_default().into_iter();
        Ok(Self {
            tables: tables.map(|table| (table.oid, table)).collect(),
            keys: keys.unwrap_or_default(),
        })
    }

    /// The table of this name, if it exists.
    pub(super) fn find(&self, table: Table) -> Option<&ReachedTable> {
        let is_named =
            |one: &&ReachedTable| one.qualified.0 == table.schema && one.qualified.1 == table.name;
        self.tables.values().find(is_named)
    }

    /// The table, and those that inherit from it, partitions among them.
    fn family<'t>(&'t self, table: &'t ReachedTable) -> impl Iterator<Item = &'t ReachedTable> {
        let mut waiting = vec![table];
        // It ends because the catalog has no circles.
        iter::from_fn(move || {
            let table = waiting.pop()?;
            waiting.extend(table.members.iter().filter_map(|oid| self.table(*oid)));
            Some(table)
        })
    }

    /// The tables that rows of this one may belong to: itself, those that it inherits from, and
    /// those that inherit from it.
    pub(super) fn relatives(&self, table: &ReachedTable) -> BTreeSet<TableName> {
        let members = self.family(table).map(ReachedTable::name);
        table.above().chain(members).collect()
    }

    pub(super) fn key(&self, position: usize) -> &ForeignKey {
        &self.keys[position]
    }

    pub(super) fn table(&self, oid: i64) -> Option<&ReachedTable> {
        self.tables.get(&oid)
    }

    /// Whether rows of this table can be locked by this role.
    pub(crate) fn is_lockable(&self, table: Table) -> bool {
        self.find(table).is_some_and(|table| table.lockable)
    }

    /// The tables whose rows a key may delete or change, with those that the rows may belong to.
    pub(crate) fn written_tables(&self) -> impl Iterator<Item = TableName> + '_ {
        let children = self.keys.iter().map(|key| key.child);
        children
            .filter_map(|oid| self.table(oid))
            .flat_map(|table| self.relatives(table))
    }

    /// The keys that act on behalf of rows of this table, with their positions. The triggers of
    /// partitions repeat the key of their table; it is returned once.
    pub(super) fn referencing(&self, table: &ReachedTable) -> Vec<(usize, &ForeignKey)> {
        let family: Vec<i64> = self.family(table).map(|table| table.oid).collect();
        let mut keys: Vec<(usize, &ForeignKey)> = Vec::new();
        for (position, key) in self.keys.iter().enumerate() {
            let repeats = |(_, other): &(usize, &ForeignKey)| {
                (other.child, other.on_delete, other.kind) == (key.child, key.on_delete, key.kind)
                    && other.columns == key.columns
            };
            if family.contains(&key.parent) && !keys.iter().any(repeats) {
                keys.push((position, key));
            }
        }
        keys
    }
}

impl ForeignKey {
    /// Whether it deletes the rows that refer to a deleted one.
    pub(super) fn deletes(&self) -> bool {
        self.on_delete && self.kind == ActionKind::Cascade
    }

    /// `"public"."tb_line" (tb_line_order_fk)`.
    pub(super) fn describe(&self, child: &ReachedTable) -> String {
        format!("{} ({})", child.name(), self.name)
    }
}

impl ReachedTable {
    pub(super) fn name(&self) -> TableName {
        name(&self.qualified)
    }

    fn above(&self) -> impl Iterator<Item = TableName> + '_ {
        self.above.iter().map(name)
    }
}

fn name((schema, name): &(String, String)) -> TableName {
    TableName {
        schema: schema.clone().into(),
        name: name.clone().into(),
    }
}
