//! `Column`: the constant that the derive emits for a field of a view.

use std::fmt;
use std::marker::PhantomData;

use serde_json::Value;

use super::filter_of::FilterOf;
use super::operand::{Operand, Operands};
use super::order_of::OrderOf;
use super::usage::{CanFilter, CanOrder};
use crate::read::list::filter::Filter;
use crate::read::list::operator::Operator;
use crate::read::list::order::{Direction, OrderBy};
use crate::schema::scalar::{Comparable, ListValue, Matchable, Nullable, Ordered, SingleValue};

/// A field of type `T` of the view `V`, in filters and orders of [lists](mod@crate::list).
///
/// The derive emits a constant for each field of a view that is a scalar: `Post::CREATED_AT` is that of
/// `created_at`, with the visibility of the field. A name that no field has, a value of another type or an
/// operator that the type does not have is a compile error. `U` says what a list can do with the field:
/// [`FilterAndOrder`](crate::list::FilterAndOrder), [`FilterOnly`](crate::list::FilterOnly) or, without
/// `#[tview(filter)]` and the like, [`NoColumn`](crate::list::NoColumn). Fields that hold parts have no constant,
/// and neither has a [`GlobalId`](crate::GlobalId).
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
/// use fraiseql_runtime::list::Nulls;
///
/// #[derive(TView)]
/// pub struct Post {
///     pub id: i64,
///     #[tview(sort)]
///     pub title: String,
///     #[tview(filter)]
///     pub published: bool,
///     #[tview(sort)]
///     pub rating: Option<i32>,
/// }
/// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL, published boolean NOT NULL, rating int4);
/// #     INSERT INTO tb_post VALUES (7, 'Notes', true, 3), (8, 'More', true, NULL), (9, 'Nothing', false, 5)", async |pool| {
/// # migrate::<Post>(&pool).await;
/// # sync_all_posts(&pool).await?;
/// let few = Post::TITLE.like("No%").or(Post::RATING.is_null());
/// let list = Post::list()
///     .filter(few.and(Post::PUBLISHED.eq(true)))
///     .order_by(Post::RATING.desc().nulls(Nulls::Last));
/// let posts: Vec<Post> = list.fetch(&pool).await?;
/// assert_eq!(posts.iter().map(|post| post.id).collect::<Vec<_>>(), [7, 8]);
/// # Ok(()) }) }
/// ```
///
/// **Names** are those of the fields in SCREAMING_SNAKE case; of `r#type` it is `TYPE`. A name that is that
/// of a constant of [`TView`](crate::TView) or [`Embed`](crate::Embed), such as `VIEW`, or of a field
/// before it, has an underscore at its end: `VIEW_`. An associated constant of your own with the name of a field's
/// constant is a compile error at the field: rename yours.
///
/// **Nulls** behave as in [`Filter`]. A field that is an `Option<T>` is compared with a `T`, and
/// [`is_null`](Self::is_null) finds its nulls.
///
/// **Times** are compared as JSON has them: to the nanosecond, if the type has nanoseconds.
pub struct Column<V, T, U> {
    json: &'static str,
    view: PhantomData<fn() -> V>,
    field: PhantomData<fn() -> (T, U)>,
}

impl<V, T, U> Column<V, T, U> {
    /// The field with this name in the document.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(json: &'static str) -> Self {
        Self {
            json,
            view: PhantomData,
            field: PhantomData,
        }
    }

    /// The name of the field in the document.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.json
    }

    fn value(self, operator: Operator, value: serde_json::Result<Value>) -> FilterOf<V> {
        FilterOf::new(match value {
            Ok(value) => Filter::compare(self.json, operator, value),
            Err(error) => Filter::without_json(self.json, &error),
        })
    }
}

/// Comparisons.
impl<V, T, U> Column<V, T, U> {
    /// Equal to a value: [`Operator::Eq`].
    pub fn eq(self, value: impl Operand<T::Value>) -> FilterOf<V>
    where
        U: CanFilter,
        T: Comparable,
    {
        self.value(Operator::Eq, value.into_json())
    }

    /// Not equal to a value, and not null: [`Operator::Ne`].
    pub fn ne(self, value: impl Operand<T::Value>) -> FilterOf<V>
    where
        U: CanFilter,
        T: Comparable,
    {
        self.value(Operator::Ne, value.into_json())
    }

    /// Equal to one of these values: [`Operator::In`]. Without any, no document meets it.
    pub fn is_in(self, values: impl IntoIterator<Item: Operand<T::Value>>) -> FilterOf<V>
    where
        U: CanFilter,
        T: SingleValue,
    {
        let values = values.into_iter().map(Operand::into_json);
        self.value(Operator::In, values.collect())
    }

