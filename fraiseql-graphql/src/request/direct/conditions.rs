//! The variables of `@skip` and `@include`, which decide what is selected.

use async_graphql::parser::types::Directive;
use async_graphql::{Name, Positioned, Value, Variables};
use async_graphql_value::Value as Literal;

/// The variables on which it depends what a request selects, with the values that they had.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Conditions(Vec<(Name, bool)>);

impl Conditions {
    /// Adds the variables of directives. None if one is neither true nor false.
    pub(super) fn add(
        &mut self,
        directives: &[Positioned<Directive>],
        variables: &Variables,
    ) -> Option<()> {
        for directive in directives {
            if !is_condition(&directive.node) {
                continue;
            }
            let Some(Literal::Variable(name)) =
                directive.node.get_argument("if").map(|value| &value.node)
            else {
                continue;
            };
            let Some(Value::Boolean(value)) = variables.get(name) else {
                return None;
            };
            if self.0.iter().all(|(other, _)| other != name) {
                self.0.push((name.clone(), *value));
            }
        }
        Some(())
    }

    /// Whether a request with these variables selects the same.
    pub(crate) fn hold(&self, variables: &Variables) -> bool {
        self.0
            .iter()
            .all(|(name, value)| variables.get(name) == Some(&Value::Boolean(*value)))
    }
}

/// Whether a directive is `@skip` or `@include`.
pub(super) fn is_condition(directive: &Directive) -> bool {
    matches!(directive.name.node.as_str(), "skip" | "include")
}
