//! What can be written on newtypes and enums.

use darling::FromMeta;

use super::{Receiver, Root, Switch, Text, ViewAttr};

/// On the struct of a newtype.
#[derive(Debug, Default, FromMeta)]
#[darling(default)]
pub(crate) struct NewtypeAttr {
    pub(crate) type_name: Option<Text>,
    pub(crate) serde: Option<Switch>,
    #[darling(rename = "crate")]
    pub(crate) krate: Option<Root>,
}

impl Receiver for NewtypeAttr {
    const PLACE: &'static str = "on a newtype";
    const KEYS: &'static [&'static str] = &["type_name", "serde", "crate"];
    const ELSEWHERE: &'static [(&'static [&'static str], &'static str)] = &[
        (EnumAttr::KEYS, "on an enum with #[derive(TEnum)]"),
        (
            ViewAttr::KEYS,
            "on a struct with #[derive(TView)], which is a document",
        ),
        (
            super::FieldAttr::KEYS,
            "on the field of the document that has this type",
        ),
    ];
}

/// On an enum.
#[derive(Debug, Default, FromMeta)]
#[darling(default)]
pub(crate) struct EnumAttr {
    pub(crate) rename_all: Option<Text>,
    pub(crate) type_name: Option<Text>,
    pub(crate) serde: Option<Switch>,
    #[darling(rename = "crate")]
    pub(crate) krate: Option<Root>,
}

impl Receiver for EnumAttr {
    const PLACE: &'static str = "on an enum";
    const KEYS: &'static [&'static str] = &["rename_all", "type_name", "serde", "crate"];
    const ELSEWHERE: &'static [(&'static [&'static str], &'static str)] = &[
        (VariantAttr::KEYS, "on a variant"),
        (
            ViewAttr::KEYS,
            "on a struct with #[derive(TView)], which is a document",
        ),
        (
            super::FieldAttr::KEYS,
            "on the field of the document that has this type",
        ),
    ];
}

/// On a variant.
#[derive(Debug, Default, FromMeta)]
#[darling(default)]
pub(crate) struct VariantAttr {
    pub(crate) rename: Option<Text>,
    pub(crate) json: Option<Text>,
}

impl Receiver for VariantAttr {
    const PLACE: &'static str = "on a variant";
    const KEYS: &'static [&'static str] = &["rename", "json"];
    const ELSEWHERE: &'static [(&'static [&'static str], &'static str)] = &[
        (EnumAttr::KEYS, "on the enum"),
        (
            super::FieldAttr::KEYS,
            "on the field of the document that has this type",
        ),
    ];
}

/// Where nothing can be written: on the field of a newtype.
#[derive(Debug, Default, FromMeta)]
#[darling(default)]
pub(crate) struct NoAttr {}

impl Receiver for NoAttr {
    const PLACE: &'static str = "on the field of a newtype";
    const KEYS: &'static [&'static str] = &[];
    const ELSEWHERE: &'static [(&'static [&'static str], &'static str)] = &[
        (NewtypeAttr::KEYS, "on the newtype"),
        (
            super::FieldAttr::KEYS,
            "on the field of the document that has this type",
        ),
    ];
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attr::tests::fields;

    #[test]
    fn keys_are_the_names_of_the_fields() {
        assert_eq!(fields::<NewtypeAttr>(), NewtypeAttr::KEYS);
        assert_eq!(fields::<EnumAttr>(), EnumAttr::KEYS);
        assert_eq!(fields::<VariantAttr>(), VariantAttr::KEYS);
    }
}
