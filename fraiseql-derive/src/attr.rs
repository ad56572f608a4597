//! What can be written in `#[tview(..)]`, as darling reads it. What it means is judged
//! elsewhere; here is only said what cannot be read.

use darling::ast::NestedMeta;
use darling::error::Accumulator;
use darling::{Error, FromMeta, Result};
use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, Lit, LitInt, LitStr, Meta, Path};

/// What can be written in one place.
pub(crate) trait Receiver: FromMeta + Default {
    /// The place, as in "`views` cannot stand on a field".
    const PLACE: &'static str;
    /// What can be written there.
    const KEYS: &'static [&'static str];
    /// What can be written elsewhere, and where.
    const ELSEWHERE: &'static [(&'static [&'static str], &'static str)] = &[];
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
            let message = format!(
                "a value needs a name; {} there are {}",
                T::PLACE,
                list::<T>()
            );
            return Err(Error::custom(message).with_span(value));
        }
    };
    let name = path
        .get_ident()
        .map_or_else(String::new, ToString::to_string);
    let wrong = if !T::KEYS.contains(&name.as_str()) {
        unknown::<T>(&name)
    } else if seen.contains(&name) {
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
        return format!(
            "`{name}` goes {elsewhere}; {place} there are {}",
            list::<T>()
        );
    }
    match nearest(name, T::KEYS) {
        Some(near) => format!("there is no `{name}` {place}; did you mean `{near}`?"),
        None => format!("there is no `{name}` {place}; there are {}", list::<T>()),
    }
}

/// "`fk` and `key`".
fn list<T: Receiver>() -> String {
    match T::KEYS {
        [] => String::new(),
        [only] => format!("`{only}`"),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(|key| format!("`{key}`")).collect();
            format!("{} and `{last}`", first.join(", "))
        }
    }
}

/// The key that was probably meant: the nearest, if more than half of it is right.
fn nearest(name: &str, keys: &[&'static str]) -> Option<&'static str> {
    keys.iter()
        .map(|key| (distance(name, key), *key))
        .min()
        .filter(|(distance, key)| distance * 2 < key.len().max(name.len()))
        .map(|(_, key)| key)
}

/// How many letters must be added, removed or replaced to make one of the other.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (1..=b.chars().count()).collect();
    for (index, from) in a.chars().enumerate() {
        let mut diagonal = index;
        let mut left = index + 1;
        for (cell, to) in row.iter_mut().zip(b.chars()) {
            let replaced = diagonal + usize::from(from != to);
            diagonal = *cell;
            left = replaced.min(left + 1).min(*cell + 1);
            *cell = left;
        }
    }
    row.last().copied().unwrap_or(a.chars().count())
}

/// A string, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Text(pub(crate) LitStr);

impl Text {
    pub(crate) fn value(&self) -> String {
        self.0.value()
    }

    pub(crate) fn span(&self) -> Span {
        self.0.span()
    }
}

impl FromMeta for Text {
    fn from_meta(item: &Meta) -> Result<Self> {
        if let Meta::NameValue(pair) = item
            && let Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) = &pair.value
        {
            return Ok(Self(text.clone()));
        }
        let name = name_of(item);
        Err(Error::custom(format!("`{name}` takes a string: `{name} = \"..\"`")).with_span(item))
    }
}

/// A whole number, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Number(pub(crate) LitInt);

impl FromMeta for Number {
    fn from_meta(item: &Meta) -> Result<Self> {
        if let Meta::NameValue(pair) = item
            && let Expr::Lit(ExprLit {
                lit: Lit::Int(number),
                ..
            }) = &pair.value
        {
            return Ok(Self(number.clone()));
        }
        let name = name_of(item);
        Err(Error::custom(format!("`{name}` takes a whole number: `{name} = 50`")).with_span(item))
    }
}

/// A word that is there or not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark(pub(crate) Span);

impl FromMeta for Mark {
    fn from_meta(item: &Meta) -> Result<Self> {
        match item {
            Meta::Path(path) => Ok(Self(path.span())),
            _ => {
                let name = name_of(item);
                Err(Error::custom(format!(
                    "`{name}` on a field takes no value: write `{name}` alone"
                ))
                .with_span(item))
            }
        }
    }
}

/// `true` or `false`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Switch(pub(crate) bool);

impl FromMeta for Switch {
    fn from_meta(item: &Meta) -> Result<Self> {
        if let Meta::NameValue(pair) = item
            && let Expr::Lit(ExprLit {
                lit: Lit::Bool(value),
                ..
            }) = &pair.value
        {
            return Ok(Self(value.value));
        }
        let name = name_of(item);
        Err(
            Error::custom(format!("`{name}` takes true or false: `{name} = false`"))
                .with_span(item),
        )
    }
}

/// The path of a crate.
#[derive(Clone, Debug)]
pub(crate) struct Root(pub(crate) Path);

