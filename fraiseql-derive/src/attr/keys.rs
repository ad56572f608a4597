//! The names that are allowed in each place of `#[tview(..)]`.
//!
//! They are in one file because an error in one place refers to the others: an attribute that is
//! written in the wrong place is reported with the right one. A test compares each list with the
//! fields of the struct that receives the attributes.

/// On a struct with `TView`.
pub(super) const VIEW: &[&str] = &[
    "table",
    "view",
    "entity",
    "plural",
    "type_name",
    "data",
    "storage",
    "refresh",
    "sync",
    "filter",
    "index",
    "unlogged",
    "fillfactor",
    "partition",
    "serde",
    "crate",
];

/// On a struct with `Embed`.
pub(super) const PART: &[&str] = &[
    "table",
    "type_name",
    "filter",
    "group_by",
    "shape_of",
    "serde",
    "crate",
];

/// On a field of either.
pub(super) const FIELD: &[&str] = &[
    "key",
    "tenant",
    "column",
    "json",
    "skip",
    "hidden",
    "filter",
    "sort",
    "unique",
    "index",
    "expr",
    "global_id",
    "through",
    "one",
    "many",
    "first",
    "values",
    "count",
    "sum",
    "avg",
    "min",
    "max",
    "exists",
];

/// In `one(..)`.
pub(super) const ONE: &[&str] = &["fk", "key"];

/// In `many(..)`.
pub(super) const MANY: &[&str] = &["fk", "key", "order_by", "limit", "filter", "through"];

/// In `first(..)`.
pub(super) const FIRST: &[&str] = &["fk", "key", "order_by", "filter", "through"];

/// In `values(..)`.
pub(super) const VALUES: &[&str] = &[
    "table", "fk", "key", "column", "expr", "order_by", "distinct", "limit", "filter", "through",
];

/// In `through(..)`.
pub(super) const THROUGH: &[&str] = &["table", "fk", "to", "key", "order_by"];

/// In `count(..)`, `sum(..)`, `avg(..)`, `min(..)`, `max(..)` and `exists(..)`.
pub(super) const AGGREGATE: &[&str] = &[
    "table", "fk", "key", "expr", "distinct", "filter", "through",
];

/// In `through(..)` of an aggregate.
pub(super) const BETWEEN: &[&str] = &["table", "fk", "key", "filter"];

/// In `index(..)`.
pub(super) const INDEX: &[&str] = &[
    "on", "expr", "gin", "fulltext", "language", "using", "unique", "global", "filter", "include",
    "name",
];

/// In `partition(..)`.
pub(super) const PARTITION: &[&str] = &["hash", "range", "tenant"];

/// On a struct with `TScalar`.
pub(super) const NEWTYPE: &[&str] = &["type_name", "serde", "crate"];

/// On an enum with `TEnum`.
pub(super) const ENUM: &[&str] = &["rename_all", "type_name", "serde", "crate"];

/// On an enum with `TUnion`.
pub(super) const UNION: &[&str] = &["type_name", "interface", "crate"];

/// On a variant of an enum.
pub(super) const VARIANT: &[&str] = &["rename", "json"];
