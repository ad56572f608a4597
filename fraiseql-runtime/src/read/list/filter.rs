//! Which documents are listed.

use std::fmt;

use serde_json::Value;

use super::error::ListError;
use super::fields;
use super::parameters::Parameters;
use super::value;
use super::value::Kind;
use crate::schema::View;
use crate::schema::scalar::ScalarType;
use crate::sql::list::Condition;

/// How deep a filter may be.
const MOST_DEPTH: usize = 16;
/// How many comparisons it may have, with the groups they are in.
const MOST_CONDITIONS: usize = 250;

/// How a field is compared with a value.
///
/// ```
/// use fraiseql_runtime::list::Operator;
///
/// assert_eq!(Operator::NotIn.to_string(), "notIn");
/// assert_eq!(Operator::from_name("gte"), Some(Operator::Gte));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Equal to one of a list.
    In,
    /// Equal to none of a list.
    NotIn,
    /// Less.
    Lt,
    /// Less or equal.
    Lte,
    /// Greater.
    Gt,
    /// Greater or equal.
    Gte,
    /// A text of this pattern, as `LIKE`: `%` is any text, `_` any character, `\` takes the
    /// meaning from what is behind it.
    Like,
    /// The same, whatever the case of letters.
    Ilike,
    /// Null, for `true`; not null, for `false`.
    IsNull,
}

impl Operator {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Eq,
        Self::Ne,
        Self::In,
        Self::NotIn,
        Self::Lt,
        Self::Lte,
        Self::Gt,
        Self::Gte,
        Self::Like,
        Self::Ilike,
        Self::IsNull,
    ];

    /// The operators of a type.
    ///
    /// ```
    /// use fraiseql_runtime::Scalar;
    /// use fraiseql_runtime::list::Operator;
    ///
    /// assert!(Operator::of(&String::TYPE).contains(&Operator::Ilike));
    /// assert!(!Operator::of(&i64::TYPE).contains(&Operator::Like));
    /// assert!(!Operator::of(&bool::TYPE).contains(&Operator::Lt));
    /// ```
    #[must_use]
    pub fn of(ty: &ScalarType) -> &'static [Self] {
        if ty.list.is_some() {
            return &[Self::Eq, Self::Ne, Self::IsNull];
        }
        match Kind::of(ty) {
            // Names have no order that means something.
            Kind::Bool | Kind::Enum(_) => {
                &[Self::Eq, Self::Ne, Self::In, Self::NotIn, Self::IsNull]
            }
            Kind::Text => Self::ALL,
            _ => &[
                Self::Eq,
                Self::Ne,
                Self::In,
                Self::NotIn,
                Self::Lt,
                Self::Lte,
                Self::Gt,
                Self::Gte,
                Self::IsNull,
            ],
        }
    }

    /// The name, as it is in GraphQL.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::In => "in",
            Self::NotIn => "notIn",
            Self::Lt => "lt",
            Self::Lte => "lte",
            Self::Gt => "gt",
            Self::Gte => "gte",
            Self::Like => "like",
            Self::Ilike => "ilike",
            Self::IsNull => "isNull",
        }
    }

    /// The operator of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|operator| operator.name() == name)
    }

    const fn sql(self) -> &'static str {
        match self {
            Self::Eq => "=",
            Self::Ne => "<>",
            Self::In => "= ANY",
            Self::NotIn => "<> ALL",
            Self::Lt => "<",
            Self::Lte => "<=",
            Self::Gt => ">",
            Self::Gte => ">=",
            Self::Like => "LIKE",
            Self::Ilike => "ILIKE",
            Self::IsNull => "IS NULL",
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which documents are listed: comparisons of promoted fields and the key with values, joined by
/// and, or, not.
///
/// Fields have their names in the document, values the form that they have there:
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
/// **Null** is what it is in SQL: neither equal nor unequal to anything. A document whose field
/// is null has no place in `eq`, `ne`, `in`, `notIn`, `lt` and so on, and not in their `not`
/// either; [`IsNull`](Operator::IsNull) finds it. `in []` is false for every document, and
/// `notIn []` true.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    node: Node,
}

