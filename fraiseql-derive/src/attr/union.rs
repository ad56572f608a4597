//! Attributes on an enum with `TUnion`, and inside it.

use darling::FromMeta;

use super::keys;
use super::receive::{Misplaced, Receiver};
use super::scalar::OF_A_VIEW;
use super::value::{AllOrNames, CratePath, StrValue};

/// On the enum.
#[derive(Debug, Default, FromMeta)]
#[darling(default)]
pub(crate) struct UnionAttr {
    pub(crate) type_name: Option<StrValue>,
    pub(crate) interface: Option<AllOrNames>,
    #[darling(rename = "crate")]
    pub(crate) krate: Option<CratePath>,
}

impl Receiver for UnionAttr {
    const PLACE: &'static str = "on a union";
    const KEYS: &'static [&'static str] = keys::UNION;
    const MISPLACED: &'static [Misplaced] = &[
        Misplaced {
            keys: &["rename_all"],
            hint: "belongs on an enum with #[derive(TEnum)]",
        },
        Misplaced {
            keys: &["serde"],
            hint: "is for documents, and a union has none of its own",
        },
        OF_A_VIEW,
        Misplaced {
            keys: keys::FIELD,
            hint: "belongs on a field of a struct in the union",
        },
    ];
}

/// On a variant, or on the struct in it, where no attribute is allowed.
#[derive(Debug, Default, FromMeta)]
#[darling(default)]
pub(crate) struct MemberAttr {}

impl Receiver for MemberAttr {
    const PLACE: &'static str = "on a variant of a union";
    const KEYS: &'static [&'static str] = &[];
    const MISPLACED: &'static [Misplaced] = &[
        Misplaced {
            keys: &["type_name", "crate"],
            hint: "belongs on the enum, or on the struct in the variant",
        },
        Misplaced {
            keys: keys::UNION,
            hint: "belongs on the enum",
        },
        Misplaced {
            keys: keys::VARIANT,
            hint: "belongs on a variant of an enum with #[derive(TEnum)]: a member has the name of its \
                   struct",
        },
    ];
}
