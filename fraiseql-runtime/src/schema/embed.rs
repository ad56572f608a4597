//! The trait behind `#[derive(Embed)]`, the types that can hold a part, and the type-level lists
//! that the trait refers to.

use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

use crate::schema::{Key, Shape, Table};

/// A struct that is (part of) a document: the shape of a base table's row.
///
/// Derive it for parts; `#[derive(TView)]` implements it too, so that a view can be a part
/// of another view's documents.
///
/// ```
/// use fraiseql_runtime::Embed;
///
/// #[derive(Embed)]
/// #[tview(table = "tb_user")]
/// pub struct Author {
///     pub id: uuid::Uuid,
///     pub full_name: String,
/// }
/// # fn main() {
/// assert_eq!(Author::shape().fields[1].json, "fullName");
/// # }
/// ```
///
/// A part may be some fields of another struct. It has that struct's table, key and row
/// filter, and the compiler proves that its fields are that struct's:
///
/// ```
/// use fraiseql_runtime::{Embed, TView};
///
/// #[derive(TView)]
/// #[tview(table = "app.tb_user", filter = "deleted_at IS NULL")]
/// pub struct User {
///     pub id: uuid::Uuid,
///     #[tview(column = "full_name")]
///     pub name: String,
///     pub email: Option<String>,
/// }
///
/// #[derive(Embed)]
/// #[tview(shape_of = User)]
/// pub struct Author {
///     #[tview(column = "full_name")]
///     pub name: String,
/// }
/// # fn main() {
/// assert_eq!(Author::shape().table, User::shape().table);
/// assert_eq!(Author::shape().filter, Some("deleted_at IS NULL"));
/// # }
/// ```
///
/// A name that `User` does not have is an error at the field: `` `nmae` is not a field of
/// `User`; did you mean `name`? Its fields are id, name, email``.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a part of a document",
    label = "needs #[derive(Embed)] or #[derive(TView)]",
    note = "one(..) goes on a field of type T or Option<T>, many(..) on Vec<T>, where T has \
            #[derive(Embed)] or #[derive(TView)], and may be in a Box or an Arc"
)]
pub trait Embed: Sized + 'static {
    /// The constant table of the struct.
    const SHAPE: &'static Shape;

    /// The type of the key field, or what stands for it; see [`Keyed`](crate::Keyed).
    #[doc(hidden)]
    type KeyField;

    /// The children as types. Behind `impl`, so that a public struct may have private parts.
    #[doc(hidden)]
    fn children() -> impl Children;

    /// What is written on the struct itself, without what `shape_of` adds.
    #[doc(hidden)]
    const OWN: Own = Own::of(Self::SHAPE);

    /// The struct that `shape_of` names, as a list of one or none.
    #[doc(hidden)]
    fn shape_of() -> impl Children {
        End
    }

    /// [`SHAPE`](Self::SHAPE), as a function that other tables can point to.
    #[must_use]
    fn shape() -> &'static Shape {
        Self::SHAPE
    }
}

/// What is in a pointer is as good as what is beside it.
macro_rules! pointers {
    ($($pointer:ident)*) => {$(
        impl<T: Embed> Embed for $pointer<T> {
            const SHAPE: &'static Shape = T::SHAPE;

            type KeyField = T::KeyField;

            fn children() -> impl Children {
                T::children()
            }

            const OWN: Own = T::OWN;

            fn shape_of() -> impl Children {
                T::shape_of()
            }
        }
    )*};
}

// A view with an `Rc` is refused, because it is not `Send`: that is all that should be said.
pointers!(Box Arc Rc);

/// A type of a `one(..)` field: a part, or an `Option` of one.
// The words are those of `Embed`: the compiler names either for one mistake, and says what is
// the same only once.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a part of a document",
    label = "needs #[derive(Embed)] or #[derive(TView)]",
    note = "one(..) goes on a field of type T or Option<T>, many(..) on Vec<T>, where T has \
            #[derive(Embed)] or #[derive(TView)], and may be in a Box or an Arc"
)]
pub trait OneField {
    /// The part.
    type Part: Embed;
    /// Whether the field can be null.
    const NULLABLE: bool;
}

