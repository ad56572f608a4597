//! Validation rules for what is within a value, which apollo-compiler lacks: [All Variable Usages Are
//! Allowed](https://spec.graphql.org/October2021/#sec-All-Variable-Usages-are-Allowed), [All Variable
//! Uses Defined](https://spec.graphql.org/October2021/#sec-All-Variable-Uses-Defined) and [OneOf Input
//! Objects](https://spec.graphql.org/September2025/#sec-OneOf-Input-Objects).
//!
//! For a variable within an input object or a list, apollo-compiler compares the innermost type only;
//! it takes `= null` for a default that is not null, and does not look into a value of a custom scalar.

use std::collections::HashSet;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{
    Directive, ExecutableDocument, Field, OperationDefinition, Selection as Item, SelectionSet,
    VariableDefinition,
};
use async_graphql::registry::{MetaInputValue, MetaType, MetaTypeName, Registry};
use async_graphql::{Name, Positioned, ServerResult, Value as ConstValue};
use async_graphql_value::Value;

use crate::error::error_at;
use crate::spec::operation::{Fragments, root_type};

/// Returns the first error of a document that apollo-compiler has found valid.
pub(crate) fn check(registry: &Registry, document: &ExecutableDocument) -> ServerResult<()> {
    for (_, operation) in document.operations.iter() {
        let checker = UsageChecker {
            registry,
            fragments: &document.fragments,
            variables: &operation.node.variable_definitions,
            visited: HashSet::new(),
        };
        checker.operation(&operation.node)?;
    }
    Ok(())
}

/// Checks one operation, with the fragments that it spreads.
struct UsageChecker<'a> {
    registry: &'a Registry,
    fragments: &'a Fragments,
    variables: &'a [Positioned<VariableDefinition>],
    visited: HashSet<&'a Name>,
}

type Arguments = [(Positioned<Name>, Positioned<Value>)];

impl<'a> UsageChecker<'a> {
    fn operation(mut self, operation: &'a OperationDefinition) -> ServerResult<()> {
        for variable in self.variables {
            let variable = &variable.node;
            if let Some(default) = &variable.default_value {
                let ty = variable.var_type.node.to_string();
                let value = default.node.clone().into_value();
                let checked = self.value(&ty, &value);
                checked.map_err(|message| error_at(default.pos, message))?;
            }
            self.directives(&variable.directives)?;
        }
        self.directives(&operation.directives)?;
        let root = root_type(self.registry, operation);
        let root = root.and_then(|root| self.registry.types.get(root));
        self.set(root, &operation.selection_set.node)
    }

