//! Validation of a document, by apollo-compiler.

use std::collections::HashSet;

use apollo_compiler::ast::{self, Definition, Selection};
use apollo_compiler::diagnostic::ToCliReport as _;
use apollo_compiler::validation::DiagnosticList;
use async_graphql::ServerError;

use crate::error::{MAX_REQUEST_ERRORS, clip};
use crate::spec::parse::Positions;
use crate::spec::type_system::TypeSystem;

/// Validates a document, whose size is limited and whose fragments have no cycles. `text` is its
/// text, if that is the client's: the errors then have locations.
pub(crate) fn validate(
    types: &TypeSystem,
    mut tree: ast::Document,
    text: Option<&str>,
) -> Result<(), Vec<ServerError>> {
    remove_impossible(types, &mut tree);
    match tree.to_executable_validate(&types.schema) {
        Ok(_) => Ok(()),
        Err(failed) => Err(to_errors(&failed.errors, text)),
    }
}

fn to_errors(errors: &DiagnosticList, text: Option<&str>) -> Vec<ServerError> {
    let mut positions = text.map(Positions::new);
    let errors = errors.iter().take(MAX_REQUEST_ERRORS);
    let errors = errors.map(|diagnostic| {
        let mut message = diagnostic.error.to_string();
        clip(&mut message);
        let span = diagnostic.error.location();
        let pos = positions
            .as_mut()
            .zip(span)
            .map(|(positions, span)| positions.at(span.offset()));
        ServerError::new(message, pos)
    });
    errors.collect()
}

/// Removes the operations that the schema has no root type for, with their fragments.
///
/// A request for such an operation is refused when it is executed. It does not make the other
/// operations of the document invalid, as it would for apollo-compiler.
fn remove_impossible(types: &TypeSystem, tree: &mut ast::Document) {
    let is_possible = |definition: &Definition| match definition {
        Definition::OperationDefinition(operation) => types.has_root(operation.operation_type),
        _ => true,
    };
    if tree.definitions.iter().all(is_possible) {
        return;
    }
    let (possible, impossible): (Vec<_>, Vec<_>) =
        tree.definitions.drain(..).partition(is_possible);
    let spread = |operations: &[Definition], all: &[Definition]| {
        let mut spread = HashSet::new();
        for operation in operations {
            if let Definition::OperationDefinition(operation) = operation {
                spread_in(&operation.selection_set, all, &mut spread);
            }
        }
        spread
    };
    let of_impossible = spread(&impossible, &possible);
    let of_possible = spread(&possible, &possible);
    tree.definitions = possible;
    tree.definitions.retain(|definition| match definition {
        Definition::FragmentDefinition(fragment) => {
            let name = &fragment.name;
            of_possible.contains(name) || !of_impossible.contains(name)
        }
        _ => true,
    });
}

/// Collects the fragments that a selection spreads, also through others.
fn spread_in(
    set: &[Selection],
    definitions: &[Definition],
    spread: &mut HashSet<apollo_compiler::Name>,
) {
    for selection in set {
        match selection {
            Selection::Field(field) => spread_in(&field.selection_set, definitions, spread),
            Selection::InlineFragment(fragment) => {
                spread_in(&fragment.selection_set, definitions, spread);
            }
            Selection::FragmentSpread(one) => {
                if !spread.insert(one.fragment_name.clone()) {
                    continue;
                }
                for definition in definitions {
                    if let Definition::FragmentDefinition(fragment) = definition
                        && fragment.name == one.fragment_name
                    {
                        spread_in(&fragment.selection_set, definitions, spread);
                    }
                }
            }
        }
    }
}
