//! Lines and columns of a text.

use async_graphql::Pos;

/// Finds the positions of byte offsets in a text.
///
/// Lines end with `\n`, `\r` or `\r\n`, and columns are counted in UTF-16, as graphql-js and editors
/// in a browser do.
pub(crate) struct Positions<'a> {
    text: &'a str,
    /// The offsets at which lines begin.
    lines: Vec<usize>,
    is_ascii: bool,
    /// The last position that was asked for, with its offset. Offsets are asked for in the order of
    /// the text, and counting goes on from there: a line of a megabyte is not counted from its
    /// beginning for each token.
    last: (usize, Pos),
}

impl<'a> Positions<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let bytes = text.as_bytes();
        let ends = bytes.iter().enumerate().filter(|(at, byte)| {
            **byte == b'\n' || (**byte == b'\r' && bytes.get(at + 1) != Some(&b'\n'))
        });
        let mut lines = vec![0];
        lines.extend(ends.map(|(at, _)| at + 1));
        Self {
            text,
            lines,
            is_ascii: text.is_ascii(),
            last: (0, Pos { line: 1, column: 1 }),
        }
    }

    /// The position of an offset, which is that of a character or the end.
    pub(crate) fn at(&mut self, offset: usize) -> Pos {
        let line = self.lines.partition_point(|start| *start <= offset);
        let start = self.lines[line - 1];
        if self.is_ascii {
            let column = offset - start + 1;
            return Pos { line, column };
        }
        let (from, counted) = match self.last {
            (last, pos) if pos.line == line && last <= offset => (last, pos.column),
            _ => (start, 1),
        };
        // The parser may report an offset within a character.
        let end = self.text.floor_char_boundary(offset);
        let between = self.text.get(from..end).unwrap_or_default();
        let column = counted + between.chars().map(char::len_utf16).sum::<usize>();
        let pos = Pos { line, column };
        self.last = (end, pos);
        pos
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_are_those_of_graphql_js() {
        let text = "a\r\nb\rc\n😀d é\n";
        let mut positions = Positions::new(text);
        let mut at = |found: &str| {
            let pos = positions.at(text.find(found).unwrap());
            (pos.line, pos.column)
        };
        assert_eq!(at("a"), (1, 1));
        assert_eq!(at("b"), (2, 1));
        assert_eq!(at("c"), (3, 1));
        assert_eq!(at("d"), (4, 3));
        assert_eq!(at("é"), (4, 5));
        // Backwards, too.
        assert_eq!(at("d"), (4, 3));
        assert_eq!(at("a"), (1, 1));
        let end = positions.at(text.len());
        assert_eq!((end.line, end.column), (5, 1));
    }
}
