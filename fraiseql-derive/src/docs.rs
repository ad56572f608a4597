//! Doc comments of a struct, its fields or an enum: their descriptions in GraphQL.

use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// The text of the doc comment, without the space after `///`. `None` if it is empty.
pub(crate) fn of(attributes: &[Attribute]) -> Option<String> {
    let mut lines = Vec::new();
    for attribute in attributes.iter().filter(|a| a.path().is_ident("doc")) {
        // Only literals have a text here: not `#[doc(hidden)]`, nor `#[doc = include_str!(..)]`,
        // which is expanded after the derive.
        if let Meta::NameValue(pair) = &attribute.meta
            && let Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) = &pair.value
        {
            // A `/** .. */` comment is one attribute with several lines.
            for line in text.value().split('\n') {
                let line = line.strip_prefix(' ').unwrap_or(line);
                lines.push(line.trim_end().to_owned());
            }
        }
    }
    let text = lines.join("\n").trim().to_owned();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    #[test]
    fn lines_are_joined_and_keep_their_indentation() {
        let item: syn::ItemStruct = parse_quote! {
            /// A post.
            ///
            ///   indented
            #[doc(hidden)]
            struct Post;
        };
        assert_eq!(
            super::of(&item.attrs).as_deref(),
            Some("A post.\n\n  indented")
        );
        let item: syn::ItemStruct = parse_quote!(
            struct Post;
        );
        assert_eq!(super::of(&item.attrs), None);
    }
}
