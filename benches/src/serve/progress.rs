//! The progress bar.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar with `length` steps, on standard error.
pub(crate) fn bar(length: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg} {eta}");
    ProgressBar::new(length as u64)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
