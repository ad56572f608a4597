//! Attributes on a field of a view or a part, and those nested in them.

use darling::FromMeta;

use super::keys;
use super::receive::{Misplaced, NestedReceiver, Receiver};
use super::value::{FieldFlag, Flag, IntValue, Nested, NoIndex, StrValue};

/// On a field.
#[derive(Debug, Default, FromMeta)]
#[darling(default)]
pub(crate) struct FieldAttr {
    pub(crate) key: Option<FieldFlag>,
    pub(crate) tenant: Option<FieldFlag>,
    pub(crate) column: Option<StrValue>,
    pub(crate) json: Option<StrValue>,
    pub(crate) skip: Option<FieldFlag>,
    pub(crate) hidden: Option<FieldFlag>,
    pub(crate) filter: Option<FieldFlag>,
    pub(crate) sort: Option<FieldFlag>,
    pub(crate) unique: Option<FieldFlag>,
    pub(crate) index: Option<NoIndex>,
    pub(crate) expr: Option<StrValue>,
    pub(crate) global_id: Option<FieldFlag>,
    pub(crate) through: Option<StrValue>,
    pub(crate) one: Option<Nested<OneAttr>>,
    pub(crate) many: Option<Nested<ManyAttr>>,
    pub(crate) first: Option<Nested<FirstAttr>>,
    pub(crate) values: Option<Nested<ValuesAttr>>,
    pub(crate) count: Option<Nested<AggregateAttr>>,
    pub(crate) sum: Option<Nested<AggregateAttr>>,
    pub(crate) avg: Option<Nested<AggregateAttr>>,
    pub(crate) min: Option<Nested<AggregateAttr>>,
    pub(crate) max: Option<Nested<AggregateAttr>>,
    pub(crate) exists: Option<Nested<AggregateAttr>>,
}

impl Receiver for FieldAttr {
    const PLACE: &'static str = "on a field";
    const KEYS: &'static [&'static str] = keys::FIELD;
    const MISPLACED: &'static [Misplaced] = &[
        Misplaced {
            keys: keys::ONE,
            hint: "belongs in `one(..)`, `many(..)` or `first(..)`",
        },
        Misplaced {
            keys: &["order_by"],
            hint: "belongs in `many(..)` or `first(..)`",
        },
        Misplaced {
            keys: keys::MANY,
            hint: "belongs in `many(..)`",
        },
        Misplaced {
            keys: keys::VIEW,
            hint: "belongs on the struct",
        },
    ];
}

/// In `one(..)`.
#[derive(Clone, Debug, Default, FromMeta)]
#[darling(default)]
pub(crate) struct OneAttr {
    pub(crate) fk: Option<StrValue>,
    pub(crate) key: Option<StrValue>,
}

impl Receiver for OneAttr {
    const PLACE: &'static str = "in `one(..)`";
    const KEYS: &'static [&'static str] = keys::ONE;
    const MISPLACED: &'static [Misplaced] = &[Misplaced {
        keys: keys::MANY,
        hint: "belongs in `many(..)`",
    }];
}

impl NestedReceiver for OneAttr {
    fn example(_: &str) -> &'static str {
        "fk = \"author_id\""
    }
}

/// In `many(..)`.
#[derive(Clone, Debug, Default, FromMeta)]
#[darling(default)]
pub(crate) struct ManyAttr {
    pub(crate) fk: Option<StrValue>,
    pub(crate) key: Option<StrValue>,
    pub(crate) order_by: Option<StrValue>,
    pub(crate) limit: Option<IntValue>,
    pub(crate) filter: Option<StrValue>,
    pub(crate) through: Option<Nested<ThroughAttr>>,
}

impl Receiver for ManyAttr {
    const PLACE: &'static str = "in `many(..)`";
    const KEYS: &'static [&'static str] = keys::MANY;
    const MISPLACED: &'static [Misplaced] = &[Misplaced {
        keys: keys::THROUGH,
        hint: "belongs in `through(..)`",
    }];
}

impl NestedReceiver for ManyAttr {
    fn example(_: &str) -> &'static str {
        "fk = \"post_id\""
    }
}

/// In `first(..)`.
#[derive(Clone, Debug, Default, FromMeta)]
#[darling(default)]
pub(crate) struct FirstAttr {
    pub(crate) fk: Option<StrValue>,
    pub(crate) key: Option<StrValue>,
    pub(crate) order_by: Option<StrValue>,
    pub(crate) filter: Option<StrValue>,
    pub(crate) through: Option<Nested<ThroughAttr>>,
}

impl Receiver for FirstAttr {
    const PLACE: &'static str = "in `first(..)`";
    const KEYS: &'static [&'static str] = keys::FIRST;
    const MISPLACED: &'static [Misplaced] = &[
        Misplaced {
            keys: &["limit"],
            hint: "belongs in `many(..)`: `first(..)` is one row",
        },
        Misplaced {
            keys: keys::THROUGH,
            hint: "belongs in `through(..)`",
        },
    ];
}

