//! `Filter`: the condition that the documents of a list meet.

use serde_json::Value;

use super::operator::Operator;

/// A condition on documents: comparisons of promoted fields and the key with values, combined by
/// and, or, not.
///
/// Fields are named as in the document, and values are written as they are there:
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
/// use fraiseql_runtime::list::{Filter, List, Operator};
///
/// #[derive(TView)]
/// pub struct Post {
///     pub id: i64,
///     #[tview(sort)]
///     pub title: String,
///     #[tview(filter)]
///     pub editor_id: Option<i64>,
/// }
/// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL, editor_id int8);
/// #     INSERT INTO tb_post VALUES (7, 'Notes', NULL), (8, 'More', 1), (9, 'Less', 2)", async |pool| {
/// # migrate::<Post>(&pool).await;
/// # sync_all_posts(&pool).await?;
/// let few = Filter::any([
///     Filter::compare("title", Operator::Like, "Not%"),
///     Filter::not(Filter::compare("editorId", Operator::In, json!([1, 3]))),
/// ]);
/// let posts = List::of::<Post>().filter(few).fetch::<Post>(&pool).await?;
/// assert_eq!(posts.iter().map(|post| post.id).collect::<Vec<_>>(), [7, 9]);
/// # Ok(()) }) }
/// ```
///
/// **Null** behaves as in SQL: it is neither equal nor unequal to any value. A document whose
/// field is null meets neither `eq`, `ne`, `in`, `notIn`, `lt` and so on, nor their `not`;
/// [`IsNull`](Operator::IsNull) finds it. `in []` is false for every document, and `notIn []` is
/// true. A list that is null neither contains values nor has any of them, nor does it not; a null within a list
/// is equal to no value that is looked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    pub(super) node: FilterNode,
}

/// A node of the expression tree of a filter.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum FilterNode {
    Compare {
        field: String,
        operator: Operator,
        value: Value,
    },
    /// A comparison with a value of the field's type that no document can have.
    WithoutJson {
        field: String,
        reason: String,
    },
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Not(Box<Filter>),
}

impl Filter {
    /// Compares a field with a value. The value is an array for `in`, `notIn`, `contains` and `hasAny`, and true
    /// or false for `isNull`.
    pub fn compare(field: impl Into<String>, operator: Operator, value: impl Into<Value>) -> Self {
        Self {
            node: FilterNode::Compare {
                field: field.into(),
                operator,
                value: value.into(),
            },
        }
    }

    /// Compares a field with a value: [`Eq`](Operator::Eq).
    pub fn eq(field: impl Into<String>, value: impl Into<Value>) -> Self {
        Self::compare(field, Operator::Eq, value)
    }

    /// A comparison with a value that has no JSON: reading the list is an error, as for any other value
    /// that the field cannot have.
    pub(super) fn without_json(field: &str, reason: &serde_json::Error) -> Self {
        Self {
            node: FilterNode::WithoutJson {
                field: field.to_owned(),
                reason: reason.to_string(),
            },
        }
    }

    /// All of these filters. Without any, every document meets it.
    pub fn all(filters: impl IntoIterator<Item = Self>) -> Self {
        Self {
            node: FilterNode::All(filters.into_iter().collect()),
        }
    }

    /// At least one of these filters. Without any, no document meets it.
    pub fn any(filters: impl IntoIterator<Item = Self>) -> Self {
        Self {
            node: FilterNode::Any(filters.into_iter().collect()),
        }
    }

    /// The opposite of a filter. If the filter is unknown, because of a null, so is its opposite.
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "beside `all` and `any`")]
    pub fn not(filter: Self) -> Self {
        Self {
            node: FilterNode::Not(Box::new(filter)),
        }
    }
}
