//! The text of a document of which only the parsed form is known.

use std::fmt::{Display, Write as _};

use async_graphql::parser::types::{
    Directive, ExecutableDocument, Field, OperationDefinition, Selection, SelectionSet,
};
use async_graphql::{Name, Positioned};
use async_graphql_value::Value;

/// Prints a document on one line. Equal documents have equal texts.
pub(crate) fn print(document: &ExecutableDocument) -> String {
    let mut text = String::new();
    // The document has its operations and fragments in no order.
    let mut operations: Vec<_> = document.operations.iter().collect();
    operations.sort_by_key(|(name, _)| *name);
    for (name, definition) in operations {
        operation(&mut text, name, &definition.node);
    }
    let mut fragments: Vec<_> = document.fragments.iter().collect();
    fragments.sort_by_key(|(name, _)| *name);
    for (name, fragment) in fragments {
        let fragment = &fragment.node;
        let on = &fragment.type_condition.node.on.node;
        push(&mut text, format_args!("fragment {name} on {on}"));
        directives(&mut text, &fragment.directives);
        set(&mut text, &fragment.selection_set.node);
    }
    text
}

fn operation(text: &mut String, name: Option<&Name>, operation: &OperationDefinition) {
    push(text, format_args!("{}", operation.ty));
    if let Some(name) = name {
        push(text, format_args!(" {name}"));
    }
    if !operation.variable_definitions.is_empty() {
        text.push('(');
        for variable in &operation.variable_definitions {
            let variable = &variable.node;
            let (name, ty) = (&variable.name.node, &variable.var_type.node);
            push(text, format_args!("${name}: {ty}"));
            if let Some(default) = &variable.default_value {
                push(text, format_args!(" = {}", default.node));
            }
            directives(text, &variable.directives);
            text.push(' ');
        }
        text.push(')');
    }
    directives(text, &operation.directives);
    set(text, &operation.selection_set.node);
}

fn set(text: &mut String, set: &SelectionSet) {
    text.push('{');
    for item in &set.items {
        match &item.node {
            Selection::Field(one) => field(text, &one.node),
            Selection::FragmentSpread(spread) => {
                let name = &spread.node.fragment_name.node;
                push(text, format_args!("...{name}"));
                directives(text, &spread.node.directives);
            }
            Selection::InlineFragment(fragment) => {
                text.push_str("...");
                if let Some(condition) = &fragment.node.type_condition {
                    push(text, format_args!("on {}", condition.node.on.node));
                }
                directives(text, &fragment.node.directives);
                self::set(text, &fragment.node.selection_set.node);
            }
        }
        text.push(' ');
    }
    text.push('}');
}

fn field(text: &mut String, field: &Field) {
    if let Some(alias) = &field.alias {
        push(text, format_args!("{}: ", alias.node));
    }
    text.push_str(&field.name.node);
    arguments(text, &field.arguments);
    directives(text, &field.directives);
    // A field without a selection has an empty one.
    if !field.selection_set.node.items.is_empty() {
        set(text, &field.selection_set.node);
    }
}

fn directives(text: &mut String, directives: &[Positioned<Directive>]) {
    for directive in directives {
        push(text, format_args!(" @{}", directive.node.name.node));
        arguments(text, &directive.node.arguments);
    }
}

fn arguments(text: &mut String, arguments: &[(Positioned<Name>, Positioned<Value>)]) {
    if arguments.is_empty() {
        return;
    }
    text.push('(');
    for (name, value) in arguments {
        push(text, format_args!("{}: {} ", name.node, value.node));
    }
    text.push(')');
}

/// Appends to a `String`, which cannot fail.
fn push(text: &mut String, appended: impl Display) {
    let _ = write!(text, "{appended}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::parse::parse;

    #[test]
    fn a_printed_document_is_the_document() {
        for text in [
            "{ a }",
            "query Q($a: [Int!]! = [1, 2] @b(c: \"\\\"\"), $d: D = {e: F}) @g { h: i(j: $a, k: {l: [$d]}) @m(n: 1.5) { o } }",
            "mutation B { ... { a } ...F @b ... on C @d { e } } query A { f } fragment F on G @h { i { j } }",
        ] {
            let document = parse(text, 1_000, 64).unwrap().document;
            let printed = print(&document);
            let again = parse(&printed, 1_000, 64).unwrap().document;
            assert_eq!(print(&again), printed);
            let without_space = |text: &str| -> Vec<char> {
                let mut chars: Vec<_> = text
                    .chars()
                    .filter(|char| !matches!(char, ' ' | ','))
                    .collect();
                // In another order.
                chars.sort_unstable();
                chars
            };
            let short = without_space(&printed.replacen("query{", "{", 1));
            assert_eq!(short, without_space(text), "{printed}");
        }
    }
}
