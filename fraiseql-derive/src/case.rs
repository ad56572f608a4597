//! Case conversion: from names in Rust to JSON keys, functions, tables and enum labels.

/// The name of a field in camelCase.
///
/// Leading underscores are kept, runs of inner underscores collapse, a digit belongs to the word
/// before it, and a trailing underscore (as in `type_`) is dropped.
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

/// The name of a struct in snake_case: `BlogPost` -> `blog_post`, `HTTPRequest` -> `http_request`.
pub(crate) fn snake(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (index, c) in chars.iter().enumerate() {
        if c.is_uppercase() {
            let before = index.checked_sub(1).and_then(|before| chars.get(before));
            let after = chars.get(index + 1);
            // A word starts after a lower-case letter or a digit (`blogPost`), and at the last
            // capital of an abbreviation (`HTTPRequest`).
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

/// The plural of an English noun by the regular rules. `plural = ".."` is for the irregular ones.
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

/// The case of an enum's labels in the database: the value of `rename_all`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LabelStyle {
    Snake,
    ScreamingSnake,
    Camel,
    Pascal,
    Kebab,
    Lower,
    Upper,
}

impl LabelStyle {
    pub(crate) const ALL: [(&'static str, Self); 7] = [
        ("snake_case", Self::Snake),
        ("SCREAMING_SNAKE_CASE", Self::ScreamingSnake),
        ("camelCase", Self::Camel),
        ("PascalCase", Self::Pascal),
        ("kebab-case", Self::Kebab),
        ("lowercase", Self::Lower),
        ("UPPERCASE", Self::Upper),
    ];

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find_map(|(candidate, style)| (candidate == name).then_some(style))
    }

    /// The name of a variant, which is in PascalCase, in this style.
    pub(crate) fn apply(self, variant: &str) -> String {
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
    fn fields_become_camel_case() {
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
    fn abbreviations_are_one_word_in_snake_case() {
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
    fn variants_are_converted_to_each_style() {
        let written: Vec<String> = LabelStyle::ALL
            .iter()
            .map(|(_, style)| style.apply("InReview2"))
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
    fn regular_nouns_become_plurals() {
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
