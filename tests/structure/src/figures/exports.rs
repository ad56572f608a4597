//! Names exported at the root of a crate.

use std::collections::BTreeSet;

use anyhow::Result;
use syn::{Item, Visibility};

use crate::syntax::{self, UseName};

/// The exports at the root of a crate, without hidden ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exports {
    /// Names of `pub use`, each once: a trait and its derive share one.
    pub names: usize,
    /// `pub mod`, and folders that `pub use` exports.
    pub modules: usize,
}

/// Counts in the text of a root file. `is_folder` says of a name whether a folder of the crate has it.
pub(super) fn count(root: &str, is_folder: impl Fn(&str) -> bool) -> Result<Exports> {
    let mut exports = Exports::default();
    let mut names = BTreeSet::new();
    for item in &syn::parse_file(root)?.items {
        if syntax::is_hidden(syntax::attributes(item)) {
            continue;
        }
        match item {
            Item::Mod(item) if is_public(&item.vis) => exports.modules += 1,
            Item::Use(item) if is_public(&item.vis) => {
                for leaf in syntax::use_leaves(item) {
                    if let UseName::Name(name) = leaf.name {
                        names.insert(name);
                    }
                }
            }
            _ => {}
        }
    }
    let (folders, names): (BTreeSet<_>, _) = names.into_iter().partition(|name| is_folder(name));
    exports.names = names.len();
    exports.modules += folders.len();
    Ok(exports)
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_and_private_names_do_not_count() {
        let root = "pub mod a; mod b; #[doc(hidden)] pub mod c; pub use a::{D, e::F as G};\n\
                    pub use b::D; pub use b::list;\n\
                    use b::H; pub(crate) use b::I; #[doc(hidden)] pub use b::J;";
        let expected = Exports {
            names: 2,
            modules: 2,
        };
        assert_eq!(
            count(root, |name| name == "list").expect("it is Rust"),
            expected
        );
    }
}
