//! What the operation of a request gives to its plan: the root fields with their arguments.

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{
    Field, OperationDefinition, OperationType, Selection as Item, SelectionSet,
};
use async_graphql::{Name, Response, SchemaEnv, Variables};
use async_graphql_value::Value as Literal;

use crate::request::direct::arguments::{has_variable, without_selection};
use crate::request::direct::conditions::{Conditions, is_condition};
use crate::request::direct::plan::{CachedPlan, PlannedField};
use crate::request::direct::recorder::PlanRecorder;
use crate::spec::operation::Fragments;
use crate::spec::root_fields::is_skipped;

/// The root fields and conditions of a request.
pub(crate) struct Draft {
    conditions: Conditions,
    /// By their response keys, in the order of the response.
    fields: IndexMap<Name, Field>,
    variables: Variables,
    /// Whether the variables are those of a [`planning`](super::planning).
    is_planned: bool,
}

/// The arguments that a number of documents is taken from.
const COUNTS: [&str; 3] = ["limit", "first", "last"];

impl Draft {
    /// The draft of an operation with these variables: coerced, and with their defaults. None if the
    /// request is not one that can be answered directly.
    pub(crate) fn of(
        operation: &OperationDefinition,
        fragments: &Fragments,
        variables: &Variables,
        is_planned: bool,
    ) -> Option<Self> {
        if operation.ty != OperationType::Query || !operation.directives.is_empty() {
            return None;
        }
        let mut survey = Survey {
            fragments,
            variables,
            conditions: Conditions::default(),
            fields: IndexMap::new(),
            skipped: Vec::new(),
        };
        survey.root(&operation.selection_set.node, false)?;
        let Survey {
            conditions,
            fields,
            skipped,
            ..
        } = survey;
        // The complexity of a query includes what is skipped.
        let is_fixed = |field: &&Field| {
            fields.contains_key(&field.response_key().node) || !has_variables(field)
        };
        if !skipped.iter().all(is_fixed) {
            return None;
        }
        let fields = fields
            .into_iter()
            .map(|(key, field)| (key.clone(), without_selection(field)));
        Some(Self {
            conditions,
            fields: fields.collect(),
            variables: variables.clone(),
            is_planned,
        })
    }

    /// The plan, if resolvers have recorded all root fields, and the response consists of their
    /// documents only. A plan cannot reproduce errors, extensions or headers, except for how long the response may be cached.
    pub(crate) fn finish(
        &self,
        recorder: &PlanRecorder,
        schema: &SchemaEnv,
        response: &Response,
    ) -> Option<CachedPlan> {
        let is_data_only = response.errors.is_empty()
            && response.extensions.is_empty()
            && response.http_headers.is_empty();
        if !is_data_only || self.fields.is_empty() {
            return None;
        }
        let mut recorded = recorder.take();
        let fields = self.fields.iter().map(|(key, field)| {
            let recorded = recorded.remove(key.as_str())?;
            Some(PlannedField {
                key: key.clone(),
                field: field.clone(),
                recorded,
            })
        });
        let fields: Option<Vec<_>> = fields.collect();
        let conditions = self.conditions.clone();
        let plan = CachedPlan::new(schema.clone(), conditions, fields?, response.cache_control);
        if self.has_counts() {
            plan.allow(plan.row_counts(&self.variables));
        }
        Some(plan)
    }

    /// Whether the numbers of documents are known. When an operation is planned, its variables may have no values.
    fn has_counts(&self) -> bool {
        let mut counts = self.fields.values().flat_map(|field| {
            let arguments = field.arguments.iter();
            arguments.filter(|(name, _)| COUNTS.contains(&name.node.as_str()))
        });
        counts.all(|(_, count)| match &count.node {
            Literal::Variable(name) => !self.is_planned || self.variables.contains_key(name),
            _ => true,
        })
    }
}

/// A walk through the selection of an operation.
struct Survey<'a> {
    fragments: &'a Fragments,
    variables: &'a Variables,
    conditions: Conditions,
    fields: IndexMap<&'a Name, &'a Field>,
    /// Root fields that the request does not select.
    skipped: Vec<&'a Field>,
}

impl<'a> Survey<'a> {
    /// Walks through a selection set of the root. A directive of another name may depend on something
    /// other than the request.
    fn root(&mut self, set: &'a SelectionSet, is_within_skipped: bool) -> Option<()> {
        for item in &set.items {
            let directives = item.node.directives();
            if !directives.iter().all(|one| is_condition(&one.node)) {
                return None;
            }
            self.conditions.add(directives, self.variables)?;
            let is_skipped = is_within_skipped || is_skipped(directives, self.variables);
            match &item.node {
                Item::Field(field) => {
                    let field = &field.node;
                    if is_skipped {
                        self.skipped.push(field);
                    } else {
                        self.fields
                            .entry(&field.response_key().node)
                            .or_insert(field);
                    }
                    self.inner(&field.selection_set.node)?;
                }
                Item::InlineFragment(fragment) => {
                    self.root(&fragment.node.selection_set.node, is_skipped)?;
                }
                Item::FragmentSpread(spread) => {
                    let fragment = self.fragments.get(&spread.node.fragment_name.node)?;
                    self.root(&fragment.node.selection_set.node, is_skipped)?;
                }
            }
        }
        Some(())
    }

    /// Walks through what is selected of a document. A variable in the arguments of a field there is for
    /// a resolver, or it is skipped and counts for the complexity.
    fn inner(&mut self, set: &'a SelectionSet) -> Option<()> {
        for item in &set.items {
            self.conditions
                .add(item.node.directives(), self.variables)?;
            match &item.node {
                Item::Field(field) => {
                    if has_variables(&field.node) {
                        return None;
                    }
                    self.inner(&field.node.selection_set.node)?;
                }
                Item::InlineFragment(fragment) => {
                    self.inner(&fragment.node.selection_set.node)?;
                }
                Item::FragmentSpread(spread) => {
                    let fragment = self.fragments.get(&spread.node.fragment_name.node)?;
                    self.inner(&fragment.node.selection_set.node)?;
                }
            }
        }
        Some(())
    }
}

fn has_variables(field: &Field) -> bool {
    let mut arguments = field.arguments.iter();
    arguments.any(|(_, value)| has_variable(&value.node))
}
