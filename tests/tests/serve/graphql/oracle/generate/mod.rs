//! Random queries over a schema, most of them valid.

mod values;

use std::collections::{BTreeMap, BTreeSet};

use rand::Rng as _;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;

use crate::graphql::oracle::query::{Dir, Doc, Field, Frag, GraphQlRequest, Item, Op, Val, VarDef};
use crate::graphql::oracle::types::{self, Argument, Type, Types, named};

/// Values that occur in the documents, so that conditions match something.
pub(crate) struct Pools {
    pub(crate) ids: Vec<String>,
    pub(crate) texts: Vec<String>,
    pub(crate) times: Vec<String>,
    pub(crate) cursors: Vec<String>,
}

pub(crate) struct Generator<'a> {
    pub(crate) types: &'a Types,
    pub(crate) pools: &'a Pools,
    pub(crate) rng: SmallRng,
    variables: BTreeMap<String, Variable>,
    frags: Vec<Frag>,
    names: usize,
    /// The number of fields that may still be generated.
    left: usize,
    /// The depth of the value that is being generated.
    within: usize,
}

struct Variable {
    ty: String,
    default: Option<Val>,
    /// `None` if the variable is omitted from the request.
    value: Option<Val>,
}

impl<'a> Generator<'a> {
    pub(crate) fn new(types: &'a Types, pools: &'a Pools, rng: SmallRng) -> Self {
        Self {
            types,
            pools,
            rng,
            variables: BTreeMap::new(),
            frags: Vec::new(),
            names: 0,
            left: 0,
            within: 0,
        }
    }

    pub(crate) fn chance(&mut self, percent: u32) -> bool {
        self.rng.random_range(0..100) < percent
    }

    pub(crate) fn one_of<T: Clone>(&mut self, all: &[T]) -> T {
        all.choose(&mut self.rng).unwrap().clone()
    }

    fn fresh(&mut self, prefix: &str) -> String {
        self.names += 1;
        format!("{prefix}{}", self.names)
    }

    /// A GraphQL document, and the variables that are sent with it.
    pub(crate) fn document(&mut self) -> (Doc, GraphQlRequest) {
        self.variables.clear();
        self.frags.clear();
        self.names = 0;
        self.left = *[3, 10, 30, 60].choose(&mut self.rng).unwrap();
        let count = if self.chance(90) {
            1
        } else {
            self.rng.random_range(2..4)
        };
        let mut ops = Vec::new();
        for number in 0..count {
            let depth = self.rng.random_range(1..7);
            let mutates = self.types.of.contains_key("Mutation") && self.chance(25);
            let (kind, root) = if mutates {
                ("mutation", "Mutation")
            } else {
                ("query", "Query")
            };
            let set = self.set(root, depth);
            let name = (count > 1 || self.chance(30)).then(|| format!("Op{number}"));
            ops.push(Op {
                kind,
                name,
                vars: Vec::new(),
                dirs: Vec::new(),
                set,
            });
        }
        // Is not executed, and must be valid nevertheless.
        if count > 1 && self.types.of.contains_key("Subscription") && self.chance(30) {
            // Directives of its root field are forbidden by the specification of September 2025, and
            // by graphql-js 16 if their variables are used.
            let mut item = self.item("Subscription", 1);
            item.dirs_mut().clear();
            let set = vec![item];
            ops.push(Op {
                kind: "subscription",
                name: Some("Events".to_owned()),
                vars: Vec::new(),
                dirs: Vec::new(),
                set,
            });
        }
        let frags = std::mem::take(&mut self.frags);
        for op in &mut ops {
            let mut used = BTreeSet::new();
            variables_of(&op.set, &frags, &mut used, &mut BTreeSet::new());
            op.vars = used
                .into_iter()
                .map(|name| {
                    let variable = &self.variables[&name];
                    VarDef {
                        name,
                        ty: variable.ty.clone(),
                        default: variable.default.clone(),
                        dirs: Vec::new(),
                    }
                })
                .collect();
        }
        let operation = (count > 1 || self.chance(5))
            .then(|| self.one_of(&ops[..count]).name)
            .flatten();
        let variables = self
            .variables
            .iter()
            .filter_map(|(name, variable)| Some((name.clone(), variable.value.as_ref()?.json())))
            .collect();
        let doc = Doc { ops, frags };
        let request = GraphQlRequest {
            query: doc.to_string(),
            variables,
            operation,
        };
        (doc, request)
    }

