//! Generated queries, as a tree that is printed. It can express invalid queries, too.

use std::fmt;

use serde_json::{Map, Value, json};

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Val {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(String),
    /// A literal as it is written, with its value.
    Written(&'static str, Value),
    Enum(String),
    Var(String),
    List(Vec<Self>),
    Obj(Vec<(String, Self)>),
}

#[derive(Clone, Debug)]
pub(crate) struct Dir {
    pub(crate) name: String,
    pub(crate) args: Vec<(String, Val)>,
}

#[derive(Clone, Debug)]
pub(crate) enum Item {
    Field(Field),
    Inline {
        on: Option<String>,
        dirs: Vec<Dir>,
        set: Vec<Self>,
    },
    Spread {
        name: String,
        dirs: Vec<Dir>,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) alias: Option<String>,
    pub(crate) name: String,
    pub(crate) args: Vec<(String, Val)>,
    pub(crate) dirs: Vec<Dir>,
    pub(crate) set: Option<Vec<Item>>,
}

#[derive(Clone, Debug)]
pub(crate) struct VarDef {
    pub(crate) name: String,
    pub(crate) ty: String,
    pub(crate) default: Option<Val>,
    pub(crate) dirs: Vec<Dir>,
}

#[derive(Clone, Debug)]
pub(crate) struct Op {
    pub(crate) kind: &'static str,
    pub(crate) name: Option<String>,
    pub(crate) vars: Vec<VarDef>,
    pub(crate) dirs: Vec<Dir>,
    pub(crate) set: Vec<Item>,
}

#[derive(Clone, Debug)]
pub(crate) struct Frag {
    pub(crate) name: String,
    pub(crate) on: String,
    pub(crate) dirs: Vec<Dir>,
    pub(crate) set: Vec<Item>,
}

#[derive(Clone, Debug)]
pub(crate) struct Doc {
    pub(crate) ops: Vec<Op>,
    pub(crate) frags: Vec<Frag>,
}

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct GraphQlRequest {
    pub(crate) query: String,
    pub(crate) variables: Map<String, Value>,
    pub(crate) operation: Option<String>,
}

impl Val {
    /// The value as JSON, for a variable. It contains no variables.
    pub(crate) fn json(&self) -> Value {
        match self {
            Self::Null | Self::Var(_) => Value::Null,
            Self::Bool(it) => json!(it),
            Self::Int(it) => json!(it),
            Self::Float(it) => json!(it),
            Self::Str(it) | Self::Enum(it) => json!(it),
            Self::Written(_, value) => value.clone(),
            Self::List(all) => all.iter().map(Self::json).collect(),
            Self::Obj(all) => Value::Object(
                all.iter()
                    .map(|(name, one)| (name.clone(), one.json()))
                    .collect(),
            ),
        }
    }

    pub(crate) fn variables<'a>(&'a self, found: &mut Vec<&'a str>) {
        match self {
            Self::Var(name) => found.push(name),
            Self::List(all) => all.iter().for_each(|one| one.variables(found)),
            Self::Obj(all) => all.iter().for_each(|(_, one)| one.variables(found)),
            _ => {}
        }
    }
}

impl Item {
    pub(crate) fn set_mut(&mut self) -> Option<&mut Vec<Self>> {
        match self {
            Self::Field(field) => field.set.as_mut(),
            Self::Inline { set, .. } => Some(set),
            Self::Spread { .. } => None,
        }
    }

    pub(crate) fn dirs_mut(&mut self) -> &mut Vec<Dir> {
        match self {
            Self::Field(field) => &mut field.dirs,
            Self::Inline { dirs, .. } | Self::Spread { dirs, .. } => dirs,
        }
    }
}

