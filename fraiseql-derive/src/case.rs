//! Names: from Rust's to those of JSON, of functions and of tables.

/// camelCase for a field: leading underscores stay, inner runs of underscores collapse,
/// digits stick, a trailing underscore (of `type_`) is dropped.
pub(crate) fn camel(name: &str) -> String {
    let rest = name.trim_start_matches('_');
    let mut out = "_".repeat(name.len() - rest.len());
    let mut upper = false;
    for c in rest.chars() {
        if c == '_' {
            upper = true;
        } else if upper {
            out.extend(c.to_uppercase());
            upper = false;
        } else {
            out.push(c);
        }
    }
    out
}

/// snake_case for a struct: `BlogPost` -> `blog_post`, `HTTPRequest` -> `http_request`.
pub(crate) fn snake(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (index, c) in chars.iter().enumerate() {
        if c.is_uppercase() {
            let before = index.checked_sub(1).and_then(|before| chars.get(before));
            let after = chars.get(index + 1);
            let word_starts = before.is_some_and(|b| b.is_lowercase() || b.is_numeric())
                || before.is_some_and(|b| b.is_uppercase())
                    && after.is_some_and(|a| a.is_lowercase());
            if word_starts {
                out.push('_');
            }
            out.extend(c.to_lowercase());
        } else {
            out.push(*c);
        }
    }
    out
}

/// The plural of an English noun, as far as rules go; `plural = ".."` does the rest.
pub(crate) fn plural(noun: &str) -> String {
    let ends = |ends: &[&str]| ends.iter().any(|end| noun.ends_with(end));
    if let Some(stem) = noun.strip_suffix('y')
        && !stem.ends_with(['a', 'e', 'i', 'o', 'u'])
    {
        return format!("{stem}ies");
    }
    if ends(&["s", "x", "z", "ch", "sh"]) {
        return format!("{noun}es");
    }
    format!("{noun}s")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn camel_case_follows_the_rules() {
        for (name, expected) in [
            ("title", "title"),
            ("full_name", "fullName"),
            ("address_line_1", "addressLine1"),
            ("_id", "_id"),
            ("_private_name", "_privateName"),
            ("user__name", "userName"),
            ("type_", "type"),
            ("s3_key", "s3Key"),
            ("s_3_key", "s3Key"),
            ("größe_in_cm", "größeInCm"),
            ("a_éa", "aÉa"),
        ] {
            assert_eq!(camel(name), expected, "{name}");
        }
    }

    #[test]
    fn snake_case_keeps_abbreviations_together() {
        for (name, expected) in [
            ("Post", "post"),
            ("BlogPost", "blog_post"),
            ("HTTPRequest", "http_request"),
            ("OAuth2Token", "o_auth2_token"),
        ] {
            assert_eq!(snake(name), expected, "{name}");
        }
    }

    #[test]
    fn plurals_follow_the_rules_of_english() {
        for (noun, expected) in [
            ("post", "posts"),
            ("category", "categories"),
            ("day", "days"),
            ("box", "boxes"),
            ("address", "addresses"),
            ("branch", "branches"),
        ] {
            assert_eq!(plural(noun), expected, "{noun}");
        }
    }
}
