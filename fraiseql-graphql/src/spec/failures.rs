//! Fields that fail before they are resolved, because a variable is null where null is not allowed.
//!
//! A nullable variable may be used there if it has a default, or the argument has one. If the request
//! has null for it, the field fails (spec: [Coercing Field
//! Arguments](https://spec.graphql.org/October2021/#sec-Coercing-Field-Arguments)); in `@skip` and
//! `@include`, the object fails whose selection they belong to. async-graphql takes the null for
//! false, or for an omitted argument.
//!
//! Such a selection is replaced by a mark: `__typename` with an alias by which the failure is found in
//! the response.

use std::collections::HashSet;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{
    Directive, DocumentOperations, ExecutableDocument, Field, OperationDefinition,
    Selection as Item, SelectionSet,
};
use async_graphql::registry::{MetaInputValue, MetaType, MetaTypeName, Registry};
use async_graphql::{
    Name, PathSegment, Pos, Positioned, Response, ServerError, ServerResult, Value, Variables,
};
use async_graphql_value::Value as Literal;

use crate::error::error_at;
use crate::response::parse_raw;
use crate::spec::operation::root_type;
use crate::spec::root_fields::{RootFields, is_skipped};

/// The beginning of a mark's alias. Behind it are the number of the failure and, if it is that of a
/// field, `_` and its response key.
const PREFIX: &str = "__failed";

/// The failures of an execution, in the order of their numbers.
#[derive(Default)]
pub(crate) struct Failures(Vec<(String, Pos)>);

/// Replaces what fails in a document by marks. The error is that of the request, if the selection of
/// the root fails.
pub(crate) fn mark(
    registry: &Registry,
    document: &mut ExecutableDocument,
    variables: &Variables,
) -> ServerResult<Failures> {
    let mut marker = Marker {
        registry,
        variables,
        failures: Vec::new(),
    };
    let mut mark_operation = |operation: &mut OperationDefinition| {
        let root = root_type(registry, operation).and_then(|root| registry.types.get(root));
        marker.set(root, &mut operation.selection_set.node, &mut HashSet::new());
    };
    match &mut document.operations {
        DocumentOperations::Single(operation) => mark_operation(&mut operation.node),
        DocumentOperations::Multiple(operations) => {
            for operation in operations.values_mut() {
                mark_operation(&mut operation.node);
            }
        }
    }
    for fragment in document.fragments.values_mut() {
        let on = fragment.node.type_condition.node.on.node.as_str();
        let parent = registry.types.get(on);
        marker.set(
            parent,
            &mut fragment.node.selection_set.node,
            &mut HashSet::new(),
        );
    }
    let failures = Failures(marker.failures);
    for (_, operation) in document.operations.iter() {
        let fragments = &document.fragments;
        let root = RootFields::of(registry, fragments, &operation.node, variables);
        if let Some(error) = failures.of_request(root.keys()) {
            return Err(error);
        }
    }
    Ok(failures)
}

struct Marker<'a> {
    registry: &'a Registry,
    variables: &'a Variables,
    failures: Vec<(String, Pos)>,
}

