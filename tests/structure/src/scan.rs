//! The content of one module: the names it defines, its `use` leaves, its paths and its children.

use std::collections::BTreeSet;

use syn::visit::{self, Visit};
use syn::{Attribute, Block, ImplItem, Item, ItemMod, Macro, Meta, Path, VisRestricted};

use crate::syntax::{self, UseLeaf};
use crate::tokens;

/// Macros whose body is code of other crates.
const QUOTING: [&str; 3] = ["quote", "quote_spanned", "parse_quote"];

/// A module's own content, without that of its children.
#[derive(Debug, Default)]
pub(crate) struct Content {
    /// Names of items, without modules.
    pub(crate) items: BTreeSet<String>,
    /// Macros that `macro_export` puts at the crate's root.
    pub(crate) exported_macros: Vec<String>,
    /// Leaves of all `use` items.
    pub(crate) uses: Vec<Use>,
    /// All other paths of two or more segments.
    pub(crate) paths: Vec<Vec<String>>,
}

/// A leaf of a `use` item, and who may name it.
#[derive(Debug)]
pub(crate) struct Use {
    /// The leaf.
    pub(crate) leaf: UseLeaf,
    /// Whether it has any `pub`.
    pub(crate) exported: bool,
    /// Whether it stands in a block, where no path leads to it.
    pub(crate) local: bool,
}

/// A parsed module.
#[derive(Debug, Default)]
pub(crate) struct Scanned {
    /// Its own content.
    pub(crate) content: Content,
    /// Its child modules, in order.
    pub(crate) children: Vec<Child>,
}

/// A child module as its parent declares it.
#[derive(Debug)]
pub(crate) struct Child {
    /// Its name.
    pub(crate) name: String,
    /// The value of `#[path = ".."]`.
    pub(crate) path: Option<String>,
    /// Its content, if it is inline.
    pub(crate) inline: Option<Scanned>,
}

/// Reads the items of a module. Items for tests only are left out.
pub(crate) fn scan(items: &[Item]) -> Scanned {
    let mut scanner = Scanner::default();
    for item in items {
        scanner.visit_item(item);
    }
    scanner.scanned
}

#[derive(Default)]
struct Scanner {
    scanned: Scanned,
    blocks: usize,
}

impl Scanner {
    fn define(&mut self, item: &Item) {
        let content = &mut self.scanned.content;
        if let Some(name) = syntax::defined_name(item).filter(|_| self.blocks == 0) {
            let name = syntax::plain(name);
            if let Item::Macro(item) = item
                && syntax::has_attribute(&item.attrs, "macro_export")
            {
                content.exported_macros.push(name.clone());
            }
            content.items.insert(name);
        }
    }

    fn add_child(&mut self, module: &ItemMod) {
        self.scanned.children.push(Child {
            name: syntax::plain(&module.ident),
            path: module.attrs.iter().find_map(path_attribute),
            inline: module.content.as_ref().map(|(_, items)| scan(items)),
        });
    }
}

impl<'ast> Visit<'ast> for Scanner {
    fn visit_item(&mut self, item: &'ast Item) {
        if syntax::is_test_only(syntax::attributes(item)) {
            return;
        }
        self.define(item);
        match item {
            Item::Mod(module) => self.add_child(module),
            Item::Use(item) => {
                let (exported, local) = (syntax::is_exported(&item.vis), self.blocks > 0);
                let uses = syntax::use_leaves(item).into_iter().map(|leaf| Use {
                    leaf,
                    exported,
                    local,
                });
                self.scanned.content.uses.extend(uses);
            }
            item => visit::visit_item(self, item),
        }
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        match item {
            ImplItem::Fn(function) if syntax::is_test_only(&function.attrs) => {}
            item => visit::visit_impl_item(self, item),
        }
    }

    fn visit_block(&mut self, block: &'ast Block) {
        self.blocks += 1;
        visit::visit_block(self, block);
        self.blocks -= 1;
    }

    fn visit_path(&mut self, path: &'ast Path) {
        if path.leading_colon.is_none() && path.segments.len() > 1 {
            let segments = path.segments.iter();
            self.scanned.content.paths.push(
                segments
                    .map(|segment| syntax::plain(&segment.ident))
                    .collect(),
            );
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, mac: &'ast Macro) {
        self.visit_path(&mac.path);
        let name = mac.path.segments.last().map(|last| last.ident.to_string());
        if !name.is_some_and(|name| QUOTING.contains(&name.as_str())) {
            tokens::paths(mac.tokens.clone(), &mut self.scanned.content.paths);
        }
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        match &attribute.meta {
            Meta::List(list) => {
                self.visit_path(&list.path);
                tokens::paths(list.tokens.clone(), &mut self.scanned.content.paths);
            }
            Meta::NameValue(value) if value.path.is_ident("doc") => {}
            meta => visit::visit_meta(self, meta),
        }
    }

    /// `pub(in crate::a)` imports nothing.
    fn visit_vis_restricted(&mut self, _: &'ast VisRestricted) {}
}

fn path_attribute(attribute: &Attribute) -> Option<String> {
    match &attribute.meta {
        Meta::NameValue(value) if value.path.is_ident("path") => match &value.value {
            syn::Expr::Lit(syn::ExprLit {
                lit: syn::Lit::Str(path),
                ..
            }) => Some(path.value()),
            _ => None,
        },
        _ => None,
    }
}
