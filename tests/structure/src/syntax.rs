//! Attributes, visibility and `use` trees of parsed items.

use proc_macro2::{TokenStream, TokenTree};
use syn::{Attribute, Ident, Item, ItemUse, Meta, UseTree, Visibility};

/// The attributes of an item.
pub(crate) fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// The name that an item other than a module or `use` defines.
pub(crate) fn defined_name(item: &Item) -> Option<&Ident> {
    match item {
        Item::Const(item) => Some(&item.ident),
        Item::Enum(item) => Some(&item.ident),
        Item::Fn(item) => Some(&item.sig.ident),
        Item::Macro(item) => item.ident.as_ref(),
        Item::Static(item) => Some(&item.ident),
        Item::Struct(item) => Some(&item.ident),
        Item::Trait(item) => Some(&item.ident),
        Item::TraitAlias(item) => Some(&item.ident),
        Item::Type(item) => Some(&item.ident),
        Item::Union(item) => Some(&item.ident),
        _ => None,
    }
}

/// Whether `cfg` leaves the item out of everything but tests.
pub(crate) fn is_test_only(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => requires_test(&list.tokens),
        _ => false,
    })
}

/// Whether a `cfg` predicate implies `test`: `test`, `doctest`, or `all(..)` with one of them.
fn requires_test(predicate: &TokenStream) -> bool {
    let mut tokens = predicate.clone().into_iter().peekable();
    while let Some(token) = tokens.next() {
        let TokenTree::Ident(ident) = token else {
            continue;
        };
        match (ident.to_string().as_str(), tokens.peek()) {
            ("test" | "doctest", None | Some(TokenTree::Punct(_))) => return true,
            ("all", Some(TokenTree::Group(group))) if requires_test(&group.stream()) => {
                return true;
            }
            _ => {}
        }
    }
    false
}

/// Whether the attributes hold `doc(hidden)`.
pub(crate) fn is_hidden(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("doc") => list
            .tokens
            .clone()
            .into_iter()
            .any(|token| matches!(token, TokenTree::Ident(ident) if ident == "hidden")),
        _ => false,
    })
}

/// Whether an attribute has this name.
pub(crate) fn has_attribute(attributes: &[Attribute], name: &str) -> bool {
    attributes
        .iter()
        .any(|attribute| attribute.path().is_ident(name))
}

/// Whether there is any `pub`, restricted or not.
pub(crate) fn is_exported(visibility: &Visibility) -> bool {
    !matches!(visibility, Visibility::Inherited)
}

/// An identifier without `r#`.
pub(crate) fn plain(ident: &Ident) -> String {
    let name = ident.to_string();
    match name.strip_prefix("r#") {
        Some(plain) => plain.to_owned(),
        None => name,
    }
}

/// One leaf of a `use` tree.
#[derive(Clone, Debug)]
pub(crate) struct UseLeaf {
    /// All segments; for a glob, those before `*`.
    pub(crate) path: Vec<String>,
    /// The name that it brings into scope.
    pub(crate) name: UseName,
}

/// What a leaf of a `use` tree brings into scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum UseName {
    /// This name.
    Name(String),
    /// All names: `*`.
    Glob,
}

/// The leaves of a `use` item; none if it begins with `::`, which is another crate.
pub(crate) fn use_leaves(item: &ItemUse) -> Vec<UseLeaf> {
    let mut leaves = Vec::new();
    if item.leading_colon.is_none() {
        collect_leaves(&item.tree, &mut Vec::new(), &mut leaves);
    }
    leaves
}

fn collect_leaves(tree: &UseTree, prefix: &mut Vec<String>, leaves: &mut Vec<UseLeaf>) {
    let mut leaf = |ident: &Ident, name: &Ident| {
        let mut path = prefix.clone();
        // `a::{self}` is `a`.
        if ident != "self" || path.is_empty() {
            path.push(plain(ident));
        }
        let name = match path.last() {
            Some(last) if name == "self" => last.clone(),
            _ => plain(name),
        };
        leaves.push(UseLeaf {
            path,
            name: UseName::Name(name),
        });
    };
    match tree {
        UseTree::Name(name) => leaf(&name.ident, &name.ident),
        UseTree::Rename(rename) => leaf(&rename.ident, &rename.rename),
        UseTree::Glob(_) => leaves.push(UseLeaf {
            path: prefix.clone(),
            name: UseName::Glob,
        }),
        UseTree::Path(path) => {
            prefix.push(plain(&path.ident));
            collect_leaves(&path.tree, prefix, leaves);
            prefix.pop();
        }
        UseTree::Group(group) => {
            for tree in &group.items {
                collect_leaves(tree, prefix, leaves);
            }
        }
    }
}
