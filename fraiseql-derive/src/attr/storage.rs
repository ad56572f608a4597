//! Attributes in `index(..)` and `partition(..)`, on the struct of a view.

use darling::FromMeta;

use super::keys;
use super::receive::{Misplaced, NestedReceiver, Receiver};
use super::value::{Flag, FlagOrPath, IntValue, StrValue};

/// In `index(..)`.
#[derive(Clone, Debug, Default, FromMeta)]
#[darling(default)]
pub(crate) struct IndexAttr {
    pub(crate) on: Option<StrValue>,
    pub(crate) expr: Option<StrValue>,
    pub(crate) gin: Option<FlagOrPath>,
    pub(crate) fulltext: Option<StrValue>,
    pub(crate) language: Option<StrValue>,
    pub(crate) using: Option<StrValue>,
    pub(crate) unique: Option<Flag>,
    pub(crate) global: Option<Flag>,
    pub(crate) filter: Option<StrValue>,
    pub(crate) include: Option<StrValue>,
    pub(crate) name: Option<StrValue>,
}

impl Receiver for IndexAttr {
    const PLACE: &'static str = "in `index(..)`";
    const KEYS: &'static [&'static str] = keys::INDEX;
    const MISPLACED: &'static [Misplaced] = &[
        Misplaced {
            keys: &["where"],
            hint: "is written `filter`",
        },
        Misplaced {
            keys: keys::VIEW,
            hint: "belongs on the struct, outside of `index(..)`",
        },
    ];
}

impl NestedReceiver for IndexAttr {
    fn example(_: &str) -> &'static str {
        "on = \"author_id, created_at DESC\""
    }
}

/// In `partition(..)`.
#[derive(Clone, Debug, Default, FromMeta)]
#[darling(default)]
pub(crate) struct PartitionAttr {
    pub(crate) hash: Option<IntValue>,
    pub(crate) range: Option<StrValue>,
    pub(crate) tenant: Option<Flag>,
}

impl Receiver for PartitionAttr {
    const PLACE: &'static str = "in `partition(..)`";
    const KEYS: &'static [&'static str] = keys::PARTITION;
    const MISPLACED: &'static [Misplaced] = &[Misplaced {
        keys: &["on", "by", "column", "key"],
        hint: "is not supported: a view table is partitioned by the key of its documents, or by \
               a tenant that is a column of it, because in PostgreSQL a unique index must contain \
               the partition key, and sync needs unique keys",
    }];
}

impl NestedReceiver for PartitionAttr {
    fn example(_: &str) -> &'static str {
        "hash = 8"
    }
}
