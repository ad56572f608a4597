//! The name that was probably meant, told in a constant.

use crate::schema::Field;

/// Names that are longer are not compared.
const MAX: usize = 63;

/// The field whose name is nearest, if more than half of it is right, as in the derives; here for names
/// that only the compiler knows.
pub(super) const fn nearest(name: &str, fields: &'static [Field]) -> Option<&'static str> {
    let mut best = None;
    let mut least = usize::MAX;
    let mut index = 0;
    while index < fields.len() {
        let candidate = fields[index].name;
        let longer = if candidate.len() > name.len() {
            candidate.len()
        } else {
            name.len()
        };
        if longer <= MAX {
            let distance = distance(name.as_bytes(), candidate.as_bytes());
            if distance < least && distance * 2 < longer {
                best = Some(candidate);
                least = distance;
            }
        }
        index += 1;
    }
    best
}

/// How many bytes must be put in, taken out, changed, or swapped with the next: row by row.
const fn distance(a: &[u8], b: &[u8]) -> usize {
    // The row that is written, the one before it, and the one before that.
    let mut row = [0; MAX + 1];
    let mut before = row;
    let mut earlier;
    let mut column = 0;
    while column <= b.len() {
        row[column] = column;
        column += 1;
    }
    let mut line = 1;
    while line <= a.len() {
        earlier = before;
        before = row;
        row[0] = line;
        let mut column = 1;
        while column <= b.len() {
            let changed = (a[line - 1] != b[column - 1]) as usize;
            let mut least = before[column - 1] + changed;
            least = smaller(least, before[column] + 1);
            least = smaller(least, row[column - 1] + 1);
            if line > 1
                && column > 1
                && a[line - 1] == b[column - 2]
                && a[line - 2] == b[column - 1]
            {
                least = smaller(least, earlier[column - 2] + 1);
            }
            row[column] = least;
            column += 1;
        }
        line += 1;
    }
    row[b.len()]
}

const fn smaller(a: usize, b: usize) -> usize {
    if a < b { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn the_distance_is_told_in_edits() {
        for (a, b, expected) in [
            ("", "", 0),
            ("", "name", 4),
            ("name", "", 4),
            ("nmae", "name", 1),
            ("name", "name", 0),
            ("fullname", "full_name", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(a.as_bytes(), b.as_bytes()), expected, "{a} {b}");
        }
    }
}
