//! What the server has: the tables of a read model with their columns, indexes and keys.

use std::collections::HashMap;

use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row};

use crate::schema::Table;
use crate::sql::catalog as sql;

/// The server, and the role that asks.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) version_number: i32,
    pub(crate) version: String,
    pub(crate) encoding: String,
    pub(crate) isolation: String,
    pub(crate) read_only: bool,
    pub(crate) standby: bool,
    pub(crate) lz4: bool,
    pub(crate) role: String,
    pub(crate) database: String,
}

/// A table that a view needs, as it is.
#[derive(Debug)]
pub(crate) struct Relation {
    pub(crate) oid: i64,
    pub(crate) kind: Kind,
    pub(crate) can_insert: bool,
    pub(crate) can_update: bool,
    pub(crate) can_delete: bool,
    pub(crate) can_lock: bool,
    pub(crate) row_security: bool,
    pub(crate) columns: Vec<Column>,
    pub(crate) indexes: Vec<Index>,
    /// Column, the parent's identifier, the parent's column.
    pub(crate) foreign_keys: Vec<(String, i64, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Table,
    View,
    Materialized,
    Foreign,
}

#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) ty: i64,
    pub(crate) never_null: bool,
    pub(crate) can_select: bool,
    /// Its type with the length, as it is written in SQL.
    pub(crate) written: String,
    /// Its collation is nondeterministic: values that differ can be equal.
    pub(crate) folds: bool,
}

#[derive(Debug)]
pub(crate) struct Index {
    pub(crate) schema: String,
    pub(crate) name: String,
    pub(crate) columns: Vec<Option<String>>,
    pub(crate) unique: bool,
    pub(crate) valid: bool,
    pub(crate) partial: bool,
    pub(crate) immediate: bool,
    pub(crate) primary: bool,
    pub(crate) finds_equal: bool,
}

/// A type of a column.
#[derive(Debug)]
pub(crate) struct Type {
    pub(crate) oid: i64,
    pub(crate) name: String,
    pub(crate) built_in: bool,
    /// `pg_type.typtype`: `e` is an enum, `d` a domain, `c` a composite type.
    pub(crate) kind: char,
    pub(crate) base: i64,
    /// Of an array, the type of its elements; otherwise 0.
    pub(crate) element: i64,
    pub(crate) never_null: bool,
    /// As it is written in SQL.
    pub(crate) written: String,
    /// `to_jsonb` makes an object or the like of it, by a cast of its own.
    pub(crate) as_json: bool,
    /// Of an enum, in its order.
    pub(crate) labels: Vec<String>,
}

/// What stands where a table is expected.
#[derive(Debug)]
pub(crate) enum Found {
    NoSchema,
    NoTable,
    /// It may be there: this role may not look into the schema.
    NoUsage,
    Table(Relation),
}

#[derive(Debug, Default)]
pub(crate) struct Catalog {
    tables: HashMap<Table, Found>,
    types: HashMap<i64, Type>,
    names: HashMap<String, i64>,
    /// Every table there is, where one is missing.
    pub(crate) all: Vec<(String, String)>,
}

impl Relation {
    pub(crate) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Whether no two rows have the same value in `column`.
    pub(crate) fn is_unique(&self, column: &str) -> bool {
        self.indexes.iter().any(|index| {
            index.unique
                && index.valid
                && !index.partial
                && index.columns.len() == 1
                && index.columns[0].as_deref() == Some(column)
        })
    }

    pub(crate) fn has_primary_key(&self) -> bool {
        self.indexes.iter().any(|index| index.primary)
    }

    /// The indexes that begin with `column`.
    pub(crate) fn indexes_of<'a>(&'a self, column: &'a str) -> impl Iterator<Item = &'a Index> {
        self.indexes
            .iter()
            .filter(move |index| index.columns.first().and_then(Option::as_deref) == Some(column))
    }

    /// Whether a foreign key from `fk` to `key` of `parent` guarantees the row.
    pub(crate) fn refers(&self, fk: &str, parent: &Relation, key: &str) -> bool {
        self.foreign_keys
            .iter()
            .any(|(a, oid, b)| a == fk && *oid == parent.oid && b == key)
    }
}

impl Catalog {
    pub(crate) fn table(&self, table: Table) -> &Found {
        self.tables.get(&table).unwrap_or(&Found::NoTable)
    }

