//! Resolution of paths to the module that defines what they name.
//!
//! Rust's rules, as far as files matter: child modules, `use` names, globs, re-exports
//! through any number of modules. Names that macros define are not known; a path to one
//! ends at the module before it.

use crate::modules::{ModuleId, ModuleTree, ROOT};
use crate::syntax::UseName;

/// What a path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A module of this crate.
    Module(ModuleId),
    /// A name that a module of this crate defines.
    Item(ModuleId, String),
}

/// A guard against `use` items that refer to each other.
const MAX_STEPS: usize = 32;

/// Resolves a path that stands in `scope`; `None` if it leads to another crate.
pub(crate) fn resolve(tree: &ModuleTree, scope: ModuleId, path: &[String]) -> Option<Target> {
    Resolver { tree }.path(scope, path, false, MAX_STEPS)
}

/// Resolves the path of a `use` glob, before `*`.
pub(crate) fn resolve_glob(tree: &ModuleTree, scope: ModuleId, path: &[String]) -> Option<Target> {
    Resolver { tree }.path(scope, path, true, MAX_STEPS)
}

#[derive(Clone, Copy)]
struct Resolver<'t> {
    tree: &'t ModuleTree,
}

/// One segment, and where it is looked up.
#[derive(Clone, Copy)]
struct Segment<'p> {
    /// The module that is searched.
    module: ModuleId,
    /// The module that the path stands in.
    scope: ModuleId,
    /// Its text.
    name: &'p str,
    /// Whether more follows, so that only a module or a type is meant.
    leads_on: bool,
}

impl Resolver<'_> {
    /// Walks a path. With `leads_on`, its last segment is the prefix of another path.
    fn path(
        self,
        scope: ModuleId,
        path: &[String],
        leads_on: bool,
        steps: usize,
    ) -> Option<Target> {
        let mut module = None;
        for (at, name) in path.iter().enumerate() {
            let next = match (name.as_str(), module) {
                ("crate", None) => Some(ROOT),
                ("self", None) => Some(scope),
                ("super", before) => self.tree.module(before.unwrap_or(scope)).parent,
                _ => None,
            };
            if next.is_some() {
                module = next;
                continue;
            }
            let segment = Segment {
                module: module.unwrap_or(scope),
                scope,
                name,
                leads_on: leads_on || at + 1 < path.len(),
            };
            match (self.segment(segment, steps), module) {
                (Some(Target::Module(next)), _) => module = Some(next),
                (Some(item), _) => return Some(item),
                // Defined by a macro, or re-exported from another crate.
                (None, Some(module)) => return Some(Target::Item(module, name.clone())),
                (None, None) => return None,
            }
        }
        module.map(Target::Module)
    }

    /// Finds a name in a module. A module may have the same name as a function: one that
    /// leads on is the module, and the last segment rather the function.
    fn segment(self, segment: Segment<'_>, steps: usize) -> Option<Target> {
        let module = self.tree.module(segment.module);
        let child = || {
            let child = module.children.get(segment.name);
            child.map(|&child| Target::Module(child))
        };
        let item = || {
            let defined = module.content.items.contains(segment.name);
            defined.then(|| Target::Item(segment.module, segment.name.to_owned()))
        };
        let imported = || self.imported(segment, steps);
        let found = if segment.leads_on {
            child().or_else(imported).or_else(item)
        } else {
            item().or_else(imported).or_else(child)
        };
        found
            .or_else(|| self.exported_macro(segment))
            .or_else(|| self.through_globs(segment, steps))
    }

    /// Follows a `use` that brings the name into the module.
    fn imported(self, segment: Segment<'_>, steps: usize) -> Option<Target> {
        let steps = steps.checked_sub(1)?;
        let module = self.tree.module(segment.module);
        module
            .content
            .uses
            .iter()
            .filter(|item| matches!(&item.leaf.name, UseName::Name(name) if name == segment.name))
            .filter(|item| self.is_visible(segment, item.exported, item.local))
            // `use time;` is another crate, not itself.
            .filter(|item| !matches!(item.leaf.path.as_slice(), [only] if only == segment.name))
            .find_map(|item| self.path(segment.module, &item.leaf.path, segment.leads_on, steps))
    }

    fn through_globs(self, segment: Segment<'_>, steps: usize) -> Option<Target> {
        let steps = steps.checked_sub(1)?;
        let module = self.tree.module(segment.module);
        module
            .content
            .uses
            .iter()
            .filter(|item| item.leaf.name == UseName::Glob)
            .filter(|item| self.is_visible(segment, item.exported, item.local))
            .filter_map(|item| self.glob_module(segment, &item.leaf.path, steps))
            .find_map(|module| {
                let inner = Segment { module, ..segment };
                self.segment(inner, steps)
            })
    }

    /// The module whose names a glob brings in.
    fn glob_module(self, segment: Segment<'_>, path: &[String], steps: usize) -> Option<ModuleId> {
        // A glob whose own first segment is the searched name would search itself.
        if path.first().is_none_or(|first| first == segment.name) {
            return None;
        }
        match self.path(segment.module, path, true, steps)? {
            Target::Module(module) if module != segment.module => Some(module),
            _ => None,
        }
    }

    fn exported_macro(self, segment: Segment<'_>) -> Option<Target> {
        if segment.module != ROOT {
            return None;
        }
        let name = segment.name;
        let defining = self.tree.modules().iter().position(|module| {
            let macros = &module.content.exported_macros;
            macros.iter().any(|exported| exported == name)
        })?;
        Some(Target::Item(defining, name.to_owned()))
    }

    /// A `use` without `pub` is seen by its module and those in it. One in a block counts for
    /// the whole module that the block is in, but no path leads to it.
    fn is_visible(self, segment: Segment<'_>, exported: bool, local: bool) -> bool {
        if local {
            return segment.scope == segment.module;
        }
        exported || self.is_within(segment.scope, segment.module)
    }

    fn is_within(self, mut module: ModuleId, ancestor: ModuleId) -> bool {
        loop {
            if module == ancestor {
                return true;
            }
            match self.tree.module(module).parent {
                Some(parent) => module = parent,
                None => return false,
            }
        }
    }
}
