//! `GlobalId`: a type and the key of one of its documents, as one opaque text.

use std::fmt;
use std::iter::once;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::read::typed::TView;
use crate::schema::View;
use crate::schema::key::{Key, Keys};
use crate::schema::key_tuple::KeyTuple;
use crate::schema::scalar::{JsonEncoding, Scalar, ScalarType};

/// The maximum length of an id's text, in bytes: six texts of an index entry's length, escaped and encoded.
const MAX_LEN: usize = 65_536;

/// A document of any view, as one opaque text: the name of its type and the values of its key.
///
/// The field is marked [`global_id`](derive@crate::TView) and is made of the key; it needs no column. It is for
/// clients that store documents by one id, as those of Relay and Apollo do, when the key has several columns or is not
/// unique among types. In GraphQL its type is `ID`, and the root field finds a document by it as well as by the
/// fields of the key: `ticket(id: "..")`.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
/// use fraiseql_runtime::GlobalId;
///
/// #[derive(TView)]
/// pub struct Ticket {
///     #[tview(key)]
///     pub org_id: i64,
///     #[tview(key)]
///     pub number: i32,
///     #[tview(global_id)]
///     pub id: GlobalId,
/// }
/// # fn main() { on("CREATE TABLE tb_ticket (org_id int8, number int4, PRIMARY KEY (org_id, number));
/// #     INSERT INTO tb_ticket VALUES (1, 42)", async |pool| {
/// # migrate::<Ticket>(&pool).await;
/// sync_ticket(&pool, &[(1, 42)]).await?;
/// let ticket = Ticket::find(&pool, (1, 42)).await?.unwrap();
/// assert_eq!(ticket.id, GlobalId::of::<Ticket>(&(1, 42)));
///
/// // As a client sends it back.
/// let id: GlobalId = ticket.id.to_string().parse()?;
/// assert_eq!(id.key::<Ticket>()?, (1, 42));
/// # Ok(()) }) }
/// ```
///
/// The text is opaque to clients, but not secret: who reads it may decode it. It is base64url, without padding, of the name of
/// the type in GraphQL and the key as a JSON array, `Ticket:[1, 42]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GlobalId(String);

impl GlobalId {
    /// The id of the document with this key.
    #[must_use]
    pub fn of<T: TView>(key: &T::Key) -> Self {
        global_id_of(T::VIEW, T::Key::collect(once(key)))
    }

    /// The key of the document.
    ///
    /// # Errors
    /// If the id is none of a `T`.
    pub fn key<T: TView>(&self) -> Result<T::Key, GlobalIdError> {
        let error = || GlobalIdError {
            type_name: T::VIEW.shape.type_name,
        };
        let values = key_values(self, T::VIEW)?;
        let tuple: KeyTuple = serde_json::from_value(values.into()).map_err(|_| error())?;
        let keys = tuple.into_keys(&T::Key::collect(std::iter::empty()));
        let mut key = None;
        T::Key::each(&keys, &mut |found| key = Some(found));
        // A UUID can be written in other ways, but an id is one text.
        key.filter(|key| Self::of::<T>(key) == *self)
            .ok_or_else(error)
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The id of the document with the first of these keys.
#[must_use]
pub fn global_id_of(view: &View, keys: Keys) -> GlobalId {
    // As PostgreSQL prints the array.
    let key = KeyTuple::first_of(keys);
    let text = format!("{}:{key}", view.shape.type_name);
    GlobalId(URL_SAFE_NO_PAD.encode(text))
}

/// The name of the type in GraphQL. `None` if this cannot be an id.
#[must_use]
pub fn type_name_of(id: &GlobalId) -> Option<String> {
    let text = decoded(id)?;
    text.split_once(':').map(|(name, _)| name.to_owned())
}

fn decoded(id: &GlobalId) -> Option<String> {
    if id.0.len() > MAX_LEN {
        return None;
    }
    String::from_utf8(URL_SAFE_NO_PAD.decode(&id.0).ok()?).ok()
}

/// The values of the columns of the key, in their order.
///
/// # Errors
/// If the id is none of this view.
pub fn key_values(id: &GlobalId, view: &View) -> Result<Vec<Value>, GlobalIdError> {
    let type_name = view.shape.type_name;
    let values = || -> Option<Vec<Value>> {
        let text = decoded(id)?;
        let key = text.strip_prefix(type_name)?.strip_prefix(':')?;
        let values: Vec<Value> = serde_json::from_str(key).ok()?;
        let fits = |(value, ty): (&Value, &ScalarType)| match ty.sql {
            "int2" | "int4" | "int8" => value.is_i64(),
            _ => value.is_string(),
        };
        let types = view.key.types;
        (values.len() == types.len() && values.iter().zip(types).all(fits)).then_some(values)
    };
    values().ok_or(GlobalIdError { type_name })
}

impl fmt::Display for GlobalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<String> for GlobalId {
    /// Any text: whether it is the id of a document is found out by [`key`](Self::key).
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl FromStr for GlobalId {
    type Err = std::convert::Infallible;

    /// As [`From`].
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl Serialize for GlobalId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for GlobalId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

impl Scalar for GlobalId {
    const TYPE: ScalarType = ScalarType::new("text", JsonEncoding::Native, "ID");

    fn serialize_json<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }

    fn deserialize_json<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }
}

/// A text is not the id of a document of this type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not an id of the type {type_name}")]
pub struct GlobalIdError {
    type_name: &'static str,
}