impl FromMeta for Root {
    fn from_meta(item: &Meta) -> Result<Self> {
        if let Meta::NameValue(pair) = item
            && let Expr::Path(path) = &pair.value
        {
            return Ok(Self(path.path.clone()));
        }
        let name = name_of(item);
        Err(Error::custom(format!(
            "`{name}` takes a path: `{name} = ::fraiseql_runtime`"
        ))
        .with_span(item))
    }
}

/// Arguments in parentheses, and where their name stands.
#[derive(Clone, Debug)]
pub(crate) struct Call<T> {
    pub(crate) span: Span,
    pub(crate) args: T,
}

/// Arguments that can say how they are written.
pub(crate) trait Arguments: Receiver {
    fn example(name: &str) -> &'static str;
}

impl<T: Arguments> FromMeta for Call<T> {
    fn from_meta(item: &Meta) -> Result<Self> {
        let Meta::List(list) = item else {
            let name = name_of(item);
            return Err(Error::custom(format!(
                "`{name}` takes arguments: `{name}({})`",
                T::example(&name)
            ))
            .with_span(item));
        };
        let items = NestedMeta::parse_meta_list(list.tokens.clone())?;
        let mut errors = Error::accumulator();
        let args = receive(items, &mut errors);
        errors.finish_with(Self {
            span: list.path.span(),
            args,
        })
    }
}

fn name_of(item: &Meta) -> String {
    item.path()
        .get_ident()
        .map_or_else(String::new, ToString::to_string)
}

/// On the struct of a view.
#[derive(Debug, Default, FromMeta)]
#[darling(default)]
pub(crate) struct ViewAttr {
    pub(crate) table: Option<Text>,
    pub(crate) view: Option<Text>,
    pub(crate) entity: Option<Text>,
    pub(crate) plural: Option<Text>,
    pub(crate) type_name: Option<Text>,
    pub(crate) data: Option<Text>,
    pub(crate) filter: Option<Text>,
    pub(crate) serde: Option<Switch>,
    #[darling(rename = "crate")]
    pub(crate) krate: Option<Root>,
}

impl Receiver for ViewAttr {
    const PLACE: &'static str = "on the struct of a view";
    const KEYS: &'static [&'static str] = &[
        "table",
        "view",
        "entity",
        "plural",
        "type_name",
        "data",
        "filter",
        "serde",
        "crate",
    ];
    const ELSEWHERE: &'static [(&'static [&'static str], &'static str)] =
        &[(FieldAttr::KEYS, "on a field")];
}

/// On the struct of a part.
#[derive(Debug, Default, FromMeta)]
#[darling(default)]
pub(crate) struct PartAttr {
    pub(crate) table: Option<Text>,
    pub(crate) type_name: Option<Text>,
    pub(crate) filter: Option<Text>,
    pub(crate) serde: Option<Switch>,
    #[darling(rename = "crate")]
    pub(crate) krate: Option<Root>,
}

impl Receiver for PartAttr {
    const PLACE: &'static str = "on the struct of a part";
    const KEYS: &'static [&'static str] = &["table", "type_name", "filter", "serde", "crate"];
    const ELSEWHERE: &'static [(&'static [&'static str], &'static str)] = &[
        (
            ViewAttr::KEYS,
            "on a struct with #[derive(TView)], which has a view table",
        ),
        (FieldAttr::KEYS, "on a field"),
    ];
}

impl From<PartAttr> for ViewAttr {
    fn from(part: PartAttr) -> Self {
        Self {
            table: part.table,
            type_name: part.type_name,
            filter: part.filter,
            serde: part.serde,
            krate: part.krate,
            ..Self::default()
        }
    }
}

/// On a field.
#[derive(Debug, Default, FromMeta)]
#[darling(default)]
pub(crate) struct FieldAttr {
    pub(crate) key: Option<Mark>,
    pub(crate) column: Option<Text>,
    pub(crate) json: Option<Text>,
    pub(crate) skip: Option<Mark>,
    pub(crate) filter: Option<Mark>,
    pub(crate) sort: Option<Mark>,
    pub(crate) unique: Option<Mark>,
    pub(crate) expr: Option<Text>,
    pub(crate) one: Option<Call<OneAttr>>,
    pub(crate) many: Option<Call<ManyAttr>>,
    pub(crate) count: Option<Call<AggregateAttr>>,
    pub(crate) sum: Option<Call<AggregateAttr>>,
    pub(crate) avg: Option<Call<AggregateAttr>>,
    pub(crate) min: Option<Call<AggregateAttr>>,
    pub(crate) max: Option<Call<AggregateAttr>>,
    pub(crate) exists: Option<Call<AggregateAttr>>,
}

