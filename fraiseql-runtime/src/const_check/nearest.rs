//! The suggestion for an unknown field, computed in a constant.
//!
//! It follows the rule of [`schema::naming`](crate::schema::naming), without allocations.

use crate::schema::Field;
use crate::schema::naming::{MAX_IDENTIFIER_BYTES, max_distance};

/// The maximum number of characters that are compared. A longer name has no suggestion, and is
/// never suggested.
const MAX_CHARS: usize = MAX_IDENTIFIER_BYTES;

/// Which of a field's names is meant.
#[derive(Clone, Copy)]
pub(super) enum NameIn {
    /// That of the struct.
    Rust,
    /// The key in the document. A hidden field has none.
    Document,
}

impl NameIn {
    const fn of(self, field: &'static Field) -> Option<&'static str> {
        match self {
            Self::Rust => Some(field.name),
            Self::Document if field.is_hidden() => None,
            Self::Document => Some(field.json),
        }
    }
}

/// The name of the field to suggest for `unknown`.
pub(super) const fn nearest(
    unknown: &str,
    fields: &'static [Field],
    names: NameIn,
) -> Option<&'static str> {
    let Some(unknown) = Normalized::of(unknown) else {
        return None;
    };
    let mut best = None;
    let mut least = usize::MAX;
    let mut index = 0;
    while index < fields.len() {
        if let Some(name) = names.of(&fields[index])
            && let Some(normalized) = Normalized::of(name)
        {
            let distance = distance(&unknown, &normalized);
            // The first of several with the same distance.
            if distance < least {
                best = Some(name);
                least = distance;
            }
        }
        index += 1;
    }
    if least <= max_distance(unknown.len) {
        best
    } else {
        None
    }
}

/// The characters of a name that are compared: without `_`, `-` and spaces, and ASCII letters in
/// lower case.
struct Normalized {
    chars: [u32; MAX_CHARS],
    len: usize,
}

impl Normalized {
    /// `None` if the name is too long.
    const fn of(name: &str) -> Option<Self> {
        let bytes = name.as_bytes();
        let mut chars = [0; MAX_CHARS];
        let mut len = 0;
        let mut index = 0;
        while index < bytes.len() {
            let (char, width) = decode(bytes, index);
            index += width;
            if char == '_' as u32 || char == '-' as u32 || char == ' ' as u32 {
                continue;
            }
            if len == MAX_CHARS {
                return None;
            }
            chars[len] = char;
            len += 1;
        }
        Some(Self { chars, len })
    }
}

/// The character that begins at a byte of a text in UTF-8, and the number of its bytes.
const fn decode(bytes: &[u8], at: usize) -> (u32, usize) {
    let first = bytes[at];
    if first < 0x80 {
        return (first.to_ascii_lowercase() as u32, 1);
    }
    // The first byte has as many leading ones as the character has bytes.
    let width = first.leading_ones() as usize;
    let mut char = first as u32 & (0x7f >> width);
    let mut index = 1;
    while index < width {
        char = char << 6 | bytes[at + index] as u32 & 0x3f;
        index += 1;
    }
    (char, width)
}

/// The optimal string alignment distance: the number of characters to insert, delete, replace, or
/// swap with the next one.
///
/// The cell (`line`, `column`) of the table is the distance between the first `line` characters of
/// `a` and the first `column` of `b`. It needs the two lines before it, so three are kept.
const fn distance(a: &Normalized, b: &Normalized) -> usize {
    let mut current = [0; MAX_CHARS + 1];
    let mut previous = current;
    let mut before_previous;
    let mut column = 0;
    while column <= b.len {
        current[column] = column;
        column += 1;
    }
    let mut line = 1;
    while line <= a.len {
        before_previous = previous;
        previous = current;
        current[0] = line;
        let mut column = 1;
        while column <= b.len {
            let replaced = (a.chars[line - 1] != b.chars[column - 1]) as usize;
            let mut least = previous[column - 1] + replaced;
            least = smaller(least, previous[column] + 1);
            least = smaller(least, current[column - 1] + 1);
            if line > 1
                && column > 1
                && a.chars[line - 1] == b.chars[column - 2]
                && a.chars[line - 2] == b.chars[column - 1]
            {
                least = smaller(least, before_previous[column - 2] + 1);
            }
            current[column] = least;
            column += 1;
        }
        line += 1;
    }
    current[b.len]
}

const fn smaller(a: usize, b: usize) -> usize {
    if a < b { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::{NameIn, Normalized, distance, nearest};
    use crate::schema::naming::nearest_name;
    use crate::schema::scalar::{JsonEncoding, ScalarType};
    use crate::schema::{Field, Source};

    #[test]
    fn the_distance_is_a_number_of_edits() {
        for (a, b, expected) in [
            ("", "", 0),
            ("", "name", 4),
            ("name", "", 4),
            ("nmae", "name", 1),
            ("name", "name", 0),
            ("fullname", "full_name", 0),
            ("kitten", "sitting", 3),
            ("größe", "grosse", 3),
            ("ca", "abc", 3),
        ] {
            let (Some(left), Some(right)) = (Normalized::of(a), Normalized::of(b)) else {
                unreachable!("short names")
            };
            assert_eq!(distance(&left, &right), expected, "{a} {b}");
        }
    }

    #[test]
    fn the_rule_is_that_of_run_time() {
        let field = |name| Field {
            name,
            json: name,
            docs: None,
            source: Source::Column {
                column: name,
                ty: ScalarType::new("text", JsonEncoding::Native, "String"),
            },
            promoted: None,
        };
        let names = [
            "id",
            "no",
            "name",
            "full_name",
            "created_at",
            "create_date",
            "größe",
            "straße_nummer",
        ];
        let fields: &'static [Field] = Vec::from(names.map(field)).leak();
        for unknown in [
            "",
            "i",
            "ix",
            "xy",
            "di",
            "on",
            "nmae",
            "nam",
            "naem",
            "Name",
            "NAME",
            "fullname",
            "fulName",
            "full-name",
            "fullest",
            "createdAt",
            "created_ta",
            "createDate",
            "created",
            "creation",
            "updated_at",
            "salary",
            "grösse",
            "GRÖSSE",
            "strase_numer",
            "telephone",
            "a_field_whose_name_says_everything_that_anyone_could_want",
        ] {
            // Only ASCII letters are compared without case in a constant.
            if unknown.chars().all(|c| c.is_ascii() || c.is_lowercase()) {
                assert_eq!(
                    nearest(unknown, fields, NameIn::Rust),
                    nearest_name(unknown, names),
                    "{unknown}"
                );
            }
        }
    }
}
