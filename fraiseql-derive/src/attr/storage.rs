//! What can be written in `index(..)` and `partition(..)`, on the struct of a view.

use darling::FromMeta;

use super::receive::{Arguments, Receiver};
use super::value::{Text, WholeOrPath, Word};
use super::{Number, ViewAttr};

/// `index(..)`.
#[derive(Clone, Debug, Default, FromMeta)]
#[darling(default)]
pub(crate) struct IndexAttr {
    pub(crate) on: Option<Text>,
    pub(crate) expr: Option<Text>,
    pub(crate) gin: Option<WholeOrPath>,
    pub(crate) fulltext: Option<Text>,
    pub(crate) language: Option<Text>,
    pub(crate) using: Option<Text>,
    pub(crate) unique: Option<Word>,
    pub(crate) filter: Option<Text>,
    pub(crate) include: Option<Text>,
    pub(crate) name: Option<Text>,
}

impl Receiver for IndexAttr {
    const PLACE: &'static str = "in `index(..)`";
    const KEYS: &'static [&'static str] = &[
        "on", "expr", "gin", "fulltext", "language", "using", "unique", "filter", "include", "name",
    ];
    const ELSEWHERE: &'static [(&'static [&'static str], &'static str)] = &[
        (&["where"], "by the name `filter`"),
        (ViewAttr::KEYS, "on the struct, outside of `index(..)`"),
    ];
}

impl Arguments for IndexAttr {
    fn example(_: &str) -> &'static str {
        "on = \"author_id, created_at DESC\""
    }
}

/// `partition(..)`.
#[derive(Clone, Debug, Default, FromMeta)]
#[darling(default)]
pub(crate) struct PartitionAttr {
    pub(crate) hash: Option<Number>,
    pub(crate) range: Option<Text>,
}

impl Receiver for PartitionAttr {
    const PLACE: &'static str = "in `partition(..)`";
    const KEYS: &'static [&'static str] = &["hash", "range"];
    const ELSEWHERE: &'static [(&'static [&'static str], &'static str)] = &[(
        &["on", "by", "column", "key"],
        "nowhere: a view table is partitioned by the key of its documents, because only what \
         contains the partition key can be unique in PostgreSQL, and sync needs unique keys",
    )];
}

impl Arguments for PartitionAttr {
    fn example(_: &str) -> &'static str {
        "hash = 8"
    }
}
