//! Keys of several columns: tuples in Rust, arrays in JSON.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::schema::key::{Key, Keys};
use crate::schema::scalar::Scalar;

/// A key of several columns, with the values in the order of the columns.
///
/// In lists of keys it is one value. In JSON, and in statements as `jsonb`, it is an array.
///
/// ```
/// use fraiseql_runtime::{Keys, Recorder, TView};
///
/// #[derive(TView)]
/// struct Line {
///     #[tview(key)]
///     order_id: i64,
///     #[tview(key)]
///     product: String,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> fraiseql_runtime::Result<()> {
/// let recorder = Recorder::new();
/// sync_line(&recorder, &[(7, "ink".to_owned())]).await?;
///
/// let Keys::Tuples(keys) = &recorder.calls()[0].keys else { unreachable!() };
/// assert_eq!(keys[0].to_string(), r#"[7, "ink"]"#);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyTuple(Vec<KeyValue>);

/// The value of one column of a key.
///
/// The values of a column are all integers, or all texts, and so have the order that PostgreSQL gives
/// them with `COLLATE "C"`. A UUID is the text that PostgreSQL prints.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
enum KeyValue {
    Int(i64),
    Text(String),
}

impl KeyTuple {
    /// The number of columns.
    #[expect(clippy::len_without_is_empty, reason = "there are always some")]
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The value of a column as JSON: a number or a string.
    #[must_use]
    pub fn value(&self, column: usize) -> Option<serde_json::Value> {
        self.0.get(column).map(|value| serde_json::json!(value))
    }

    /// The values of a column, as texts.
    pub(crate) fn text(&self, column: usize) -> Option<String> {
        self.0.get(column).map(|value| match value {
            KeyValue::Int(value) => value.to_string(),
            KeyValue::Text(text) => text.clone(),
        })
    }

    /// A tuple to push values to.
    pub(crate) const fn empty() -> Self {
        Self(Vec::new())
    }

    /// The first of these keys: that of one column is a tuple of one value.
    pub(crate) fn first_of(keys: Keys) -> Self {
        if let Keys::Tuples(keys) = keys {
            return keys.into_iter().next().unwrap_or(Self(Vec::new()));
        }
        let mut tuple = Self(Vec::new());
        tuple.push(keys);
        tuple
    }

    /// A list of this key, as those of the type of `none` are.
    pub(crate) fn into_keys(self, none: &Keys) -> Keys {
        match none {
            Keys::Tuples(_) => Keys::Tuples(vec![self]),
            none => self.single(0, none),
        }
    }

    /// The value of a column as a list of one key of the type of `none`, or an empty list.
    fn single(&self, column: usize, none: &Keys) -> Keys {
        let texts: Vec<String> = self.text(column).into_iter().collect();
        none.parse(&texts).unwrap_or_else(|| none.none())
    }

    /// Appends the value of a list of one key.
    pub(crate) fn push(&mut self, keys: Keys) {
        let value = match keys {
            Keys::I16(keys) => keys.first().map(|&key| KeyValue::Int(key.into())),
            Keys::I32(keys) => keys.first().map(|&key| KeyValue::Int(key.into())),
            Keys::I64(keys) => keys.first().map(|&key| KeyValue::Int(key)),
            Keys::Text(keys) => keys.into_iter().next().map(KeyValue::Text),
            Keys::Uuid(keys) => keys.first().map(|key| KeyValue::Text(key.to_string())),
            // A component is a scalar, and so not a tuple.
            Keys::Tuples(_) => None,
        };
        self.0.extend(value);
    }
}

impl KeyTuple {
    /// Those of the keys whose values are none of these JSON arrays of texts: see [`Keys::without_texts`].
    pub(super) fn without_texts(keys: &[Self], arrays: &[String]) -> Vec<Self> {
        let trimmed = |texts: Vec<String>| -> Vec<String> {
            let texts = texts.into_iter();
            texts.map(|text| text.trim_end().to_owned()).collect()
        };
        let arrays = arrays
            .iter()
            .filter_map(|array| serde_json::from_str(array).ok());
        let arrays: HashSet<Vec<String>> = arrays.map(trimmed).collect();
        let is_other = |key: &&Self| {
            let texts = (0..key.len()).filter_map(|column| key.text(column));
            !arrays.contains(&trimmed(texts.collect()))
        };
        keys.iter().filter(is_other).cloned().collect()
    }
}

impl fmt::Display for KeyTuple {
    /// Writes the JSON array as PostgreSQL prints `jsonb`: `[7, "ink"]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (index, value) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            match value {
                KeyValue::Int(value) => write!(f, "{comma}{value}")?,
                KeyValue::Text(text) => {
                    let text = serde_json::to_string(text).map_err(|_| fmt::Error)?;
                    write!(f, "{comma}{text}")?;
                }
            }
        }
        f.write_str("]")
    }
}

impl FromStr for KeyTuple {
    type Err = serde_json::Error;

    fn from_str(json: &str) -> Result<Self, Self::Err> {
        serde_json::from_str(json)
    }
}

macro_rules! tuples {
    ($(($($name:ident $index:tt),+))*) => {$(
        impl<$($name: Key + Scalar),+> Key for ($($name,)+) {
            const COLUMNS: usize = [$($index),+].len();

            fn collect<'a>(keys: impl Iterator<Item = &'a Self>) -> Keys {
                let tuple = |key: &Self| {
                    let mut tuple = KeyTuple(Vec::new());
                    $(tuple.push($name::collect(std::iter::once(&key.$index)));)+
                    tuple
                };
                Keys::Tuples(keys.map(tuple).collect())
            }

            #[expect(non_snake_case, reason = "a variable for each type")]
            fn each(keys: &Keys, take: &mut dyn FnMut(Self)) {
                let Keys::Tuples(tuples) = keys else {
                    return;
                };
                $(let $name = $name::collect(std::iter::empty());)+
                for tuple in tuples {
                    $(
                        let mut value = None;
                        $name::each(&tuple.single($index, &$name), &mut |one| value = Some(one));
                        let Some($name) = value else {
                            continue;
                        };
                    )+
                    take(($($name,)+));
                }
            }
        }
    )*};
}

tuples! {
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn round_trip<K: Key + Clone + PartialEq + fmt::Debug>(keys: &[K]) {
        let collected = K::collect(keys.iter());
        let mut again = Vec::new();
        K::each(&collected, &mut |key| again.push(key));
        assert_eq!(again, keys);

        let texts: Vec<String> = collected.texts().collect();
        assert_eq!(
            collected.parse(&texts),
            Some(collected.clone()),
            "{texts:?}"
        );
        let json = serde_json::to_string(&collected).unwrap();
        assert_eq!(serde_json::from_str::<Keys>(&json).unwrap(), collected);
    }

    #[test]
    fn tuples_are_the_same_after_each_conversion() {
        round_trip(&[(i64::MIN, i64::MAX), (0, -1)]);
        round_trip(&[
            (
                1_i16,
                "it's \"quoted\" \\ [,]".to_owned(),
                Uuid::from_u128(7),
                5_i32,
            ),
            (-1, "7".to_owned(), Uuid::from_u128(u128::MAX), i32::MIN),
        ]);
    }

    #[test]
    fn tuples_are_ordered_by_their_columns() {
        let sorted = Keys::of(&[
            (2_i64, "a".to_owned()),
            (10, String::new()),
            (2, "B".to_owned()),
        ]);
        assert_eq!(sorted.to_string(), r#"[2, "B"], [2, "a"], [10, ""]"#);
    }
}
