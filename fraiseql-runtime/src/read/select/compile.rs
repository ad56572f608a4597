//! A selection and a shape become a plan: what an object is read and written by.

use std::collections::HashMap;

use super::error::SelectionError;
use super::order::{Expected, Layout, StoredKeys, quoted};
use super::piece::Piece;
use super::selection::{MAX_DEPTH, Selection};
use crate::schema;
use crate::schema::naming::{did_you_mean, near};
use crate::schema::scalar::{ElementNull, ScalarType};
use crate::schema::{Shape, Source};

/// How an object is read and written.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) shape: &'static Shape,
    /// What is written, in the order of the answer. Never empty.
    pub(super) fields: Box<[Wanted]>,
    /// What is known to be in the document, by [`Layout`].
    pub(super) orders: [Box<[Known]>; 2],
    /// How many keys of the document are wanted.
    pub(super) keys: usize,
    /// How many fields may wait, here and at most below.
    pub(super) waiting: usize,
    /// Whether fields of the answer follow each other as they do in `json`, here or below.
    pub(super) runs: bool,
}

/// A key of the document, at its place in the stored order.
#[derive(Debug)]
pub(super) struct Known {
    /// What stands before its value.
    pub(super) before: Expected,
    pub(super) key: &'static str,
    /// The first field of the answer that is made of it.
    pub(super) wanted: Option<usize>,
    /// Whether its value should be a UUID.
    pub(super) uuid: bool,
    /// Whether the answer has the same bytes before the value.
    pub(super) same: bool,
}

/// A field of the answer.
#[derive(Debug)]
pub(super) struct Wanted {
    /// What is written before its value: a brace or a comma, the name, a colon.
    pub(super) before: Piece,
    pub(super) name: String,
    pub(super) json: &'static str,
    pub(super) kind: Kind,
    pub(super) nullable: bool,
    /// The next field of the answer that is made of the same key.
    pub(super) next: Option<usize>,
}

#[derive(Debug)]
pub(super) enum Kind {
    /// Nothing of the document; `before` has the value.
    TypeName,
    /// A value that is copied.
    Scalar,
    /// A list that is copied, whose elements are not null.
    Elements,
    One(Plan),
    Many(Plan),
}

/// Compiles a selection.
///
/// # Errors
/// All that is wrong with it.
pub(super) fn compile(
    shape: &'static Shape,
    selection: &Selection,
    keys: StoredKeys,
    empty: Empty,
) -> Result<Plan, SelectionError> {
    let mut compiler = Compiler {
        keys,
        empty,
        path: Vec::new(),
        faults: Vec::new(),
    };
    let plan = compiler.object(shape, &[selection]);
    match plan {
        Some(plan) if compiler.faults.is_empty() => Ok(plan),
        _ => Err(SelectionError::of(compiler.faults)),
    }
}

/// What an object is of which nothing is selected.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Empty {
    /// A mistake.
    Refused,
    /// `{}`.
    Written,
}

struct Compiler<'s> {
    keys: StoredKeys,
    empty: Empty,
    /// The names in the answer that lead to the object.
    path: Vec<&'s str>,
    faults: Vec<String>,
}

/// One name of the answer, and all selections that were made under it.
struct Merged<'s> {
    response: &'s str,
    name: &'s str,
    nested: Vec<&'s Selection>,
    braces: bool,
}

impl<'s> Compiler<'s> {
    fn fault(&mut self, message: String) {
        self.faults.push(message);
    }

    /// `` `title` `` or `` `author.title` ``, as it is called in the answer.
    fn place(&self, last: &str) -> String {
        let mut place = String::from("`");
        for name in &self.path {
            place.push_str(&short(name));
            place.push('.');
        }
        place.push_str(&short(last));
        place.push('`');
        place
    }