impl Receiver for FieldAttr {
    const PLACE: &'static str = "on a field";
    const KEYS: &'static [&'static str] = &[
        "key", "column", "json", "skip", "filter", "sort", "unique", "expr", "one", "many",
        "count", "sum", "avg", "min", "max", "exists",
    ];
    const ELSEWHERE: &'static [(&'static [&'static str], &'static str)] = &[
        (OneAttr::KEYS, "in `one(..)` or `many(..)`"),
        (ManyAttr::KEYS, "in `many(..)`"),
        (ViewAttr::KEYS, "on the struct"),
    ];
}

/// `one(..)`.
#[derive(Clone, Debug, Default, FromMeta)]
#[darling(default)]
pub(crate) struct OneAttr {
    pub(crate) fk: Option<Text>,
    pub(crate) key: Option<Text>,
}

impl Receiver for OneAttr {
    const PLACE: &'static str = "in `one(..)`";
    const KEYS: &'static [&'static str] = &["fk", "key"];
    const ELSEWHERE: &'static [(&'static [&'static str], &'static str)] =
        &[(ManyAttr::KEYS, "in `many(..)`")];
}

impl Arguments for OneAttr {
    fn example(_: &str) -> &'static str {
        "fk = \"author_id\""
    }
}

/// `many(..)`.
#[derive(Clone, Debug, Default, FromMeta)]
#[darling(default)]
pub(crate) struct ManyAttr {
    pub(crate) fk: Option<Text>,
    pub(crate) key: Option<Text>,
    pub(crate) order_by: Option<Text>,
    pub(crate) limit: Option<Number>,
    pub(crate) filter: Option<Text>,
    pub(crate) through: Option<Call<ThroughAttr>>,
}

impl Receiver for ManyAttr {
    const PLACE: &'static str = "in `many(..)`";
    const KEYS: &'static [&'static str] = &["fk", "key", "order_by", "limit", "filter", "through"];
    const ELSEWHERE: &'static [(&'static [&'static str], &'static str)] =
        &[(ThroughAttr::KEYS, "in `through(..)`")];
}

impl Arguments for ManyAttr {
    fn example(_: &str) -> &'static str {
        "fk = \"post_id\""
    }
}

/// `through(..)`.
#[derive(Clone, Debug, Default, FromMeta)]
#[darling(default)]
pub(crate) struct ThroughAttr {
    pub(crate) table: Option<Text>,
    pub(crate) fk: Option<Text>,
    pub(crate) to: Option<Text>,
}

impl Receiver for ThroughAttr {
    const PLACE: &'static str = "in `through(..)`";
    const KEYS: &'static [&'static str] = &["table", "fk", "to"];
    const ELSEWHERE: &'static [(&'static [&'static str], &'static str)] =
        &[(ManyAttr::KEYS, "in `many(..)`")];
}

impl Arguments for ThroughAttr {
    fn example(_: &str) -> &'static str {
        "table = \"tb_post_tag\", fk = \"post_id\", to = \"tag_id\""
    }
}

/// `count(..)` and its like.
#[derive(Clone, Debug, Default, FromMeta)]
#[darling(default)]
pub(crate) struct AggregateAttr {
    pub(crate) table: Option<Text>,
    pub(crate) fk: Option<Text>,
    pub(crate) key: Option<Text>,
    pub(crate) expr: Option<Text>,
    pub(crate) filter: Option<Text>,
}

impl Receiver for AggregateAttr {
    const PLACE: &'static str = "in an aggregate";
    const KEYS: &'static [&'static str] = &["table", "fk", "key", "expr", "filter"];
}

impl Arguments for AggregateAttr {
    fn example(name: &str) -> &'static str {
        match name {
            "count" | "exists" => "table = \"tb_comment\", fk = \"post_id\"",
            _ => "table = \"tb_line\", fk = \"order_id\", expr = \"{}.price\"",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names of a receiver's fields, as its `Debug` writes them.
    fn fields<T: std::fmt::Debug + Default>() -> Vec<String> {
        format!("{:#?}", T::default())
            .lines()
            .filter_map(|line| line.trim().strip_suffix(": None,"))
            .map(|name| name.replace("krate", "crate"))
            .collect()
    }

    #[test]
    fn keys_are_the_names_of_the_fields() {
        assert_eq!(fields::<ViewAttr>(), ViewAttr::KEYS);
        assert_eq!(fields::<PartAttr>(), PartAttr::KEYS);
        assert_eq!(fields::<FieldAttr>(), FieldAttr::KEYS);
        assert_eq!(fields::<OneAttr>(), OneAttr::KEYS);
        assert_eq!(fields::<ManyAttr>(), ManyAttr::KEYS);
        assert_eq!(fields::<ThroughAttr>(), ThroughAttr::KEYS);
        assert_eq!(fields::<AggregateAttr>(), AggregateAttr::KEYS);
    }

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
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
