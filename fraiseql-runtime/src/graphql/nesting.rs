//! How deep the brackets of a query are nested, known before it is parsed.
//!
//! The library's parser calls itself for each bracket, and looks at the depth afterwards: a text
//! of ten thousand brackets overflows the stack, which ends the process.

use async_graphql::ServerError;

/// Deeper than what the parser takes, and far from what a stack takes.
const MOST: usize = 200;

/// Refuses a text whose brackets are nested too deep.
pub(super) fn check(text: &str) -> Result<(), ServerError> {
    let mut rest = text.as_bytes();
    let mut depth = 0_usize;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
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
    use super::{MOST, check};

    #[test]
    fn brackets_in_strings_and_comments_are_none() {
        let many = "{[(".repeat(MOST);
        for text in [
            format!("{{ a(b: \"{many}\") }}"),
            format!("{{ a(b: \"\\\"{many}\") }}"),
            format!("{{ a(b: \"\"\"{many}\" \\\"\"\" {many}\"\"\") }}"),
            format!("{{ a # {many}\n }}"),
            "{ a } ".repeat(MOST * 2),
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
        ] {
            assert!(check(&text).is_err(), "{text}");
        }
    }
}