    /// Equal to none of these values, and not null: [`Operator::NotIn`].
    pub fn is_not_in(self, values: impl IntoIterator<Item: Operand<T::Value>>) -> FilterOf<V>
    where
        U: CanFilter,
        T: SingleValue,
    {
        let values = values.into_iter().map(Operand::into_json);
        self.value(Operator::NotIn, values.collect())
    }

    /// Less than a value: [`Operator::Lt`].
    pub fn lt(self, value: impl Operand<T::Value>) -> FilterOf<V>
    where
        U: CanFilter,
        T: Ordered,
    {
        self.value(Operator::Lt, value.into_json())
    }

    /// Less than a value or equal to it: [`Operator::Lte`].
    pub fn lte(self, value: impl Operand<T::Value>) -> FilterOf<V>
    where
        U: CanFilter,
        T: Ordered,
    {
        self.value(Operator::Lte, value.into_json())
    }

    /// Greater than a value: [`Operator::Gt`].
    pub fn gt(self, value: impl Operand<T::Value>) -> FilterOf<V>
    where
        U: CanFilter,
        T: Ordered,
    {
        self.value(Operator::Gt, value.into_json())
    }

    /// Greater than a value or equal to it: [`Operator::Gte`].
    pub fn gte(self, value: impl Operand<T::Value>) -> FilterOf<V>
    where
        U: CanFilter,
        T: Ordered,
    {
        self.value(Operator::Gte, value.into_json())
    }

    /// Matches a pattern: [`Operator::Like`].
    pub fn like(self, pattern: impl Into<String>) -> FilterOf<V>
    where
        U: CanFilter,
        T: Matchable,
    {
        self.value(Operator::Like, Ok(Value::String(pattern.into())))
    }

    /// Matches a pattern, ignoring case: [`Operator::Ilike`].
    pub fn ilike(self, pattern: impl Into<String>) -> FilterOf<V>
    where
        U: CanFilter,
        T: Matchable,
    {
        self.value(Operator::Ilike, Ok(Value::String(pattern.into())))
    }

    /// A list with all of these values: [`Operator::Contains`]. Without any, every list that is not null meets it.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
    /// #[derive(TView)]
    /// pub struct Post {
    ///     pub id: i64,
    ///     #[tview(filter)] // a GIN index
    ///     pub tags: Vec<String>,
    /// }
    /// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, tags text[] NOT NULL);
    /// #     INSERT INTO tb_post VALUES (7, '{rust,sql}'), (8, '{sql}'), (9, '{}')", async |pool| {
    /// # migrate::<Post>(&pool).await;
    /// # sync_all_posts(&pool).await?;
    /// let both = Post::list().filter(Post::TAGS.contains(["rust", "sql"]));
    /// assert_eq!(both.fetch::<Post>(&pool).await?[0].id, 7);
    /// let either = Post::list().filter(Post::TAGS.has_any(["rust", "sql"]));
    /// assert_eq!(either.count(&pool).await?, 2);
    /// # Ok(()) }) }
    /// ```
    pub fn contains(self, values: impl Operands<T::Element>) -> FilterOf<V>
    where
        U: CanFilter,
        T: ListValue,
    {
        self.value(Operator::Contains, values.into_json())
    }

    /// A list with at least one of these values: [`Operator::HasAny`]. Without any, no document meets it.
    pub fn has_any(self, values: impl Operands<T::Element>) -> FilterOf<V>
    where
        U: CanFilter,
        T: ListValue,
    {
        self.value(Operator::HasAny, values.into_json())
    }

    /// Null: [`Operator::IsNull`].
    pub fn is_null(self) -> FilterOf<V>
    where
        U: CanFilter,
        T: Nullable,
    {
        self.value(Operator::IsNull, Ok(Value::Bool(true)))
    }

    /// Not null: [`Operator::IsNull`] with `false`.
    pub fn is_not_null(self) -> FilterOf<V>
    where
        U: CanFilter,
        T: Nullable,
    {
        self.value(Operator::IsNull, Ok(Value::Bool(false)))
    }
}

/// Orders.
impl<V, T, U> Column<V, T, U> {
    /// Ascending: the smallest value first.
    pub fn asc(self) -> OrderOf<V>
    where
        U: CanOrder,
        T: SingleValue,
    {
        OrderOf::new(OrderBy::new(self.json, Direction::Asc))
    }

    /// Descending: the largest value first.
    pub fn desc(self) -> OrderOf<V>
    where
        U: CanOrder,
        T: SingleValue,
    {
        OrderOf::new(OrderBy::new(self.json, Direction::Desc))
    }
}

impl<V, T, U> Copy for Column<V, T, U> {}

impl<V, T, U> Clone for Column<V, T, U> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V, T, U> fmt::Debug for Column<V, T, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Column").field(&self.json).finish()
    }
}