    fn set(&mut self, parent: Option<&'a MetaType>, set: &'a SelectionSet) -> ServerResult<()> {
        for item in &set.items {
            self.directives(item.node.directives())?;
            match &item.node {
                Item::Field(field) => self.field(parent, &field.node)?,
                Item::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref();
                    let parent = match condition {
                        Some(on) => self.registry.types.get(on.node.on.node.as_str()),
                        None => parent,
                    };
                    self.set(parent, &fragment.node.selection_set.node)?;
                }
                Item::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    // A fragment is checked once: its result does not depend on where it is spread.
                    if let Some(fragment) = self.fragments.get(name)
                        && self.visited.insert(name)
                    {
                        let fragment = &fragment.node;
                        self.directives(&fragment.directives)?;
                        let on = fragment.type_condition.node.on.node.as_str();
                        let parent = self.registry.types.get(on);
                        self.set(parent, &fragment.selection_set.node)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn field(&mut self, parent: Option<&'a MetaType>, field: &'a Field) -> ServerResult<()> {
        let definition = parent.and_then(|parent| parent.field_by_name(&field.name.node));
        let arguments = definition.map(|definition| &definition.args);
        self.arguments(arguments, &field.arguments)?;
        let ty = definition.and_then(|field| self.registry.concrete_type_by_name(&field.ty));
        self.set(ty, &field.selection_set.node)
    }

    fn directives(&self, directives: &[Positioned<Directive>]) -> ServerResult<()> {
        for directive in directives {
            let directive = &directive.node;
            let definition = self.registry.directives.get(directive.name.node.as_str());
            let arguments = definition.map(|definition| &definition.args);
            self.arguments(arguments, &directive.arguments)?;
        }
        Ok(())
    }

    fn arguments(
        &self,
        expected: Option<&IndexMap<String, MetaInputValue>>,
        arguments: &Arguments,
    ) -> ServerResult<()> {
        for (name, value) in arguments {
            let expected = expected.and_then(|expected| expected.get(name.node.as_str()));
            let checked = match expected {
                Some(expected) => self.input(expected, &value.node),
                None => self.variables_in(&value.node),
            };
            checked.map_err(|message| error_at(value.pos, message))?;
        }
        Ok(())
    }

    /// Checks the value of an argument, or of a field of an input object.
    fn input(&self, expected: &MetaInputValue, value: &Value) -> Result<(), String> {
        match value {
            Value::Variable(name) => {
                self.variable(&expected.ty, expected.default_value.is_some(), name)
            }
            _ => self.value(&expected.ty, value),
        }
    }

    fn value(&self, ty: &str, value: &Value) -> Result<(), String> {
        if let Value::Variable(name) = value {
            return self.variable(ty, false, name);
        }
        match (MetaTypeName::create(ty), value) {
            (MetaTypeName::NonNull(ty), Value::Object(fields))
                if matches!(MetaTypeName::create(ty), MetaTypeName::Named(_)) =>
            {
                self.named(ty, fields, true)
            }
            (MetaTypeName::NonNull(ty), _) => self.value(ty, value),
            (MetaTypeName::List(ty), Value::List(items)) => {
                let mut items = items.iter();
                items.try_for_each(|item| self.value(ty, item))
            }
            // A single value is a list of one.
            (MetaTypeName::List(ty), Value::Object(fields)) => {
                self.named(MetaTypeName::concrete_typename(ty), fields, true)
            }
            (MetaTypeName::List(ty), _) => self.value(ty, value),
            (MetaTypeName::Named(name), Value::Object(fields)) => self.named(name, fields, false),
            _ => self.variables_in(value),
        }
    }

    /// Checks an object. The variable of a `@oneOf` field may be nullable where graphql-js 16 does not
    /// ask: where the object itself must not be null, and where it is a list of one. If the variable
    /// is null then, the field fails.
    fn named(
        &self,
        name: &str,
        fields: &IndexMap<Name, Value>,
        allows_nullable: bool,
    ) -> Result<(), String> {
        match self.registry.types.get(name) {
            Some(MetaType::InputObject {
                input_fields,
                oneof,
                ..
            }) => self.object(name, input_fields, oneof.then_some(allows_nullable), fields),
            // A custom scalar may contain a variable, whose type is then not restricted.
            _ => {
                let mut values = fields.values();
                values.try_for_each(|value| self.variables_in(value))
            }
        }
    }

    /// Checks an input object. `one_of` is whether the variable of its one field may be nullable, if
    /// the type is `@oneOf`.
    fn object(
        &self,
        name: &str,
        expected: &IndexMap<String, MetaInputValue>,
        one_of: Option<bool>,
        fields: &IndexMap<Name, Value>,
    ) -> Result<(), String> {
        for (name, value) in fields {
            if let Some(expected) = expected.get(name.as_str()) {
                self.input(expected, value)?;
            }
        }
        let Some(allows_nullable) = one_of else {
            return Ok(());
        };
        let mut given = fields.iter();
        match (given.next(), given.next()) {
            (Some((field, Value::Null)), None) => {
                Err(format!("Field \"{name}.{field}\" must be non-null."))
            }
            (Some((_, Value::Variable(variable))), None) => {
                let ty = &self.definition(variable)?.var_type.node;
                if allows_nullable || !ty.nullable {
                    return Ok(());
                }
                Err(format!(
                    "Variable \"${variable}\" is of type \"{ty}\" but must be non-nullable to be \
                     used for OneOf Input Object \"{name}\"."
                ))
            }
            (Some(_), None) => Ok(()),
            _ => Err(format!(
                "OneOf Input Object \"{name}\" must specify exactly one key."
            )),
        }
    }

    /// Checks that the variables in a value of any type are defined.
    fn variables_in(&self, value: &Value) -> Result<(), String> {
        match value {
            Value::Variable(name) => self.definition(name).map(|_| ()),
            Value::List(items) => items.iter().try_for_each(|item| self.variables_in(item)),
            Value::Object(fields) => {
                let mut values = fields.values();
                values.try_for_each(|value| self.variables_in(value))
            }
            _ => Ok(()),
        }
    }

    fn definition(&self, name: &Name) -> Result<&'a VariableDefinition, String> {
        let mut variables = self.variables.iter().map(|variable| &variable.node);
        variables
            .find(|variable| variable.name.node == *name)
            .ok_or_else(|| format!("Variable \"${name}\" is not defined."))
    }

    /// `IsVariableUsageAllowed` of the specification. `has_default` is whether the position has a
    /// default.
    fn variable(&self, ty: &str, has_default: bool, name: &Name) -> Result<(), String> {
        let definition = self.definition(name)?;
        let variable_type = definition.var_type.node.to_string();
        let value = definition.default_value.as_ref().map(|value| &value.node);
        // With a default on either side, a nullable variable is allowed in a position that does not
        // accept null.
        let has_default = has_default || value.is_some_and(|value| *value != ConstValue::Null);
        let expected = match ty.strip_suffix('!') {
            Some(nullable) if has_default => nullable,
            _ => ty,
        };
        if is_subtype(&variable_type, expected) {
            return Ok(());
        }
        Err(format!(
            "Variable \"${name}\" of type \"{variable_type}\" used in position expecting type \
             \"{ty}\"."
        ))
    }
}

/// Whether each value of a type is also a value of the expected type.
fn is_subtype(ty: &str, expected: &str) -> bool {
    match (MetaTypeName::create(ty), MetaTypeName::create(expected)) {
        (MetaTypeName::NonNull(ty), MetaTypeName::NonNull(expected)) => is_subtype(ty, expected),
        (_, MetaTypeName::NonNull(_)) => false,
        (MetaTypeName::NonNull(ty), _) => is_subtype(ty, expected),
        (MetaTypeName::List(ty), MetaTypeName::List(expected)) => is_subtype(ty, expected),
        (MetaTypeName::Named(ty), MetaTypeName::Named(expected)) => ty == expected,
        _ => false,
    }
}