    /// Fields of one name in the answer are one field, with what is selected of either.
    fn merge(&mut self, selections: &[&'s Selection]) -> Vec<Merged<'s>> {
        let mut merged: Vec<Merged<'s>> = Vec::new();
        let mut places = HashMap::new();
        for selected in selections.iter().flat_map(|selection| selection.fields()) {
            let response = selected.response_key();
            let place = *places.entry(response).or_insert_with(|| {
                merged.push(Merged {
                    response,
                    name: &selected.name,
                    nested: Vec::new(),
                    braces: selected.fields.is_some(),
                });
                merged.len() - 1
            });
            let first = &mut merged[place];
            first.nested.extend(&selected.fields);
            let (one, other) = (first.name, selected.name.as_str());
            if one != other {
                let place = self.place(response);
                self.fault(format!(
                    "{place} stands for `{}` and for `{}`: give one of them another alias",
                    short(one),
                    short(other)
                ));
            } else if first.braces != selected.fields.is_some() {
                let place = self.place(response);
                self.fault(format!(
                    "{place} is selected with braces and without: write it once"
                ));
            }
        }
        merged
    }

    fn object(&mut self, shape: &'static Shape, selections: &[&'s Selection]) -> Option<Plan> {
        if self.path.len() >= MAX_DEPTH {
            self.fault(format!("objects are nested more than {MAX_DEPTH} deep"));
            return None;
        }
        let merged = self.merge(selections);
        if merged.is_empty() && self.empty == Empty::Refused {
            let whose = match self.path.pop() {
                None => format!("`{}`", shape.type_name),
                Some(last) => {
                    let place = self.place(last);
                    self.path.push(last);
                    place
                }
            };
            self.fault(format!(
                "nothing is selected of {whose}: write at least one of {}",
                list(shape)
            ));
            return None;
        }
        let mut fields: Vec<Wanted> = Vec::with_capacity(merged.len().max(1));
        // For each field of the struct, the first and the last field of the answer.
        let mut wanted: Vec<Option<(usize, usize)>> = vec![None; shape.fields.len()];
        let (mut below, mut runs) = (0, false);
        if merged.is_empty() {
            // What is written needs nothing of the document, as the name of a type.
            fields.push(Wanted {
                before: Piece::new(b"{".to_vec()),
                name: String::new(),
                json: "__typename",
                kind: Kind::TypeName,
                nullable: false,
                next: None,
            });
        }
        for one in merged {
            let mut before = format!(
                "{}{}:",
                if fields.is_empty() { '{' } else { ',' },
                quoted(one.response)
            );
            let (kind, nullable, json) = if one.name == "__typename" {
                if one.braces {
                    self.leaf(&one);
                }
                before.push_str(&quoted(shape.type_name));
                (Kind::TypeName, false, "__typename")
            } else {
                let index = self.find(shape, &one);
                let kind = index.and_then(|index| self.kind(&shape.fields[index], &one));
                let (Some(index), Some((kind, nullable))) = (index, kind) else {
                    continue;
                };
                match &mut wanted[index] {
                    None => wanted[index] = Some((fields.len(), fields.len())),
                    Some((_, last)) => {
                        let next = fields.len();
                        let before: &mut Wanted = &mut fields[*last];
                        before.next = Some(next);
                        *last = next;
                    }
                }
                (kind, nullable, shape.fields[index].json)
            };
            if let Kind::One(plan) | Kind::Many(plan) = &kind {
                below = below.max(plan.waiting);
                runs |= plan.runs;
            }
            fields.push(Wanted {
                before: Piece::new(before.into_bytes()),
                name: one.response.to_owned(),
                json,
                kind,
                nullable,
                next: None,
            });
        }
        let orders = Layout::ALL.map(|layout| {
            let order = layout.order(shape, self.keys);
            let known = order.into_iter().enumerate().map(|(place, index)| {
                let key = self.keys.key(&shape.fields[index]);
                let before = layout.before_value(key, place == 0);
                let wanted = wanted[index].map(|(first, _)| first);
                Known {
                    key,
                    wanted,
                    uuid: is_uuid(&shape.fields[index]),
                    same: wanted
                        .is_some_and(|field| fields[field].before.bytes() == before.bytes()),
                    before,
                }
            });
            known.collect::<Box<[Known]>>()
        });
        runs |= orders.iter().any(|order| {
            order.windows(2).any(|pair| {
                let follows = |(one, other): (usize, usize)| one + 1 == other;
                pair[1].same && pair[0].wanted.zip(pair[1].wanted).is_some_and(follows)
            })
        });
        Some(Plan {
            shape,
            orders,
            keys: wanted.iter().flatten().count(),
            waiting: fields.len() + below,
            runs,
            fields: fields.into_boxed_slice(),
        })
    }

    fn find(&mut self, shape: &'static Shape, one: &Merged<'s>) -> Option<usize> {
        let found = shape.fields.iter().position(|field| field.json == one.name);
        if found.is_none() {
            let names = shape.fields.iter().map(|field| field.json);
            // Long names are no slips of the pen, and comparing them takes long.
            let near = (one.name.len() <= 64)
                .then(|| near(one.name, names))
                .flatten();
            let whose = match self.path.is_empty() {
                true => String::new(),
                false => format!(" ({})", self.place(one.response)),
            };
            self.fault(format!(
                "`{}` has no field `{}`{whose}{} Its fields are {}",
                shape.type_name,
                short(one.name),
                match near {
                    Some(_) => did_you_mean(near),
                    None => ".".to_owned(),
                },
                list(shape)
            ));
        }
        found
    }

    /// How the field is written, and whether it may be null.
    fn kind(&mut self, field: &'static schema::Field, one: &Merged<'s>) -> Option<(Kind, bool)> {
        let (child, nullable, many) = match &field.source {
            Source::One(to) => ((to.shape)(), to.nullable, false),
            Source::Many(to) => ((to.shape)(), false, true),
            Source::Column { ty, .. }
            | Source::Expr { ty, .. }
            | Source::Aggregate(schema::Aggregate { ty, .. }) => {
                if one.braces {
                    self.leaf(one);
                    return None;
                }
                return Some(scalar(ty));
            }
        };
        if !one.braces {
            let place = self.place(one.response);
            self.fault(format!(
                "{place} is {}: say which fields, as in `{} {{ {} }}`",
                if many {
                    "a list of objects"
                } else {
                    "an object"
                },
                one.name,
                example(child)
            ));
            return None;
        }
        self.path.push(one.response);
        let plan = self.object(child, &one.nested);
        self.path.pop();
        let kind = if many { Kind::Many } else { Kind::One };
        Some((kind(plan?), nullable))
    }

    fn leaf(&mut self, one: &Merged<'s>) {
        let place = self.place(one.response);
        self.fault(format!(
            "{place} is a scalar and has no fields: leave its braces out"
        ));
    }
}

fn scalar(ty: &ScalarType) -> (Kind, bool) {
    let kind = match ty.list {
        Some(ElementNull::No) => Kind::Elements,
        Some(ElementNull::Yes) | None => Kind::Scalar,
    };
    (kind, ty.nullable)
}

fn is_uuid(field: &schema::Field) -> bool {
    match &field.source {
        Source::Column { ty, .. } | Source::Expr { ty, .. } => {
            ty.list.is_none() && ty.sql == "uuid"
        }
        Source::One(_) | Source::Many(_) | Source::Aggregate(_) => false,
    }
}

/// A name that somebody else wrote, in a message.
fn short(name: &str) -> String {
    let mut short: String = name.chars().take(64).flat_map(char::escape_debug).collect();
    if name.chars().nth(64).is_some() {
        short.push_str("..");
    }
    short
}

fn list(shape: &'static Shape) -> String {
    let names: Vec<&str> = shape.fields.iter().map(|field| field.json).collect();
    names.join(", ")
}

/// The first scalar fields of a struct.
fn example(shape: &'static Shape) -> String {
    let scalars = shape
        .fields
        .iter()
        .filter(|field| !matches!(field.source, Source::One(_) | Source::Many(_)));
    let names: Vec<&str> = scalars.map(|field| field.json).take(3).collect();
    match names.is_empty() {
        true => "__typename".to_owned(),
        false => names.join(" "),
    }
}
