//! The module tree of a crate, from its files.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};

use crate::scan::{self, Child, Content, Scanned};

/// Texts of a crate's files, by their path under `src`.
pub type Sources = BTreeMap<String, String>;

/// The modules of a crate. Those for tests only are left out, with their files.
#[derive(Debug)]
pub struct ModuleTree {
    modules: Vec<Module>,
    files: Vec<String>,
}

/// An index into a tree's modules.
pub(crate) type ModuleId = usize;

/// The root of every tree.
pub(crate) const ROOT: ModuleId = 0;

/// One module, inline or a file.
#[derive(Debug)]
pub(crate) struct Module {
    /// Its name; `crate` for the root.
    pub(crate) name: String,
    /// The module that declares it.
    pub(crate) parent: Option<ModuleId>,
    /// Index of its file.
    pub(crate) file: usize,
    /// Modules that it declares.
    pub(crate) children: BTreeMap<String, ModuleId>,
    /// Its content.
    pub(crate) content: Content,
}

impl ModuleTree {
    /// Reads the crate whose root is `lib.rs`, or `main.rs` without one.
    ///
    /// # Errors
    /// If there is no root, a declared module has no file, or a file is not Rust.
    pub fn read(sources: &Sources) -> Result<Self> {
        let Some(root) = ["lib.rs", "main.rs"]
            .into_iter()
            .find(|root| sources.contains_key(*root))
        else {
            bail!("there is neither lib.rs nor main.rs");
        };
        let mut builder = Builder {
            sources,
            tree: Self {
                modules: Vec::new(),
                files: Vec::new(),
            },
        };
        builder.add_file("crate", None, root, "")?;
        Ok(builder.tree)
    }

    /// Files that hold the modules, by their path under `src`.
    #[must_use]
    pub fn files(&self) -> &[String] {
        &self.files
    }

    /// Names of the modules that the root declares and that have files.
    #[must_use]
    pub fn top_level(&self) -> Vec<&str> {
        let root = &self.modules[ROOT];
        root.children
            .iter()
            .filter(|&(_, &child)| self.modules[child].file != root.file)
            .map(|(name, _)| name.as_str())
            .collect()
    }

    pub(crate) fn modules(&self) -> &[Module] {
        &self.modules
    }

    pub(crate) fn module(&self, id: ModuleId) -> &Module {
        &self.modules[id]
    }
}

struct Builder<'s> {
    sources: &'s Sources,
    tree: ModuleTree,
}

impl Builder<'_> {
    /// Adds the module that a whole file is. Its children are in `directory`, which is empty or
    /// ends with `/`.
    fn add_file(
        &mut self,
        name: &str,
        parent: Option<ModuleId>,
        path: &str,
        directory: &str,
    ) -> Result<ModuleId> {
        let text = self.sources.get(path).map_or("", String::as_str);
        let parsed = syn::parse_file(text)
            .map_err(|error| anyhow::anyhow!("{path}:{}: {error}", error.span().start().line))?;
        let file = self.tree.files.len();
        self.tree.files.push(path.to_owned());
        self.add(name, parent, file, scan::scan(&parsed.items), directory)
    }

    fn add(
        &mut self,
        name: &str,
        parent: Option<ModuleId>,
        file: usize,
        scanned: Scanned,
        directory: &str,
    ) -> Result<ModuleId> {
        let id = self.tree.modules.len();
        self.tree.modules.push(Module {
            name: name.to_owned(),
            parent,
            file,
            children: BTreeMap::new(),
            content: scanned.content,
        });
        for child in scanned.children {
            let name = child.name.clone();
            let child = self.add_child(id, child, directory)?;
            self.tree.modules[id].children.insert(name, child);
        }
        Ok(id)
    }

    fn add_child(&mut self, parent: ModuleId, child: Child, directory: &str) -> Result<ModuleId> {
        let Child { name, path, inline } = child;
        let own = format!("{directory}{name}/");
        let file = self.tree.modules[parent].file;
        if let Some(scanned) = inline {
            return self.add(&name, Some(parent), file, scanned, &own);
        }
        let declared_in = self.tree.files[file].clone();
        let found = match path {
            // Next to the file that declares it, with its children next to it.
            Some(path) => {
                let base = declared_in
                    .rfind('/')
                    .map_or("", |end| &declared_in[..=end]);
                let path = format!("{base}{path}");
                let own = path.rfind('/').map_or("", |end| &path[..=end]).to_owned();
                Some((path, own))
            }
            None => [format!("{directory}{name}.rs"), format!("{own}mod.rs")]
                .into_iter()
                .find(|path| self.sources.contains_key(path))
                .map(|path| (path, own)),
        };
        let (path, own) = found
            .filter(|(path, _)| self.sources.contains_key(path))
            .with_context(|| format!("{declared_in}: `mod {name};` has no file"))?;
        self.add_file(&name, Some(parent), &path, &own)
    }
}
