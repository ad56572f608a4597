//! Checks `index(..)` on the struct of a view.

mod columns;
mod context;
mod document;
mod expression;
mod single;

use std::collections::HashMap;

use darling::error::Accumulator;

pub(super) use self::context::Context;
use super::error::{error_at, if_valid};
use crate::attr::{IndexAttr, Nested, StrValue};
use crate::case;
use crate::model::{Index, IndexOn, Storage};

/// The columns beside the key and the promoted columns that an index can be on. A materialized view
/// has none of them.
pub(super) fn bookkeeping(storage: Storage) -> &'static [&'static str] {
    match storage {
        Storage::Table => &["updated_at", "version"],
        Storage::Live | Storage::Matview { .. } => &[],
    }
}

/// Checks every index, and that no two have the same name.
pub(super) fn check(
    indexes: &[Nested<IndexAttr>],
    context: &Context<'_>,
    errors: &mut Accumulator,
) -> Vec<Index> {
    let table = context.table;
    let generated = |stem: &str| format!("{table}_{stem}_idx");
    // The names in use, each with its owner. First those that exist without `index(..)`.
    let mut names: HashMap<String, String> = context
        .fields
        .iter()
        .filter_map(|field| {
            let promoted = field.promoted.as_ref().filter(|promoted| promoted.index)?;
            let column = &promoted.column;
            let owner = format!("the index of the field `{}`", field.name);
            Some((generated(column), owner))
        })
        .collect();
    names.insert(format!("{table}_pkey"), "the primary key".to_owned());
    let mut valid = Vec::new();
    for nested in indexes {
        let Some(index) = if_valid(errors, |errors| single::check(nested, context, errors)) else {
            continue;
        };
        let name = index.name.clone().unwrap_or_else(|| generated(&index.stem));
        if let Some(owner) = names.insert(name.clone(), "another index".to_owned()) {
            let span = nested
                .args
                .name
                .as_ref()
                .map_or(nested.span, StrValue::span);
            errors.push(error_at(
                span,
                format!(
                    "this index and {owner} would both be named `{name}`; remove one of them, or \
                     give this one another name with `name = \"..\"`"
                ),
            ));
        }
        valid.push(index);
    }
    name_searches(&mut valid);
    valid
}

/// Names the searches that full-text indexes serve, as fields of a filter: `search` is the first, and the others have the
/// names of their indexes as well.
fn name_searches(indexes: &mut [Index]) {
    let mut is_first = true;
    for index in indexes {
        let own = index.name.as_ref().unwrap_or(&index.stem);
        // Documents that a partial index does not have are not found by it.
        if let (IndexOn::FullText { search, .. }, None) = (&mut index.on, &index.filter) {
            let own = own.strip_suffix("_search").unwrap_or(own);
            *search = Some(match std::mem::take(&mut is_first) {
                true => "search".to_owned(),
                false => case::camel(&format!("search_{own}")),
            });
        }
    }
}