impl<'a> Marker<'a> {
    /// Marks what fails in a selection set. `spread` are the fragments that it has spread before: a
    /// further spread adds nothing, and so its condition does not matter.
    fn set(
        &mut self,
        parent: Option<&'a MetaType>,
        set: &mut SelectionSet,
        spread: &mut HashSet<Name>,
    ) {
        for item in &mut set.items {
            if let Item::FragmentSpread(one) = &item.node
                && spread.contains(&one.node.fragment_name.node)
            {
                continue;
            }
            if let Some(failure) = self.condition(item.node.directives()) {
                *item = self.mark(failure, None, Vec::new());
                continue;
            }
            match &mut item.node {
                Item::Field(field) => {
                    let field = &mut field.node;
                    let definition = parent.and_then(|one| one.field_by_name(&field.name.node));
                    let Some(definition) = definition else {
                        continue;
                    };
                    if let Some(failure) = self.arguments(&definition.args, field) {
                        let key = field.response_key().node.clone();
                        // It may be excluded.
                        let directives = std::mem::take(&mut field.directives);
                        *item = self.mark(failure, Some(&key), directives);
                        continue;
                    }
                    let ty = self.registry.concrete_type_by_name(&definition.ty);
                    self.set(ty, &mut field.selection_set.node, &mut HashSet::new());
                }
                Item::InlineFragment(fragment)
                    if is_skipped(&fragment.node.directives, self.variables) => {}
                Item::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref();
                    let parent = match condition {
                        Some(on) => self.registry.types.get(on.node.on.node.as_str()),
                        None => parent,
                    };
                    self.set(parent, &mut fragment.node.selection_set.node, spread);
                }
                Item::FragmentSpread(one) => {
                    if !is_skipped(&one.node.directives, self.variables) {
                        spread.insert(one.node.fragment_name.node.clone());
                    }
                }
            }
        }
    }

    fn mark(
        &mut self,
        failure: (String, Pos),
        key: Option<&Name>,
        mut directives: Vec<Positioned<Directive>>,
    ) -> Positioned<Item> {
        directives.retain(|one| matches!(&*one.node.name.node, "skip" | "include"));
        let pos = failure.1;
        let number = self.failures.len();
        self.failures.push(failure);
        let alias = match key {
            Some(key) => format!("{PREFIX}{number}_{key}"),
            None => format!("{PREFIX}{number}"),
        };
        let field = Field {
            alias: Some(Positioned::new(Name::new(alias), pos)),
            name: Positioned::new(Name::new("__typename"), pos),
            arguments: Vec::new(),
            directives,
            selection_set: Positioned::default(),
        };
        Positioned::new(Item::Field(Positioned::new(field, pos)), pos)
    }

    fn is_null(&self, value: &Literal) -> bool {
        match value {
            Literal::Variable(name) => self.variables.get(name) == Some(&Value::Null),
            value => *value == Literal::Null,
        }
    }

    /// The failure of `@skip` or `@include`, in this order.
    fn condition(&self, directives: &[Positioned<Directive>]) -> Option<(String, Pos)> {
        for (name, excludes) in [("skip", true), ("include", false)] {
            let mut directives = directives.iter();
            let directive = directives.find(|directive| directive.node.name.node == name);
            let Some(value) = directive.and_then(|directive| directive.node.get_argument("if"))
            else {
                continue;
            };
            if self.is_null(&value.node) {
                return Some((not_null("if", "Boolean!"), value.pos));
            }
            let is = match &value.node {
                Literal::Variable(name) => {
                    self.variables.get(name) == Some(&Value::Boolean(excludes))
                }
                value => *value == Literal::Boolean(excludes),
            };
            if is {
                return None;
            }
        }
        None
    }

    fn arguments(
        &self,
        expected: &IndexMap<String, MetaInputValue>,
        field: &Field,
    ) -> Option<(String, Pos)> {
        expected.values().find_map(|expected| {
            let value = field.get_argument(&expected.name)?;
            let pos = value.pos;
            if expected.ty.ends_with('!') && self.is_null(&value.node) {
                return Some((not_null(&expected.name, &expected.ty), pos));
            }
            let message = format!("Argument \"{}\" has an invalid value.", expected.name);
            self.has_null(&expected.ty, &value.node)
                .then_some((message, pos))
        })
    }

    /// Whether a value has a null where its type does not allow it.
    fn has_null(&self, ty: &str, value: &Literal) -> bool {
        match (MetaTypeName::create(ty), value) {
            (MetaTypeName::NonNull(ty), _) => self.is_null(value) || self.has_null(ty, value),
            (MetaTypeName::List(ty), Literal::List(items)) => {
                items.iter().any(|item| self.has_null(ty, item))
            }
            (MetaTypeName::List(ty), Literal::Object(_)) => self.has_null(ty, value),
            (MetaTypeName::Named(name), Literal::Object(fields)) => {
                let Some(MetaType::InputObject { input_fields, .. }) =
                    self.registry.types.get(name)
                else {
                    return false;
                };
                fields.iter().any(|(name, value)| {
                    let expected = input_fields.get(name.as_str());
                    expected.is_some_and(|expected| self.has_null(&expected.ty, value))
                })
            }
            _ => false,
        }
    }
}

/// Whether a root field of queries, with constant arguments, has a null where it is not allowed.
pub(crate) fn has_wrong_null(registry: &Registry, field: &Field) -> bool {
    let marker = Marker {
        registry,
        variables: &Variables::default(),
        failures: Vec::new(),
    };
    let root = registry.types.get(&registry.query_type);
    let definition = root.and_then(|root| root.field_by_name(&field.name.node));
    definition.is_none_or(|definition| marker.arguments(&definition.args, field).is_some())
}

fn not_null(argument: &str, ty: &str) -> String {
    format!("Argument \"{argument}\" of non-null type \"{ty}\" must not be null.")
}

/// What a mark's alias says: the number of the failure, and the response key of a field.
fn read(alias: &str) -> Option<(usize, Option<&str>)> {
    let rest = alias.strip_prefix(PREFIX)?;
    let (number, key) = match rest.split_once('_') {
        Some((number, key)) => (number, Some(key)),
        None => (rest, None),
    };
    Some((number.parse().ok()?, key))
}

impl Failures {
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The failure of the whole request, if one of these response keys at the root is its mark.
    fn of_request<'k>(&self, mut keys: impl Iterator<Item = &'k Name>) -> Option<ServerError> {
        keys.find_map(|key| match read(key) {
            Some((number, None)) => self.error(number),
            _ => None,
        })
    }

    fn error(&self, number: usize) -> Option<ServerError> {
        let (message, pos) = self.0.get(number)?;
        Some(error_at(*pos, message.clone()))
    }

    /// Replaces the marks in a response by errors.
    pub(crate) fn report(&self, response: &mut Response) {
        if self.is_empty() {
            return;
        }
        let mut errors = Vec::new();
        self.find(&mut response.data, &mut Vec::new(), &mut errors);
        response.errors.append(&mut errors);
    }

    fn find(&self, value: &mut Value, path: &mut Vec<PathSegment>, errors: &mut Vec<ServerError>) {
        parse_raw(value);
        let fields = match value {
            Value::Object(fields) => fields,
            Value::List(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    path.push(PathSegment::Index(index));
                    self.find(item, path, errors);
                    path.pop();
                }
                return;
            }
            _ => return,
        };
        let found = std::mem::take(fields);
        for (key, mut value) in found {
            match read(&key).and_then(|(number, of)| Some((self.error(number)?, of))) {
                Some((error, None)) => {
                    // What else failed in this object does not matter.
                    errors.retain(|other| !other.path.starts_with(path));
                    errors.push(error.with_path(path.clone()));
                    fields.clear();
                    return;
                }
                Some((error, Some(key))) => {
                    // The field may be selected several times.
                    if fields.insert(Name::new(key), Value::Null).is_none() {
                        path.push(PathSegment::Field(key.to_owned()));
                        errors.push(error.with_path(path.clone()));
                        path.pop();
                    }
                }
                None => {
                    path.push(PathSegment::Field(key.to_string()));
                    self.find(&mut value, path, errors);
                    path.pop();
                    fields.insert(key, value);
                }
            }
        }
    }
}
