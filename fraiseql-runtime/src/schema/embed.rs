//! The trait of parts, the types of fields that hold a part, and the type-level lists that the
//! trait refers to.

use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

use crate::schema::{Key, Shape, Table};

/// A struct that is a document or a part of one: the form of a base table's row.
///
/// Derive it for parts. `#[derive(TView)]` implements it too, so that a view can be a part of
/// another view's documents.
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
/// A part may have some fields of another struct. It then has the table, key and row filter of that
/// struct, and the compiler checks its fields:
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
    note = "one(..) goes on a field of type T or Option<T>, many(..) on Vec<T>, and a variant of a \
            union is T, where T is a struct with #[derive(Embed)] or #[derive(TView)], and may be in a \
            Box or an Arc"
)]
pub trait Embed: Sized + 'static {
    /// The constant table of the struct.
    const SHAPE: &'static Shape;

    /// The type of the key field, or a type that stands for it; see [`Keyed`](crate::Keyed).
    #[doc(hidden)]
    type KeyField;

    /// The parts as a type-level list. It is behind `impl`, so that a public struct may have private
    /// parts.
    #[doc(hidden)]
    fn children() -> impl Children;

    /// What the struct declares itself, without what it inherits by `shape_of`.
    #[doc(hidden)]
    const OWN: Own = Own::of(Self::SHAPE);

    /// The struct in `shape_of`, as a list of one or none.
    #[doc(hidden)]
    fn shape_of() -> impl Children {
        End
    }

    /// Whether the struct is a view, and so has documents of its own.
    #[doc(hidden)]
    const IS_VIEW: bool = false;

    /// [`SHAPE`](Self::SHAPE), as a function to which other tables can have a pointer.
    #[must_use]
    fn shape() -> &'static Shape {
        Self::SHAPE
    }
}

/// Implements `Embed` for a smart pointer to a part.
macro_rules! pointers {
    ($($pointer:ident)*) => {$(
        impl<T: Embed> Embed for $pointer<T> {
            const SHAPE: &'static Shape = T::SHAPE;

            type KeyField = T::KeyField;

            fn children() -> impl Children {
                T::children()
            }

            const IS_VIEW: bool = T::IS_VIEW;

            const OWN: Own = T::OWN;

            fn shape_of() -> impl Children {
                T::shape_of()
            }
        }
    )*};
}

// A view with an `Rc` is refused because it is not `Send`. It is an `Embed` all the same, so that
// this is the only error.
pointers!(Box Arc Rc);

/// A type of a `one(..)` field: a part, or an `Option` of one.
// The message is that of `Embed`: for one mistake the compiler names either trait, and it merges
// equal messages.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a part of a document",
    label = "needs #[derive(Embed)] or #[derive(TView)]",
    note = "one(..) goes on a field of type T or Option<T>, many(..) on Vec<T>, and a variant of a \
            union is T, where T is a struct with #[derive(Embed)] or #[derive(TView)], and may be in a \
            Box or an Arc"
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

/// A type of a `first(..)` field: an `Option` of a part.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a #[tview(first(..))] field",
    label = "must be Option<T>, where T has #[derive(Embed)] or #[derive(TView)]",
    note = "there may be no row, and then the field is null; T may be in a Box or an Arc"
)]
pub trait FirstField {
    /// The part.
    type Part: Embed;
}

impl<T: Embed> FirstField for Option<T> {
    type Part = T;
}

/// The parts of a struct, as a type-level list.
pub trait Children {
    /// Whether the list is empty.
    const END: bool;
    /// The index of the field that holds the first part.
    const FIELD: usize;
    /// The first part.
    type Head: Embed;
    /// The rest of the list.
    type Tail: Children;
}

/// A list whose first part is `T`, in the field with the index `FIELD`.
pub struct Child<T, const FIELD: usize, Rest>(PhantomData<(T, Rest)>);

/// A placeholder shape.
static NONE: Shape = Shape {
    id: "",
    name: "",
    type_name: "",
    docs: None,
    table: Table {
        schema: "",
        name: "",
    },
    filter: None,
    key: None,
    group_by: &[],
    fields: &[],
};

/// The empty list.
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
    /// A value that is only used for its type.
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

/// Stands for the key field of a part without one.
#[derive(Debug)]
pub enum NoKey {}

/// Stands for the key field of a part that inherits the key of `T`.
#[derive(Debug)]
pub struct KeyOf<T>(PhantomData<T>);

/// What a struct declares itself, without what it inherits by `shape_of`.
#[derive(Clone, Copy, Debug)]
pub struct Own {
    /// [`Shape::id`].
    pub id: &'static str,
    /// [`Shape::name`].
    pub name: &'static str,
    /// The table, if it is declared.
    pub table: Option<Table>,
    /// The filter, if it is declared.
    pub filter: Option<&'static str>,
    /// The key, if a field is marked.
    pub key: Option<Key>,
}

impl Own {
    /// A struct without `shape_of` declares its whole shape.
    pub(crate) const fn of(shape: &'static Shape) -> Self {
        Self {
            id: shape.id,
            name: shape.name,
            table: Some(shape.table),
            filter: shape.filter,
            key: shape.key,
        }
    }

    /// Completes what is not declared with what `other` declares.
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