/// Each selection set of a document, outer ones first.
pub(crate) fn each_set(doc: &mut Doc, visit: &mut dyn FnMut(&mut Vec<Item>)) {
    fn inside(set: &mut Vec<Item>, visit: &mut dyn FnMut(&mut Vec<Item>)) {
        visit(set);
        for item in set {
            if let Some(set) = item.set_mut() {
                inside(set, visit);
            }
        }
    }
    // What graphql-js 16 does with directives in a subscription depends on their variables.
    for op in doc.ops.iter_mut().filter(|op| op.kind != "subscription") {
        inside(&mut op.set, visit);
    }
    for frag in &mut doc.frags {
        inside(&mut frag.set, visit);
    }
}

struct Commas<'a, T>(&'a [T]);

impl<T: fmt::Display> fmt::Display for Commas<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, one) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{one}")?;
        }
        Ok(())
    }
}

struct Pair<'a>(&'a (String, Val));

impl fmt::Display for Pair<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.0, self.0.1)
    }
}

fn pairs(pairs: &[(String, Val)]) -> String {
    let pairs: Vec<_> = pairs.iter().map(Pair).collect();
    Commas(&pairs).to_string()
}

fn arguments(args: &[(String, Val)]) -> String {
    if args.is_empty() {
        String::new()
    } else {
        format!("({})", pairs(args))
    }
}

impl fmt::Display for Val {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(it) => write!(f, "{it}"),
            Self::Int(it) => write!(f, "{it}"),
            Self::Float(it) => write!(f, "{it:?}"),
            // A GraphQL string is printed as a JSON string.
            Self::Str(it) => write!(f, "{}", json!(it)),
            Self::Written(it, _) => f.write_str(it),
            Self::Enum(it) => f.write_str(it),
            Self::Var(it) => write!(f, "${it}"),
            Self::List(all) => write!(f, "[{}]", Commas(all)),
            Self::Obj(all) => write!(f, "{{{}}}", pairs(all)),
        }
    }
}

impl fmt::Display for Dir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " @{}{}", self.name, arguments(&self.args))
    }
}

fn directives(dirs: &[Dir]) -> String {
    dirs.iter().map(Dir::to_string).collect()
}

fn set(items: &[Item]) -> String {
    let items: Vec<_> = items.iter().map(Item::to_string).collect();
    format!("{{ {} }}", items.join(" "))
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(field) => {
                if let Some(alias) = &field.alias {
                    write!(f, "{alias}: ")?;
                }
                write!(f, "{}{}", field.name, arguments(&field.args))?;
                f.write_str(&directives(&field.dirs))?;
                match &field.set {
                    Some(items) => write!(f, " {}", set(items)),
                    None => Ok(()),
                }
            }
            Self::Inline {
                on,
                dirs,
                set: items,
            } => {
                let on = on.as_ref().map_or(String::new(), |on| format!(" on {on}"));
                write!(f, "...{on}{} {}", directives(dirs), set(items))
            }
            Self::Spread { name, dirs } => write!(f, "...{name}{}", directives(dirs)),
        }
    }
}

impl fmt::Display for VarDef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${}: {}", self.name, self.ty)?;
        if let Some(default) = &self.default {
            write!(f, " = {default}")?;
        }
        f.write_str(&directives(&self.dirs))
    }
}

impl fmt::Display for Doc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for op in &self.ops {
            let short = self.ops.len() == 1
                && op.kind == "query"
                && op.name.is_none()
                && op.vars.is_empty()
                && op.dirs.is_empty();
            if !short {
                write!(f, "{}", op.kind)?;
                if let Some(name) = &op.name {
                    write!(f, " {name}")?;
                }
                if !op.vars.is_empty() {
                    write!(f, "({})", Commas(&op.vars))?;
                }
                write!(f, "{} ", directives(&op.dirs))?;
            }
            writeln!(f, "{}", set(&op.set))?;
        }
        for frag in &self.frags {
            let dirs = directives(&frag.dirs);
            writeln!(
                f,
                "fragment {} on {}{dirs} {}",
                frag.name,
                frag.on,
                set(&frag.set)
            )?;
        }
        Ok(())
    }
}
