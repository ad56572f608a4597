//! What can be written in `#[tview(..)]`, place by place. What it means is judged elsewhere.

mod receive;
mod scalar;
mod storage;
mod value;

use darling::FromMeta;

pub(crate) use receive::{Arguments, Receiver, read};
pub(crate) use scalar::{EnumAttr, NewtypeAttr, NoAttr, VariantAttr};
pub(crate) use storage::{IndexAttr, PartitionAttr};
pub(crate) use value::{Call, Mark, Number, Root, Struct, Switch, Text, WholeOrPath, Word};

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
    #[darling(multiple)]
    pub(crate) index: Vec<Call<IndexAttr>>,
    pub(crate) unlogged: Option<Word>,
    pub(crate) fillfactor: Option<Number>,
    pub(crate) partition: Option<Call<PartitionAttr>>,
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
        "index",
        "unlogged",
        "fillfactor",
        "partition",
        "serde",
        "crate",
    ];
    const REPEATED: &'static [&'static str] = &["index"];
    const ELSEWHERE: &'static [(&'static [&'static str], &'static str)] = &[
        (
            &["shape_of"],
            "on a struct with #[derive(Embed)], which is a part",
        ),
        (FieldAttr::KEYS, "on a field"),
        (IndexAttr::KEYS, "in `index(..)`"),
        (PartitionAttr::KEYS, "in `partition(..)`"),
    ];
}

/// On the struct of a part.
#[derive(Debug, Default, FromMeta)]
#[darling(default)]
pub(crate) struct PartAttr {
    pub(crate) table: Option<Text>,
    pub(crate) type_name: Option<Text>,
    pub(crate) filter: Option<Text>,
    pub(crate) shape_of: Option<Struct>,
    pub(crate) serde: Option<Switch>,
    #[darling(rename = "crate")]
    pub(crate) krate: Option<Root>,
}

impl Receiver for PartAttr {
    const PLACE: &'static str = "on the struct of a part";
    const KEYS: &'static [&'static str] =
        &["table", "type_name", "filter", "shape_of", "serde", "crate"];
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
    pub(crate) key: Option<Text>,
}

impl Receiver for ThroughAttr {
    const PLACE: &'static str = "in `through(..)`";
    const KEYS: &'static [&'static str] = &["table", "fk", "to", "key"];
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
    pub(super) fn fields<T: std::fmt::Debug + Default>() -> Vec<String> {
        format!("{:#?}", T::default())
            .lines()
            .filter_map(|line| {
                let line = line.trim();
                line.strip_suffix(": None,")
                    .or_else(|| line.strip_suffix(": [],"))
            })
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
        assert_eq!(fields::<IndexAttr>(), IndexAttr::KEYS);
        assert_eq!(fields::<PartitionAttr>(), PartitionAttr::KEYS);
    }
}
