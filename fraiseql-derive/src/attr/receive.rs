//! Reads a list of attributes into a darling receiver, with errors that say more than darling's:
//! where an attribute belongs, which name is near, which names are allowed.

use darling::ast::NestedMeta;
use darling::error::Accumulator;
use darling::{Error, FromMeta, Result};
use syn::{Attribute, Meta};

use crate::nearest::nearest_name;

/// The attributes that are allowed in one place. It has an `Option` for each.
pub(crate) trait Receiver: FromMeta + Default {
    /// The place, as in "there is no `views` on a field".
    const PLACE: &'static str;
    /// The names that are allowed there.
    const KEYS: &'static [&'static str];
    /// The names that are allowed more than once.
    const REPEATABLE: &'static [&'static str] = &[];
    /// Names that are allowed in other places. The first that contains a name wins.
    const MISPLACED: &'static [Misplaced] = &[];
}

/// Names that are allowed in another place.
pub(crate) struct Misplaced {
    pub(super) keys: &'static [&'static str],
    /// The end of "`name` ..", such as "belongs on a field".
    pub(super) hint: &'static str,
}

/// A receiver of attributes in parentheses, such as those of `one(..)`.
pub(crate) trait NestedReceiver: Receiver {
    /// What to write between the parentheses of the attribute `name`.
    fn example(name: &str) -> &'static str;

    /// Whether it may be written without parentheses.
    const MAY_BE_BARE: bool = false;
}

/// Reads the `#[tview(..)]` attributes of an item. Attributes that cannot be read are reported,
/// and left out of the result.
pub(crate) fn read<T: Receiver>(attributes: &[Attribute], errors: &mut Accumulator) -> T {
    let (items, malformed) = items(attributes);
    for error in malformed {
        errors.push(error);
    }
    receive(items, errors)
}

/// The contents of the `#[tview(..)]` attributes, and errors for those that are not lists.
/// Attributes of other macros are not parsed.
fn items(attributes: &[Attribute]) -> (Vec<NestedMeta>, Vec<Error>) {
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

/// Reads the items that are valid, and reports the others.
pub(super) fn receive<T: Receiver>(items: Vec<NestedMeta>, errors: &mut Accumulator) -> T {
    let mut seen = Vec::new();
    let mut valid = Vec::new();
    for item in items {
        // Each item is read by itself: an error in one must not hide the values of the others,
        // or these would be missing later and be reported as well.
        let read = check_name::<T>(&item, &mut seen)
            .and_then(|()| T::from_list(std::slice::from_ref(&item)).map(drop));
        if errors.handle(read).is_some() {
            valid.push(item);
        }
    }
    errors.handle(T::from_list(&valid)).unwrap_or_default()
}

/// Checks that the name of an item is allowed and new, and that its value, if any, is one.
fn check_name<T: Receiver>(item: &NestedMeta, seen: &mut Vec<String>) -> Result<()> {
    let (path, value) = match item {
        NestedMeta::Meta(meta) => (meta.path(), Ok(())),
        NestedMeta::NameValueInvalidExpr(pair) => (&pair.path, Err(pair)),
        NestedMeta::Lit(value) => {
            let message = format!(
                "a value needs a name, as in `name = value`; {}",
                allowed_here::<T>()
            );
            return Err(Error::custom(message).with_span(value));
        }
    };
    let name = path
        .get_ident()
        .map_or_else(String::new, ToString::to_string);
    let message = if !T::KEYS.contains(&name.as_str()) {
        unknown::<T>(&name)
    } else if seen.contains(&name) && !T::REPEATABLE.contains(&name.as_str()) {
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
    Err(Error::custom(message).with_span(path))
}

/// The message about a name that is not allowed.
fn unknown<T: Receiver>(name: &str) -> String {
    let misplaced = T::MISPLACED
        .iter()
        .find(|misplaced| misplaced.keys.contains(&name));
    if let Some(Misplaced { hint, .. }) = misplaced {
        return format!("`{name}` {hint}; {}", allowed_here::<T>());
    }
    let place = T::PLACE;
    match nearest_name(name, T::KEYS) {
        Some(near) => format!("there is no `{name}` {place}; did you mean `{near}`?"),
        None => format!("there is no `{name}` {place}; {}", allowed::<T>("")),
    }
}

/// ``allowed on a variant: `rename` and `json` ``.
fn allowed_here<T: Receiver>() -> String {
    allowed::<T>(&format!(" {}", T::PLACE))
}

fn allowed<T: Receiver>(place: &str) -> String {
    match T::KEYS {
        [] => format!("no attribute is allowed{place}"),
        [only] => format!("allowed{place}: `{only}`"),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(|key| format!("`{key}`")).collect();
            format!("allowed{place}: {} and `{last}`", first.join(", "))
        }
    }
}
