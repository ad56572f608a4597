//! Names exported at the root of a crate.

use anyhow::Result;
use syn::{Item, Visibility};

use crate::syntax;

/// The exports at the root of a crate, without hidden ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exports {
    /// Leaves of `pub use`.
    pub names: usize,
    /// `pub mod`.
    pub modules: usize,
}

/// Counts in the text of a root file.
pub(super) fn count(root: &str) -> Result<Exports> {
    let mut exports = Exports::default();
    for item in &syn::parse_file(root)?.items {
        if syntax::is_hidden(syntax::attributes(item)) {
            continue;
        }
        match item {
            Item::Mod(item) if is_public(&item.vis) => exports.modules += 1,
            Item::Use(item) if is_public(&item.vis) => {
                exports.names += syntax::use_leaves(item).len();
            }
            _ => {}
        }
    }
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
                    use b::H; pub(crate) use b::I; #[doc(hidden)] pub use b::J;";
        let expected = Exports {
            names: 2,
            modules: 1,
        };
        assert_eq!(count(root).expect("it is Rust"), expected);
    }
}
