//! Reads the catalog of the server.

use std::collections::HashMap;

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};

use crate::db::statement::Statement;
use crate::error::{Operation, Result};
use crate::ops::check::catalog::relation::{
    CatalogRelation, ChildTable, ForeignKey, RelationColumn, RelationIndex, RelationKind,
    Resolution,
};
use crate::ops::check::catalog::types::{Catalog, PgType};
use crate::ops::check::execute::command;
use crate::ops::check::requirements::Requirements;
use crate::schema::{Table, TableName};
use crate::sql::catalog as sql;

/// A query of the catalog. A check runs once, so its statements are not kept on the connection.
fn query<'q>(sql: &'static str) -> Statement<'q> {
    Statement::new(sql, Operation::Check).uncached()
}

impl Catalog {
    /// Reads the tables and types of `requirements`.
    pub(crate) async fn load(
        connection: &mut PgConnection,
        requirements: &Requirements,
    ) -> Result<Self> {
        let mut catalog = Self::default();
        let tables: Vec<Table> = requirements.tables.iter().copied().collect();
        let schemas: Vec<&str> = tables.iter().map(|table| table.schema).collect();
        let names: Vec<&str> = tables.iter().map(|table| table.name).collect();
        let resolutions = query(sql::RELATIONS)
            .bind(schemas)
            .bind(names)
            .fetch_each(&mut *connection, resolution)
            .await?;
        // The query returns a row for each table, in their order.
        catalog.tables = tables.into_iter().zip(resolutions).collect();
        let is_missing = |resolution: &Resolution| {
            matches!(resolution, Resolution::NoSchema | Resolution::NoTable)
        };
        if catalog.tables.values().any(is_missing) {
            catalog.all_relations = query(sql::ALL_RELATIONS)
                .fetch_each(&mut *connection, |row| {
                    Ok((row.try_get(0)?, row.try_get(1)?))
                })
                .await?;
        }
        catalog.load_relations(connection).await?;
        let mut types: Vec<i64> = catalog
            .relations()
            .flat_map(|relation| relation.columns.iter().map(|column| column.type_oid))
            .collect();
        for name in &requirements.types {
            if let Some(oid) = type_named(connection, name).await? {
                catalog.type_names.insert((*name).to_owned(), oid);
                types.push(oid);
            }
        }
        catalog.types = read_types(connection, &types).await?;
        Ok(catalog)
    }

