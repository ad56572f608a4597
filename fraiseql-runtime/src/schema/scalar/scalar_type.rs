//! The description of a scalar type in SQL, JSON and GraphQL.

use super::enums::Enum;
use super::json_encoding::JsonEncoding;

/// The names of a scalar type in SQL and GraphQL, its JSON encoding, and whether it is nullable
/// or a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScalarType {
    /// The name of the PostgreSQL type; for a list, of its element type.
    pub sql: &'static str,
    /// How SQL encodes a value as JSON.
    pub encoding: JsonEncoding,
    /// The name of the GraphQL type; for a list, of its element type.
    pub graphql: &'static str,
    /// Whether a value may be null.
    pub nullable: bool,
    /// `None` for a single value; for a list, whether its elements may be null.
    pub list: Option<ElementNull>,
}

/// Whether the elements of a list may be null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementNull {
    /// `Vec<T>`.
    No,
    /// `Vec<Option<T>>`.
    Yes,
}

impl ScalarType {
    /// A type that is neither nullable nor a list.
    #[must_use]
    pub const fn new(sql: &'static str, encoding: JsonEncoding, graphql: &'static str) -> Self {
        Self {
            sql,
            encoding,
            graphql,
            nullable: false,
            list: None,
        }
    }

    /// The type of an enum. Its promoted columns store the JSON name, as text.
    #[must_use]
    pub const fn of_enum(table: &'static Enum) -> Self {
        Self::new("text", JsonEncoding::Enum(table), table.type_name)
    }

    /// Whether the value of a field may be null in a document: if it is nullable, and if its values
    /// are any JSON, among which is null.
    #[must_use]
    pub const fn admits_null(&self) -> bool {
        self.nullable || (self.list.is_none() && self.is_json())
    }

    /// Whether the elements of a list may be null in a document, as of the value of a field in
    /// [`admits_null`](Self::admits_null). `None` if it is not a list.
    #[must_use]
    pub const fn admits_null_elements(&self) -> Option<bool> {
        match self.list {
            None => None,
            Some(ElementNull::Yes) => Some(true),
            Some(ElementNull::No) => Some(self.is_json()),
        }
    }

    /// Whether the values are any JSON.
    #[must_use]
    pub const fn is_json(&self) -> bool {
        // Bytes, since a constant cannot compare texts.
        matches!(self.sql.as_bytes(), b"json" | b"jsonb")
    }

    /// The full name of the PostgreSQL type: `timestamptz`, `text[]`.
    #[must_use]
    pub fn sql_name(&self) -> String {
        match self.list {
            None => self.sql.to_owned(),
            Some(_) => format!("{}[]", self.sql),
        }
    }
}
