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
pub(super) const PART: &[&str] = &["table", "type_name", "filter", "shape_of", "serde", "crate"];

/// On a field of either.
pub(super) const FIELD: &[&str] = &[
    "key", "column", "json", "skip", "filter", "sort", "unique", "expr", "one", "many", "count",
    "sum", "avg", "min", "max", "exists",
];

/// In `one(..)`.
pub(super) const ONE: &[&str] = &["fk", "key"];

/// In `many(..)`.
pub(super) const MANY: &[&str] = &["fk", "key", "order_by", "limit", "filter", "through"];

/// In `through(..)`.
pub(super) const THROUGH: &[&str] = &["table", "fk", "to", "key"];

/// In `count(..)`, `sum(..)`, `avg(..)`, `min(..)`, `max(..)` and `exists(..)`.
pub(super) const AGGREGATE: &[&str] = &["table", "fk", "key", "expr", "filter"];

/// In `index(..)`.
pub(super) const INDEX: &[&str] = &[
    "on", "expr", "gin", "fulltext", "language", "using", "unique", "filter", "include", "name",
];

/// In `partition(..)`.
pub(super) const PARTITION: &[&str] = &["hash", "range"];

/// On a struct with `TScalar`.
pub(super) const NEWTYPE: &[&str] = &["type_name", "serde", "crate"];

/// On an enum with `TEnum`.
pub(super) const ENUM: &[&str] = &["rename_all", "type_name", "serde", "crate"];

/// On a variant of an enum.
pub(super) const VARIANT: &[&str] = &["rename", "json"];