    /// Reads the columns, indexes and foreign keys of the relations.
    async fn load_relations(&mut self, connection: &mut PgConnection) -> Result<()> {
        let mut relations: HashMap<i64, &mut CatalogRelation> = self
            .tables
            .values_mut()
            .filter_map(|resolution| match resolution {
                Resolution::Found(relation) => Some((relation.oid, relation)),
                _ => None,
            })
            .collect();
        let mut oids: Vec<i64> = relations.keys().copied().collect();
        oids.sort_unstable();
        let queries: [(&'static str, AddRow); 4] = [
            (sql::COLUMNS, add_column),
            (sql::INDEXES, add_index),
            (sql::FOREIGN_KEYS, add_foreign_key),
            (sql::CHILDREN, add_child),
        ];
        for (statement, add) in queries {
            query(statement)
                .bind(oids.as_slice())
                .fetch_each(&mut *connection, |row| {
                    match relations.get_mut(&row.try_get("relation")?) {
                        Some(relation) => add(relation, row),
                        None => Ok(()),
                    }
                })
                .await?;
        }
        let mut children: HashMap<i64, Vec<&mut ChildTable>> = HashMap::new();
        for child in relations.into_values().flat_map(|it| &mut it.children) {
            children.entry(child.oid).or_default().push(child);
        }
        if children.is_empty() {
            return Ok(());
        }
        let oids: Vec<i64> = children.keys().copied().collect();
        query(sql::INDEXES)
            .bind(oids)
            .fetch_each(connection, |row| {
                for child in children.entry(row.try_get("relation")?).or_default() {
                    child.indexes.push(index(row)?);
                }
                Ok(())
            })
            .await?;
        Ok(())
    }
}

/// Reads the type `oid`, and the types that it is composed of, into a catalog of their own.
pub(crate) async fn load_types(connection: &mut PgConnection, oid: i64) -> Result<Catalog> {
    Ok(Catalog {
        types: read_types(connection, &[oid]).await?,
        ..Catalog::default()
    })
}

async fn read_types(connection: &mut PgConnection, oids: &[i64]) -> Result<HashMap<i64, PgType>> {
    let types = query(sql::TYPES)
        .bind(oids)
        .fetch_each(connection, pg_type)
        .await?;
    Ok(types.into_iter().map(|ty| (ty.oid, ty)).collect())
}

fn resolution(row: &PgRow) -> sqlx::Result<Resolution> {
    let oid: Option<i64> = row.try_get("oid")?;
    if !row.try_get::<bool, _>("schema_exists")? {
        return Ok(Resolution::NoSchema);
    }
    let Some(oid) = oid else {
        return Ok(Resolution::NoTable);
    };
    if !row.try_get::<bool, _>("usage")? {
        return Ok(Resolution::NoUsage);
    }
    // A privilege is null for a relation without columns.
    let flag =
        |name| -> sqlx::Result<bool> { Ok(row.try_get::<Option<bool>, _>(name)?.unwrap_or(true)) };
    Ok(Resolution::Found(CatalogRelation {
        oid,
        kind: match row.try_get("kind")? {
            "v" => RelationKind::View,
            "m" => RelationKind::Materialized,
            "f" => RelationKind::Foreign,
            _ => RelationKind::Table,
        },
        can_insert: flag("can_insert")?,
        can_update: flag("can_update")?,
        can_delete: flag("can_delete")?,
        can_lock: flag("can_lock")?,
        row_security: flag("row_security")?,
        unlogged: row.try_get("unlogged")?,
        partitioned_by: row.try_get("partitioned_by")?,
        children: Vec::new(),
        columns: Vec::new(),
        indexes: Vec::new(),
        foreign_keys: Vec::new(),
    }))
}

/// Adds a row of the catalog to its relation.
type AddRow = fn(&mut CatalogRelation, &PgRow) -> sqlx::Result<()>;

fn add_column(relation: &mut CatalogRelation, row: &PgRow) -> sqlx::Result<()> {
    relation.columns.push(RelationColumn {
        name: row.try_get("name")?,
        type_oid: row.try_get("type")?,
        never_null: row.try_get("never_null")?,
        can_select: row.try_get("can_select")?,
        type_sql: row.try_get("written")?,
        is_nondeterministic: row.try_get("folds")?,
    });
    Ok(())
}

fn add_index(relation: &mut CatalogRelation, row: &PgRow) -> sqlx::Result<()> {
    relation.indexes.push(index(row)?);
    Ok(())
}

fn add_child(relation: &mut CatalogRelation, row: &PgRow) -> sqlx::Result<()> {
    relation.children.push(ChildTable {
        oid: row.try_get("oid")?,
        table: TableName {
            schema: row.try_get::<String, _>("schema")?.into(),
            name: row.try_get::<String, _>("name")?.into(),
        },
        is_foreign: row.try_get("is_foreign")?,
        indexes: Vec::new(),
    });
    Ok(())
}

fn index(row: &PgRow) -> sqlx::Result<RelationIndex> {
    Ok(RelationIndex {
        schema: row.try_get("schema")?,
        name: row.try_get("name")?,
        columns: row.try_get("columns")?,
        unique: row.try_get("is_unique")?,
        valid: row.try_get("valid")?,
        partial: row.try_get("partial")?,
        immediate: row.try_get("immediate")?,
        primary: row.try_get("is_primary")?,
        finds_equal: row.try_get("finds_equal")?,
    })
}

fn add_foreign_key(relation: &mut CatalogRelation, row: &PgRow) -> sqlx::Result<()> {
    relation.foreign_keys.push(ForeignKey {
        constraint: row.try_get("constraint")?,
        column: row.try_get("fk")?,
        parent_oid: row.try_get("parent")?,
        parent_column: row.try_get("key")?,
    });
    Ok(())
}

fn pg_type(row: &PgRow) -> sqlx::Result<PgType> {
    Ok(PgType {
        oid: row.try_get("oid")?,
        name: row.try_get("name")?,
        built_in: row.try_get("built_in")?,
        typtype: row
            .try_get::<String, _>("kind")?
            .chars()
            .next()
            .unwrap_or('b'),
        base: row.try_get("base")?,
        element: row.try_get("element")?,
        never_null: row.try_get("never_null")?,
        sql: row.try_get("written")?,
        as_json: row.try_get("as_json")?,
        labels: row.try_get("labels")?,
    })
}

/// The identifier of the type with this name. `None` if there is none, or if it cannot be a name
/// of a type.
async fn type_named(connection: &mut PgConnection, name: &str) -> Result<Option<i64>> {
    let result = query(sql::TYPE_NAMED)
        .bind(name)
        .fetch_one(&mut *connection, |row| row.try_get(0))
        .await;
    match result {
        // `to_regtype` fails for a text that is not the syntax of a type.
        Err(error) if error.code().is_some() => {
            command(connection, sql::ROLLBACK).await?;
            Ok(None)
        }
        result => result,
    }
}
