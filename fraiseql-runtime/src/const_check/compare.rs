//! Comparisons of texts in constants, where `==` on `str` is not available.

use crate::schema::Columns;

/// `a == b`.
pub(crate) const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut index = 0;
    while index < a.len() {
        if a[index] != b[index] {
            return false;
        }
        index += 1;
    }
    true
}

/// Whether the shape with the id `a` comes before that with the id `b` in the source: by line, and
/// on one line, or in different files, by the id as text.
///
/// Of several structs with the same mistake, the first reports it.
pub(crate) const fn is_before(a: &str, b: &str) -> bool {
    let (line_a, line_b) = (line(a), line(b));
    if line_a != line_b {
        return line_a < line_b;
    }
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut index = 0;
    while index < a.len() && index < b.len() {
        if a[index] != b[index] {
            return a[index] < b[index];
        }
        index += 1;
    }
    a.len() < b.len()
}

/// The line in an id: `module::Name@line:column`.
const fn line(id: &str) -> u32 {
    let id = id.as_bytes();
    let mut line = 0;
    let mut inside = false;
    let mut index = 0;
    while index < id.len() {
        match id[index] {
            b'@' => inside = true,
            b':' => inside = false,
            digit if inside && digit.is_ascii_digit() => line = line * 10 + (digit - b'0') as u32,
            _ => {}
        }
        index += 1;
    }
    line
}

/// Whether two lists of columns have the same names, in the same order.
pub(crate) const fn same_columns(a: Columns, b: Columns) -> bool {
    let (a, b) = (a.names(), b.names());
    if a.len() != b.len() {
        return false;
    }
    let mut index = 0;
    while index < a.len() {
        if !same(a[index], b[index]) {
            return false;
        }
        index += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::{is_before, same};

    #[test]
    fn equal_texts_are_the_same() {
        assert!(same("größe", "größe"));
        assert!(!same("a", "b"));
        assert!(!same("a", "aa"));
    }

    #[test]
    fn shapes_are_sorted_by_line() {
        assert!(is_before("blog::User@9:1", "blog::Post@10:1"));
        assert!(!is_before("blog::Post@10:1", "blog::User@9:1"));
        assert!(is_before("blog::Post@9:1", "blog::User@9:20"));
        assert!(!is_before("blog::Post@9:1", "blog::Post@9:1"));
    }
}
