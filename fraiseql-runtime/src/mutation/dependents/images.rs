//! Images of rows: the values that rows have in the columns by which paths and foreign keys leave
//! them, as texts, because the columns may have any type.

use std::collections::BTreeSet;
use std::sync::Arc;

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use crate::db::statement::Statement;
use crate::error::{Operation, Result};
use crate::mutation::dependents::foreign_keys::ForeignKey;
use crate::mutation::dependents::index::DependencyIndex;
use crate::mutation::limits::one_more;
use crate::schema::columns::ColumnNames;
use crate::schema::key::Keys;
use crate::schema::{Columns, TableName};
use crate::sql::cascade::{FoundBy, ReferenceColumn, image_row};

/// The values of some columns in one row. None is null.
type Image = Vec<Option<String>>;

/// The values that a row has in the referenced columns of a foreign key. None of them is null.
pub(crate) type Tuple = Vec<String>;

/// The distinct images of some rows of a table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Images {
    columns: Vec<String>,
    /// The type of each column, as SQL.
    types: Vec<String>,
    pub(super) rows: BTreeSet<Image>,
    /// Whether row security may hide rows of the table from this role.
    pub(crate) secured: bool,
    /// There are more than the limit.
    pub(crate) truncated: bool,
}

/// The distinct values of columns, and their type.
#[derive(Clone, Debug)]
pub(crate) struct ColumnValues {
    pub(crate) columns: ColumnNames,
    /// The type of the values, as SQL. Those of several columns are JSON arrays.
    pub(crate) ty: String,
    pub(crate) values: Vec<String>,
}

impl ColumnValues {
    /// The values of columns of these types. None without values.
    pub(crate) fn of(
        columns: ColumnNames,
        types: &[String],
        tuples: BTreeSet<Tuple>,
    ) -> Option<Self> {
        let ty = match types {
            [ty] => ty.clone(),
            _ => "jsonb".to_owned(),
        };
        let values: Vec<String> = tuples.into_iter().map(tuple_value).collect();
        (!values.is_empty()).then_some(Self {
            columns,
            ty,
            values,
        })
    }
}

/// Which rows an image is taken of, and how.
#[derive(Clone, Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) table: TableName,
    /// Whether the rows of inheriting tables are left out.
    pub(crate) only: bool,
    pub(crate) columns: &'a BTreeSet<String>,
    /// Whether the rows are locked as if they were deleted.
    pub(crate) lock: bool,
    pub(crate) limit: usize,
}

impl Wanted<'_> {
    /// Images of the rows whose `columns` have one of `keys`.
    pub(crate) async fn by_columns(
        &self,
        index: &DependencyIndex,
        connection: &mut PgConnection,
        columns: &ColumnNames,
        keys: &Keys,
    ) -> Result<Images> {
        let sql = self.statement(index, FoundBy::Columns(columns, keys.sql_type()));
        Statement::composed(sql, Operation::FindFormerValues)
            .on(self.table.clone())
            .bind_keys(keys)
            .bind(one_more(self.limit))
            .fetch_one(connection, |row| self.read(row))
            .await
    }

    /// Images of the rows that refer by `key` to rows with these values.
    pub(super) async fn by_reference(
        &self,
        index: &DependencyIndex,
        connection: &mut PgConnection,
        key: &ForeignKey,
        tuples: &BTreeSet<Tuple>,
    ) -> Result<Images> {
        let columns: Vec<ReferenceColumn<'_>> = key
            .columns
            .iter()
            .map(|column| ReferenceColumn {
                fk: &column.fk,
                ty: &column.ty,
                eq: &column.eq,
            })
            .collect();
        let sql = self.statement(index, FoundBy::Reference(&columns));
        let mut statement = Statement::composed(sql, Operation::FollowForeignKey(key.name.clone()))
            .on(self.table.clone());
        for position in 0..columns.len() {
            let values: Vec<&str> = tuples.iter().map(|tuple| &*tuple[position]).collect();
            statement = statement.bind(values);
        }
        statement
            .bind(one_more(self.limit))
            .fetch_one(connection, |row| self.read(row))
            .await
    }

    fn statement(&self, index: &DependencyIndex, by: FoundBy<'_>) -> Arc<str> {
        let columns: Vec<&str> = self.columns.iter().map(String::as_str).collect();
        index.images_statement(&self.table, self.only, &columns, by, self.lock)
    }

    fn read(&self, row: &PgRow) -> sqlx::Result<Images> {
        let count = usize::try_from(row.try_get::<i64, _>(image_row::COUNT)?).unwrap_or(0);
        let mut rows: Vec<Image> = vec![Vec::with_capacity(self.columns.len()); count];
        let mut types = Vec::with_capacity(self.columns.len());
        for position in 0..self.columns.len() {
            let at = image_row::FIRST_COLUMN + 2 * position;
            let values: Option<Vec<Option<String>>> = row.try_get(at)?;
            for (row, value) in rows.iter_mut().zip(values.unwrap_or_default()) {
                row.push(value);
            }
            types.push(row.try_get(at + 1)?);
        }
        Ok(Images {
            columns: self.columns.iter().cloned().collect(),
            types,
            rows: rows.into_iter().collect(),
            secured: row.try_get(image_row::SECURED)?,
            truncated: count > self.limit,
        })
    }
}

impl Images {
    /// The values of columns. A row with a null among them leads nowhere.
    pub(crate) fn values(&self, columns: &ColumnNames) -> Option<ColumnValues> {
        let positions = self.positions(columns.names())?;
        let tuples = self.tuples_of(columns.names());
        let types = positions.iter().map(|at| self.types[*at].clone());
        ColumnValues::of(columns.clone(), &types.collect::<Vec<_>>(), tuples)
    }

    /// The values of columns without a null, as tuples.
    pub(crate) fn tuples_of<N: AsRef<str>>(&self, columns: &[N]) -> BTreeSet<Tuple> {
        let Some(positions) = self.positions(columns) else {
            return BTreeSet::new();
        };
        let tuple = |row: &Image| positions.iter().map(|at| row[*at].clone()).collect();
        self.rows.iter().filter_map(tuple).collect()
    }

    /// The values of columns in each row.
    pub(super) fn rows_of(&self, columns: Columns) -> impl Iterator<Item = Image> {
        let positions = self.positions(columns.names());
        positions.into_iter().flat_map(|positions| {
            self.rows.iter().map(move |row| {
                let values = positions.iter().map(|at| row[*at].clone());
                values.collect()
            })
        })
    }

    fn positions<N: AsRef<str>>(&self, names: &[N]) -> Option<Vec<usize>> {
        let names = names.iter();
        names.map(|name| self.position(name.as_ref())).collect()
    }

    /// The type of a column, as SQL.
    pub(crate) fn type_of(&self, column: &str) -> Option<&str> {
        self.position(column).map(|at| &*self.types[at])
    }

    /// The values that a foreign key refers to. A row with a null among them is not referred to.
    pub(super) fn tuples(&self, key: &ForeignKey) -> BTreeSet<Tuple> {
        let columns: Vec<&str> = key.columns.iter().map(|column| &*column.key).collect();
        self.tuples_of(&columns)
    }

    fn position(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|name| name == column)
    }
}

/// The value of columns as a text: that of a single column, or a JSON array of texts, which PostgreSQL converts to the
/// types of the columns.
fn tuple_value(mut tuple: Tuple) -> String {
    match tuple.len() {
        1 => tuple.remove(0),
        _ => serde_json::Value::from(tuple).to_string(),
    }
}
