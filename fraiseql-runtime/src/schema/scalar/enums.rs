//! The trait and the constant table of enums with `#[derive(TEnum)]`.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserializer;
use serde::de::{Error, Visitor};

/// An enum whose variants have no data: text or a value of an enum type in PostgreSQL, a
/// SCREAMING_SNAKE name in JSON and GraphQL.
///
/// Derive it; the attributes are described at [the derive](derive@crate::TEnum).
///
/// In the database, a variant is recognised by any of the three usual spellings of its name,
/// or, with `rename_all` or `rename`, by exactly one label. A label that belongs to no variant
/// makes its document invalid, and the reported reason contains the label.
///
/// ```
/// use fraiseql_runtime::TEnum;
///
/// #[derive(Clone, Copy, Debug, PartialEq, TEnum)]
/// pub enum Status {
///     Draft,
///     InReview,
///     #[tview(rename = "live", json = "PUBLIC")]
///     Published,
/// }
///
/// # fn main() {
/// assert_eq!(Status::InReview.as_str(), "IN_REVIEW");
/// assert_eq!(Status::InReview.label(), "in_review");
/// assert_eq!(Status::from_label("InReview"), Some(Status::InReview));
/// assert_eq!(Status::from_label("published"), None);
/// assert_eq!(serde_json::to_string(&Status::Published).unwrap(), "\"PUBLIC\"");
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an enum of names",
    label = "needs #[derive(TEnum)]"
)]
pub trait TEnum: Sized + 'static {
    /// The constant table of the enum.
    const ENUM: &'static Enum;

    /// The index of the variant in the table.
    #[doc(hidden)]
    fn index(&self) -> usize;

    /// The variant at an index of the table.
    #[doc(hidden)]
    fn at(index: usize) -> Option<Self>;

    /// The name in JSON and GraphQL.
    #[must_use]
    fn as_str(&self) -> &'static str {
        Self::ENUM.variants[self.index()].json
    }

    /// The label to write to the database: that of `rename` or `rename_all`, or by default the
    /// name in snake_case.
    #[must_use]
    fn label(&self) -> &'static str {
        Self::ENUM.variants[self.index()].labels[0]
    }

    /// The variant with this name in JSON and GraphQL.
    #[must_use]
    fn from_name(name: &str) -> Option<Self> {
        let mut variants = Self::ENUM.variants.iter();
        Self::at(variants.position(|variant| variant.json == name)?)
    }

    /// The variant with this label in the database.
    #[must_use]
    fn from_label(label: &str) -> Option<Self> {
        let mut variants = Self::ENUM.variants.iter();
        Self::at(variants.position(|variant| variant.labels.contains(&label))?)
    }
}

/// The constant table of an enum.
#[derive(Debug)]
pub struct Enum {
    /// The name of the enum in Rust.
    pub name: &'static str,
    /// The path of the enum in Rust, which tells enums of one name apart: that of
    /// [`type_name`](std::any::type_name).
    pub path: fn() -> &'static str,
    /// Its name in GraphQL.
    pub type_name: &'static str,
    /// The variants, in the order of the enum.
    pub variants: &'static [Variant],
}

/// Addresses of functions are not compared: they say nothing about the functions.
impl PartialEq for Enum {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
            && self.type_name == other.type_name
            && self.variants == other.variants
    }
}

impl Eq for Enum {}

/// A variant of an enum.
#[derive(Debug, PartialEq, Eq)]
pub struct Variant {
    /// Its name in Rust.
    pub name: &'static str,
    /// Its name in JSON and GraphQL.
    pub json: &'static str,
    /// Its labels in the database: all are read, the first is written.
    pub labels: &'static [&'static str],
}

/// Deserializes a variant from its JSON name.
///
/// # Errors
/// If the deserializer fails, or no variant has the name.
pub fn read<'de, T: TEnum, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    struct Names<T>(PhantomData<T>);

    impl<T: TEnum> Visitor<'_> for Names<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "the name of a {}", T::ENUM.name)
        }

        fn visit_str<E: Error>(self, name: &str) -> Result<T, E> {
            T::from_name(name).ok_or_else(|| {
                E::custom(format_args!(
                    "`{name}` is not a variant of {}, which has {}",
                    T::ENUM.name,
                    T::ENUM
                        .variants
                        .iter()
                        .map(|variant| format!("`{}`", variant.json))
                        .collect::<Vec<_>>()
                        .join(", ")
                ))
            })
        }
    }

    from.deserialize_str(Names(PhantomData))
}