impl<T: Embed> OneField for T {
    type Part = T;
    const NULLABLE: bool = false;
}

impl<T: Embed> OneField for Option<T> {
    type Part = T;
    const NULLABLE: bool = true;
}

/// A type of a `many(..)` field: a list of parts.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a #[tview(many(..))] field",
    label = "must be Vec<T>, Box<[T]> or Arc<[T]>, where T has #[derive(Embed)] or #[derive(TView)]",
    note = "a list is never null: without rows it is empty, so Option<Vec<T>> is not needed"
)]
pub trait ManyField {
    /// The part.
    type Part: Embed;
}

impl<T: Embed> ManyField for Vec<T> {
    type Part = T;
}

impl<T: Embed> ManyField for Box<[T]> {
    type Part = T;
}

impl<T: Embed> ManyField for Arc<[T]> {
    type Part = T;
}

/// A struct's children as a type-level list.
pub trait Children {
    /// Whether there are none left.
    const END: bool;
    /// The index of the first child's field.
    const FIELD: usize;
    /// The first child.
    type Head: Embed;
    /// The others.
    type Tail: Children;
}

/// A child at the field with index `FIELD`, and further children.
pub struct Child<T, const FIELD: usize, Rest>(PhantomData<(T, Rest)>);

/// The shape that stands where there is none.
static NONE: Shape = Shape {
    id: "",
    name: "",
    type_name: "",
    docs: None,
    table: crate::schema::Table {
        schema: "",
        name: "",
    },
    filter: None,
    key: None,
    fields: &[],
};

/// Nothing: the end of a list.
#[derive(Debug)]
pub struct End;

impl Embed for End {
    const SHAPE: &'static Shape = &NONE;

    type KeyField = NoKey;

    fn children() -> impl Children {
        End
    }
}

impl Children for End {
    const END: bool = true;
    const FIELD: usize = 0;
    type Head = End;
    type Tail = End;
}

impl<T, const FIELD: usize, Rest> Child<T, FIELD, Rest> {
    /// A value, for its type.
    pub const LIST: Self = Self(PhantomData);
}

impl<T, const FIELD: usize, Rest> std::fmt::Debug for Child<T, FIELD, Rest> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Child").field(&FIELD).finish()
    }
}

impl<T: Embed, const FIELD: usize, Rest: Children> Children for Child<T, FIELD, Rest> {
    const END: bool = false;
    const FIELD: usize = FIELD;
    type Head = T;
    type Tail = Rest;
}

/// Stands for the key field of a part that has none.
#[derive(Debug)]
pub enum NoKey {}

/// Stands for the key field of a part that has it from `T`.
#[derive(Debug)]
pub struct KeyOf<T>(PhantomData<T>);

/// What is written on a struct itself.
#[derive(Clone, Copy, Debug)]
pub struct Own {
    /// [`Shape::id`].
    pub id: &'static str,
    /// [`Shape::name`].
    pub name: &'static str,
    /// `table`, where it was written.
    pub table: Option<Table>,
    /// `filter`, where it was written.
    pub filter: Option<&'static str>,
    /// The key, where a field was marked.
    pub key: Option<Key>,
}

impl Own {
    /// Of a struct without `shape_of`: its shape says it all.
    pub(crate) const fn of(shape: &'static Shape) -> Self {
        Self {
            id: shape.id,
            name: shape.name,
            table: Some(shape.table),
            filter: shape.filter,
            key: shape.key,
        }
    }

    /// With what the other says in addition.
    pub(crate) const fn or(self, other: Self) -> Self {
        Self {
            id: self.id,
            name: self.name,
            table: match self.table {
                Some(table) => Some(table),
                None => other.table,
            },
            filter: match self.filter {
                Some(filter) => Some(filter),
                None => other.filter,
            },
            key: match self.key {
                Some(key) => Some(key),
                None => other.key,
            },
        }
    }
}
