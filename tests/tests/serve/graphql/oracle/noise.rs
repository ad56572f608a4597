//! Changes of a query's text: ignored characters between its tokens, and tokens that are removed,
//! repeated or replaced.

use rand::Rng as _;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;

/// What the grammar ignores between two tokens.
const IGNORED: &[&str] = &[
    " ",
    "\n",
    "\r\n",
    "\r",
    "\t",
    ",",
    " , ,",
    "\u{feff}",
    "#\n",
    "# } \" 😀 \"\"\" ( #\r\n",
    "\n# query { a }\r",
];

/// Tokens that are put into a text, some of which are none.
const TOKENS: &[&str] = &[
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    ":",
    "=",
    "!",
    "$",
    "@",
    "...",
    "..",
    ".",
    "|",
    "&",
    "?",
    "-",
    "\"",
    "\"\"\"",
    "\"a\"",
    "\"\"\"b\"\"\"",
    "\"\\u{1F600}\"",
    "\"\\u{D800}\"",
    "\"\\uD83D\\uDE00\"",
    "\"\\uD83D\"",
    "\"\\x\"",
    "\"\n\"",
    "0",
    "01",
    "-1",
    "1.",
    ".5",
    "1.5",
    "1e3",
    "1e",
    "1E-2",
    "0x1",
    "1a",
    "1_",
    "99999999999",
    "1e999",
    "on",
    "query",
    "mutation",
    "subscription",
    "fragment",
    "type",
    "extend",
    "true",
    "false",
    "null",
    "if",
    "__typename",
    "skip",
    "$v1",
    "@skip",
    "é",
    "\u{0}",
    "\u{7f}",
    "\u{a0}",
    "\\",
    "#",
    "'",
    "name",
    "id",
];

/// The tokens of a text, without what is ignored.
pub(crate) fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            ' ' | ',' | '\t' | '\r' | '\n' | '\u{feff}' => {
                rest = &rest[first.len_utf8()..];
                continue;
            }
            '#' => {
                rest = &rest[rest.find(['\r', '\n']).unwrap_or(rest.len())..];
                continue;
            }
            '"' => string(rest),
            '.' => rest.find(|char| char != '.').unwrap_or(rest.len()),
            _ if is_word(first) => rest
                .find(|char| !is_word(char) && char != '.')
                .unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        tokens.push(&rest[..length]);
        rest = &rest[length..];
    }
    tokens
}

fn is_word(char: char) -> bool {
    char.is_ascii_alphanumeric() || char == '_' || char == '-'
}

/// Whether a character may be part of a token of several characters.
fn is_long(char: char) -> bool {
    is_word(char) || char == '"' || char == '.'
}

/// The length of a string, or of the rest if it does not end.
fn string(text: &str) -> usize {
    let quotes = if text.starts_with("\"\"\"") {
        "\"\"\""
    } else {
        "\""
    };
    let mut at = quotes.len();
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with(quotes) {
            return at + quotes.len();
        }
        let escape = if quotes.len() == 3 { "\\\"\"\"" } else { "\\" };
        let first = rest.chars().next().unwrap().len_utf8();
        at += if rest.starts_with(escape) {
            escape.len() + usize::from(quotes.len() == 1)
        } else {
            first
        };
    }
    text.len()
}

/// The same query with other space between its tokens, and none where none is needed.
pub(crate) fn spaced(rng: &mut SmallRng, text: &str) -> String {
    join(rng, &tokens(text))
}

fn join(rng: &mut SmallRng, tokens: &[&str]) -> String {
    let mut spaced = String::new();
    let dense = rng.random_range(0..4);
    let mut last_is_word = false;
    for token in tokens {
        let begins_word = token.starts_with(is_long);
        let needs_space = begins_word && last_is_word;
        if needs_space || rng.random_range(0..4) >= dense {
            for _ in 0..rng.random_range(1..3) {
                spaced.push_str(IGNORED.choose(rng).unwrap());
            }
        }
        spaced.push_str(token);
        last_is_word = token.ends_with(is_long);
    }
    if rng.random_range(0..4) == 0 {
        spaced.push_str(["#", "\u{feff}", ",", "# end"].choose(rng).unwrap());
    }
    spaced
}

/// The query with one to three of its tokens changed.
pub(crate) fn mutated(rng: &mut SmallRng, text: &str) -> String {
    let mut tokens = tokens(text);
    for _ in 0..rng.random_range(1..4) {
        if tokens.is_empty() {
            break;
        }
        let at = rng.random_range(0..tokens.len());
        match rng.random_range(0..6) {
            0 => {
                tokens.remove(at);
            }
            1 => tokens.insert(at, tokens[at]),
            2 => {
                let other = rng.random_range(0..tokens.len());
                tokens.swap(at, other);
            }
            3 => {
                let other = tokens[rng.random_range(0..tokens.len())];
                tokens.insert(at, other);
            }
            4 => tokens.insert(at, TOKENS.choose(rng).unwrap()),
            _ => tokens[at] = TOKENS.choose(rng).unwrap(),
        }
    }
    if rng.random_range(0..8) == 0 {
        // Without any space, so that tokens become others.
        return tokens.concat();
    }
    join(rng, &tokens)
}

#[test]
fn the_tokens_of_a_text_are_those_of_the_grammar() {
    let text =
        "query Q($a:Int=-1.5)@b{...F\u{feff}c(d:\"e, #\\\"\",f:\"\"\"g \\\"\"\" \"\"\")} # h\n,}";
    assert_eq!(
        tokens(text),
        [
            "query",
            "Q",
            "(",
            "$",
            "a",
            ":",
            "Int",
            "=",
            "-1.5",
            ")",
            "@",
            "b",
            "{",
            "...",
            "F",
            "c",
            "(",
            "d",
            ":",
            "\"e, #\\\"\"",
            "f",
            ":",
            "\"\"\"g \\\"\"\" \"\"\"",
            ")",
            "}",
            "}"
        ]
    );
}
