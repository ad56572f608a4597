//! The traits and the constant table of unions and interfaces with `#[derive(TUnion)]`.

use crate::schema::Shape;
use crate::schema::embed::{Children, Embed};

/// An enum whose variants each hold one struct: a union of GraphQL, or an interface. Its values are
/// documents of any of these structs, as resolvers of `fraiseql-graphql` return them.
///
/// Derive it; the attributes are described at [the derive](derive@crate::TUnion).
///
/// ```
/// use fraiseql_runtime::{TUnion, TView};
///
/// #[derive(TView)]
/// pub struct Post { pub id: i64, pub title: String, pub rating: i32 }
///
/// #[derive(TView)]
/// pub struct Page { pub id: i64, pub title: String }
///
/// /// What a search finds.
/// #[derive(TUnion)]
/// pub enum Found { Post(Post), Page(Page) }
///
/// /// What has a title.
/// #[derive(TUnion)]
/// #[tview(interface)]
/// pub enum Content { Post(Post), Page(Page) }
///
/// # fn main() {
/// assert_eq!(Found::UNION.type_name, "Found");
/// assert_eq!(Found::UNION.docs, Some("What a search finds."));
/// let members: Vec<_> = Found::UNION.shapes().map(|shape| shape.type_name).collect();
/// assert_eq!(members, ["Post", "Page"]);
/// assert!(Found::UNION.interface.is_none() && Content::UNION.interface.is_some());
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a union of documents",
    label = "needs #[derive(TUnion)]"
)]
pub trait TUnion: Sized + 'static {
    /// The constant table of the union.
    const UNION: &'static Union;

    /// The members as a type-level list, whose `FIELD` is the index of the variant.
    #[doc(hidden)]
    fn members() -> impl Children;
}

/// A struct that is a member of the union `U`. The derive of the union implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a member of `{U}`",
    label = "no variant of `{U}` holds it",
    note = "the members of a union are the structs in the variants of its enum"
)]
pub trait MemberOf<U> {}

/// A type that a variant of a union can hold: a struct with documents.
///
/// The message for another type is that of [`Embed`], without the list of all types that have it.
pub trait UnionMember {
    /// The struct.
    type Document: Embed;
}

#[diagnostic::do_not_recommend]
impl<T: Embed> UnionMember for T {
    type Document = T;
}

/// The constant table of a union or an interface.
#[derive(Debug)]
pub struct Union {
    /// A unique identifier: module, name, line and column of the enum.
    pub id: &'static str,
    /// The name of the enum in Rust.
    pub name: &'static str,
    /// The name of its GraphQL type.
    pub type_name: &'static str,
    /// Its documentation, which is its description in GraphQL.
    pub docs: Option<&'static str>,
    /// The shapes of its members, in the order of the variants.
    pub members: &'static [fn() -> &'static Shape],
    /// The fields of the interface. `None` for a union.
    pub interface: Option<Interface>,
}

/// The fields of an interface. All members have them, with the same GraphQL type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interface {
    /// All that the members have in common, in the order of the first member.
    Common,
    /// Those with these keys in documents.
    Fields(&'static [&'static str]),
}

impl Union {
    /// The shapes of the members, in the order of the variants.
    pub fn shapes(&self) -> impl Iterator<Item = &'static Shape> + use<> {
        self.members.iter().map(|shape| shape())
    }
}
