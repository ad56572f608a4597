//! Keys of documents, and lists of keys.
//!
//! A list of keys has no type parameter, so that the code that runs a sync is compiled once and
//! not for every view.

use std::collections::HashSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::schema::key_tuple::KeyTuple;

/// A type that can be the key of a document.
///
/// A newtype of a key type with [`#[derive(TScalar)]`](derive@crate::TScalar) is a key type too,
/// so that the compiler tells the keys of different views apart:
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
/// # assert_eq!(<Post as TView>::VIEW.key.types[0].sql, "uuid");
/// # }
/// ```
///
/// A key of several columns is a tuple, in the order of the fields:
///
/// ```
/// use fraiseql_runtime::TView;
///
/// #[derive(TView)]
/// pub struct Line {
///     #[tview(key)]
///     pub order_id: i64,
///     #[tview(key)]
///     pub product_id: i32,
///     pub quantity: i32,
/// }
/// # fn main() {
/// // sync_line(&pool, &[(7, 42)]).await?;
/// # let _: <Line as TView>::Key = (7_i64, 42_i32);
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the key of a document",
    label = "not a key type",
    note = "a key is a value that is never null: an i16, i32, i64, String or Uuid, or a newtype of \
            one with #[derive(TScalar)]; a key of several columns is a tuple of these"
)]
pub trait Key: Send + Sync + 'static {
    /// The number of columns.
    #[doc(hidden)]
    const COLUMNS: usize = 1;

    /// The keys in the given order, without the type parameter.
    #[doc(hidden)]
    fn collect<'a>(keys: impl Iterator<Item = &'a Self>) -> Keys;

    /// Calls `take` with each key of a list, if the list has keys of this type.
    #[doc(hidden)]
    fn each(keys: &Keys, take: &mut dyn FnMut(Self));
}

/// Keys of one view, as observers and recorders receive them.
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
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
    /// Keys of several columns.
    Tuples(Vec<KeyTuple>),
}

macro_rules! keys {
    ($($variant:ident($ty:ty)),*; $tuples:ident) => {
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

        lists!($($variant),*, $tuples);
    };
}

macro_rules! lists {
    ($($variant:ident),*) => {
        impl Keys {
            /// The keys, sorted and without duplicates.
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

            /// The keys without duplicates: the first of each stays where it is.
            pub(crate) fn distinct(mut self) -> Self {
                match &mut self {
                    $(Self::$variant(keys) => {
                        let mut seen = HashSet::new();
                        keys.retain(|key| seen.insert(key.clone()));
                    })*
                }
                self
            }

            /// The keys, sorted.
            pub(crate) fn sorted(mut self) -> Self {
                match &mut self { $(Self::$variant(keys) => keys.sort_unstable()),* }
                self
            }

            /// The first keys, at most `count`.
            pub(crate) fn first(&self, count: usize) -> Self {
                match self {
                    $(Self::$variant(keys) => {
                        Self::$variant(keys[..count.min(keys.len())].to_vec())
                    })*
                }
            }

            /// The number of keys.
            #[must_use]
            pub fn len(&self) -> usize {
                match self { $(Self::$variant(keys) => keys.len()),* }
            }

            /// The keys as JSON: an array of numbers, of texts, or of arrays of these.
            pub(crate) fn to_json(&self) -> serde_json::Value {
                match self { $(Self::$variant(keys) => serde_json::json!(keys)),* }
            }

            /// The keys in chunks of at most `size`.
            pub(crate) fn chunks(&self, size: usize) -> Vec<Self> {
                match self {
                    $(Self::$variant(keys) => {
                        keys.chunks(size).map(|chunk| Self::$variant(chunk.to_vec())).collect()
                    })*
                }
            }

            /// An empty list of the same key type.
            pub(crate) fn none(&self) -> Self {
                match self { $(Self::$variant(_) => Self::$variant(Vec::new())),* }
            }

            /// A list of the last key, or an empty one.
            pub(crate) fn last(&self) -> Self {
                match self {
                    $(Self::$variant(keys) => {
                        Self::$variant(keys.last().cloned().into_iter().collect())
                    })*
                }
            }

            /// The keys at these positions, counted from 1 as SQL does.
            pub(crate) fn at(&self, positions: &[usize]) -> Self {
                match self {
                    $(Self::$variant(keys) => Self::$variant(
                        positions
                            .iter()
                            .filter_map(|position| keys.get(position.checked_sub(1)?).cloned())
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

            /// Adds keys of the same type. The result is sorted and without duplicates.
            pub(crate) fn unite(&mut self, other: Self) {
                self.append(other);
                match self {
                    $(Self::$variant(keys) => {
                        keys.sort_unstable();
                        keys.dedup();
                    })*
                }
            }

            /// Keeps the first keys, at most `size`. Returns whether there were more.
            pub(crate) fn truncate(&mut self, size: usize) -> bool {
                let more = self.len() > size;
                match self { $(Self::$variant(keys) => keys.truncate(size)),* }
                more
            }

            /// The first and the second half of the keys.
            pub(crate) fn halves(&self) -> (Self, Self) {
                match self {
                    $(Self::$variant(keys) => {
                        let (first, second) = keys.split_at(keys.len() / 2);
                        (Self::$variant(first.to_vec()), Self::$variant(second.to_vec()))
                    })*
                }
            }

            /// The keys that are none of these texts, which are JSON arrays of texts for keys of several columns. Spaces at the end of a text do not count, as
            /// columns of the type `char(n)` add them.
            pub(crate) fn without_texts(&self, texts: &[String]) -> Self {
                if let Self::Tuples(keys) = self {
                    return Self::Tuples(KeyTuple::without_texts(keys, texts));
                }
                let texts: HashSet<&str> = texts.iter().map(|text| text.trim_end()).collect();
                match self {
                    $(Self::$variant(keys) => Self::$variant(
                        keys.iter()
                            .filter(|key| !texts.contains(key.to_string().trim_end()))
                            .cloned()
                            .collect(),
                    )),*
                }
            }

            /// Removes keys of the same type.
            pub(crate) fn remove(&mut self, others: &Self) {
                match (self, others) {
                    $((Self::$variant(keys), Self::$variant(others)) => {
                        let others: HashSet<_> = others.iter().collect();
                        keys.retain(|key| !others.contains(key));
                    })*
                    _ => unreachable!("both are keys of one view"),
                }
            }
        }

        impl fmt::Display for Keys {
            /// Writes at most ten keys: `1, 2, 3 and 20 more`.
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

keys!(I16(i16), I32(i32), I64(i64), Text(String), Uuid(Uuid); Tuples);

impl Keys {
    /// Whether there are no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
