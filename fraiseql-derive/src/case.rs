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

/// How the names of an enum's variants are written in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Snake,
    ScreamingSnake,
    Camel,
    Pascal,
    Kebab,
    Lower,
    Upper,
}

impl Style {
    pub(crate) const ALL: [(&'static str, Self); 7] = [
        ("snake_case", Self::Snake),
        ("SCREAMING_SNAKE_CASE", Self::ScreamingSnake),
        ("camelCase", Self::Camel),
        ("PascalCase", Self::Pascal),
        ("kebab-case", Self::Kebab),
        ("lowercase", Self::Lower),
        ("UPPERCASE", Self::Upper),
    ];

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find_map(|(own, style)| (own == name).then_some(style))
    }

    /// A variant's name in this style. In Rust it is in PascalCase already.
    pub(crate) fn of(self, variant: &str) -> String {
        match self {
            Self::Snake => snake(variant),
            Self::ScreamingSnake => snake(variant).to_uppercase(),
            Self::Camel => camel(&snake(variant)),
            Self::Pascal => variant.to_owned(),
            Self::Kebab => snake(variant).replace('_', "-"),
            Self::Lower => variant.to_lowercase(),
            Self::Upper => variant.to_uppercase(),
        }
    }
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
    fn variants_are_written_in_each_style() {
        let written: Vec<String> = Style::ALL
            .iter()
            .map(|(_, style)| style.of("InReview2"))
            .collect();
        assert_eq!(
            written,
            [
                "in_review2",
                "IN_REVIEW2",
                "inReview2",
                "InReview2",
                "in-review2",
                "inreview2",
                "INREVIEW2"
            ]
        );
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
