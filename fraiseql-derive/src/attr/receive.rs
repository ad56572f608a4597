//! Reads a list of attributes as darling does, and says more of what cannot be read: where
//! else it goes, or what was probably meant.

use darling::ast::NestedMeta;
use darling::error::Accumulator;
use darling::{Error, FromMeta, Result};
use syn::{Attribute, Meta};

/// What can be written in one place.
pub(crate) trait Receiver: FromMeta + Default {
    /// The place, as in "`views` cannot stand on a field".
    const PLACE: &'static str;
    /// What can be written there.
    const KEYS: &'static [&'static str];
    /// What can be written more than once.
    const REPEATED: &'static [&'static str] = &[];
    /// What can be written elsewhere, and where.
    const ELSEWHERE: &'static [(&'static [&'static str], &'static str)] = &[];
}

/// Arguments that can say how they are written.
pub(crate) trait Arguments: Receiver {
    fn example(name: &str) -> &'static str;
}

/// What the attributes say that can be read; what is wrong with the others is remembered.
pub(crate) fn read<T: Receiver>(attributes: &[Attribute], errors: &mut Accumulator) -> T {
    let (items, broken) = metas(attributes);
    for error in broken {
        errors.push(error);
    }
    receive(items, errors)
}

/// What stands in the `#[tview(..)]` attributes, and the errors of those that are no lists.
fn metas(attributes: &[Attribute]) -> (Vec<NestedMeta>, Vec<Error>) {
    let mut items = Vec::new();
    let mut errors = Vec::new();
    for attribute in attributes.iter().filter(|a| a.path().is_ident("tview")) {
        match &attribute.meta {
            Meta::List(list) => match NestedMeta::parse_meta_list(list.tokens.clone()) {
                Ok(list) => items.extend(list),
                Err(error) => errors.push(error.into()),
            },
            other => errors.push(
                Error::custom("write the attributes in parentheses: `#[tview(..)]`")
                    .with_span(other),
            ),
        }
    }
    (items, errors)
}

/// Reads what can be read, and says what is wrong with the rest.
pub(crate) fn receive<T: Receiver>(items: Vec<NestedMeta>, errors: &mut Accumulator) -> T {
    let mut seen = Vec::new();
    let mut right = Vec::new();
    for item in items {
        let read = known::<T>(&item, &mut seen)
            .and_then(|()| T::from_list(std::slice::from_ref(&item)).map(drop));
        if errors.handle(read).is_some() {
            right.push(item);
        }
    }
    errors.handle(T::from_list(&right)).unwrap_or_default()
}

/// Whether an item has a name that there is, for the first time, and a value if any.
fn known<T: Receiver>(item: &NestedMeta, seen: &mut Vec<String>) -> Result<()> {
    let (path, value) = match item {
        NestedMeta::Meta(meta) => (meta.path(), Ok(())),
        NestedMeta::NameValueInvalidExpr(pair) => (&pair.path, Err(pair)),
        NestedMeta::Lit(value) => {
            let message = format!("a value needs a name; {} {}", T::PLACE, list::<T>());
            return Err(Error::custom(message).with_span(value));
        }
    };
    let name = path
        .get_ident()
        .map_or_else(String::new, ToString::to_string);
    let wrong = if !T::KEYS.contains(&name.as_str()) {
        unknown::<T>(&name)
    } else if seen.contains(&name) && !T::REPEATED.contains(&name.as_str()) {
        format!("`{name}` is given twice")
    } else if let Err(pair) = value {
        if pair.value.is_empty() {
            format!("`{name}` has no value after the `=`")
        } else {
            format!("the value of `{name}` cannot be read: {}", pair.error)
        }
    } else {
        seen.push(name);
        return Ok(());
    };
    Err(Error::custom(wrong).with_span(path))
}

fn unknown<T: Receiver>(name: &str) -> String {
    let place = T::PLACE;
    if let Some((_, elsewhere)) = T::ELSEWHERE.iter().find(|(keys, _)| keys.contains(&name)) {
        return format!("`{name}` goes {elsewhere}; {place} {}", list::<T>());
    }
    match nearest(name, T::KEYS) {
        Some(near) => format!("there is no `{name}` {place}; did you mean `{near}`?"),
        None => format!("there is no `{name}` {place}; {}", list::<T>()),
    }
}

/// "there are `fk` and `key`".
fn list<T: Receiver>() -> String {
    match T::KEYS {
        [] => "there is nothing to write".to_owned(),
        [only] => format!("there is `{only}`"),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(|key| format!("`{key}`")).collect();
            format!("there are {} and `{last}`", first.join(", "))
        }
    }
}

/// The key that was probably meant: the nearest, if more than half of it is right.
fn nearest(name: &str, keys: &[&'static str]) -> Option<&'static str> {
    keys.iter()
        .map(|key| (strsim::levenshtein(name, key), *key))
        .min()
        .filter(|(distance, key)| distance * 2 < key.len().max(name.len()))
        .map(|(_, key)| key)
}

#[cfg(test)]
mod tests {
    use super::nearest;
    use crate::attr::{Receiver, ViewAttr};

    #[test]
    fn the_nearest_key_is_near() {
        for (name, expected) in [
            ("tabel", Some("table")),
            ("Table", Some("table")),
            ("types", None),
            ("typename", Some("type_name")),
            ("materialized", None),
            ("fk", None),
        ] {
            assert_eq!(nearest(name, ViewAttr::KEYS), expected, "{name}");
        }
    }
}
