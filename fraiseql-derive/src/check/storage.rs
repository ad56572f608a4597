//! What `unlogged`, `fillfactor` and `partition(..)` mean.

use darling::error::Accumulator;

use super::error::at;
use crate::attr::{Call, Number, PartitionAttr, Text, ViewAttr};
use crate::model::{Field, Partition, Storage};

/// Why something cannot be unique.
pub(super) const NOT_UNIQUE: &str = "in a partitioned table only what contains the partition key \
    can be unique, and the view table is partitioned by the key of its documents; leave \
    `unique` out, and make the column unique in the base table, or leave `partition(..)` out";

const MAX_PARTITIONS: u16 = 1024;

/// How the rows of the view table are kept.
pub(super) fn check(container: &ViewAttr, errors: &mut Accumulator) -> Storage {
    Storage {
        unlogged: container.unlogged.is_some(),
        fillfactor: container
            .fillfactor
            .as_ref()
            .and_then(|number| fillfactor(number, errors)),
        partition: container
            .partition
            .as_ref()
            .and_then(|call| partition(call, errors)),
    }
}

fn fillfactor(Number(number): &Number, errors: &mut Accumulator) -> Option<u8> {
    match number.base10_parse::<u8>() {
        Ok(percent) if (10..=100).contains(&percent) => Some(percent),
        _ => {
            errors.push(at(
                number.span(),
                "`fillfactor` is how full a page is filled, in percent: a whole number from 10 \
                 to 100; without it, 85",
            ));
            None
        }
    }
}

fn partition(call: &Call<PartitionAttr>, errors: &mut Accumulator) -> Option<Partition> {
    match (&call.args.hash, &call.args.range) {
        (Some(number), None) => hash(number, errors),
        (None, Some(range)) => self::range(range, errors),
        (Some(_), Some(range)) => {
            errors.push(at(
                range.span(),
                "a table is partitioned one way: by `hash` or by `range`",
            ));
            None
        }
        (None, None) => {
            errors.push(at(
                call.span,
                "say how the table is partitioned: `partition(hash = 8)`, or by ranges of keys: \
                 `partition(range = \"1000000, 2000000\")`",
            ));
            None
        }
    }
}

fn hash(Number(number): &Number, errors: &mut Accumulator) -> Option<Partition> {
    match number.base10_parse::<u16>() {
        Ok(count) if (2..=MAX_PARTITIONS).contains(&count) => Some(Partition::Hash(count)),
        _ => {
            errors.push(at(
                number.span(),
                format!(
                    "`hash` is the number of partitions: a whole number from 2 to {MAX_PARTITIONS}"
                ),
            ));
            None
        }
    }
}

/// The bounds between the partitions. Their type is checked by the compiler, which knows that
/// of the key.
fn range(text: &Text, errors: &mut Accumulator) -> Option<Partition> {
    let bounds: Vec<String> = text
        .value()
        .split(',')
        .map(|bound| bound.trim().to_owned())
        .collect();
    let message = if bounds.iter().any(String::is_empty) {
        "write the keys where a new partition begins, separated by commas: \
         `range = \"1000000, 2000000\"`"
            .to_owned()
    } else if bounds.len() >= usize::from(MAX_PARTITIONS) {
        format!("a view table has at most {MAX_PARTITIONS} partitions")
    } else if let Some(word) = bounds
        .iter()
        .find(|bound| ["minvalue", "maxvalue"].contains(&bound.to_lowercase().as_str()))
    {
        format!(
            "`{word}` is there by itself: before the first bound and after the last one there is \
             a partition each"
        )
    } else if let Some((_, twice)) = bounds
        .iter()
        .enumerate()
        .find(|(index, bound)| bounds.iter().take(*index).any(|other| other == *bound))
    {
        format!("the bound `{twice}` is there twice")
    } else {
        return Some(Partition::Range {
            bounds,
            span: text.span(),
        });
    };
    errors.push(at(text.span(), message));
    None
}

/// The unique fields of a view whose table is partitioned.
pub(super) fn check_unique(fields: &[Field], storage: &Storage, errors: &mut Accumulator) {
    if storage.partition.is_none() {
        return;
    }
    for span in fields
        .iter()
        .filter_map(|field| field.promoted.as_ref()?.unique)
    {
        errors.push(at(span, NOT_UNIQUE));
    }
}
