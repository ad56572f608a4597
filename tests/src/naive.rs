//! Field selection without regard for speed: each object is parsed, and its keys are searched. It
//! is the oracle for projections.

use std::fmt;

use fraiseql_runtime::Selection;
use fraiseql_runtime::scalar::ElementNull;
use fraiseql_runtime::schema::{Field, Shape, Source};
use fraiseql_runtime::select::{Segment, StoredKeys};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The text that is written, or `None` if it is null and an enclosing value becomes null with it.
pub type Answer = Option<String>;

/// Returns what a selection selects of `document`, which is JSON, and the paths of the values that
/// are null but must not be, in the order of the response.
///
/// # Panics
/// If `document` is not JSON, or the shape lacks a selected field.
#[must_use]
pub fn select(
    shape: &Shape,
    selection: &Selection,
    keys: StoredKeys,
    document: &str,
) -> (Answer, Vec<Vec<Segment>>) {
    let mut naive = Naive {
        keys,
        path: Vec::new(),
        errors: Vec::new(),
    };
    let answer = naive.object(shape, &[selection], document.trim_ascii());
    (answer, naive.errors)
}

/// The entries of an object in their order, with the text of their values; duplicate keys are kept.
struct Entries<'j>(Vec<(String, &'j RawValue)>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(All)
    }
}

/// The texts of the items of a list.
fn items(list: &str) -> Vec<&str> {
    let items: Vec<&RawValue> = serde_json::from_str(list).expect("a list");
    items.into_iter().map(RawValue::get).collect()
}

struct Naive {
    keys: StoredKeys,
    path: Vec<Segment>,
    errors: Vec<Vec<Segment>>,
}

impl Naive {
    fn wrong(&mut self) -> Answer {
        self.errors.push(self.path.clone());
        None
    }

    fn at(&mut self, segment: Segment, answer: impl FnOnce(&mut Self) -> Answer) -> Answer {
        self.path.push(segment);
        let answer = answer(self);
        self.path.pop();
        answer
    }

    fn object(&mut self, shape: &Shape, selections: &[&Selection], json: &str) -> Answer {
        if !json.starts_with('{') {
            return self.wrong();
        }
        let Entries(entries) = serde_json::from_str(json).expect("an object");
        let mut merged: Vec<(&str, &str, Vec<&Selection>)> = Vec::new();
        for selected in selections.iter().flat_map(|selection| selection.fields()) {
            let name = selected.response_key();
            let known = merged.iter().position(|(known, ..)| *known == name);
            let place = known.unwrap_or_else(|| {
                merged.push((name, &selected.name, Vec::new()));
                merged.len() - 1
            });
            merged[place].2.extend(&selected.fields);
        }
        let mut written = Vec::new();
        let mut null = false;
        for (response, name, nested) in merged {
            let answer = if name == "__typename" {
                Some(format!("\"{}\"", shape.type_name))
            } else {
                let mut fields = shape.fields.iter();
                let field = fields.find(|field| field.json == name).expect("a field");
                let key = match self.keys {
                    StoredKeys::Json => field.json,
                    StoredKeys::Rust => field.name,
                };
                let value = entries.iter().find(|(stored, _)| stored == key);
                let value = value.map_or("null", |(_, value)| value.get());
                self.at(Segment::Name(response.to_owned()), |naive| {
                    naive.field(field, &nested, value)
                })
            };
            match answer {
                Some(answer) => {
                    let key = serde_json::to_string(response).expect("a name");
                    written.push(format!("{key}:{answer}"));
                }
                None => null = true,
            }
        }
        (!null).then(|| format!("{{{}}}", written.join(",")))
    }

    fn field(&mut self, field: &Field, nested: &[&Selection], value: &str) -> Answer {
        let (nullable, list) = match &field.source {
            Source::One(one) => (one.nullable, None),
            Source::Many(_) => (false, None),
            Source::First(_) => (true, None),
            Source::Column { ty, .. }
            | Source::Expr { ty, .. }
            | Source::GlobalId { ty }
            | Source::Through { ty, .. } => (ty.nullable, ty.list),
            Source::Aggregate(aggregate) | Source::OfGroup(aggregate) => {
                (aggregate.ty.nullable, aggregate.ty.list)
            }
            Source::Values(values) => (values.ty.nullable, values.ty.list),
        };
        let answer = match &field.source {
            _ if value == "null" && nullable => None,
            _ if value == "null" => self.wrong(),
            Source::One(one) => self.object(one.shape.get(), nested, value),
            Source::First(first) => self.object(first.shape.get(), nested, value),
            Source::Many(many) if value.starts_with('[') => {
                let mut written = Vec::new();
                for (index, item) in items(value).into_iter().enumerate() {
                    written.push(self.at(Segment::Index(index), |naive| {
                        naive.object(many.shape.get(), nested, item)
                    }));
                }
                let written: Option<Vec<String>> = written.into_iter().collect();
                written.map(|items| format!("[{}]", items.join(",")))
            }
            Source::Many(_) => self.wrong(),
            _ if list == Some(ElementNull::No) && value.starts_with('[') => {
                let before = self.errors.len();
                for (index, item) in items(value).into_iter().enumerate() {
                    if item == "null" {
                        self.at(Segment::Index(index), Self::wrong);
                    }
                }
                (self.errors.len() == before).then(|| value.to_owned())
            }
            _ => Some(value.to_owned()),
        };
        match answer {
            None if nullable => Some("null".to_owned()),
            answer => answer,
        }
    }
}