    pub(crate) fn relation(&self, table: Table) -> Option<&Relation> {
        match self.table(table) {
            Found::Table(relation) => Some(relation),
            _ => None,
        }
    }

    /// The type `oid` without the domains around it.
    pub(crate) fn base(&self, oid: i64) -> Option<&Type> {
        let mut ty = self.types.get(&oid)?;
        while ty.kind == 'd' {
            ty = self.types.get(&ty.base)?;
        }
        Some(ty)
    }

    /// The type as it was declared.
    pub(crate) fn declared(&self, oid: i64) -> Option<&Type> {
        self.types.get(&oid)
    }

    /// Whether a column can be null, its domains included.
    pub(crate) fn never_null(&self, column: &Column) -> bool {
        let mut oid = column.ty;
        while let Some(ty) = self.types.get(&oid).filter(|ty| ty.kind == 'd') {
            if ty.never_null {
                return true;
            }
            oid = ty.base;
        }
        column.never_null
    }

    /// The type that a field names.
    pub(crate) fn named(&self, name: &str) -> Option<&Type> {
        self.types.get(self.names.get(name)?)
    }

    /// Reads the tables, and the types that fields name.
    pub(crate) async fn load(
        connection: &mut PgConnection,
        tables: &[Table],
        names: &[&'static str],
    ) -> sqlx::Result<Self> {
        let mut catalog = Self::default();
        let schemas: Vec<&str> = tables.iter().map(|table| table.schema).collect();
        let plain: Vec<&str> = tables.iter().map(|table| table.name).collect();
        let rows = sqlx::query(sql::RELATIONS)
            .persistent(false)
            .bind(schemas)
            .bind(plain)
            .fetch_all(&mut *connection)
            .await?;
        let mut oids = Vec::new();
        for (table, row) in tables.iter().zip(&rows) {
            let oid: Option<i64> = row.try_get("oid")?;
            let found = match oid {
                _ if !row.try_get::<bool, _>("schema_exists")? => Found::NoSchema,
                None => Found::NoTable,
                Some(_) if !row.try_get::<bool, _>("usage")? => Found::NoUsage,
                Some(oid) => {
                    oids.push(oid);
                    let flag = |name| -> sqlx::Result<bool> {
                        Ok(row.try_get::<Option<bool>, _>(name)?.unwrap_or(true))
                    };
                    Found::Table(Relation {
                        oid,
                        kind: match row.try_get("kind")? {
                            "v" => Kind::View,
                            "m" => Kind::Materialized,
                            "f" => Kind::Foreign,
                            _ => Kind::Table,
                        },
                        can_insert: flag("can_insert")?,
                        can_update: flag("can_update")?,
                        can_delete: flag("can_delete")?,
                        can_lock: flag("can_lock")?,
                        row_security: flag("row_security")?,
                        columns: Vec::new(),
                        indexes: Vec::new(),
                        foreign_keys: Vec::new(),
                    })
                }
            };
            catalog.tables.insert(*table, found);
        }
        if catalog
            .tables
            .values()
            .any(|found| matches!(found, Found::NoSchema | Found::NoTable))
        {
            catalog.all = sqlx::query_as(sql::ALL_RELATIONS)
                .persistent(false)
                .fetch_all(&mut *connection)
                .await?;
        }
        catalog.load_parts(connection, &oids).await?;
        let mut types: Vec<i64> = catalog
            .relations()
            .flat_map(|relation| relation.columns.iter().map(|column| column.ty))
            .collect();
        for name in names {
            if let Some(oid) = type_named(connection, name).await? {
                catalog.names.insert((*name).to_owned(), oid);
                types.push(oid);
            }
        }
        catalog.load_types(connection, &types).await?;
        Ok(catalog)
    }

    fn relations(&self) -> impl Iterator<Item = &Relation> {
        self.tables.values().filter_map(|found| match found {
            Found::Table(relation) => Some(relation),
            _ => None,
        })
    }

    async fn load_parts(
        &mut self,
        connection: &mut PgConnection,
        oids: &[i64],
    ) -> sqlx::Result<()> {
        let mut relations: HashMap<i64, &mut Relation> = self
            .tables
            .values_mut()
            .filter_map(|found| match found {
                Found::Table(relation) => Some((relation.oid, relation)),
                _ => None,
            })
            .collect();
        let parts: [(&str, AddPart); 3] = [
            (sql::COLUMNS, add_column),
            (sql::INDEXES, add_index),
            (sql::FOREIGN_KEYS, add_foreign_key),
        ];
        for (statement, add) in parts {
            let rows = sqlx::query(statement)
                .persistent(false)
                .bind(oids)
                .fetch_all(&mut *connection)
                .await?;
            for row in rows {
                if let Some(relation) = relations.get_mut(&row.try_get("relation")?) {
                    add(relation, &row)?;
                }
            }
        }
        Ok(())
    }

    /// Reads the types `oids`, and what they are made of.
    pub(crate) async fn load_types(
        &mut self,
        connection: &mut PgConnection,
        oids: &[i64],
    ) -> sqlx::Result<()> {
        let rows = sqlx::query(sql::TYPES)
            .persistent(false)
            .bind(oids)
            .fetch_all(connection)
            .await?;
        for row in rows {
            let ty = Type {
                oid: row.try_get("oid")?,
                name: row.try_get("name")?,
                built_in: row.try_get("built_in")?,
                kind: row
                    .try_get::<String, _>("kind")?
                    .chars()
                    .next()
                    .unwrap_or('b'),
                base: row.try_get("base")?,
                element: row.try_get("element")?,
                never_null: row.try_get("never_null")?,
                written: row.try_get("written")?,
                as_json: row.try_get("as_json")?,
                labels: row.try_get("labels")?,
            };
            self.types.insert(ty.oid, ty);
        }
        Ok(())
    }
}

/// Adds a row of the catalog to its relation.
type AddPart = fn(&mut Relation, &PgRow) -> sqlx::Result<()>;

fn add_column(relation: &mut Relation, row: &PgRow) -> sqlx::Result<()> {
    relation.columns.push(Column {
        name: row.try_get("name")?,
        ty: row.try_get("type")?,
        never_null: row.try_get("never_null")?,
        can_select: row.try_get("can_select")?,
        written: row.try_get("written")?,
        folds: row.try_get("folds")?,
    });
    Ok(())
}

fn add_index(relation: &mut Relation, row: &PgRow) -> sqlx::Result<()> {
    relation.indexes.push(Index {
        schema: row.try_get("schema")?,
        name: row.try_get("name")?,
        columns: row.try_get("columns")?,
        unique: row.try_get("is_unique")?,
        valid: row.try_get("valid")?,
        partial: row.try_get("partial")?,
        immediate: row.try_get("immediate")?,
        primary: row.try_get("is_primary")?,
        finds_equal: row.try_get("finds_equal")?,
    });
    Ok(())
}

fn add_foreign_key(relation: &mut Relation, row: &PgRow) -> sqlx::Result<()> {
    relation.foreign_keys.push((
        row.try_get("fk")?,
        row.try_get("parent")?,
        row.try_get("key")?,
    ));
    Ok(())
}

/// The type that is called `name`. What cannot be a name is none.
async fn type_named(connection: &mut PgConnection, name: &str) -> sqlx::Result<Option<i64>> {
    let asked = sqlx::query_scalar(sql::TYPE_NAMED)
        .persistent(false)
        .bind(name)
        .fetch_one(&mut *connection)
        .await;
    match asked {
        Err(sqlx::Error::Database(_)) => {
            command(connection, sql::ROLLBACK).await?;
            Ok(None)
        }
        answer => answer,
    }
}

/// Runs one statement without parameters, and leaves nothing behind on the connection.
pub(crate) async fn command(
    connection: &mut PgConnection,
    statement: impl Into<String>,
) -> sqlx::Result<()> {
    // It is one of this crate's statements, or a fragment that a sync would run too.
    sqlx::query(AssertSqlSafe(statement.into()))
        .persistent(false)
        .execute(connection)
        .await?;
    Ok(())
}

/// Reads what the server says of itself.
pub(crate) async fn server(connection: &mut PgConnection) -> sqlx::Result<Server> {
    let row = sqlx::query(sql::SERVER)
        .persistent(false)
        .fetch_one(connection)
        .await?;
    Ok(Server {
        version_number: row.try_get("version_number")?,
        version: row.try_get("version")?,
        encoding: row.try_get("encoding")?,
        isolation: row.try_get("isolation")?,
        read_only: row.try_get("read_only")?,
        standby: row.try_get("standby")?,
        lz4: row.try_get("lz4")?,
        role: row.try_get("role")?,
        database: row.try_get("database")?,
    })
}