    fn set(&mut self, ty: &str, depth: usize) -> Vec<Item> {
        let mut items = Vec::new();
        for _ in 0..self.rng.random_range(1..6) {
            items.push(self.item(ty, depth));
        }
        // The same field again, with any selection that it allows.
        if self.chance(25) {
            let fields = items.iter().filter_map(|item| match item {
                Item::Field(field) => Some(field.clone()),
                _ => None,
            });
            let fields: Vec<_> = fields.collect();
            if !fields.is_empty() {
                let mut again = self.one_of(&fields);
                if again.set.is_some() {
                    let of = self.field_type(ty, &again.name);
                    again.set = Some(self.set(named(&of), depth.saturating_sub(1)));
                }
                if self.chance(3) {
                    again.args = self.args_of(ty, &again.name);
                }
                again.dirs = self.directives();
                items.push(Item::Field(again));
            }
        }
        // Some of the selection goes into a fragment.
        if self.chance(20) {
            let at = self.rng.random_range(0..items.len());
            let inside = items.split_off(at);
            // A type condition other than the type itself applies only to the fields of that type.
            let condition = if inside.iter().all(of_all) {
                self.one_of(&self.types.conditions(ty))
            } else {
                ty.to_owned()
            };
            let dirs = self.directives();
            if self.chance(50) {
                let name = self.fresh("F");
                self.frags.push(Frag {
                    name: name.clone(),
                    on: condition,
                    dirs: Vec::new(),
                    set: inside,
                });
                let times = if self.chance(20) { 2 } else { 1 };
                for _ in 0..times {
                    items.push(Item::Spread {
                        name: name.clone(),
                        dirs: dirs.clone(),
                    });
                }
            } else {
                let on = (condition != ty || self.chance(50)).then_some(condition);
                items.push(Item::Inline {
                    on,
                    dirs,
                    set: inside,
                });
            }
        }
        // A field that is already in the selection.
        if self.chance(15) {
            let conditions = self.types.conditions(ty);
            let there = self.frags.iter().filter(|one| conditions.contains(&one.on));
            let there: Vec<_> = there.map(|one| one.name.clone()).collect();
            if !there.is_empty() {
                let name = self.one_of(&there);
                let dirs = self.directives();
                let at = self.rng.random_range(0..=items.len());
                items.insert(at, Item::Spread { name, dirs });
            }
        }
        items
    }

    fn item(&mut self, ty: &str, depth: usize) -> Item {
        let types = self.types;
        let fields = types.fields(ty);
        if let Some(Type::Abstract(_, members)) = types.of.get(ty)
            && (fields.is_empty() || self.chance(40))
            && !self.chance(20)
        {
            let member = self.one_of(members);
            let set = self.set(&member, depth);
            let dirs = self.directives();
            return Item::Inline {
                on: Some(member),
                dirs,
                set,
            };
        }
        let usable: Vec<_> = fields
            .iter()
            .filter(|field| !types.is_composite(&field.ty) || (depth > 0 && self.left > 0))
            .cloned()
            .collect();
        self.left = self.left.saturating_sub(1);
        if usable.is_empty() || self.chance(12) {
            let alias = self.chance(20).then(|| self.fresh("t"));
            return Item::Field(Field {
                alias,
                name: "__typename".to_owned(),
                args: Vec::new(),
                dirs: self.directives(),
                set: None,
            });
        }
        let field = self.one_of(&usable);
        let args = self.args(&field);
        let alias = if self.chance(if field.args.is_empty() { 15 } else { 85 }) {
            Some(self.fresh("a"))
        } else if self.chance(2) {
            // A directive of another field, or of another location.
            Some(self.one_of(fields).name)
        } else {
            None
        };
        let set = types
            .is_composite(&field.ty)
            .then(|| self.set(named(&field.ty), depth - 1));
        let mut dirs = self.directives();
        dirs.extend(self.tags());
        Item::Field(Field {
            alias,
            name: field.name,
            args,
            dirs,
            set,
        })
    }

