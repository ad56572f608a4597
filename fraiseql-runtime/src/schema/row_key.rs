//! The type of the key of a struct's rows, so that a key of another type does not compile.
//!
//! A part may inherit its key from the struct in `shape_of`. That struct is behind a type,
//! [`KeyOf`], which the compiler resolves only where the key is used. So a circle of `shape_of` is
//! reported by the check for it, and not as an overflow of trait resolution.

use crate::schema::embed::{Embed, KeyOf, NoKey};
use crate::schema::key::Key;

/// A struct whose rows are identified by a key: a view, or a part with a key field.
///
/// A part with `shape_of` and without a key field has the key of that struct.
/// [`ReadModel::dependents`](crate::ReadModel::dependents) requires this trait of the type of rows.
/// It is never implemented by hand.
///
/// ```
/// use fraiseql_runtime::{Embed, Keyed, TScalar};
///
/// #[derive(TScalar)]
/// struct UserId(i32);
///
/// #[derive(Embed)]
/// #[tview(table = "tb_user")]
/// struct User { id: UserId, name: String }
///
/// #[derive(Embed)]
/// #[tview(shape_of = User)]
/// struct Author { name: String }
///
/// fn key_columns<T: Keyed>(_keys: &[T::RowKey]) -> &'static [&'static str] {
///     T::SHAPE.key_columns().names()
/// }
/// # fn main() {
/// assert_eq!(key_columns::<User>(&[UserId(7)]), ["id"]);
/// assert_eq!(key_columns::<Author>(&[UserId(7)]), ["id"]);
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no key field",
    label = "its rows cannot be named by key",
    note = "a key is the field `id` or one with #[tview(key)], of type i16, i32, i64, String or \
            Uuid, or a newtype of one with #[derive(TScalar)]; rows can also be named by any \
            column of their table"
)]
pub trait Keyed: Embed {
    /// The type of the key of a row.
    type RowKey: Key;
}

#[diagnostic::do_not_recommend]
impl<T: Embed<KeyField: KeyField<Type: Key>>> Keyed for T {
    type RowKey = <T::KeyField as KeyField>::Type;
}

/// Resolves the type of a key field, or the type that stands for it.
pub trait KeyField {
    /// The type of the key, or [`NoKey`].
    type Type;
}

#[diagnostic::do_not_recommend]
impl<K: Key> KeyField for K {
    type Type = K;
}

impl KeyField for NoKey {
    type Type = Self;
}

#[diagnostic::do_not_recommend]
impl<T: Embed<KeyField: KeyField>> KeyField for KeyOf<T> {
    type Type = <T::KeyField as KeyField>::Type;
}
