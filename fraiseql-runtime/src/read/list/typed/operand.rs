//! `Operand`: a value that a field is compared with; `Operands`: values that a list is searched for.

use serde_json::Value;

use crate::schema::scalar::Scalar;

/// A value that fields of type `T` are compared with: a `T` or a reference to one; for a `String`
/// also a `&str`, and for a `Vec` a slice or an array.
#[diagnostic::on_unimplemented(
    message = "a field of type `{T}` cannot be compared with a value of type `{Self}`",
    label = "expected a value of type `{T}`",
    note = "a field that is an `Option<T>` is compared with a `T`, and its nulls are found by `is_null()`"
)]
pub trait Operand<T>: Sized {
    /// The value as JSON, as it is in a document.
    ///
    /// # Errors
    /// If the value has no JSON, such as `NaN`.
    #[doc(hidden)]
    fn into_json(self) -> serde_json::Result<Value>;
}

/// Values that lists of `T` are searched for: an array, a slice, a `Vec`, or any other iterator of [`Operand`]s.
#[diagnostic::on_unimplemented(
    message = "a list of `{T}` cannot be searched for `{Self}`",
    label = "expected several values of type `{T}`",
    note = "write values of the list's type in an array, also if there is only one: `[value]`"
)]
pub trait Operands<T>: Sized {
    /// The values as an array in JSON.
    ///
    /// # Errors
    /// If a value has no JSON, such as `NaN`.
    #[doc(hidden)]
    fn into_json(self) -> serde_json::Result<Value>;
}

#[diagnostic::do_not_recommend]
impl<T, I: IntoIterator<Item: Operand<T>>> Operands<T> for I {
    fn into_json(self) -> serde_json::Result<Value> {
        self.into_iter().map(Operand::into_json).collect()
    }
}

fn json_of<T: Scalar>(value: &T) -> serde_json::Result<Value> {
    value.serialize_json(serde_json::value::Serializer)
}

impl<T: Scalar> Operand<T> for T {
    fn into_json(self) -> serde_json::Result<Value> {
        json_of(&self)
    }
}

impl<T: Scalar> Operand<T> for &T {
    fn into_json(self) -> serde_json::Result<Value> {
        json_of(self)
    }
}

impl Operand<String> for &str {
    fn into_json(self) -> serde_json::Result<Value> {
        Ok(Value::from(self))
    }
}

impl Operand<String> for &&str {
    fn into_json(self) -> serde_json::Result<Value> {
        Ok(Value::from(*self))
    }
}

impl<T: Scalar> Operand<Vec<T>> for &[T] {
    fn into_json(self) -> serde_json::Result<Value> {
        self.iter().map(json_of).collect()
    }
}

impl<T: Scalar, const N: usize> Operand<Vec<T>> for [T; N] {
    fn into_json(self) -> serde_json::Result<Value> {
        self.iter().map(json_of).collect()
    }
}
