//! Documents by keys whose types are only known at run time: what another service sends as JSON.

use std::sync::Arc;

use serde_json::Value;

use crate::db::byte_limit::ByteLimit;
use crate::error::Result;
use crate::read::by_key::KeyRead;
use crate::read::document::Document;
use crate::read::error::read_failed;
use crate::read::scope::Scope;
use crate::read::stale::ordinal;
use crate::read::target::ReadTarget;
use crate::schema::View;
use crate::schema::key::Keys;
use crate::schema::key_tuple::KeyTuple;
use crate::view::Handle;

/// Why values are no key of a view: the position of a column of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyMismatch {
    /// The column has no value.
    Missing(usize),
    /// The value cannot be one of the column.
    WrongType(usize),
}

/// A list of one key, of the values of its columns. A tenant without a value is that of the scope.
///
/// # Errors
/// [`KeyMismatch`], of the first such column.
pub fn key_of_values(
    view: Handle,
    scope: &Scope,
    values: Vec<Option<Value>>,
) -> std::result::Result<Keys, KeyMismatch> {
    let columns = view.view.key.columns.names().iter();
    let types = view.view.key.types.iter();
    let mut tuple = KeyTuple::empty();
    for (index, ((column, ty), value)) in columns.zip(types).zip(values).enumerate() {
        let value = value.or_else(|| tenant_value(view.view, scope, column));
        let value = value.ok_or(KeyMismatch::Missing(index))?;
        let key = single(ty.sql, &value).ok_or(KeyMismatch::WrongType(index))?;
        tuple.push(key);
    }
    Ok(tuple.into_keys(&view.no_keys()))
}

/// The keys with these texts, as a feed of documents has them: each as a list of one, and as the values of its columns.
/// `None` if one is no key of the view.
#[must_use]
pub fn keys_of_texts(view: Handle, texts: &[String]) -> Option<Vec<(Keys, Vec<Value>)>> {
    Some(each_key(&view.no_keys().parse(texts)?))
}

/// The keys of a list: each as a list of one, and as the values of its columns.
#[must_use]
pub fn each_key(keys: &Keys) -> Vec<(Keys, Vec<Value>)> {
    let each = (1..=keys.len()).map(|place| {
        let key = keys.at(&[place]);
        let values = match key.to_json() {
            Value::Array(mut keys) => keys.pop().unwrap_or_default(),
            other => other,
        };
        let values = match values {
            Value::Array(values) => values,
            value => vec![value],
        };
        (key, values)
    });
    each.collect()
}

/// The first keys of a list, at most `count`.
#[must_use]
pub fn first_keys(keys: &Keys, count: usize) -> Keys {
    keys.first(count)
}

/// The text of a list of one key, as a feed of documents has it.
#[must_use]
pub fn text_of_key(key: &Keys) -> String {
    key.texts().next().unwrap_or_default()
}

fn tenant_value(view: &View, scope: &Scope, column: &str) -> Option<Value> {
    view.tenant.filter(|tenant| tenant.source == column)?;
    match scope {
        Scope::Tenant(keys) => KeyTuple::first_of(keys.clone()).value(0),
        Scope::Whole | Scope::AcrossTenants => None,
    }
}

/// A list of one value. Integers of 64 bits may be texts, as clients that have no such numbers send
/// them.
fn single(sql_type: &str, value: &Value) -> Option<Keys> {
    let none = Keys::of_type(sql_type)?;
    let text = match (value, &none) {
        (Value::Number(number), Keys::I16(_) | Keys::I32(_) | Keys::I64(_)) => number.to_string(),
        // PostgreSQL has no text with this character, and would refuse the keys beside it, too.
        (Value::String(text), Keys::Text(_)) if text.contains('\0') => return None,
        (Value::String(text), Keys::I64(_) | Keys::Text(_) | Keys::Uuid(_)) => text.clone(),
        _ => return None,
    };
    none.parse(&[text])
}

/// The document of a list of one key, within the limit.
pub async fn document_at(
    target: impl ReadTarget,
    view: Handle,
    scope: Scope,
    key: Keys,
    limit: Option<Arc<dyn ByteLimit>>,
) -> Result<Option<Document>> {
    let view = target.view(view);
    let rows = target
        .read(KeyRead::one_within(view, &scope, key, limit))
        .await?;
    Ok(rows.into_iter().next().map(Document::new))
}

/// The documents of keys, in one statement, each at the position of its key. Reading ends as soon as
/// they exceed the limit.
pub async fn documents_at(
    target: impl ReadTarget,
    view: Handle,
    scope: Scope,
    keys: Vec<Keys>,
    limit: Option<Arc<dyn ByteLimit>>,
) -> Result<Vec<Option<Document>>> {
    let view = target.view(view);
    let count = keys.len();
    let mut all = view.no_keys();
    keys.into_iter().for_each(|key| all.append(key));
    let rows = target
        .read(KeyRead::within(view, &scope, all, limit))
        .await?;
    let mut documents: Vec<Option<Document>> = Vec::new();
    documents.resize_with(count, || None);
    for row in rows {
        let place = ordinal(&row).map_err(read_failed(view))?.checked_sub(1);
        if let Some(found) = place.and_then(|place| documents.get_mut(place)) {
            *found = Some(Document::new(row));
        }
    }
    Ok(documents)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_those_of_the_type_or_none() {
        assert_eq!(single("int4", &json!(7)), Some(Keys::I32(vec![7])));
        assert_eq!(single("int8", &json!("7")), Some(Keys::I64(vec![7])));
        assert_eq!(
            single("text", &json!("7")),
            Some(Keys::Text(vec!["7".to_owned()]))
        );
        for (ty, value) in [
            ("int2", json!(70_000)),
            ("int4", json!("7")),
            ("int4", json!(1.5)),
            ("int8", json!("seven")),
            ("text", json!(7)),
            ("text", json!("a\0b")),
            ("uuid", json!("7")),
            ("int4", json!(null)),
            ("int4", json!([7])),
        ] {
            assert_eq!(single(ty, &value), None, "{ty} {value}");
        }
    }
}
