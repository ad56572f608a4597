//! `Filter`: the condition that the documents of a list meet.

use serde_json::Value;

use super::operator::Operator;
use crate::schema::Source;

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
    /// Whether parts of a field meet a filter.
    Within {
        field: String,
        quantifier: Quantifier,
        filter: Box<Filter>,
    },
    /// Compares the value at a path of keys in the JSON of a field.
    At {
        field: String,
        path: Vec<String>,
        operator: Operator,
        value: Value,
    },
    /// Whether the words of a full-text index match. Without a name, of the first index.
    Search {
        name: Option<String>,
        text: String,
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

/// How many parts of a field meet a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quantifier {
    /// At least one of a list.
    Some,
    /// The only one.
    Is,
}

impl Quantifier {
    /// Whether it is for a field with this source.
    pub(super) fn is_of(self, source: &Source) -> bool {
        source.is_list_of_parts() == (self == Self::Some)
    }
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

    /// At least one part of a list meets a filter, whose fields are those of the part: `comments` has a comment that is
    /// approved *and* by this author. A GIN index of the field, or of the document, must have the parts:
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
    /// use fraiseql_runtime::list::{Filter, Operator};
    ///
    /// #[derive(TView)]
    /// #[tview(index(gin = "comments"))]
    /// pub struct Post {
    ///     pub id: i64,
    ///     #[tview(many(fk = "post_id"))]
    ///     pub comments: Vec<Comment>,
    /// }
    ///
    /// #[derive(Embed)]
    /// pub struct Comment { pub id: i64, pub author_id: i64, pub rating: i32 }
    /// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY);
    /// #     CREATE TABLE tb_comment (id int8 PRIMARY KEY, post_id int8, author_id int8 NOT NULL, rating int4 NOT NULL);
    /// #     INSERT INTO tb_post VALUES (7), (8); INSERT INTO tb_comment VALUES (1, 7, 5, 3), (2, 8, 5, 1), (3, 8, 6, 3)",
    /// #     async |pool| {
    /// # migrate::<Post>(&pool).await;
    /// # sync_all_posts(&pool).await?;
    /// let good = Filter::all([
    ///     Filter::eq("authorId", 5),
    ///     Filter::compare("rating", Operator::Gte, 3),
    /// ]);
    /// let posts: Vec<Post> = Post::list().filter(Filter::some("comments", good)).fetch(&pool).await?;
    /// assert_eq!(posts.iter().map(|post| post.id).collect::<Vec<_>>(), [7]);
    /// # Ok(()) }) }
    /// ```
    ///
    /// The index serves `eq`, `in`, `contains` and `hasAny`, and what is combined with one of them by `and`; a filter
    /// without any of these is tested with each document. Values are compared as JSON: text with regard to case, also of
    /// `citext`. [`Operator::within`] has the operators of each type.
    pub fn some(field: impl Into<String>, filter: Self) -> Self {
        Self::within(field, Quantifier::Some, filter)
    }

    /// The part of a field meets a filter, whose fields are those of the part. A part that is null meets none. As
    /// [`some`](Self::some), it needs a GIN index.
    pub fn is(field: impl Into<String>, filter: Self) -> Self {
        Self::within(field, Quantifier::Is, filter)
    }

    fn within(field: impl Into<String>, quantifier: Quantifier, filter: Self) -> Self {
        Self {
            node: FilterNode::Within {
                field: field.into(),
                quantifier,
                filter: Box::new(filter),
            },
        }
    }

    /// Compares the value at a path of keys in a field that is JSON. As [`some`](Self::some), it needs a GIN index.
    /// [`Operator::Contains`] compares the JSON as a whole: `Filter::compare("attributes", Operator::Contains,
    /// json!({"color": "red"}))`.
    ///
    /// An array on the way, and at the end, stands for each of its values: the comparison holds if it does for one of
    /// them. Values of different types are unequal, and neither less nor greater. A missing value is null.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
    /// use fraiseql_runtime::list::{Filter, Operator};
    ///
    /// #[derive(TView)]
    /// #[tview(index(gin = "attributes"))]
    /// pub struct Product { pub id: i64, pub attributes: serde_json::Value }
    /// # fn main() { on(r#"CREATE TABLE tb_product (id int8 PRIMARY KEY, attributes jsonb NOT NULL);
    /// #     INSERT INTO tb_product VALUES (7, '{"size": {"width": 30}, "colors": ["red", "blue"]}'), (8, '{}')"#,
    /// #     async |pool| {
    /// # migrate::<Product>(&pool).await;
    /// # sync_all_products(&pool).await?;
    /// let wide = Filter::at("attributes", ["size", "width"], Operator::Gt, 20);
    /// let red = Filter::at("attributes", ["colors"], Operator::Eq, "red");
    /// let products: Vec<Product> = Product::list().filter(wide).filter(red).fetch(&pool).await?;
    /// assert_eq!(products[0].id, 7);
    /// # Ok(()) }) }
    /// ```
    pub fn at<K: Into<String>>(
        field: impl Into<String>,
        path: impl IntoIterator<Item = K>,
        operator: Operator,
        value: impl Into<Value>,
    ) -> Self {
        Self {
            node: FilterNode::At {
                field: field.into(),
                path: path.into_iter().map(Into::into).collect(),
                operator,
                value: value.into(),
            },
        }
    }

    /// The words of the view's first full-text index match a query, as it is typed into a search box: `rust -java`,
    /// `"exact phrase"`, `cats or dogs`. Every text is a query; one without words finds nothing.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
    /// use fraiseql_runtime::list::Filter;
    ///
    /// #[derive(TView)]
    /// #[tview(index(fulltext = "title, body", language = "english"))]
    /// pub struct Post { pub id: i64, pub title: String, pub body: Option<String> }
    /// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL, body text);
    /// #     INSERT INTO tb_post VALUES (7, 'Notes', 'He was running'), (8, 'Runes', NULL)", async |pool| {
    /// # migrate::<Post>(&pool).await;
    /// # sync_all_posts(&pool).await?;
    /// let posts: Vec<Post> = Post::list().filter(Filter::search("run")).fetch(&pool).await?;
    /// assert_eq!(posts[0].id, 7);
    /// # Ok(()) }) }
    /// ```
    pub fn search(query: impl Into<String>) -> Self {
        Self {
            node: FilterNode::Search {
                name: None,
                text: query.into(),
            },
        }
    }

    /// As [`search`](Self::search), by the full-text index with a name of [`searches`](crate::list::searches).
    pub fn search_in(name: impl Into<String>, query: impl Into<String>) -> Self {
        Self {
            node: FilterNode::Search {
                name: Some(name.into()),
                text: query.into(),
            },
        }
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
