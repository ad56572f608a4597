//! Names of indexes and partitions, which are composed of other names.

use crate::schema::naming::MAX_IDENTIFIER_BYTES;
use crate::sql::hash::fnv1a;

/// `<stem><suffix>`, shortened to the maximum length of an identifier.
///
/// A shortened name contains a hash of the whole name: without it, two long names with the same
/// beginning would become one.
pub(crate) fn shortened(stem: &str, suffix: &str) -> String {
    let whole = format!("{stem}{suffix}");
    if whole.len() <= MAX_IDENTIFIER_BYTES {
        return whole;
    }
    let tail = format!("_{:016x}{suffix}", fnv1a(&whole));
    let mut end = MAX_IDENTIFIER_BYTES - tail.len();
    while !whole.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{tail}", &whole[..end])
}

#[cfg(test)]
mod tests {
    use super::{MAX_IDENTIFIER_BYTES, shortened};

    #[test]
    fn shortened_names_fit_and_stay_different() {
        assert_eq!(shortened("tv_post_title", "_idx"), "tv_post_title_idx");
        let long = "é".repeat(40);
        let (a, b) = (
            shortened(&format!("{long}a"), "_idx"),
            shortened(&format!("{long}b"), "_idx"),
        );
        assert!(
            a.len() <= MAX_IDENTIFIER_BYTES && a.ends_with("_idx"),
            "{a}"
        );
        assert_ne!(a, b);
    }
}
