//! From the tree of apollo-compiler to the document that async-graphql executes.

use std::collections::HashMap;

use apollo_compiler::ast;
use apollo_compiler::parser::SourceSpan;
use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{
    BaseType, Directive, DocumentOperations, ExecutableDocument, Field, FragmentDefinition,
    FragmentSpread, InlineFragment, OperationDefinition, OperationType, Selection, SelectionSet,
    Type, TypeCondition, VariableDefinition,
};
use async_graphql::{Name, Pos, Positioned, ServerError, ServerResult};
use async_graphql_value::{Number, Value};

use crate::error::{error, error_at};
use crate::spec::parse::Positions;

/// Converts one document. What async-graphql's types cannot express is an error here, though it is a
/// rule of validation: two operations or fragments of one name, two fields of an input object.
pub(super) struct Converter<'a> {
    text: &'a str,
    positions: Positions<'a>,
    /// The number of tokens that were converted.
    tokens: usize,
}

impl<'a> Converter<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            positions: Positions::new(text),
            tokens: 0,
        }
    }

    /// Converts a document. Returns it with the number of its tokens.
    pub(super) fn document(
        mut self,
        tree: &ast::Document,
    ) -> ServerResult<(ExecutableDocument, usize)> {
        let mut anonymous = None;
        let mut named = HashMap::new();
        let mut fragments = HashMap::new();
        for definition in &tree.definitions {
            match definition {
                ast::Definition::OperationDefinition(operation) => {
                    let pos = self.pos(operation.location());
                    let converted = Positioned::new(self.operation(operation, pos)?, pos);
                    let Some(name) = &operation.name else {
                        if anonymous.replace(converted).is_some() {
                            return Err(not_alone(pos));
                        }
                        continue;
                    };
                    if named.insert(Name::new(name), converted).is_some() {
                        return Err(twice(pos, "operation", name));
                    }
                }
                ast::Definition::FragmentDefinition(fragment) => {
                    let pos = self.pos(fragment.location());
                    let converted = Positioned::new(self.fragment(fragment, pos)?, pos);
                    let name = &fragment.name;
                    if fragments.insert(Name::new(name), converted).is_some() {
                        return Err(twice(pos, "fragment", name));
                    }
                }
                other => {
                    let pos = self.pos(other.location());
                    return Err(error_at(pos, "Type definitions are not executable."));
                }
            }
        }
        let operations = match anonymous {
            Some(operation) if !named.is_empty() => return Err(not_alone(operation.pos)),
            Some(operation) => DocumentOperations::Single(operation),
            None if named.is_empty() => {
                let message = "The document has no operation.";
                return Err(error(message, "GRAPHQL_VALIDATION_FAILED"));
            }
            None => DocumentOperations::Multiple(named),
        };
        let document = ExecutableDocument {
            operations,
            fragments,
        };
        Ok((document, self.tokens))
    }

    fn operation(
        &mut self,
        operation: &apollo_compiler::Node<ast::OperationDefinition>,
        pos: Pos,
    ) -> ServerResult<OperationDefinition> {
        let ty = match operation.operation_type {
            ast::OperationType::Query => OperationType::Query,
            ast::OperationType::Mutation => OperationType::Mutation,
            ast::OperationType::Subscription => OperationType::Subscription,
        };
        let offset = operation.location().map_or(0, |span| span.offset());
        let is_short = self.text[offset..].starts_with('{');
        self.tokens += usize::from(!is_short) + usize::from(operation.name.is_some());
        self.count_brackets(operation.variables.is_empty());
        let variables = operation.variables.iter();
        Ok(OperationDefinition {
            ty,
            variable_definitions: variables
                .map(|variable| {
                    let pos = self.pos(variable.location());
                    Ok(Positioned::new(self.variable(variable)?, pos))
                })
                .collect::<ServerResult<_>>()?,
            directives: self.directives(&operation.directives)?,
            selection_set: self.set(&operation.selection_set, pos)?,
        })
    }

    fn variable(&mut self, variable: &ast::VariableDefinition) -> ServerResult<VariableDefinition> {
        // `$`, the name and `:`
        self.tokens += 3;
        let name = self.name(&variable.name);
        let pos = self.pos(variable.ty.location());
        let var_type = Positioned::new(self.ty(&variable.ty), pos);
        let default_value = match &variable.default_value {
            None => None,
            Some(value) => {
                self.tokens += 1;
                let value = self.value(value)?;
                let Some(constant) = value.node.into_const() else {
                    let message = "The default of a variable cannot contain a variable.";
                    return Err(error_at(value.pos, message));
                };
                Some(Positioned::new(constant, value.pos))
            }
        };
        Ok(VariableDefinition {
            name,
            var_type,
            default_value,
            directives: self.directives(&variable.directives)?,
        })
    }

    fn fragment(
        &mut self,
        fragment: &ast::FragmentDefinition,
        pos: Pos,
    ) -> ServerResult<FragmentDefinition> {
        // `fragment` and the name
        self.tokens += 2;
        Ok(FragmentDefinition {
            type_condition: self.condition(&fragment.type_condition),
            directives: self.directives(&fragment.directives)?,
            selection_set: self.set(&fragment.selection_set, pos)?,
        })
    }

    /// A selection set, whose position is that of what it belongs to: the tree does not have that of
    /// its brace.
    fn set(
        &mut self,
        selections: &[ast::Selection],
        pos: Pos,
    ) -> ServerResult<Positioned<SelectionSet>> {
        self.count_brackets(selections.is_empty());
        let items = selections.iter().map(|selection| self.selection(selection));
        let items = items.collect::<ServerResult<_>>()?;
        Ok(Positioned::new(SelectionSet { items }, pos))
    }

    fn selection(&mut self, selection: &ast::Selection) -> ServerResult<Positioned<Selection>> {
        Ok(match selection {
            ast::Selection::Field(field) => {
                let pos = self.pos(field.location());
                self.tokens += 1 + 2 * usize::from(field.alias.is_some());
                let alias = field.alias.as_ref().map(|alias| self.name(alias));
                let field = Field {
                    alias,
                    name: self.name(&field.name),
                    arguments: self.arguments(&field.arguments)?,
                    directives: self.directives(&field.directives)?,
                    selection_set: self.set(&field.selection_set, pos)?,
                };
                Positioned::new(Selection::Field(Positioned::new(field, pos)), pos)
            }
            ast::Selection::FragmentSpread(spread) => {
                let pos = self.pos(spread.location());
                self.tokens += 2;
                let spread = FragmentSpread {
                    fragment_name: self.name(&spread.fragment_name),
                    directives: self.directives(&spread.directives)?,
                };
                Positioned::new(Selection::FragmentSpread(Positioned::new(spread, pos)), pos)
            }
            ast::Selection::InlineFragment(fragment) => {
                let pos = self.pos(fragment.location());
                self.tokens += 1;
                let condition = fragment.type_condition.as_ref();
                let fragment = InlineFragment {
                    type_condition: condition.map(|condition| self.condition(condition)),
                    directives: self.directives(&fragment.directives)?,
                    selection_set: self.set(&fragment.selection_set, pos)?,
                };
                let fragment = Positioned::new(fragment, pos);
                Positioned::new(Selection::InlineFragment(fragment), pos)
            }
        })
    }

    fn condition(&mut self, on: &apollo_compiler::Name) -> Positioned<TypeCondition> {
        self.tokens += 2;
        let on = self.name(on);
        let pos = on.pos;
        Positioned::new(TypeCondition { on }, pos)
    }

    fn directives(
        &mut self,
        directives: &ast::DirectiveList,
    ) -> ServerResult<Vec<Positioned<Directive>>> {
        let directives = directives.0.iter().map(|directive| {
            let pos = self.pos(directive.location());
            self.tokens += 2;
            let directive = Directive {
                name: self.name(&directive.name),
                arguments: self.arguments(&directive.arguments)?,
            };
            Ok(Positioned::new(directive, pos))
        });
        directives.collect()
    }

    fn arguments(
        &mut self,
        arguments: &[apollo_compiler::Node<ast::Argument>],
    ) -> ServerResult<Vec<(Positioned<Name>, Positioned<Value>)>> {
        self.count_brackets(arguments.is_empty());
        self.tokens += 2 * arguments.len();
        let arguments = arguments.iter();
        let arguments = arguments.map(|one| Ok((self.name(&one.name), self.value(&one.value)?)));
        arguments.collect()
    }

    fn value(
        &mut self,
        value: &apollo_compiler::Node<ast::Value>,
    ) -> ServerResult<Positioned<Value>> {
        let pos = self.pos(value.location());
        self.tokens += match &**value {
            ast::Value::Variable(_) | ast::Value::List(_) => 2,
            ast::Value::Object(fields) => 2 + 2 * fields.len(),
            _ => 1,
        };
        let value = match &**value {
            ast::Value::Null => Value::Null,
            ast::Value::Boolean(value) => Value::Boolean(*value),
            ast::Value::String(value) => Value::String(value.clone()),
            ast::Value::Enum(name) => Value::Enum(Name::new(name)),
            ast::Value::Variable(name) => Value::Variable(Name::new(name)),
            ast::Value::Int(value) => number(value.as_str(), pos)?,
            ast::Value::Float(value) => number(value.as_str(), pos)?,
            ast::Value::List(items) => {
                let items = items.iter().map(|item| Ok(self.value(item)?.node));
                Value::List(items.collect::<ServerResult<_>>()?)
            }
            ast::Value::Object(fields) => {
                let mut object = IndexMap::with_capacity(fields.len());
                for (name, value) in fields {
                    let pos = self.pos(name.location());
                    let value = self.value(value)?.node;
                    if object.insert(Name::new(name), value).is_some() {
                        return Err(twice(pos, "input field", name));
                    }
                }
                Value::Object(object)
            }
        };
        Ok(Positioned::new(value, pos))
    }

    fn ty(&mut self, ty: &ast::Type) -> Type {
        let (base, nullable) = match ty {
            ast::Type::Named(name) => (BaseType::Named(Name::new(name)), true),
            ast::Type::NonNullNamed(name) => (BaseType::Named(Name::new(name)), false),
            ast::Type::List(item) => (BaseType::List(Box::new(self.ty(item))), true),
            ast::Type::NonNullList(item) => (BaseType::List(Box::new(self.ty(item))), false),
        };
        let is_list = matches!(base, BaseType::List(_));
        self.tokens += if is_list { 2 } else { 1 } + usize::from(!nullable);
        Type { base, nullable }
    }

    /// Counts the brackets of a list, which is not written if it is empty.
    fn count_brackets(&mut self, is_empty: bool) {
        self.tokens += if is_empty { 0 } else { 2 };
    }

    fn name(&mut self, name: &apollo_compiler::Name) -> Positioned<Name> {
        let pos = self.pos(name.location());
        Positioned::new(Name::new(name), pos)
    }

    fn pos(&mut self, span: Option<SourceSpan>) -> Pos {
        self.positions.at(span.map_or(0, |span| span.offset()))
    }
}

/// A number: an integer if the text is one and has 64 bits at most.
fn number(text: &str, pos: Pos) -> ServerResult<Value> {
    let integer = || {
        let signed = text.parse::<i64>().map(Number::from);
        signed.or_else(|_| text.parse::<u64>().map(Number::from))
    };
    let number = integer().ok().or_else(|| {
        let float = text.parse::<f64>().ok()?;
        Number::from_f64(float)
    });
    let number = number.map(Value::Number);
    number.ok_or_else(|| error_at(pos, "A number is larger than a Float can be."))
}

fn twice(pos: Pos, what: &str, name: &str) -> ServerError {
    error_at(
        pos,
        format!("There can be only one {what} named \"{name}\"."),
    )
}

fn not_alone(pos: Pos) -> ServerError {
    error_at(
        pos,
        "An operation without a name must be the only operation of the document.",
    )
}
