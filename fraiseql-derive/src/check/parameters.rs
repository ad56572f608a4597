//! Checks `unlogged`, `fillfactor` and `partition(..)`.

use darling::error::Accumulator;

use super::error::error_at;
use crate::attr::{Flag, IntValue, Nested, PartitionAttr, StrValue, ViewAttr};
use crate::model::{Field, Partition, StorageParameters};

/// The error about `unique` in a partitioned view.
pub(super) const NOT_UNIQUE: &str = "a unique index of a partitioned table must contain the \
    partition key, and the view table is partitioned by the key of its documents; remove `unique` \
    and make the column unique in the base table, or remove `partition(..)`";

/// The maximum number of partitions. PostgreSQL has no limit, but planning slows down with their
/// number.
const MAX_PARTITIONS: u16 = 1024;

/// Checks the storage parameters of the view table.
pub(super) fn check(container: &ViewAttr, errors: &mut Accumulator) -> StorageParameters {
    StorageParameters {
        unlogged: container.unlogged.is_some(),
        fillfactor: container
            .fillfactor
            .as_ref()
            .and_then(|number| fillfactor(number, errors)),
        partition: container
            .partition
            .as_ref()
            .and_then(|nested| partition(nested, errors)),
    }
}

fn fillfactor(IntValue(number): &IntValue, errors: &mut Accumulator) -> Option<u8> {
    match number.base10_parse::<u8>() {
        Ok(percent) if (10..=100).contains(&percent) => Some(percent),
        _ => {
            errors.push(error_at(
                number.span(),
                "`fillfactor` must be a whole number from 10 to 100: how full inserts fill a page, \
                 in percent; the default is 85",
            ));
            None
        }
    }
}

fn partition(nested: &Nested<PartitionAttr>, errors: &mut Accumulator) -> Option<Partition> {
    match (&nested.args.hash, &nested.args.range) {
        (Some(number), None) => {
            let count = hash(number, errors)?;
            let tenant = nested.args.tenant.map(|Flag(span)| span);
            Some(Partition::Hash { count, tenant })
        }
        (None, Some(range)) => {
            if let Some(Flag(span)) = nested.args.tenant {
                errors.push(error_at(
                    span,
                    "`tenant` is for `hash`: write `partition(hash = 8, tenant)`",
                ));
            }
            self::range(range, errors)
        }
        (Some(_), Some(range)) => {
            errors.push(error_at(
                range.span(),
                "a view table is partitioned by `hash` or by `range`, not by both",
            ));
            None
        }
        (None, None) => {
            errors.push(error_at(
                nested.span,
                "`partition` needs `hash` or `range`: `partition(hash = 8)`, or \
                 `partition(range = \"1000000, 2000000\")` for ranges of keys",
            ));
            None
        }
    }
}

fn hash(IntValue(number): &IntValue, errors: &mut Accumulator) -> Option<u16> {
    match number.base10_parse::<u16>() {
        Ok(count) if (2..=MAX_PARTITIONS).contains(&count) => Some(count),
        _ => {
            errors.push(error_at(
                number.span(),
                format!(
                    "`hash` must be a whole number from 2 to {MAX_PARTITIONS}: the number of \
                     partitions"
                ),
            ));
            None
        }
    }
}

/// The bounds between the partitions. Whether they are values of the key's type, and ascend, is
/// checked by a proof that the compiler evaluates: only it knows the type.
fn range(text: &StrValue, errors: &mut Accumulator) -> Option<Partition> {
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
        format!("a view table can have at most {MAX_PARTITIONS} partitions")
    } else if let Some(word) = bounds
        .iter()
        .find(|bound| ["minvalue", "maxvalue"].contains(&bound.to_lowercase().as_str()))
    {
        format!(
            "`{word}` is not needed: there is always a partition before the first bound, and one \
             after the last"
        )
    } else if let Some((_, twice)) = bounds
        .iter()
        .enumerate()
        .find(|(index, bound)| bounds.iter().take(*index).any(|other| other == *bound))
    {
        format!("the bound `{twice}` is listed twice")
    } else {
        return Some(Partition::Range {
            bounds,
            span: text.span(),
        });
    };
    errors.push(error_at(text.span(), message));
    None
}

/// Refuses unique fields in a partitioned view.
pub(super) fn check_unique_fields(
    fields: &[Field],
    parameters: &StorageParameters,
    errors: &mut Accumulator,
) {
    // Unique values are unique within a tenant, so their index contains it.
    if parameters.partition.is_none() || parameters.is_by_tenant() {
        return;
    }
    for span in fields
        .iter()
        .filter_map(|field| field.promoted.as_ref()?.unique)
    {
        errors.push(error_at(span, NOT_UNIQUE));
    }
}

/// Checks what partitions are made by: ranges are of keys of one column, and a tenant must be a column of the key.
pub(super) fn check_key(
    fields: &[Field],
    parameters: &StorageParameters,
    errors: &mut Accumulator,
) {
    let columns = fields.iter().filter(|field| field.is_key).count();
    let by_tenant = fields
        .iter()
        .any(|field| field.is_key && field.is_tenant && columns > 1);
    if let Some(Partition::Hash {
        tenant: Some(span), ..
    }) = &parameters.partition
        && !by_tenant
    {
        errors.push(error_at(
            *span,
            "partitions are by a tenant that is one of several columns of the key, since a unique index \
             must contain the partition key: write `#[tview(key, tenant)]` on it, and `#[tview(key)]` on \
             the others",
        ));
    }
    if let Some(Partition::Range { span, .. }) = &parameters.partition
        && columns > 1
    {
        errors.push(error_at(
            *span,
            format!(
                "ranges are of keys of one column, and this key has {columns}: write `partition(hash = 8)`"
            ),
        ));
    }
}
