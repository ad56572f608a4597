//! The tokens of a text, as far as their ends are concerned.

/// What a piece of a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lexeme {
    /// White space.
    Space,
    /// A comma, a comment or a byte order mark, which are ignored like white space.
    Ignored,
    /// A string with its quotes.
    String,
    /// A name or a number.
    Word,
    Open,
    Close,
    /// Anything else.
    Other,
}

/// A string that does not end.
#[derive(Debug)]
pub(crate) struct Unterminated;

/// The pieces of a text in order, each with its length in bytes. Together they are the whole text.
pub(crate) struct Lexemes<'a> {
    rest: &'a [u8],
}

impl<'a> Lexemes<'a> {
    pub(crate) const fn of(text: &'a str) -> Self {
        Self {
            rest: text.as_bytes(),
        }
    }
}

impl Iterator for Lexemes<'_> {
    type Item = Result<(Lexeme, usize), Unterminated>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest;
        let (lexeme, length) = match *rest.first()? {
            b' ' | b'\t' | b'\r' | b'\n' => (Lexeme::Space, until(rest, |byte| !is_space(byte))),
            b',' => (Lexeme::Ignored, 1),
            // A comment ends with the line.
            b'#' => (
                Lexeme::Ignored,
                until(rest, |byte| matches!(byte, b'\r' | b'\n')),
            ),
            _ if rest.starts_with(MARK) => (Lexeme::Ignored, MARK.len()),
            b'"' => match string(rest) {
                Some(length) => (Lexeme::String, length),
                None => {
                    self.rest = &[];
                    return Some(Err(Unterminated));
                }
            },
            b'{' | b'[' | b'(' => (Lexeme::Open, 1),
            b'}' | b']' | b')' => (Lexeme::Close, 1),
            // `...` is one token.
            b'.' => (Lexeme::Other, until(rest, |byte| byte != b'.')),
            byte if byte == b'-' || byte.is_ascii_digit() => (Lexeme::Word, number(rest)),
            byte if is_word(byte) => {
                let word = &rest[..until(rest, |byte| !is_word(byte))];
                let mark = word.windows(MARK.len()).position(|bytes| bytes == MARK);
                (Lexeme::Word, mark.unwrap_or(word.len()))
            }
            _ => (Lexeme::Other, 1),
        };
        self.rest = &rest[length..];
        Some(Ok((lexeme, length)))
    }
}

/// A byte order mark.
const MARK: &[u8] = "\u{feff}".as_bytes();

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Whether a byte is part of a name or a number. Bytes that are not ASCII count as well; the parser
/// rejects them outside strings and comments.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

/// The length of a number, or of what begins like one.
fn number(bytes: &[u8]) -> usize {
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        let continues = match byte {
            b'.' => bytes.get(at + 1).is_some_and(u8::is_ascii_digit),
            b'+' | b'-' => matches!(bytes[at - 1], b'e' | b'E'),
            byte => byte.is_ascii() && is_word(*byte),
        };
        if !continues {
            break;
        }
        at += 1;
    }
    at
}

/// The number of bytes before the first one for which `holds` is true.
fn until(bytes: &[u8], holds: impl Fn(u8) -> bool) -> usize {
    bytes
        .iter()
        .position(|byte| holds(*byte))
        .unwrap_or(bytes.len())
}

/// The length of a string literal, quotes included. `None` if it does not end: a parser would then
/// try to read it in another way, and could find brackets in what was skipped here.
fn string(bytes: &[u8]) -> Option<usize> {
    const BLOCK: &[u8] = b"\"\"\"";
    if bytes.starts_with(BLOCK) {
        let mut at = BLOCK.len();
        loop {
            let rest = &bytes[at..];
            if rest.starts_with(b"\\\"\"\"") {
                at += 4;
            } else if rest.starts_with(BLOCK) {
                return Some(at + BLOCK.len());
            } else if rest.is_empty() {
                return None;
            } else {
                at += 1;
            }
        }
    }
    let mut at = 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            b'\r' | b'\n' => return None,
            _ => at += 1,
        }
    }
}

