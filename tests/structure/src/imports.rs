//! Arrows between the files of a crate: which file imports which names from which.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Formatter};

use crate::modules::{ModuleId, ModuleTree};
use crate::resolve::{self, Target};
use crate::syntax::UseName;

/// All that one file imports from another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Arrow {
    /// The importing file, by its path under `src`.
    pub from: String,
    /// The file that defines the names.
    pub to: String,
    /// The names, sorted; `*` for a glob.
    pub names: Vec<String>,
}

impl Display for Arrow {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}: {}", self.from, self.to, self.names.join(", "))
    }
}

/// Finds the arrows of a crate, sorted.
///
/// They come from each leaf of each `use`, and from each other path of two or more segments,
/// macro bodies included. A path through a re-export leads to the file with the definition.
/// `mod child;` is not an arrow.
#[must_use]
pub fn arrows(tree: &ModuleTree) -> Vec<Arrow> {
    let mut collector = Collector {
        tree,
        names: BTreeMap::new(),
    };
    for (scope, module) in tree.modules().iter().enumerate() {
        for item in &module.content.uses {
            let path = &item.leaf.path;
            match item.leaf.name {
                UseName::Name(_) => collector.add(scope, resolve::resolve(tree, scope, path)),
                UseName::Glob => {
                    collector.add_glob(scope, resolve::resolve_glob(tree, scope, path));
                }
            }
        }
        for path in &module.content.paths {
            collector.add(scope, resolve::resolve(tree, scope, path));
        }
    }
    collector.finish()
}

struct Collector<'t> {
    tree: &'t ModuleTree,
    names: BTreeMap<(usize, usize), BTreeSet<String>>,
}

impl Collector<'_> {
    fn add(&mut self, scope: ModuleId, target: Option<Target>) {
        match target {
            Some(Target::Module(module)) => {
                let name = self.tree.module(module).name.clone();
                self.insert(scope, module, name);
            }
            Some(Target::Item(module, name)) => self.insert(scope, module, name),
            None => {}
        }
    }

    fn add_glob(&mut self, scope: ModuleId, target: Option<Target>) {
        match target {
            Some(Target::Module(module)) => self.insert(scope, module, "*".to_owned()),
            // The variants of an enum.
            item => self.add(scope, item),
        }
    }

    fn insert(&mut self, scope: ModuleId, module: ModuleId, name: String) {
        let from = self.tree.module(scope).file;
        let to = self.tree.module(module).file;
        if from != to {
            self.names.entry((from, to)).or_default().insert(name);
        }
    }

    fn finish(self) -> Vec<Arrow> {
        let files = self.tree.files();
        let mut arrows: Vec<Arrow> = self
            .names
            .into_iter()
            .map(|((from, to), names)| Arrow {
                from: files[from].clone(),
                to: files[to].clone(),
                names: names.into_iter().collect(),
            })
            .collect();
        arrows.sort_unstable();
        arrows
    }
}
