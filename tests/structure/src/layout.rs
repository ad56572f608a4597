//! Where the file of a module with children belongs: `x/mod.rs`, not `x.rs` beside `x/`.

use std::collections::BTreeSet;

/// The files that should be a `mod.rs`: each `x.rs` beside a directory `x`.
#[must_use]
pub fn beside_directories<'f>(files: impl IntoIterator<Item = &'f str>) -> Vec<&'f str> {
    let files: BTreeSet<&str> = files.into_iter().collect();
    let has_children = |directory: &str| {
        let mut from = files.range(directory..);
        from.next().is_some_and(|file| file.starts_with(directory))
    };
    files
        .iter()
        .copied()
        .filter(|file| {
            let stem = file.strip_suffix(".rs");
            stem.is_some_and(|stem| has_children(&format!("{stem}/")))
        })
        .collect()
}
