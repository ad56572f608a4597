//! The documentation of a struct and its fields, which is their description in GraphQL.

use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// What the `///` lines say, if there are any. They are written with a space in front.
pub(crate) fn of(attributes: &[Attribute]) -> Option<String> {
    let mut lines = Vec::new();
    for attribute in attributes.iter().filter(|a| a.path().is_ident("doc")) {
        // Others, such as `#[doc(hidden)]`, or a macro's call, say nothing here.
        if let Meta::NameValue(pair) = &attribute.meta
            && let Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) = &pair.value
        {
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
    fn lines_are_joined_as_they_were_written() {
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
