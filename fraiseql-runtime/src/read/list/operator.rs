//! `Operator`: how a filter compares a field with a value.

use std::fmt;

use super::encode::ValueType;
use crate::schema::scalar::ScalarType;

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
    /// Equal to one of the values in a list.
    In,
    /// Equal to none of the values in a list.
    NotIn,
    /// Less.
    Lt,
    /// Less or equal.
    Lte,
    /// Greater.
    Gt,
    /// Greater or equal.
    Gte,
    /// Matches a pattern, as `LIKE` does: `%` matches any text and `_` any character; `\` escapes
    /// the character that follows it.
    Like,
    /// As `Like`, ignoring case.
    Ilike,
    /// Of a list: has all of these values. An empty list of values is in each. Of JSON: has this JSON in it, as `@>` of
    /// PostgreSQL.
    Contains,
    /// Of a list: has at least one of these values. None has one of an empty list.
    HasAny,
    /// Null, if the value is `true`; not null, if it is `false`.
    IsNull,
}

impl Operator {
    /// All operators.
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
        Self::Contains,
        Self::HasAny,
        Self::IsNull,
    ];

    /// Those of values that have no order, or none with a meaning.
    const OF_UNORDERED: &'static [Self] =
        &[Self::Eq, Self::Ne, Self::In, Self::NotIn, Self::IsNull];

    /// Those of values that have an order.
    const OF_ORDERED: &'static [Self] = &[
        Self::Eq,
        Self::Ne,
        Self::In,
        Self::NotIn,
        Self::Lt,
        Self::Lte,
        Self::Gt,
        Self::Gte,
        Self::IsNull,
    ];

    /// The operators for fields of a type.
    ///
    /// ```
    /// use fraiseql_runtime::Scalar;
    /// use fraiseql_runtime::list::Operator;
    ///
    /// assert!(Operator::of(&String::TYPE).contains(&Operator::Ilike));
    /// assert!(!Operator::of(&i64::TYPE).contains(&Operator::Like));
    /// assert!(!Operator::of(&bool::TYPE).contains(&Operator::Lt));
    /// assert!(Operator::of(&<Vec<i64>>::TYPE).contains(&Operator::HasAny));
    /// ```
    #[must_use]
    pub fn of(ty: &ScalarType) -> &'static [Self] {
        if ty.list.is_some() {
            return &[
                Self::Eq,
                Self::Ne,
                Self::Contains,
                Self::HasAny,
                Self::IsNull,
            ];
        }
        match ValueType::of(ty) {
            // An enum is stored as the name of its variant, and the order of names is meaningless.
            ValueType::Bool | ValueType::Enum(_) => Self::OF_UNORDERED,
            ValueType::Text => &[
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
            ],
            _ => Self::OF_ORDERED,
        }
    }

    /// The operators for fields of a type in a part: see [`Filter::some`]. A type of which equal values may have different
    /// JSON has none: those are decimals, times of day and instants.
    ///
    /// [`Filter::some`]: crate::list::Filter::some
    #[must_use]
    pub fn within(ty: &ScalarType) -> &'static [Self] {
        match ValueType::of(ty) {
            ValueType::Numeric
            | ValueType::Time
            | ValueType::Timestamp
            | ValueType::Timestamptz
            | ValueType::Other(_) => &[],
            _ if ty.list.is_some() => &[Self::Contains, Self::HasAny, Self::IsNull],
            ValueType::Bool | ValueType::Enum(_) | ValueType::Text | ValueType::Uuid => {
                Self::OF_UNORDERED
            }
            _ => Self::OF_ORDERED,
        }
    }

    /// The operators for a value at a path in JSON: see [`Filter::at`].
    ///
    /// [`Filter::at`]: crate::list::Filter::at
    #[must_use]
    pub const fn in_json() -> &'static [Self] {
        Self::OF_ORDERED
    }

    /// The name of the operator in GraphQL.
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
            Self::Contains => "contains",
            Self::HasAny => "hasAny",
            Self::IsNull => "isNull",
        }
    }

    /// The operator with this [name](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|operator| operator.name() == name)
    }

    /// Whether the value is a list: of values that a field is one of, or that are in a field.
    #[must_use]
    pub const fn takes_list(self) -> bool {
        matches!(self, Self::In | Self::NotIn | Self::Contains | Self::HasAny)
    }

    /// The operator in SQL. Those of lists are of `pg_catalog`: the extension `intarray` has others of the same names,
    /// which refuse nulls and have no index.
    pub(super) const fn sql(self) -> &'static str {
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
            Self::Contains => "OPERATOR(pg_catalog.@>)",
            Self::HasAny => "OPERATOR(pg_catalog.&&)",
            Self::IsNull => "IS NULL",
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
