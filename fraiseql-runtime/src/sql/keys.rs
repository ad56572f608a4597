//! Lists of keys as parameters and results of statements.

use sqlx::Postgres;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::types::Json;

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
            Keys::Tuples($vec) => $value,
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
            Self::Tuples(_) => "jsonb",
        }
    }

    /// An empty list of keys of this PostgreSQL type.
    pub(crate) fn of_type(ty: &str) -> Option<Self> {
        Some(match ty {
            "int2" => Self::I16(Vec::new()),
            "int4" => Self::I32(Vec::new()),
            "int8" => Self::I64(Vec::new()),
            "text" => Self::Text(Vec::new()),
            "uuid" => Self::Uuid(Vec::new()),
            "jsonb" => Self::Tuples(Vec::new()),
            _ => return None,
        })
    }

    /// Binds the keys as one array parameter. A key of several columns is a JSON array.
    pub(crate) fn bind<'q>(
        &self,
        query: Query<'q, Postgres, PgArguments>,
    ) -> Query<'q, Postgres, PgArguments> {
        match self {
            Self::I16(keys) => query.bind(keys.clone()),
            Self::I32(keys) => query.bind(keys.clone()),
            Self::I64(keys) => query.bind(keys.clone()),
            Self::Text(keys) => query.bind(keys.clone()),
            Self::Uuid(keys) => query.bind(keys.clone()),
            Self::Tuples(keys) => query.bind(keys.iter().cloned().map(Json).collect::<Vec<_>>()),
        }
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
            Self::Tuples(_) => {
                let tuples: Option<Vec<Json<_>>> = row.try_get(column)?;
                Self::Tuples(tuples.into_iter().flatten().map(|Json(key)| key).collect())
            }
        })
    }

    /// Appends the key in a column, of the type of `self`.
    pub(crate) fn push_from(&mut self, row: &PgRow, column: usize) -> sqlx::Result<()> {
        use sqlx::Row as _;
        match self {
            Self::I16(keys) => keys.push(row.try_get(column)?),
            Self::I32(keys) => keys.push(row.try_get(column)?),
            Self::I64(keys) => keys.push(row.try_get(column)?),
            Self::Text(keys) => keys.push(row.try_get(column)?),
            Self::Uuid(keys) => keys.push(row.try_get(column)?),
            Self::Tuples(keys) => keys.push(row.try_get::<Json<_>, _>(column)?.0),
        }
        Ok(())
    }

    /// The keys as texts.
    pub(crate) fn texts(&self) -> Box<dyn Iterator<Item = String> + '_> {
        with_vec!(self, keys => Box::new(keys.iter().map(ToString::to_string)))
    }

    /// Keys of the type of `self`, from texts as PostgreSQL prints them. `None` if one is of another type.
    pub(crate) fn parse(&self, texts: &[String]) -> Option<Self> {
        Some(match self {
            Self::I16(_) => Self::I16(parse_all(texts)?),
            Self::I32(_) => Self::I32(parse_all(texts)?),
            Self::I64(_) => Self::I64(parse_all(texts)?),
            Self::Text(_) => Self::Text(texts.to_vec()),
            Self::Uuid(_) => Self::Uuid(parse_all(texts)?),
            Self::Tuples(_) => Self::Tuples(parse_all(texts)?),
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

fn parse_all<T: std::str::FromStr>(texts: &[String]) -> Option<Vec<T>> {
    texts.iter().map(|text| text.parse().ok()).collect()
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
