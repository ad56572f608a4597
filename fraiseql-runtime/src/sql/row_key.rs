//! Key columns of a row in statements: conditions, order, and the key as one value.
//!
//! A list of keys is one array in every statement and function, whatever the key is. A key of one column is a value of its
//! type. A key of several columns is a `jsonb` array of the values, [`KeyTuple`](crate::KeyTuple) in Rust: it is compared,
//! sorted and collected as one value, and its columns are taken out where rows are searched, so that they are found in the
//! index of the key.
//!
//! Every statement that locks rows locks them in key order, so that two statements which lock the same rows never wait for
//! each other.

use crate::schema::scalar::ScalarType;
use crate::schema::{Columns, Key, View};
use crate::sql::text::{column, ident, literal};

/// The key columns of the rows of an alias.
#[derive(Clone, Debug)]
pub(crate) struct RowKey {
    /// `root."id"`, for each column.
    columns: Vec<String>,
    types: &'static [ScalarType],
}

impl View {
    /// The key columns of a row of the base table.
    pub(crate) fn base_key(&self, alias: &str) -> RowKey {
        self.key.of_row(alias)
    }

    /// The names of the key columns in the view table, separated by commas.
    pub(crate) fn key_list(&self) -> String {
        let names: Vec<String> = self.key_columns().iter().map(|name| ident(name)).collect();
        names.join(", ")
    }

    /// The key columns of a row of the view table.
    pub(crate) fn stored_key(&self, alias: &str) -> RowKey {
        let names = self.key_columns();
        RowKey {
            columns: names.iter().map(|name| column(alias, name)).collect(),
            types: self.key.types,
        }
    }
}

impl Key {
    /// The key columns of a row of the base table.
    pub(crate) fn of_row(&self, alias: &str) -> RowKey {
        let names = self.columns.names().iter();
        RowKey {
            columns: names.map(|name| column(alias, name)).collect(),
            types: self.types,
        }
    }

