//! Reads from a filter whether it excludes nulls.

/// Whether a filter excludes rows whose `column` is null: it is a conjunction that contains
/// `column IS NOT NULL`.
///
/// This is not an SQL parser. If in doubt it returns false, and then the column is reported.
pub(crate) fn excludes_null(filter: &str, column: &str) -> bool {
    // Text between quotes is a value; a condition between parentheses can be part of a
    // disjunction or a negation. Neither is read.
    let mut plain = String::new();
    let (mut quoted, mut depth) = (false, 0_usize);
    for c in filter.to_lowercase().chars() {
        match c {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            _ if quoted || depth > 0 => continue,
            _ => {}
        }
        plain.push(c);
    }
    let words: Vec<&str> = plain.split_whitespace().collect();
    if words.contains(&"or") || words.contains(&"case") {
        return false;
    }
    words.split(|word| *word == "and").any(|term| match term {
        [name, "is", "not", "null"] => {
            let name = name.strip_prefix("{}.").unwrap_or(name);
            name.trim_matches('"') == column.to_lowercase()
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::excludes_null;

    #[test]
    fn a_conjunction_with_is_not_null_excludes_nulls() {
        assert!(excludes_null("{}.at IS NOT NULL", "at"));
        assert!(excludes_null("not hidden AND at is not null", "at"));
        assert!(excludes_null(
            "(a OR b)\nAND at IS NOT NULL AND c <> ' or '",
            "at"
        ));
        assert!(!excludes_null("b <> 'x and at is not null and y'", "at"));
        assert!(excludes_null("\"At\" IS NOT NULL", "At"));
        assert!(!excludes_null("at IS NOT NULL OR hidden", "at"));
        assert!(!excludes_null("NOT (at IS NOT NULL)", "at"));
        assert!(!excludes_null("at IS NULL", "at"));
        assert!(!excludes_null("created_at IS NOT NULL", "at"));
    }
}
