//! The shape of a part, as the shape of another struct refers to it.

use std::fmt;

use crate::schema::table::Shape;

/// The shape of a part, as the shape of another struct refers to it.
///
/// ```
/// use fraiseql_runtime::schema::Source;
/// use fraiseql_runtime::{Embed, TView};
///
/// #[derive(TView)]
/// struct Post {
///     id: i64,
///     #[tview(one(fk = "author_id"))]
///     author: Author,
/// }
///
/// #[derive(Embed)]
/// struct Author { id: i64 }
///
/// # fn main() {
/// let Source::One(one) = &Post::SHAPE.fields[1].source else { unreachable!() };
/// assert_eq!(one.shape.get().name, "Author");
/// # }
/// ```
#[derive(Clone, Copy)]
pub enum PartShape {
    /// That of a struct. It is a function, so that types may refer to each other: cyclic types still
    /// compile to shapes, and the cycle can then be reported by its names.
    Declared(fn() -> &'static Shape),
    /// A copy in another schema: see [`ReadModel::in_schema`](crate::ReadModel::in_schema).
    InSchema(&'static Shape),
}

impl PartShape {
    /// The shape.
    #[must_use]
    pub fn get(self) -> &'static Shape {
        match self {
            Self::Declared(shape) => shape(),
            Self::InSchema(shape) => shape,
        }
    }
}

/// Without the shape, which may be that of a cyclic type.
impl fmt::Debug for PartShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PartShape").field(&self.get().name).finish()
    }
}