    fn field_type(&self, ty: &str, name: &str) -> String {
        let mut fields = self.types.fields(ty).iter();
        fields
            .find(|field| field.name == name)
            .map_or(String::new(), |field| field.ty.clone())
    }

    fn args_of(&mut self, ty: &str, name: &str) -> Vec<(String, Val)> {
        let types = self.types;
        let field = types.fields(ty).iter().find(|field| field.name == name);
        field.map_or(Vec::new(), |field| self.args(field))
    }

    fn args(&mut self, field: &types::Field) -> Vec<(String, Val)> {
        let both_sizes = self.chance(2);
        let forward = self.chance(70);
        let mut args: Vec<_> = Vec::new();
        for arg in &field.args {
            let required = arg.ty.ends_with('!') && !arg.default;
            let unlikely = match arg.name.as_str() {
                "last" | "before" => forward && !both_sizes,
                "first" | "after" => !forward && !both_sizes,
                _ => false,
            };
            if required || (self.chance(35) && !unlikely) {
                let value = self.argument(arg);
                args.push((arg.name.clone(), value));
            }
        }
        if self.chance(20) {
            args.reverse();
        }
        args
    }

    /// Directives of the application for a field, which may be repeated.
    fn tags(&mut self) -> Vec<Dir> {
        let mut tags = Vec::new();
        while self.types.has_tags && self.chance(6) {
            // async-graphql reads it when the field is resolved, so a null would be its error.
            let value = Val::Str(self.one_of(&["a", "b"]).to_owned());
            tags.push(Dir {
                name: "tag".to_owned(),
                args: vec![("name".to_owned(), value)],
            });
        }
        tags
    }

    pub(crate) fn directives(&mut self) -> Vec<Dir> {
        let mut dirs = Vec::new();
        for name in ["skip", "include"] {
            if self.chance(5) {
                let condition = Argument {
                    name: "if".to_owned(),
                    ty: "Boolean!".to_owned(),
                    default: false,
                };
                let value = self.argument(&condition);
                dirs.push(Dir {
                    name: name.to_owned(),
                    args: vec![("if".to_owned(), value)],
                });
            }
        }
        dirs
    }
}

/// Whether a value contains an object, of whatever type.
fn of_all(item: &Item) -> bool {
    matches!(item, Item::Field(field) if field.name == "__typename")
}

fn variables_of(
    set: &[Item],
    frags: &[Frag],
    used: &mut BTreeSet<String>,
    seen: &mut BTreeSet<String>,
) {
    let dirs = |dirs: &[Dir], used: &mut BTreeSet<String>| {
        for (_, value) in dirs.iter().flat_map(|one| &one.args) {
            let mut found = Vec::new();
            value.variables(&mut found);
            used.extend(found.into_iter().map(str::to_owned));
        }
    };
    for item in set {
        match item {
            Item::Field(field) => {
                dirs(&field.dirs, used);
                for (_, value) in &field.args {
                    let mut found = Vec::new();
                    value.variables(&mut found);
                    used.extend(found.into_iter().map(str::to_owned));
                }
                if let Some(set) = &field.set {
                    variables_of(set, frags, used, seen);
                }
            }
            Item::Inline { dirs: of, set, .. } => {
                dirs(of, used);
                variables_of(set, frags, used, seen);
            }
            Item::Spread { name, dirs: of } => {
                dirs(of, used);
                if seen.insert(name.clone())
                    && let Some(frag) = frags.iter().find(|one| one.name == *name)
                {
                    variables_of(&frag.set, frags, used, seen);
                }
            }
        }
    }
}
