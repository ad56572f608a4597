//! Lists of keys as parameters and results of statements.

use sqlx::Postgres;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;

use crate::schema::key::Keys;

/// Evaluates an expression for the `Vec` in a list of keys.
macro_rules! with_vec {
    ($keys:expr, $vec:ident => $value:expr) => {
        match $keys {
            Keys::I16($vec) => $value,
            Keys::I32($vec) => $value,
            Keys::I64($vec) => $value,
            Keys::Text($vec) => $value,
            Keys::Uuid($vec) => $value,
        }
    };
}

impl Keys {
    /// The PostgreSQL type of one key.
    pub(crate) const fn sql_type(&self) -> &'static str {
        match self {
            Self::I16(_) => "int2",
            Self::I32(_) => "int4",
            Self::I64(_) => "int8",
            Self::Text(_) => "text",
            Self::Uuid(_) => "uuid",
        }
    }

    /// Binds the keys as one array parameter.
    pub(crate) fn bind<'q>(
        &self,
        query: Query<'q, Postgres, PgArguments>,
    ) -> Query<'q, Postgres, PgArguments> {
        with_vec!(self, keys => query.bind(keys.clone()))
    }

    /// Decodes an array of keys of the type of `self`. Null is an empty list.
    pub(crate) fn read(&self, row: &PgRow, column: usize) -> sqlx::Result<Self> {
        use sqlx::Row as _;
        Ok(match self {
            Self::I16(_) => Self::I16(row.try_get::<Option<_>, _>(column)?.unwrap_or_default()),
            Self::I32(_) => Self::I32(row.try_get::<Option<_>, _>(column)?.unwrap_or_default()),
            Self::I64(_) => Self::I64(row.try_get::<Option<_>, _>(column)?.unwrap_or_default()),
            Self::Text(_) => Self::Text(row.try_get::<Option<_>, _>(column)?.unwrap_or_default()),
            Self::Uuid(_) => Self::Uuid(row.try_get::<Option<_>, _>(column)?.unwrap_or_default()),
        })
    }

    /// The keys as the text of a PostgreSQL array: `{"1","2"}`.
    pub(crate) fn array_literal(&self) -> String {
        let mut array = String::from("{");
        with_vec!(self, keys => {
            for key in keys {
                // Quoted elements are never NULL, and have two special characters.
                let key = key.to_string().replace('\\', "\\\\").replace('"', "\\\"");
                let comma = if array.len() > 1 { "," } else { "" };
                array.push_str(&format!("{comma}\"{key}\""));
            }
        });
        array.push('}');
        array
    }
}

#[cfg(test)]
mod tests {
    use super::Keys;

    #[test]
    fn an_array_literal_is_quoted_for_postgresql() {
        assert_eq!(Keys::I64(vec![1, -2]).array_literal(), r#"{"1","-2"}"#);
        let keys = Keys::Text(vec![
            r#"a"b\c"#.to_owned(),
            "NULL".to_owned(),
            String::new(),
        ]);
        assert_eq!(keys.array_literal(), r#"{"a\"b\\c","NULL",""}"#);
    }
}
