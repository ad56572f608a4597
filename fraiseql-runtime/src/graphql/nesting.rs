//! How deep the brackets of a query are nested, and how long its names are, known before it is
//! parsed.
//!
//! The library's parser calls itself for each bracket, and looks at the depth afterwards: a text
//! of ten thousand brackets overflows the stack, which ends the process. And a name that is not
//! known is compared with all that are: with a megabyte that takes seconds.

use async_graphql::ServerError;

/// Deeper than what the parser takes, and far from what a stack takes.
const MOST: usize = 200;

/// The most bytes of a name, or a number.
const LONGEST: usize = 250;

/// Refuses a text whose brackets are nested too deep, or that has too long a name.
pub(super) fn check(text: &str) -> Result<(), ServerError> {
    let mut rest = text.as_bytes();
    let (mut depth, mut length) = (0_usize, 0_usize);
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if first.is_ascii_alphanumeric() || *first == b'_' {
            length += 1;
            if length > LONGEST {
                let why = format!("A name or a number is longer than {LONGEST} characters.");
                return Err(ServerError::new(why, None));
            }
            continue;
        }
        length = 0;
        match first {
            b'{' | b'[' | b'(' => {
                depth += 1;
                if depth > MOST {
                    let why = format!("The query's brackets are nested more than {MOST} deep.");
                    return Err(ServerError::new(why, None));
                }
            }
            b'}' | b']' | b')' => depth = depth.saturating_sub(1),
            b'"' => rest = after_string(rest),
            b'#' => {
                let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
                rest = &rest[end.unwrap_or(rest.len())..];
            }
            _ => {}
        }
    }
    Ok(())
}

/// What is behind a string whose first quote has been read.
fn after_string(mut rest: &[u8]) -> &[u8] {
    if let Some(mut block) = rest.strip_prefix(b"\"\"") {
        loop {
            if let Some(after) = block.strip_prefix(b"\"\"\"") {
                return after;
            }
            block = match block.strip_prefix(b"\\\"\"\"") {
                Some(after) => after,
                None => match block.split_first() {
                    Some((_, after)) => after,
                    None => return block,
                },
            };
        }
    }
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            // A string ends with its line; the parser says that it has to end before.
            b'"' | b'\n' | b'\r' => return rest,
            b'\\' => rest = rest.get(1..).unwrap_or(&[]),
            _ => {}
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, MOST, check};

    #[test]
    fn what_is_in_strings_and_comments_does_not_count() {
        let many = "{[(".repeat(MOST);
        for text in [
            format!("{{ a(b: \"{many}\") }}"),
            format!("{{ a(b: \"\\\"{many}\") }}"),
            format!("{{ a(b: \"\"\"{many}\" \\\"\"\" {many}\"\"\") }}"),
            format!("{{ a # {many}\n }}"),
            "{ a } ".repeat(MOST * 2),
            format!("{{ {} }}", "a".repeat(LONGEST)),
            format!("{{ a(b: \"{0}\") }} # {0}", "a".repeat(LONGEST * 2)),
        ] {
            assert!(check(&text).is_ok(), "{text}");
        }
        for text in [
            many.clone(),
            format!("{{ a(b: \"\") {many}"),
            format!("{{ a(b: \"\"\"\"\"\") {many}"),
            format!("{{ a(b: \"\\\\\") {many}"),
            format!("# a\n{many}"),
            format!("\"\n{many}"),
            format!("{{ {} }}", "a".repeat(LONGEST + 1)),
        ] {
            assert!(check(&text).is_err(), "{text}");
        }
    }
}
