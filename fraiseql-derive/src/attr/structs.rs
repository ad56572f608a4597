//! Attributes on a struct with `TView` or `Embed`.

use darling::FromMeta;

use super::keys;
use super::receive::{Misplaced, Receiver};
use super::storage::{IndexAttr, PartitionAttr};
use super::value::{BoolValue, CratePath, Flag, IntValue, Nested, StrValue, StructPath};

/// On the struct of a view.
#[derive(Debug, Default, FromMeta)]
#[darling(default)]
pub(crate) struct ViewAttr {
    pub(crate) table: Option<StrValue>,
    pub(crate) view: Option<StrValue>,
    pub(crate) entity: Option<StrValue>,
    pub(crate) plural: Option<StrValue>,
    pub(crate) type_name: Option<StrValue>,
    pub(crate) data: Option<StrValue>,
    pub(crate) storage: Option<StrValue>,
    pub(crate) refresh: Option<StrValue>,
    pub(crate) sync: Option<StrValue>,
    pub(crate) filter: Option<StrValue>,
    #[darling(multiple)]
    pub(crate) index: Vec<Nested<IndexAttr>>,
    pub(crate) unlogged: Option<Flag>,
    pub(crate) fillfactor: Option<IntValue>,
    pub(crate) partition: Option<Nested<PartitionAttr>>,
    pub(crate) serde: Option<BoolValue>,
    #[darling(rename = "crate")]
    pub(crate) krate: Option<CratePath>,
}

impl Receiver for ViewAttr {
    const PLACE: &'static str = "on the struct of a view";
    const KEYS: &'static [&'static str] = keys::VIEW;
    const REPEATABLE: &'static [&'static str] = &["index"];
    const MISPLACED: &'static [Misplaced] = &[
        Misplaced {
            keys: &["shape_of", "group_by"],
            hint: "belongs on a struct with #[derive(Embed)], which is a part",
        },
        Misplaced {
            keys: keys::FIELD,
            hint: "belongs on a field",
        },
        Misplaced {
            keys: keys::INDEX,
            hint: "belongs in `index(..)`",
        },
        Misplaced {
            keys: keys::PARTITION,
            hint: "belongs in `partition(..)`",
        },
    ];
}

/// On the struct of a part.
#[derive(Debug, Default, FromMeta)]
#[darling(default)]
pub(crate) struct PartAttr {
    pub(crate) table: Option<StrValue>,
    pub(crate) type_name: Option<StrValue>,
    pub(crate) filter: Option<StrValue>,
    pub(crate) group_by: Option<StrValue>,
    pub(crate) shape_of: Option<StructPath>,
    pub(crate) serde: Option<BoolValue>,
    #[darling(rename = "crate")]
    pub(crate) krate: Option<CratePath>,
}

impl Receiver for PartAttr {
    const PLACE: &'static str = "on the struct of a part";
    const KEYS: &'static [&'static str] = keys::PART;
    const MISPLACED: &'static [Misplaced] = &[
        Misplaced {
            keys: keys::VIEW,
            hint: "belongs on a struct with #[derive(TView)], which has a view table",
        },
        Misplaced {
            keys: keys::FIELD,
            hint: "belongs on a field",
        },
    ];
}

/// The attributes that only a part has.
#[derive(Default)]
pub(crate) struct PartOnly {
    pub(crate) shape_of: Option<StructPath>,
    pub(crate) group_by: Option<StrValue>,
}

impl PartAttr {
    /// The attributes that views have as well, so that both are checked by the same code, and
    /// those of parts only.
    pub(crate) fn split(self) -> (ViewAttr, PartOnly) {
        let shared = ViewAttr {
            table: self.table,
            type_name: self.type_name,
            filter: self.filter,
            serde: self.serde,
            krate: self.krate,
            ..ViewAttr::default()
        };
        let own = PartOnly {
            shape_of: self.shape_of,
            group_by: self.group_by,
        };
        (shared, own)
    }
}