#[derive(Clone, Debug, PartialEq)]
enum Node {
    Compare {
        field: String,
        operator: Operator,
        value: Value,
    },
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Not(Box<Filter>),
}

impl Filter {
    /// Compares a field with a value. For `in` and `notIn` that is an array, for `isNull` true
    /// or false.
    pub fn compare(field: impl Into<String>, operator: Operator, value: impl Into<Value>) -> Self {
        Self {
            node: Node::Compare {
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

    /// All of these. Without any it is every document.
    pub fn all(filters: impl IntoIterator<Item = Self>) -> Self {
        Self {
            node: Node::All(filters.into_iter().collect()),
        }
    }

    /// One of these at least. Without any it is no document.
    pub fn any(filters: impl IntoIterator<Item = Self>) -> Self {
        Self {
            node: Node::Any(filters.into_iter().collect()),
        }
    }

    /// Not this. Where this is unknown, because of a null, its opposite is, too.
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "beside `all` and `any`")]
    pub fn not(filter: Self) -> Self {
        Self {
            node: Node::Not(Box::new(filter)),
        }
    }

    /// The condition in SQL.
    pub(super) fn condition(
        filters: &[Self],
        view: &'static View,
        parameters: &mut Parameters,
    ) -> Result<Option<Condition>, ListError> {
        if filters.is_empty() {
            return Ok(None);
        }
        let mut compiler = Compiler {
            view,
            parameters,
            conditions: 0,
        };
        let all = compiler.all(filters, MOST_DEPTH)?;
        Ok(Some(Condition::All(all)))
    }
}

struct Compiler<'a> {
    view: &'static View,
    parameters: &'a mut Parameters,
    conditions: usize,
}

impl Compiler<'_> {
    fn all(&mut self, filters: &[Filter], depth: usize) -> Result<Vec<Condition>, ListError> {
        filters
            .iter()
            .map(|filter| self.one(&filter.node, depth))
            .collect()
    }

    fn one(&mut self, node: &Node, depth: usize) -> Result<Condition, ListError> {
        self.conditions += 1;
        if self.conditions > MOST_CONDITIONS {
            return Err(ListError::TooLarge {
                what: "conditions in a filter",
                most: MOST_CONDITIONS,
            });
        }
        let Some(depth) = depth.checked_sub(1) else {
            return Err(ListError::TooLarge {
                what: "levels in a filter",
                most: MOST_DEPTH,
            });
        };
        Ok(match node {
            Node::All(filters) => Condition::All(self.all(filters, depth)?),
            Node::Any(filters) => Condition::Any(self.all(filters, depth)?),
            Node::Not(filter) => Condition::Not(Box::new(self.one(&filter.node, depth)?)),
            Node::Compare {
                field,
                operator,
                value,
            } => self.compare(field, *operator, value)?,
        })
    }

    fn compare(
        &mut self,
        name: &str,
        operator: Operator,
        value: &Value,
    ) -> Result<Condition, ListError> {
        let field = fields::filterable_field(self.view, name)?;
        let operators = Operator::of(field.ty);
        if !operators.contains(&operator) {
            return Err(ListError::Operator {
                field: field.json,
                operator,
                operators,
            });
        }
        let column = field.column;
        let wire = match operator {
            Operator::IsNull => {
                let is = value::of_bool(field.json, value)?;
                return Ok(Condition::IsNull { column, is });
            }
            Operator::In | Operator::NotIn => value::list(field.json, field.ty, value)?,
            Operator::Like | Operator::Ilike => value::pattern(field.json, value)?,
            _ => value::one(field.json, field.ty, value)?,
        };
        Ok(Condition::Compare {
            column,
            operator: operator.sql(),
            value: self.parameters.push(wire),
        })
    }
}
