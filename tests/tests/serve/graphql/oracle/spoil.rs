//! Mistakes that are made in generated queries. A mistake does not always make a query invalid: the
//! oracle decides.

use rand::Rng as _;
use serde_json::json;

use crate::graphql::oracle::generate::Generator;
use crate::graphql::oracle::query::{
    Dir, Doc, Field, Frag, GraphQlRequest, Item, Val, VarDef, each_set,
};

/// The name of a mistake in the counts, and the function that makes it. The function returns
/// false if the query has no place for it.
pub(crate) type Mistake = (
    &'static str,
    fn(&mut Generator<'_>, &mut Doc, &mut GraphQlRequest) -> bool,
);

pub(crate) const MISTAKES: &[Mistake] = &[
    ("field", |g, doc, _| {
        let names = ["nothing", "id", "title", "name", "edges", "username"];
        let name = g.one_of(&names).to_owned();
        field(g, doc, |_| true, |_, field| field.name = name)
    }),
    ("argument", |g, doc, _| {
        let names = ["nothing", "where", "limit", "first", "id"];
        let name = g.one_of(&names).to_owned();
        field(
            g,
            doc,
            |_| true,
            |g, field| {
                let value = literal(g);
                field.args.push((name, value));
            },
        )
    }),
    ("argument twice", |g, doc, _| {
        field(
            g,
            doc,
            |one| !one.args.is_empty(),
            |g, field| {
                let again = g.one_of(&field.args);
                field.args.push(again);
            },
        )
    }),
    ("argument missing", |g, doc, _| {
        field(
            g,
            doc,
            |one| !one.args.is_empty(),
            |g, field| {
                let at = g.rng.random_range(0..field.args.len());
                field.args.remove(at);
            },
        )
    }),
    ("literal", |g, doc, _| {
        field(
            g,
            doc,
            |one| !one.args.is_empty(),
            |g, field| {
                let at = g.rng.random_range(0..field.args.len());
                let value = literal(g);
                replace_inside(g, &mut field.args[at].1, value);
            },
        )
    }),
    ("input field", |g, doc, _| {
        let objects = |one: &Field| one.args.iter().any(|(_, value)| has_object(value));
        field(g, doc, objects, |g, field| {
            let value = literal(g);
            let name = g.one_of(&["nothing", "id", "eq", "title"]).to_owned();
            let fields = field
                .args
                .iter_mut()
                .find_map(|(_, value)| object_in(value));
            if let Some(fields) = fields {
                if g.chance(30) {
                    fields.clear();
                } else {
                    fields.push((name, value));
                }
            }
        })
    }),
    ("input field twice", |g, doc, _| {
        let objects = |one: &Field| one.args.iter().any(|(_, value)| has_object(value));
        field(g, doc, objects, |_, field| {
            let fields = field
                .args
                .iter_mut()
                .find_map(|(_, value)| object_in(value));
            if let Some(fields) = fields
                && let Some(first) = fields.first().cloned()
            {
                fields.push(first);
            }
        })
    }),
    ("condition", |g, doc, _| {
        let names = [
            "Nothing",
            "Int",
            "Query",
            "User",
            "Author",
            "Comment",
            "Thing",
            "BlogPostWhere",
            "Status",
        ];
        let name = g.one_of(&names).to_owned();
        if g.chance(30) && !doc.frags.is_empty() {
            let at = g.rng.random_range(0..doc.frags.len());
            doc.frags[at].on = name;
            return true;
        }
        in_set(g, doc, |g, set| {
            let at = g.rng.random_range(0..set.len());
            let inside = set.split_off(at);
            set.push(Item::Inline {
                on: Some(name),
                dirs: Vec::new(),
                set: inside,
            });
        })
    }),
    ("typename on another", |g, doc, _| {
        let names = [
            "Query", "User", "Author", "Comment", "Thing", "Shelf", "Crate", "Post", "BlogPost",
        ];
        let on = g.one_of(&names).to_owned();
        in_set(g, doc, |_, set| {
            set.push(Item::Inline {
                on: Some(on),
                dirs: Vec::new(),
                set: vec![leaf("__typename")],
            });
        })
    }),
    ("fragment", |g, doc, _| {
        in_set(g, doc, |_, set| set.push(spread("Nowhere")))
    }),
    ("fragment unused", |_, doc, _| {
        doc.frags.push(frag("Unused", "Query"));
        true
    }),
    ("fragment twice", |g, doc, _| {
        if doc.frags.is_empty() {
            return false;
        }
        let again = g.one_of(&doc.frags);
        doc.frags.push(again);
        true
    }),
    ("fragment cycle", |g, doc, _| {
        if doc.frags.is_empty() {
            return false;
        }
        let at = g.rng.random_range(0..doc.frags.len());
        let to = g.one_of(&doc.frags).name;
        doc.frags[at].set.push(spread(&to));
        true
    }),
    ("fragments of a cycle unused", |_, doc, _| {
        for (name, to) in [("C1", "C2"), ("C2", "C1")] {
            let mut one = frag(name, "Query");
            one.set.push(spread(to));
            doc.frags.push(one);
        }
        true
    }),
    ("variable unused", |_, doc, _| {
        doc.ops[0].vars.push(variable("unused", "Int"));
        true
    }),
    ("variable undefined", |g, doc, _| {
        let at = g.rng.random_range(0..doc.ops.len());
        doc.ops[at].vars.pop().is_some()
    }),
    ("variable twice", |g, doc, _| {
        let at = g.rng.random_range(0..doc.ops.len());
        let Some(first) = doc.ops[at].vars.first().cloned() else {
            return false;
        };
        doc.ops[at].vars.push(first);
        true
    }),
    ("variable's type", |g, doc, _| {
        let at = g.rng.random_range(0..doc.ops.len());
        if doc.ops[at].vars.is_empty() {
            return false;
        }
        let which = g.rng.random_range(0..doc.ops[at].vars.len());
        let types = [
            "Int",
            "Int!",
            "String",
            "[String]",
            "ID",
            "ID!",
            "Boolean",
            "Boolean!",
            "Float",
            "[Int!]!",
            "Query",
            "Status",
            "Nothing",
            "[Nothing!]",
            "BlogPostWhere",
            "[BlogPostOrderBy!]",
            "[BlogPostOrderBy]",
            "[[BlogPostOrderBy!]]",
        ];
        doc.ops[at].vars[which].ty = g.one_of(&types).to_owned();
        true
    }),
    ("variable's default", |g, doc, _| {
        let at = g.rng.random_range(0..doc.ops.len());
        if doc.ops[at].vars.is_empty() {
            return false;
        }
        let which = g.rng.random_range(0..doc.ops[at].vars.len());
        let value = if g.chance(15) {
            Val::Var("v1".to_owned())
        } else {
            literal(g)
        };
        doc.ops[at].vars[which].default = Some(value);
        true
    }),
    ("variable's value", |g, doc, request| {
        let names: Vec<_> = doc
            .ops
            .iter()
            .flat_map(|op| &op.vars)
            .map(|one| one.name.clone())
            .collect();
        if names.is_empty() {
            return false;
        }
        let name = g.one_of(&names);
        let mut value = request.variables.get(&name).cloned().unwrap_or_default();
        let other = literal(g).json();
        match &mut value {
            serde_json::Value::Array(all) if g.chance(50) => all.push(other),
            serde_json::Value::Object(all) if g.chance(50) => {
                let name = g.one_of(&["nothing", "eq", "title", "id", "and"]);
                all.insert(name.to_owned(), other);
            }
            value => *value = other,
        }
        request.variables.insert(name, value);
        true
    }),
    ("variable's value missing", |g, _, request| {
        let names: Vec<_> = request.variables.keys().cloned().collect();
        !names.is_empty() && {
            let name = g.one_of(&names);
            request.variables.remove(&name).is_some()
        }
    }),
    ("variable that is not there", |_, _, request| {
        request
            .variables
            .insert("nobody".to_owned(), json!({"a": [1]}));
        true
    }),
    ("scalar with braces", |g, doc, _| {
        field(
            g,
            doc,
            |one| one.set.is_none(),
            |_, field| {
                field.set = Some(vec![leaf("id")]);
            },
        )
    }),
    ("object without braces", |g, doc, _| {
        field(g, doc, |one| one.set.is_some(), |_, field| field.set = None)
    }),
    ("braces with nothing", |g, doc, _| {
        field(
            g,
            doc,
            |one| one.set.is_some(),
            |_, field| field.set = Some(Vec::new()),
        )
    }),
    ("alias of another", |g, doc, _| {
        in_set(g, doc, |g, set| {
            let names: Vec<_> = set
                .iter()
                .filter_map(|item| match item {
                    Item::Field(field) => {
                        Some(field.alias.clone().unwrap_or_else(|| field.name.clone()))
                    }
                    _ => None,
                })
                .collect();
            let at = g.rng.random_range(0..set.len());
            if !names.is_empty()
                && let Item::Field(field) = &mut set[at]
            {
                field.alias = Some(g.one_of(&names));
            }
        })
    }),
    ("conflict inside", |g, doc, _| {
        // The same object again, whose fields have the names of others.
        in_set(g, doc, |g, set| {
            let objects: Vec<_> = set
                .iter()
                .filter_map(|item| match item {
                    Item::Field(field) if field.set.is_some() => Some(field.clone()),
                    _ => None,
                })
                .collect();
            if objects.is_empty() {
                return;
            }
            let mut again = g.one_of(&objects);
            let inside = again.set.as_mut().unwrap();
            inside.reverse();
            let fields: Vec<_> = inside
                .iter()
                .filter_map(|item| match item {
                    Item::Field(field) => Some(field.clone()),
                    _ => None,
                })
                .collect();
            if let (Some(first), Some(last)) = (fields.first(), fields.last()) {
                let mut other = last.clone();
                other.alias = Some(first.alias.clone().unwrap_or_else(|| first.name.clone()));
                again.set = Some(vec![Item::Field(other)]);
            }
            let again = Item::Field(again);
            if g.chance(40) {
                set.push(Item::Inline {
                    on: None,
                    dirs: Vec::new(),
                    set: vec![again],
                });
            } else {
                set.push(again);
            }
        })
    }),
    ("directive", |g, doc, _| {
        let dir = directive(g);
        in_set(g, doc, |g, set| {
            let at = g.rng.random_range(0..set.len());
            set[at].dirs_mut().push(dir);
        })
    }),
    ("directive twice", |g, doc, _| {
        in_set(g, doc, |g, set| {
            let at = g.rng.random_range(0..set.len());
            let dirs = set[at].dirs_mut();
            for _ in 0..2 {
                let value = Val::Bool(true);
                dirs.push(Dir {
                    name: "include".to_owned(),
                    args: vec![("if".to_owned(), value)],
                });
            }
        })
    }),
    ("directive of an operation", |g, doc, _| {
        let dir = directive(g);
        let at = g.rng.random_range(0..doc.ops.len());
        doc.ops[at].dirs.push(dir);
        true
    }),
    ("directive of a fragment", |g, doc, _| {
        let dir = directive(g);
        doc.frags
            .first_mut()
            .map(|frag| frag.dirs.push(dir))
            .is_some()
    }),
    ("directive of a variable", |g, doc, _| {
        let dir = directive(g);
        let mut vars = doc.ops.iter_mut().flat_map(|op| &mut op.vars);
        vars.next().map(|one| one.dirs.push(dir)).is_some()
    }),
    ("operation's name", |g, doc, request| {
        request.operation = g
            .one_of(&[None, Some("Nobody"), Some(""), Some("Op0")])
            .map(str::to_owned);
        if g.chance(50) {
            let mut other = doc.ops[0].clone();
            other.name = g
                .one_of(&[None, Some("Op1"), Some("Op0")])
                .map(str::to_owned);
            doc.ops.push(other);
        }
        true
    }),
    ("operation's kind", |g, doc, _| {
        doc.ops[0].kind = g.one_of(&["mutation", "subscription", "quarry"]);
        true
    }),
    ("text", |g, doc, request| {
        let mut chars: Vec<char> = doc.to_string().chars().collect();
        let at = g.rng.random_range(0..chars.len());
        match g.rng.random_range(0..3) {
            0 => {
                chars.remove(at);
            }
            1 => chars.insert(
                at,
                g.one_of(&[
                    '{', '}', '(', ')', '$', '@', '!', ':', '"', '[', '0', '.', '-', 'x', '&', '|',
                    '\\', '\u{feff}', '\u{0}', '\n', ',',
                ]),
            ),
            _ => chars.truncate(at),
        }
        request.query = chars.into_iter().collect();
        true
    }),
];

fn leaf(name: &str) -> Item {
    Item::Field(Field {
        alias: None,
        name: name.to_owned(),
        args: Vec::new(),
        dirs: Vec::new(),
        set: None,
    })
}

fn spread(name: &str) -> Item {
    Item::Spread {
        name: name.to_owned(),
        dirs: Vec::new(),
    }
}

fn frag(name: &str, on: &str) -> Frag {
    Frag {
        name: name.to_owned(),
        on: on.to_owned(),
        dirs: Vec::new(),
        set: vec![leaf("__typename")],
    }
}

fn variable(name: &str, ty: &str) -> VarDef {
    VarDef {
        name: name.to_owned(),
        ty: ty.to_owned(),
        default: None,
        dirs: Vec::new(),
    }
}

fn literal(g: &mut Generator<'_>) -> Val {
    let object = |name: &str, value| Val::Obj(vec![(name.to_owned(), value)]);
    g.one_of(&[
        Val::Null,
        Val::Bool(true),
        Val::Int(3),
        Val::Int(-1),
        Val::Int(3_000_000_000),
        Val::Float(1.5),
        Val::Float(2.0),
        Val::Str("text".to_owned()),
        Val::Str("PUBLISHED".to_owned()),
        Val::Str("ASC".to_owned()),
        Val::Str("3".to_owned()),
        Val::Enum("PUBLISHED".to_owned()),
        Val::Enum("DESC".to_owned()),
        Val::Enum("NOTHING".to_owned()),
        Val::Var("v1".to_owned()),
        Val::Var("v2".to_owned()),
        Val::Var("nowhere".to_owned()),
        Val::List(Vec::new()),
        Val::List(vec![Val::Int(1), Val::Null]),
        Val::List(vec![Val::List(vec![Val::Int(1)])]),
        Val::List(vec![Val::Str("a".to_owned())]),
        Val::List(vec![Val::Var("v1".to_owned())]),
        Val::Obj(Vec::new()),
        object("title", Val::Enum("ASC".to_owned())),
        object("title", object("eq", Val::Str("a".to_owned()))),
        object("rating", object("eq", Val::Var("v1".to_owned()))),
        object("eq", Val::Int(1)),
    ])
}

fn directive(g: &mut Generator<'_>) -> Dir {
    let name = g.one_of(&[
        "skip",
        "include",
        "nothing",
        "deprecated",
        "oneOf",
        "specifiedBy",
    ]);
    let args = match g.rng.random_range(0..5) {
        0 => Vec::new(),
        1 => vec![("if".to_owned(), literal(g))],
        2 => vec![
            ("if".to_owned(), Val::Bool(true)),
            ("if".to_owned(), Val::Bool(true)),
        ],
        3 => vec![
            ("if".to_owned(), Val::Bool(true)),
            ("unless".to_owned(), Val::Bool(true)),
        ],
        _ => vec![("if".to_owned(), Val::Bool(false))],
    };
    Dir {
        name: name.to_owned(),
        args,
    }
}

/// Changes one of the fields that match.
fn field(
    g: &mut Generator<'_>,
    doc: &mut Doc,
    fits: impl Fn(&Field) -> bool,
    change: impl FnOnce(&mut Generator<'_>, &mut Field),
) -> bool {
    let mut count = 0;
    each_set(doc, &mut |set| {
        count += set
            .iter()
            .filter(|item| matches!(item, Item::Field(field) if fits(field)))
            .count();
    });
    if count == 0 {
        return false;
    }
    let mut at = g.rng.random_range(0..count);
    let mut change = Some(change);
    each_set(doc, &mut |set| {
        for item in set {
            if let Item::Field(field) = item
                && fits(field)
            {
                if at == 0
                    && let Some(change) = change.take()
                {
                    change(g, field);
                    return;
                }
                at = at.wrapping_sub(1);
            }
        }
    });
    true
}

/// Changes one of the selection sets.
fn in_set(
    g: &mut Generator<'_>,
    doc: &mut Doc,
    change: impl FnOnce(&mut Generator<'_>, &mut Vec<Item>),
) -> bool {
    let mut count = 0;
    each_set(doc, &mut |set| count += usize::from(!set.is_empty()));
    if count == 0 {
        return false;
    }
    let mut at = g.rng.random_range(0..count);
    let mut change = Some(change);
    each_set(doc, &mut |set| {
        if set.is_empty() {
            return;
        }
        if at == 0
            && let Some(change) = change.take()
        {
            change(g, set);
        }
        at = at.wrapping_sub(1);
    });
    true
}

fn has_object(value: &Val) -> bool {
    match value {
        Val::Obj(_) => true,
        Val::List(all) => all.iter().any(has_object),
        _ => false,
    }
}

fn object_in(value: &mut Val) -> Option<&mut Vec<(String, Val)>> {
    match value {
        Val::Obj(fields) => {
            // A nested one, if there is any.
            let inner = fields.iter().position(|(_, value)| has_object(value));
            match inner {
                Some(at) if fields.len() % 2 == 0 => object_in(&mut fields[at].1),
                _ => Some(fields),
            }
        }
        Val::List(all) => all.iter_mut().find_map(object_in),
        _ => None,
    }
}

fn replace_inside(g: &mut Generator<'_>, value: &mut Val, by: Val) {
    let inner = g.chance(60);
    match value {
        Val::Obj(fields) if inner && !fields.is_empty() => {
            let at = g.rng.random_range(0..fields.len());
            replace_inside(g, &mut fields[at].1, by);
        }
        Val::List(all) if inner && !all.is_empty() => {
            let at = g.rng.random_range(0..all.len());
            replace_inside(g, &mut all[at], by);
        }
        value => *value = by,
    }
}
