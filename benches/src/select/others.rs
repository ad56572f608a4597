//! The same selections by other libraries, as their documentation says one should.

use anyhow::Context;
use fraiseql_runtime::Selection;
use serde_json::Value;
use sonic_rs::{JsonContainerTrait, JsonValueTrait, PointerTree};

/// What is wanted of an object, with all that can be prepared.
pub(crate) struct Want {
    fields: Vec<Field>,
    /// The ways to the values that are copied and to the lists, through objects.
    tree: PointerTree,
}

struct Field {
    name: String,
    key: String,
    nested: Option<Want>,
}

impl Want {
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

/// An object among the fields is looked into; `comments` is the list.
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

/// Writes an object, of whatever tree.
macro_rules! write_tree {
    ($name:ident, $value:ty, $crate_name:ident) => {
        fn $name(value: &$value, want: &Want, out: &mut Vec<u8>) -> anyhow::Result<()> {
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
    want: &Want,
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
    want: &Want,
    whole: bool,
    out: &mut Vec<u8>,
) -> anyhow::Result<()> {
    let value: sonic_rs::Value = sonic_rs::from_slice(document)?;
    match whole {
        true => Ok(sonic_rs::to_writer(out, &value)?),
        false => write_sonic(&value, want, out),
    }
}

/// The document as one lazy value: it is checked, and copied.
pub(crate) fn sonic_whole(document: &[u8], out: &mut Vec<u8>) -> anyhow::Result<()> {
    let value: sonic_rs::LazyValue<'_> = sonic_rs::from_slice(document)?;
    out.extend_from_slice(value.as_raw_str().as_bytes());
    Ok(())
}

/// All values of an object in one search, then the items of its list in the same way. The text
/// of a list is known to be UTF-8 then, which is not looked at again.
pub(crate) fn sonic_lazy(document: &[u8], want: &Want, out: &mut Vec<u8>) -> anyhow::Result<()> {
    lazy(std::str::from_utf8(document)?, want, out)
}

fn lazy(json: &str, want: &Want, out: &mut Vec<u8>) -> anyhow::Result<()> {
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
