//! Keys of documents, and lists of them without a type parameter: what runs a sync is
//! compiled once, not for every view.

use std::collections::HashSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use sqlx::Postgres;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use uuid::Uuid;

use crate::schema::scalar::Scalar;

/// A type that can be the key of a document.
///
/// A newtype of one, with [`#[derive(TScalar)]`](derive@crate::TScalar), is one too, so that
/// the keys of different views cannot be mixed up:
///
/// ```
/// use fraiseql_runtime::{TScalar, TView};
/// use uuid::Uuid;
///
/// #[derive(TScalar)]
/// pub struct PostId(Uuid);
///
/// #[derive(TView)]
/// pub struct Post {
///     pub id: PostId,
///     pub title: String,
/// }
/// # fn main() {
/// // sync_post(&pool, &[PostId(id)]).await?;
/// # assert_eq!(<Post as TView>::VIEW.key.ty.sql, "uuid");
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the key of a document",
    label = "not a key type",
    note = "a key is one value that is never null: an i16, i32, i64, String or Uuid, or a newtype \
            of one with #[derive(TScalar)]"
)]
pub trait Key: Scalar + Send + Sync + 'static {
    /// The keys as they are, without type parameter.
    #[doc(hidden)]
    fn collect<'a>(keys: impl Iterator<Item = &'a Self>) -> Keys;

    /// Takes each key of a list, if they are of this type.
    #[doc(hidden)]
    fn each(keys: &Keys, take: &mut dyn FnMut(Self));
}

/// Keys of one view, as observers and recorders are told of them.
///
/// ```
/// use fraiseql_runtime::{Keys, Recorder, TView};
///
/// #[derive(TView)]
/// struct Post { id: i64 }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> fraiseql_runtime::Result<()> {
/// let recorder = Recorder::new();
/// sync_post(&recorder, &[8, 7, 8]).await?;
///
/// let keys = &recorder.calls()[0].keys; // each once, and in order
/// assert_eq!(*keys, Keys::I64(vec![7, 8]));
/// assert_eq!(keys.to_string(), "7, 8");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Keys {
    /// `int2` keys.
    I16(Vec<i16>),
    /// `int4` keys.
    I32(Vec<i32>),
    /// `int8` keys.
    I64(Vec<i64>),
    /// `text` keys.
    Text(Vec<String>),
    /// `uuid` keys.
    Uuid(Vec<Uuid>),
}

