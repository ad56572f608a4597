//! Checks `storage` and `refresh`, and refuses what a view without a view table cannot have.

use darling::error::Accumulator;
use proc_macro2::Span;

use super::error::error_at;
use crate::attr::{StrValue, ViewAttr};
use crate::model::{Field, Storage};

/// The units of `refresh`, in seconds.
const UNITS: [(char, u64); 4] = [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400)];

/// The longest interval: a year.
const MAX_SECONDS: u64 = 366 * 86_400;

/// Checks where documents are stored, and the attributes that depend on it.
pub(super) fn check(container: &ViewAttr, errors: &mut Accumulator) -> Storage {
    let storage = storage(container, errors);
    for (name, span, hint) in excluded(container, &storage) {
        let message = match storage {
            Storage::Live => format!(
                "`{name}` is not possible with `storage = \"live\"`: documents are built when they \
                 are read, and there is no view table; {hint}"
            ),
            _ => format!(
                "`{name}` is not possible with `storage = \"matview\"`: documents are in a \
                 materialized view, which only a refresh changes; {hint}"
            ),
        };
        errors.push(error_at(span, message));
    }
    storage
}

/// Refuses unique fields in a view without a view table.
pub(super) fn check_unique_fields(fields: &[Field], storage: &Storage, errors: &mut Accumulator) {
    if *storage != Storage::Live {
        return;
    }
    let unique = fields
        .iter()
        .filter_map(|field| field.promoted.as_ref()?.unique);
    for span in unique {
        errors.push(error_at(
            span,
            "`unique` is not possible with `storage = \"live\"`: there is no view table with a \
             unique index; make the column unique in the base table, and write `filter` here",
        ));
    }
}

fn storage(container: &ViewAttr, errors: &mut Accumulator) -> Storage {
    let name = container.storage.as_ref();
    let storage = match name.map(StrValue::value).as_deref() {
        None | Some("table") => Storage::Table,
        Some("live") => Storage::Live,
        Some("matview") => Storage::Matview {
            refresh: container
                .refresh
                .as_ref()
                .and_then(|text| interval(text, errors)),
        },
        Some(other) => {
            let message = format!(
                "unknown `storage` `{other}`; it can be \"table\", whose documents are synced, \
                 \"live\", whose documents are built when they are read, or \"matview\", a \
                 materialized view that is refreshed"
            );
            errors.push(error_at(
                name.map_or_else(Span::call_site, StrValue::span),
                message,
            ));
            // Neither complain about what another storage would exclude.
            return Storage::Table;
        }
    };
    if let Some(refresh) = &container.refresh
        && !matches!(storage, Storage::Matview { .. })
    {
        errors.push(error_at(
            refresh.span(),
            "`refresh` is how often a materialized view is refreshed: add \
             `storage = \"matview\"`, or remove it",
        ));
    }
    storage
}

/// The seconds of an interval such as `5m`.
fn interval(text: &StrValue, errors: &mut Accumulator) -> Option<u64> {
    let value = text.value();
    let unit = UNITS.iter().find(|(unit, _)| value.ends_with(*unit));
    let seconds = unit.and_then(|(unit, seconds)| {
        let number = value.strip_suffix(*unit)?;
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let number: u64 = is_number.then(|| number.parse().ok())??;
        number.checked_mul(*seconds)
    });
    let seconds = seconds.filter(|seconds| (1..=MAX_SECONDS).contains(seconds));
    if seconds.is_none() {
        errors.push(error_at(
            text.span(),
            "`refresh` must be a whole number and a unit, from \"1s\" to \"366d\": `s`, `m`, `h` or \
             `d`, as in \"5m\"",
        ));
    }
    seconds
}

/// The attributes that this storage excludes: each with its span, and what to do instead.
fn excluded(container: &ViewAttr, storage: &Storage) -> Vec<(&'static str, Span, &'static str)> {
    let live = match storage {
        Storage::Table => return Vec::new(),
        Storage::Live => true,
        Storage::Matview { .. } => false,
    };
    let mut excluded = Vec::new();
    if let Some(text) = container.view.as_ref().filter(|_| live) {
        excluded.push(("view", text.span(), "remove it"));
    }
    if let Some(text) = container
        .sync
        .as_ref()
        .filter(|text| text.value() == "eventual")
    {
        excluded.push(("sync", text.span(), "remove it: nothing is synced"));
    }
    for index in container.index.iter().filter(|_| live) {
        excluded.push((
            "index",
            index.span,
            "create the index on the base table, in your own migrations",
        ));
    }
    if let Some(flag) = &container.unlogged {
        excluded.push(("unlogged", flag.0, "remove it"));
    }
    if let Some(number) = &container.fillfactor {
        excluded.push(("fillfactor", number.0.span(), "remove it"));
    }
    if let Some(partition) = &container.partition {
        excluded.push(("partition", partition.span, "remove it"));
    }
    excluded
}