    /// The type of a key as one value.
    pub(crate) fn sql_type(&self) -> &'static str {
        match self.single() {
            Some((_, ty)) => ty.sql,
            None => "jsonb",
        }
    }

    /// A parameter, a variable or a literal as an array of keys.
    pub(crate) fn array(&self, value: &str) -> String {
        format!("{value}::{}[]", self.sql_type())
    }

    /// A key, given as one value, in an ORDER BY, in an order that is the same in every database, and in Rust.
    pub(crate) fn order_of(&self, value: &str) -> String {
        self.parts_of(value)
            .zip(self.types)
            .map(|(part, ty)| in_order(&part, ty))
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// The columns of a key that is given as one value, in a descending ORDER BY.
    pub(crate) fn backwards(&self, value: &str) -> String {
        let parts = self.parts_of(value);
        parts
            .map(|part| format!("{part} DESC"))
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// The columns of a key that is given as one value, of their types and with these names.
    pub(crate) fn aliased(&self, value: &str, names: &[&str]) -> String {
        let parts = self.parts_of(value).zip(names);
        parts
            .map(|(part, name)| format!("{part} AS {}", ident(name)))
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// The key columns in the results of a query, under the names of [`RowKey::as_named`].
    pub(crate) fn named(&self) -> RowKey {
        RowKey {
            columns: named(self.types).collect(),
            types: self.types,
        }
    }

    /// A column of a key that is given as one value.
    pub(crate) fn column_of(&self, value: &str, place: usize) -> Option<String> {
        self.parts_of(value).nth(place)
    }

    /// The columns of a key that is given as one value, separated by commas.
    pub(crate) fn list_of(&self, value: &str) -> String {
        self.parts_of(value).collect::<Vec<_>>().join(", ")
    }

    /// The columns of a key that is given as one value.
    fn parts_of(&self, value: &str) -> impl Iterator<Item = String> {
        parts_of(value, self.types)
    }
}

impl RowKey {
    /// The key as one value.
    pub(crate) fn value(&self) -> String {
        match self.columns.as_slice() {
            [column] => column.clone(),
            _ => self.array(),
        }
    }

    /// The columns as a `jsonb` array.
    fn array(&self) -> String {
        let columns = self.columns.iter().zip(self.types);
        // A text may have another type in the table, such as `citext`.
        let values: Vec<String> = columns
            .map(|(column, ty)| format!("{column}::{}", ty.sql))
            .collect();
        format!("pg_catalog.jsonb_build_array({})", values.join(", "))
    }

    /// The name of a type and the key, as the text of a [`GlobalId`](crate::GlobalId).
    pub(crate) fn global_id(&self, type_name: &str) -> String {
        // base64 breaks its lines after 76 characters. In a URL, `+` and `/` mean something else.
        format!(
            "pg_catalog.translate(pg_catalog.encode(pg_catalog.convert_to({} || {}::text, 'UTF8'), \
             'base64'), E'+/=\\n', '-_')",
            literal(&format!("{type_name}:")),
            self.array()
        )
    }

    /// The columns, separated by commas.
    pub(crate) fn list(&self) -> String {
        self.columns.join(", ")
    }

    /// The columns in an ORDER BY, in an order that is the same in every database, and in Rust.
    pub(crate) fn order(&self) -> String {
        let columns = self.columns.iter().zip(self.types);
        columns
            .map(|(column, ty)| in_order(column, ty))
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// The condition that it is this key, given as one value.
    pub(crate) fn is(&self, value: &str) -> String {
        let columns = self.columns.iter().zip(parts_of(value, self.types));
        columns
            .map(|(column, part)| format!("{column} = {part}"))
            .collect::<Vec<_>>()
            .join(" AND ")
    }

    /// The condition that there is no row, after an outer join.
    pub(crate) fn is_missing(&self) -> String {
        let first = self.columns.first().map_or("", String::as_str);
        format!("{first} IS NULL")
    }

    /// The columns with names, which [`Key::named`] takes: `k."a" AS key_1, k."b" AS key_2`.
    pub(crate) fn as_named(&self) -> String {
        let columns = self.columns.iter().zip(named(self.types));
        columns
            .map(|(column, name)| format!("{column} AS {name}"))
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// The condition that it is the key of another row.
    pub(crate) fn is_same(&self, other: &Self) -> String {
        let columns = self.columns.iter().zip(&other.columns);
        columns
            .map(|(column, other)| format!("{column} = {other}"))
            .collect::<Vec<_>>()
            .join(" AND ")
    }

    /// The condition that it is in an array of keys.
    pub(crate) fn is_in(&self, array: &str) -> String {
        match self.columns.as_slice() {
            [column] => format!("{column} = ANY ({array})"),
            _ => self.is_in_rows(&format!("pg_catalog.unnest({array})")),
        }
    }

    /// The condition that it is in the array of a parameter.
    ///
    /// The sub-select hides the length of the array from the planner, which would otherwise plan each
    /// execution anew for that length. This takes longer than to lock or look up a few rows.
    pub(crate) fn is_in_parameter(&self, parameter: u8) -> String {
        let ty = self.sql_type();
        self.is_in(&format!("(SELECT ${parameter}::{ty}[])::{ty}[]"))
    }

    /// The condition that it is in the array `keys` of the CTE `input`.
    ///
    /// As for [`is_in_parameter`](Self::is_in_parameter), the sub-select hides the length of the
    /// array, so that one plan serves all executions.
    pub(crate) fn is_in_input(&self) -> String {
        self.is_in(&format!("(SELECT keys FROM input)::{}[]", self.sql_type()))
    }

    /// The condition that it is the one in the array of a parameter. An array, so that each statement
    /// binds keys in the same way.
    pub(crate) fn is_first_of_parameter(&self, parameter: u8) -> String {
        self.is(&format!("(${parameter}::{}[])[1]", self.sql_type()))
    }

    /// The condition that it is after the key in the array of a parameter.
    pub(crate) fn is_after_parameter(&self, parameter: u8) -> String {
        let value = format!("(${parameter}::{}[])[1]", self.sql_type());
        match self.columns.as_slice() {
            [column] => format!("{column} > {value}"),
            _ => {
                let parts: Vec<String> = parts_of(&value, self.types).collect();
                format!("({}) > ({})", self.list(), parts.join(", "))
            }
        }
    }

    /// The condition that it is among keys, in a query with one column.
    pub(crate) fn is_in_query(&self, query: &str) -> String {
        match self.columns.as_slice() {
            [column] => format!("{column} = ANY (ARRAY({query}))"),
            _ => self.is_in_rows(&format!("({query})")),
        }
    }

    /// The condition that it is among the keys in the rows of a FROM item.
    fn is_in_rows(&self, from: &str) -> String {
        let parts: Vec<String> = parts_of("given.key", self.types).collect();
        format!(
            "({}) IN (SELECT {} FROM {from} AS given (key))",
            self.list(),
            parts.join(", ")
        )
    }

    fn sql_type(&self) -> &'static str {
        match self.types {
            [ty] => ty.sql,
            _ => "jsonb",
        }
    }
}

/// Names for key columns in the results of a query.
fn named(types: &'static [ScalarType]) -> impl Iterator<Item = String> {
    let single = types.len() == 1;
    (1..=types.len()).map(move |number| match single {
        true => "\"key\"".to_owned(),
        false => format!("key_{number}"),
    })
}

/// The columns of a key that is given as one value.
fn parts_of(value: &str, types: &'static [ScalarType]) -> impl Iterator<Item = String> {
    let single = types.len() == 1;
    types
        .iter()
        .enumerate()
        .map(move |(index, ty)| match single {
            true => value.to_owned(),
            false => {
                let text = format!("pg_catalog.jsonb_array_element_text({value}, {index})");
                match ty.sql {
                    "text" => text,
                    ty => format!("{text}::{ty}"),
                }
            }
        })
}

/// Texts would be sorted by the collation of their column: `COLLATE "C"` sorts them by bytes.
fn in_order(value: &str, ty: &ScalarType) -> String {
    match ty.sql {
        "text" => format!("{value} COLLATE \"C\""),
        _ => value.to_owned(),
    }
}

/// Columns of a row, separated by commas.
pub(crate) fn columns_of(alias: &str, columns: Columns) -> String {
    let names = columns.names().iter();
    names
        .map(|name| column(alias, name))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Columns of a row, as the left side of IN.
pub(crate) fn tuple_of(alias: &str, columns: Columns) -> String {
    match columns.single() {
        Some(name) => column(alias, name),
        None => format!("({})", columns_of(alias, columns)),
    }
}

/// The condition that the columns of two rows are equal, one by one.
pub(crate) fn same_columns(alias: &str, names: Columns, other: &str, others: Columns) -> String {
    let pairs = names.names().iter().zip(others.names());
    pairs
        .map(|(name, other_name)| {
            format!("{} = {}", column(alias, name), column(other, other_name))
        })
        .collect::<Vec<_>>()
        .join(" AND ")
}