macro_rules! keys {
    ($($variant:ident($ty:ty)),*) => {
        $(impl Key for $ty {
            fn collect<'a>(keys: impl Iterator<Item = &'a Self>) -> Keys {
                Keys::$variant(keys.cloned().collect())
            }

            fn each(keys: &Keys, take: &mut dyn FnMut(Self)) {
                if let Keys::$variant(keys) = keys {
                    keys.iter().cloned().for_each(take);
                }
            }
        })*

        impl Keys {
            /// The keys, each once and in order.
            pub(crate) fn of<K: Key>(keys: &[K]) -> Self {
                let mut keys = K::collect(keys.iter());
                match &mut keys {
                    $(Self::$variant(keys) => {
                        keys.sort_unstable();
                        keys.dedup();
                    })*
                }
                keys
            }

            /// The keys, each where it comes first.
            pub(crate) fn distinct(mut self) -> Self {
                match &mut self {
                    $(Self::$variant(keys) => {
                        let mut seen = HashSet::new();
                        keys.retain(|key| seen.insert(key.clone()));
                    })*
                }
                self
            }

            /// The keys in order.
            pub(crate) fn sorted(mut self) -> Self {
                match &mut self { $(Self::$variant(keys) => keys.sort_unstable()),* }
                self
            }

            /// At most so many of the first keys.
            pub(crate) fn first(&self, count: usize) -> Self {
                match self {
                    $(Self::$variant(keys) => {
                        Self::$variant(keys[..count.min(keys.len())].to_vec())
                    })*
                }
            }

            /// How many there are.
            #[must_use]
            pub fn len(&self) -> usize {
                match self { $(Self::$variant(keys) => keys.len()),* }
            }

            /// The keys in pieces of at most `size`.
            pub(crate) fn chunks(&self, size: usize) -> Vec<Self> {
                match self {
                    $(Self::$variant(keys) => {
                        keys.chunks(size).map(|chunk| Self::$variant(chunk.to_vec())).collect()
                    })*
                }
            }

            /// No keys, of the same type.
            pub(crate) fn none(&self) -> Self {
                match self { $(Self::$variant(_) => Self::$variant(Vec::new())),* }
            }

            /// The last key alone.
            pub(crate) fn last(&self) -> Self {
                match self {
                    $(Self::$variant(keys) => {
                        Self::$variant(keys.last().cloned().into_iter().collect())
                    })*
                }
            }

            /// The keys at these places, which are counted from 1.
            pub(crate) fn at(&self, places: &[usize]) -> Self {
                match self {
                    $(Self::$variant(keys) => Self::$variant(
                        places
                            .iter()
                            .filter_map(|place| keys.get(place.checked_sub(1)?).cloned())
                            .collect(),
                    )),*
                }
            }

            /// Appends keys of the same type.
            pub(crate) fn append(&mut self, other: Self) {
                match (self, other) {
                    $((Self::$variant(keys), Self::$variant(other)) => keys.extend(other),)*
                    _ => unreachable!("both are keys of one view"),
                }
            }

            /// Adds keys of the same type. All are then each once and in order.
            pub(crate) fn unite(&mut self, other: Self) {
                self.append(other);
                match self {
                    $(Self::$variant(keys) => {
                        keys.sort_unstable();
                        keys.dedup();
                    })*
                }
            }

            /// At most the first `size`; whether there were more.
            pub(crate) fn truncate(&mut self, size: usize) -> bool {
                let more = self.len() > size;
                match self { $(Self::$variant(keys) => keys.truncate(size)),* }
                more
            }

            /// The keys in two halves.
            pub(crate) fn halves(&self) -> (Self, Self) {
                match self {
                    $(Self::$variant(keys) => {
                        let (first, second) = keys.split_at(keys.len() / 2);
                        (Self::$variant(first.to_vec()), Self::$variant(second.to_vec()))
                    })*
                }
            }

            /// Takes keys of the same type out.
            pub(crate) fn remove(&mut self, others: &Self) {
                match (self, others) {
                    $((Self::$variant(keys), Self::$variant(others)) => {
                        let others: HashSet<_> = others.iter().collect();
                        keys.retain(|key| !others.contains(key));
                    })*
                    _ => unreachable!("both are keys of one view"),
                }
            }

            /// Binds the keys as one array.
            pub(crate) fn bind<'q>(
                &self,
                query: Query<'q, Postgres, PgArguments>,
            ) -> Query<'q, Postgres, PgArguments> {
                match self { $(Self::$variant(keys) => query.bind(keys.clone())),* }
            }

            /// Reads an array of keys of the type of `self`; null is none.
            pub(crate) fn read(&self, row: &PgRow, column: usize) -> sqlx::Result<Self> {
                use sqlx::Row as _;
                match self {
                    $(Self::$variant(_) => {
                        let keys: Option<Vec<$ty>> = row.try_get(column)?;
                        Ok(Self::$variant(keys.unwrap_or_default()))
                    })*
                }
            }
        }

        impl Keys {
            /// All of them as the text of an array: `{"1","2"}`.
            pub(crate) fn array(&self) -> String {
                let mut array = String::from("{");
                match self {
                    $(Self::$variant(keys) => {
                        for key in keys {
                            let key = key.to_string().replace('\\', "\\\\").replace('"', "\\\"");
                            let comma = if array.len() > 1 { "," } else { "" };
                            array.push_str(&format!("{comma}\"{key}\""));
                        }
                    })*
                }
                array.push('}');
                array
            }
        }

        impl fmt::Display for Keys {
            /// At most ten of them: `1, 2, 3 and 20 more`.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$variant(keys) => {
                        for (index, key) in keys.iter().take(10).enumerate() {
                            let comma = if index == 0 { "" } else { ", " };
                            write!(f, "{comma}{key}")?;
                        }
                    })*
                }
                match self.len().saturating_sub(10) {
                    0 => Ok(()),
                    more => write!(f, " and {more} more"),
                }
            }
        }
    };
}

keys!(I16(i16), I32(i32), I64(i64), Text(String), Uuid(Uuid));

impl Keys {
    /// The type of one, in SQL.
    pub(crate) const fn sql(&self) -> &'static str {
        match self {
            Self::I16(_) => "int2",
            Self::I32(_) => "int4",
            Self::I64(_) => "int8",
            Self::Text(_) => "text",
            Self::Uuid(_) => "uuid",
        }
    }

    /// No keys, of a type by its name in SQL.
    pub(crate) fn none_of(sql: &str) -> Option<Self> {
        match sql {
            "int2" => Some(Self::I16(Vec::new())),
            "int4" => Some(Self::I32(Vec::new())),
            "int8" => Some(Self::I64(Vec::new())),
            "text" => Some(Self::Text(Vec::new())),
            "uuid" => Some(Self::Uuid(Vec::new())),
            _ => None,
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_is_what_postgres_reads() {
        assert_eq!(Keys::I64(vec![1, -2]).array(), r#"{"1","-2"}"#);
        let keys = Keys::Text(vec![
            r#"a"b\c"#.to_owned(),
            "NULL".to_owned(),
            String::new(),
        ]);
        assert_eq!(keys.array(), r#"{"a\"b\\c","NULL",""}"#);
    }
}
