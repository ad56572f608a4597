//! The same selections with other JSON libraries, as their documentation recommends.

use anyhow::Context;
use fraiseql_runtime::Selection;
use serde_json::Value;
use sonic_rs::{JsonContainerTrait, JsonValueTrait, PointerTree};

/// The selected fields of an object, with everything that can be computed in advance.
pub(crate) struct Wanted {
    fields: Vec<Field>,
    /// Paths, through nested objects, to the values that are copied and to lists.
    tree: PointerTree,
}

struct Field {
    name: String,
    key: String,
    nested: Option<Wanted>,
}

impl Wanted {
    pub(crate) fn of(selection: &Selection) -> Self {
        let fields = selection.fields().iter().map(|field| Field {
            name: field.name.clone(),
            key: format!("\"{}\":", field.name),
            nested: field.fields.as_ref().map(Self::of),
        });
        let fields: Vec<Field> = fields.collect();
        let mut tree = PointerTree::new();
        paths(&fields, &mut Vec::new(), &mut tree);
        Self { fields, tree }
    }
}

/// Adds the paths of all fields. Nested objects are descended into; `comments` is the only list.
fn paths(fields: &[Field], path: &mut Vec<String>, tree: &mut PointerTree) {
    for field in fields {
        path.push(field.name.clone());
        match &field.nested {
            Some(want) if field.name != "comments" => paths(&want.fields, path, tree),
            _ => tree.add_path(path.iter()),
        }
        path.pop();
    }
}

/// Defines a function that writes an object of a parsed document.
macro_rules! write_tree {
    ($name:ident, $value:ty, $crate_name:ident) => {
        fn $name(value: &$value, want: &Wanted, out: &mut Vec<u8>) -> anyhow::Result<()> {
            let mut comma = b'{';
            for field in &want.fields {
                out.push(comma);
                comma = b',';
                out.extend_from_slice(field.key.as_bytes());
                let value = value.get(field.name.as_str()).context("absent")?;
                match (&field.nested, value.as_array()) {
                    (None, _) => $crate_name::to_writer(&mut *out, value)?,
                    (Some(want), None) => $name(value, want, out)?,
                    (Some(want), Some(items)) => {
                        out.push(b'[');
                        for (index, item) in items.iter().enumerate() {
                            if index > 0 {
                                out.push(b',');
                            }
                            $name(item, want, out)?;
                        }
                        out.push(b']');
                    }
                }
            }
            out.push(b'}');
            Ok(())
        }
    };
}

write_tree!(write_serde, Value, serde_json);
write_tree!(write_sonic, sonic_rs::Value, sonic_rs);

pub(crate) fn serde_value(
    document: &[u8],
    want: &Wanted,
    whole: bool,
    out: &mut Vec<u8>,
) -> anyhow::Result<()> {
    let value: Value = serde_json::from_slice(document)?;
    match whole {
        true => Ok(serde_json::to_writer(out, &value)?),
        false => write_serde(&value, want, out),
    }
}

pub(crate) fn sonic_value(
    document: &[u8],
    want: &Wanted,
    whole: bool,
    out: &mut Vec<u8>,
) -> anyhow::Result<()> {
    let value: sonic_rs::Value = sonic_rs::from_slice(document)?;
    match whole {
        true => Ok(sonic_rs::to_writer(out, &value)?),
        false => write_sonic(&value, want, out),
    }
}

/// Validates the document as one lazy value, and copies it.
pub(crate) fn sonic_whole(document: &[u8], out: &mut Vec<u8>) -> anyhow::Result<()> {
    let value: sonic_rs::LazyValue<'_> = sonic_rs::from_slice(document)?;
    out.extend_from_slice(value.as_raw_str().as_bytes());
    Ok(())
}

/// Finds all values of an object in one pass, and then those of the items of its list. UTF-8 is
/// validated once, for the whole document.
pub(crate) fn sonic_lazy(document: &[u8], want: &Wanted, out: &mut Vec<u8>) -> anyhow::Result<()> {
    lazy(std::str::from_utf8(document)?, want, out)
}

fn lazy(json: &str, want: &Wanted, out: &mut Vec<u8>) -> anyhow::Result<()> {
    let values = sonic_rs::get_many(json, &want.tree)?;
    lazy_fields(&want.fields, &mut values.into_iter(), out)
}

fn lazy_fields<'j>(
    fields: &[Field],
    values: &mut impl Iterator<Item = Option<sonic_rs::LazyValue<'j>>>,
    out: &mut Vec<u8>,
) -> anyhow::Result<()> {
    let mut comma = b'{';
    for field in fields {
        out.push(comma);
        comma = b',';
        out.extend_from_slice(field.key.as_bytes());
        match &field.nested {
            Some(want) if field.name == "comments" => {
                let list = values.next().flatten().context("absent")?;
                out.push(b'[');
                for (index, item) in sonic_rs::to_array_iter(list.as_raw_str()).enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    lazy(item?.as_raw_str(), want, out)?;
                }
                out.push(b']');
            }
            Some(want) => lazy_fields(&want.fields, values, out)?,
            None => {
                let value = values.next().flatten().context("absent")?;
                out.extend_from_slice(value.as_raw_str().as_bytes());
            }
        }
    }
    out.push(b'}');
    Ok(())
}
