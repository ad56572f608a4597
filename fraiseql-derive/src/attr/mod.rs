//! Reading of `#[tview(..)]`: one struct of optional values for each place where attributes are
//! allowed.
//!
//! Here only names and the form of values are checked. What the values mean, and whether they can
//! be combined, is decided in `check`.

mod field;
mod keys;
mod receive;
mod scalar;
mod storage;
mod structs;
mod union;
mod value;

pub(crate) use field::{
    AggregateAttr, BetweenAttr, FieldAttr, FirstAttr, ManyAttr, OneAttr, ThroughAttr, ValuesAttr,
};
pub(crate) use receive::{NestedReceiver, Receiver, read};
pub(crate) use scalar::{EnumAttr, NewtypeAttr, NoAttr, VariantAttr};
pub(crate) use storage::{IndexAttr, PartitionAttr};
pub(crate) use structs::{PartAttr, PartOnly, ViewAttr};
pub(crate) use union::{MemberAttr, UnionAttr};
pub(crate) use value::{
    AllOrNames, BoolValue, CratePath, FieldFlag, Flag, FlagOrPath, IntValue, Nested, NoIndex,
    StrValue, StructPath,
};

#[cfg(test)]
mod tests {
    use super::*;

    /// The names of a receiver's fields, as its `Debug` prints them.
    fn fields<T: std::fmt::Debug + Default>() -> Vec<String> {
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
        assert_eq!(fields::<FirstAttr>(), FirstAttr::KEYS);
        assert_eq!(fields::<ValuesAttr>(), ValuesAttr::KEYS);
        assert_eq!(fields::<ThroughAttr>(), ThroughAttr::KEYS);
        assert_eq!(fields::<AggregateAttr>(), AggregateAttr::KEYS);
        assert_eq!(fields::<BetweenAttr>(), BetweenAttr::KEYS);
        assert_eq!(fields::<IndexAttr>(), IndexAttr::KEYS);
        assert_eq!(fields::<PartitionAttr>(), PartitionAttr::KEYS);
        assert_eq!(fields::<NewtypeAttr>(), NewtypeAttr::KEYS);
        assert_eq!(fields::<EnumAttr>(), EnumAttr::KEYS);
        assert_eq!(fields::<VariantAttr>(), VariantAttr::KEYS);
        assert_eq!(fields::<UnionAttr>(), UnionAttr::KEYS);
    }
}
