//! The arguments of a root field, whose values may be variables.

use async_graphql::parser::types::Field;
use async_graphql::{Name, Positioned, Value, Variables};
use async_graphql_value::Value as Literal;

/// The arguments of a field, with the variables of a request: coerced, and with their defaults.
#[derive(Clone, Copy)]
pub(crate) struct BoundArguments<'a> {
    field: &'a Field,
    variables: &'a Variables,
}

impl<'a> BoundArguments<'a> {
    pub(crate) const fn new(field: &'a Field, variables: &'a Variables) -> Self {
        Self { field, variables }
    }

    /// The value of an argument. Null if it is omitted.
    pub(crate) fn value(&self, name: &str) -> Value {
        let literal = self.field.get_argument(name);
        literal
            .and_then(|literal| bound(&literal.node, self.variables))
            .unwrap_or_default()
    }

    /// The field with constant arguments, without those that are omitted.
    pub(crate) fn constant(&self) -> Field {
        let arguments = self.field.arguments.iter();
        let arguments = arguments.filter_map(|(name, literal)| {
            let value = bound(&literal.node, self.variables)?.into_value();
            Some((name.clone(), Positioned::new(value, literal.pos)))
        });
        Field {
            arguments: arguments.collect(),
            ..without_selection(self.field)
        }
    }
}

/// A field without what it selects: what is to be kept of it.
pub(super) fn without_selection(field: &Field) -> Field {
    Field {
        alias: field.alias.clone(),
        name: field.name.clone(),
        arguments: field.arguments.clone(),
        directives: Vec::new(),
        selection_set: Positioned::default(),
    }
}

/// Whether a value is a variable or has one in it.
pub(super) fn has_variable(literal: &Literal) -> bool {
    match literal {
        Literal::Variable(_) => true,
        Literal::List(items) => items.iter().any(has_variable),
        Literal::Object(fields) => fields.values().any(has_variable),
        _ => false,
    }
}

/// A value with these variables. None if it is a variable without a value: then its place counts as
/// omitted, as [`drop_omitted`](crate::spec::variables::drop_omitted) has it. An item of a list is null.
fn bound(literal: &Literal, variables: &Variables) -> Option<Value> {
    Some(match literal {
        Literal::Variable(name) => variables.get(name)?.clone(),
        Literal::List(items) => {
            let items = items.iter();
            let items = items.map(|item| bound(item, variables).unwrap_or_default());
            Value::List(items.collect())
        }
        Literal::Object(fields) => {
            let fields = fields.iter();
            let of =
                |(name, value): (&Name, &Literal)| Some((name.clone(), bound(value, variables)?));
            Value::Object(fields.filter_map(of).collect())
        }
        constant => constant.clone().into_const()?,
    })
}

#[cfg(test)]
mod tests {
    use async_graphql::value;

    use super::*;

    #[test]
    fn a_variable_without_a_value_is_omitted_and_null_in_a_list() {
        let name = |name| Literal::Variable(Name::new(name));
        let list = Literal::List(vec![name("none"), name("one"), Literal::Boolean(true)]);
        let fields = [("a", name("none")), ("b", name("one")), ("c", list)];
        let fields = fields.map(|(name, value)| (Name::new(name), value));
        let object = Literal::Object(fields.into_iter().collect());
        let variables = Variables::from_value(value!({"one": 1}));
        let expected = value!({"b": 1, "c": [null, 1, true]});
        assert!(has_variable(&object));
        assert_eq!(bound(&object, &variables), Some(expected));
        assert_eq!(bound(&name("none"), &variables), None);
        assert!(!has_variable(&Literal::List(vec![Literal::Null])));
    }
}
