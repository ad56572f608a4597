//! Attributes on newtypes and enums.

use darling::FromMeta;

use super::keys;
use super::receive::{Misplaced, Receiver};
use super::value::{BoolValue, CratePath, StrValue};

/// Attributes of views that are written on a scalar.
pub(super) const OF_A_VIEW: Misplaced = Misplaced {
    keys: keys::VIEW,
    hint: "belongs on a struct with #[derive(TView)], which is a document",
};

/// Attributes of fields that are written on a scalar, or inside it.
const OF_A_FIELD: Misplaced = Misplaced {
    keys: keys::FIELD,
    hint: "belongs on the field of the document that has this type",
};

/// On the struct of a newtype.
#[derive(Debug, Default, FromMeta)]
#[darling(default)]
pub(crate) struct NewtypeAttr {
    pub(crate) type_name: Option<StrValue>,
    pub(crate) serde: Option<BoolValue>,
    #[darling(rename = "crate")]
    pub(crate) krate: Option<CratePath>,
}

impl Receiver for NewtypeAttr {
    const PLACE: &'static str = "on a newtype";
    const KEYS: &'static [&'static str] = keys::NEWTYPE;
    const MISPLACED: &'static [Misplaced] = &[
        Misplaced {
            keys: keys::ENUM,
            hint: "belongs on an enum with #[derive(TEnum)]",
        },
        OF_A_VIEW,
        OF_A_FIELD,
    ];
}

/// On an enum.
#[derive(Debug, Default, FromMeta)]
#[darling(default)]
pub(crate) struct EnumAttr {
    pub(crate) rename_all: Option<StrValue>,
    pub(crate) type_name: Option<StrValue>,
    pub(crate) serde: Option<BoolValue>,
    #[darling(rename = "crate")]
    pub(crate) krate: Option<CratePath>,
}

impl Receiver for EnumAttr {
    const PLACE: &'static str = "on an enum";
    const KEYS: &'static [&'static str] = keys::ENUM;
    const MISPLACED: &'static [Misplaced] = &[
        Misplaced {
            keys: keys::VARIANT,
            hint: "belongs on a variant",
        },
        OF_A_VIEW,
        OF_A_FIELD,
    ];
}

/// On a variant of an enum.
#[derive(Debug, Default, FromMeta)]
#[darling(default)]
pub(crate) struct VariantAttr {
    pub(crate) rename: Option<StrValue>,
    pub(crate) json: Option<StrValue>,
}

impl Receiver for VariantAttr {
    const PLACE: &'static str = "on a variant";
    const KEYS: &'static [&'static str] = keys::VARIANT;
    const MISPLACED: &'static [Misplaced] = &[
        Misplaced {
            keys: keys::ENUM,
            hint: "belongs on the enum",
        },
        OF_A_FIELD,
    ];
}

/// On the field of a newtype, where no attribute is allowed.
#[derive(Debug, Default, FromMeta)]
#[darling(default)]
pub(crate) struct NoAttr {}

impl Receiver for NoAttr {
    const PLACE: &'static str = "on the field of a newtype";
    const KEYS: &'static [&'static str] = &[];
    const MISPLACED: &'static [Misplaced] = &[
        Misplaced {
            keys: keys::NEWTYPE,
            hint: "belongs on the newtype",
        },
        OF_A_FIELD,
    ];
}