/// The text with spaces in place of everything that is ignored, and of descriptions. Offsets stay the
/// same.
///
/// The parser looks ahead over white space, but not over commas: it does not read `..., {` as the
/// beginning of a fragment. Descriptions of operations, fragments and variables mean nothing for the
/// execution, and it refuses them.
pub(super) fn without_ignored(text: &str) -> Result<String, Unterminated> {
    let mut spaced = String::with_capacity(text.len());
    // The brackets that are open, and the last token.
    let (mut open, mut last) = (Vec::new(), "");
    let mut at = 0;
    for lexeme in Lexemes::of(text) {
        let (lexeme, length) = lexeme?;
        let piece = &text[at..at + length];
        at += length;
        let is_ignored = match lexeme {
            Lexeme::Space => {
                spaced.push_str(piece);
                continue;
            }
            Lexeme::Ignored => true,
            Lexeme::String => is_description(&text[at..], open.last().copied(), last),
            Lexeme::Open => {
                open.push(piece);
                false
            }
            Lexeme::Close => {
                open.pop();
                false
            }
            Lexeme::Word | Lexeme::Other => false,
        };
        if is_ignored {
            spaced.extend(std::iter::repeat_n(' ', length));
        } else {
            spaced.push_str(piece);
        }
        if lexeme != Lexeme::Ignored {
            last = piece;
        }
    }
    Ok(spaced)
}

/// Whether a string is a description: of the operation or the fragment that follows outside of all
/// brackets, or of a variable in parentheses, where it is not the default of the one before.
fn is_description(rest: &str, open: Option<&str>, last: &str) -> bool {
    let mut at = 0;
    let mut next = Lexemes::of(rest)
        .map_while(Result::ok)
        .filter_map(|(lexeme, length)| {
            let from = at;
            at += length;
            let is_token = !matches!(lexeme, Lexeme::Space | Lexeme::Ignored);
            is_token.then(|| &rest[from..from + length])
        });
    let next = next.next().unwrap_or_default();
    match open {
        None => {
            let is_definition = matches!(next, "query" | "mutation" | "subscription" | "fragment");
            is_definition && !last.starts_with('"')
        }
        Some("(") => next == "$" && !matches!(last, "=" | ":"),
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_one_token() {
        for text in ["-1", "0", "1.5", "-12.5e-3", "1E+2", "1a"] {
            let lexemes: Vec<_> = Lexemes::of(text).map(Result::unwrap).collect();
            assert_eq!(lexemes, [(Lexeme::Word, text.len())], "{text}");
        }
        let lexemes: Vec<_> = Lexemes::of("1...a").map(Result::unwrap).collect();
        let lengths: Vec<_> = lexemes.iter().map(|(_, length)| *length).collect();
        assert_eq!(lengths, [1, 3, 1]);
    }

    #[test]
    fn what_is_ignored_becomes_space_of_the_same_length() {
        for (text, expected) in [
            ("{a,b}", "{a b}"),
            ("# é { \"\n{a}#", "        \n{a} "),
            ("\u{feff}{a\u{feff}b}", "   {a   b}"),
            ("{a(b: \",#\u{feff}\")}", "{a(b: \",#\u{feff}\")}"),
            (
                "{a(b: \"\"\",\" # \\\"\"\" ,\"\"\",)}",
                "{a(b: \"\"\",\" # \\\"\"\" ,\"\"\" )}",
            ),
            ("é é", "é é"),
            (
                "\"a\"query($b:C=\"d\"$e:F){g}",
                "   query($b:C=\"d\"$e:F){g}",
            ),
            (
                "\"\"\"a\"\"\" query (\"b\" $c: D = \"e\", \"f\" $g: [H] = [\"i\"])",
                "        query (    $c: D = \"e\"      $g: [H] = [\"i\"])",
            ),
            ("\"a\" {b}", "\"a\" {b}"),
            ("\"a\" \"b\" query {c}", "\"a\" \"b\" query {c}"),
            ("{a(b: \"c\" $d)}", "{a(b: \"c\" $d)}"),
            ("{a(b: [\"c\" $d])}", "{a(b: [\"c\" $d])}"),
        ] {
            assert_eq!(without_ignored(text).unwrap(), expected);
        }
        assert!(without_ignored("{a(b: \"\n\")}").is_err());
    }
}