impl NestedReceiver for FirstAttr {
    fn example(_: &str) -> &'static str {
        "fk = \"post_id\", order_by = \"created_at DESC\""
    }
}

/// In `values(..)`.
#[derive(Clone, Debug, Default, FromMeta)]
#[darling(default)]
pub(crate) struct ValuesAttr {
    pub(crate) table: Option<StrValue>,
    pub(crate) fk: Option<StrValue>,
    pub(crate) key: Option<StrValue>,
    pub(crate) column: Option<StrValue>,
    pub(crate) expr: Option<StrValue>,
    pub(crate) order_by: Option<StrValue>,
    pub(crate) distinct: Option<Flag>,
    pub(crate) limit: Option<IntValue>,
    pub(crate) filter: Option<StrValue>,
    pub(crate) through: Option<Nested<ThroughAttr>>,
}

impl Receiver for ValuesAttr {
    const PLACE: &'static str = "in `values(..)`";
    const KEYS: &'static [&'static str] = keys::VALUES;
    const MISPLACED: &'static [Misplaced] = &[Misplaced {
        keys: keys::THROUGH,
        hint: "belongs in `through(..)`",
    }];
}

impl NestedReceiver for ValuesAttr {
    fn example(_: &str) -> &'static str {
        "table = \"tb_tag\", fk = \"post_id\", column = \"name\""
    }
}

/// In `through(..)`.
#[derive(Clone, Debug, Default, FromMeta)]
#[darling(default)]
pub(crate) struct ThroughAttr {
    pub(crate) table: Option<StrValue>,
    pub(crate) fk: Option<StrValue>,
    pub(crate) to: Option<StrValue>,
    pub(crate) key: Option<StrValue>,
    pub(crate) order_by: Option<StrValue>,
}

impl Receiver for ThroughAttr {
    const PLACE: &'static str = "in `through(..)`";
    const KEYS: &'static [&'static str] = keys::THROUGH;
    const MISPLACED: &'static [Misplaced] = &[Misplaced {
        keys: keys::MANY,
        hint: "belongs in `many(..)`",
    }];
}

impl NestedReceiver for ThroughAttr {
    fn example(_: &str) -> &'static str {
        "table = \"tb_post_tag\", fk = \"post_id\", to = \"tag_id\""
    }
}

/// In `count(..)`, `sum(..)`, `avg(..)`, `min(..)`, `max(..)` and `exists(..)`.
#[derive(Clone, Debug, Default, FromMeta)]
#[darling(default)]
pub(crate) struct AggregateAttr {
    pub(crate) table: Option<StrValue>,
    pub(crate) fk: Option<StrValue>,
    pub(crate) key: Option<StrValue>,
    pub(crate) expr: Option<StrValue>,
    pub(crate) distinct: Option<Flag>,
    pub(crate) filter: Option<StrValue>,
    pub(crate) through: Option<Nested<BetweenAttr>>,
}

impl Receiver for AggregateAttr {
    const PLACE: &'static str = "in an aggregate";
    const KEYS: &'static [&'static str] = keys::AGGREGATE;
}

impl NestedReceiver for AggregateAttr {
    fn example(name: &str) -> &'static str {
        match name {
            "count" | "exists" => "table = \"tb_comment\", fk = \"post_id\"",
            _ => "table = \"tb_line\", fk = \"order_id\", expr = \"{}.price\"",
        }
    }

    // `count` of the rows of a group. What others lack is reported as if the parentheses were empty.
    const MAY_BE_BARE: bool = true;
}

/// In `through(..)` of an aggregate.
#[derive(Clone, Debug, Default, FromMeta)]
#[darling(default)]
pub(crate) struct BetweenAttr {
    pub(crate) table: Option<StrValue>,
    pub(crate) fk: Option<StrValue>,
    pub(crate) key: Option<StrValue>,
    pub(crate) filter: Option<StrValue>,
}

impl Receiver for BetweenAttr {
    const PLACE: &'static str = "in `through(..)` of an aggregate";
    const KEYS: &'static [&'static str] = keys::BETWEEN;
    const MISPLACED: &'static [Misplaced] = &[
        Misplaced {
            keys: &["to"],
            hint: "is for lists: the `fk` of the aggregate refers to the rows of `through`, by their `key`",
        },
        Misplaced {
            keys: keys::AGGREGATE,
            hint: "belongs in the aggregate, beside `through(..)`",
        },
    ];
}

impl NestedReceiver for BetweenAttr {
    fn example(_: &str) -> &'static str {
        "table = \"tb_ticket\", fk = \"project_id\""
    }
}
