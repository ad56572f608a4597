//! Compiles a selection for a struct into a [`Plan`], or reports everything that is wrong with it.

use super::append::PaddedBytes;
use super::error::SelectionError;
use super::layout::{Layout, StoredKeys, push_quoted};
use super::merge::{MergedField, merge};
use super::mistakes;
use super::plan::{OutputField, Plan, PlannedKey, ValuePlan};
use super::selection::{MAX_DEPTH, Selection};
use crate::schema;
use crate::schema::scalar::ScalarType;
use crate::schema::{Shape, Source};

/// The name that every object has a value for: the name of its type.
const TYPE_NAME: &str = "__typename";

/// Compiles a selection.
///
/// # Errors
/// Everything that is wrong with it.
pub(super) fn compile(
    shape: &'static Shape,
    selection: &Selection,
    keys: StoredKeys,
    empty: EmptySelection,
    big_ints: BigInts,
) -> Result<Plan, SelectionError> {
    let mut compiler = PlanCompiler {
        keys,
        empty,
        big_ints,
        path: Vec::new(),
        errors: Vec::new(),
    };
    let plan = compiler.object(shape, &[selection]);
    match plan {
        Some(plan) if compiler.errors.is_empty() => Ok(plan),
        _ => Err(SelectionError::of(compiler.errors)),
    }
}

/// What an empty selection of an object means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum EmptySelection {
    /// An error.
    Rejected,
    /// The object `{}`.
    EmptyObject,
}

/// How integers of 64 bits are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BigInts {
    /// As they are stored.
    #[default]
    Numbers,
    /// As strings, which readers that know no integers of 64 bits do not round.
    Strings,
}

struct PlanCompiler<'s> {
    keys: StoredKeys,
    empty: EmptySelection,
    big_ints: BigInts,
    /// The names in the output that lead to the current object.
    path: Vec<&'s str>,
    errors: Vec<String>,
}

/// The fields of a plan while they are collected.
struct Fields {
    output: Vec<OutputField>,
    /// For each field of the struct, the first and the last field of the output.
    first_and_last: Vec<Option<(usize, usize)>>,
    /// The maximum number of field states of an object inside.
    max_states_inside: usize,
    can_coalesce: bool,
}

impl<'s> PlanCompiler<'s> {
    /// Compiles the selections of an object, which are merged. `None` if there was an error.
    fn object(&mut self, shape: &'static Shape, selections: &[&'s Selection]) -> Option<Plan> {
        if self.path.len() >= MAX_DEPTH {
            self.errors
                .push(format!("objects are nested more than {MAX_DEPTH} deep"));
            return None;
        }
        let (merged, conflicts) = merge(selections);
        let conflicts = conflicts.iter();
        self.errors
            .extend(conflicts.map(|conflict| mistakes::conflict(&self.path, conflict)));
        if merged.is_empty() && self.empty == EmptySelection::Rejected {
            self.errors
                .push(mistakes::nothing_selected(&self.path, shape));
            return None;
        }
        let mut fields = Fields {
            output: Vec::with_capacity(merged.len().max(1)),
            first_and_last: vec![None; shape.fields.len()],
            max_states_inside: 0,
            can_coalesce: false,
        };
        if merged.is_empty() {
            // A field of the plan that writes the brace alone, and like `__typename` does not need
            // a key of the document.
            fields.output.push(OutputField {
                prefix: PaddedBytes::new(b"{".to_vec()),
                response_key: String::new(),
                json: TYPE_NAME,
                value: ValuePlan::TypeName,
                quotes: false,
                nullable: false,
                next_of_key: None,
            });
        }
        for field in merged {
            self.field(shape, &field, &mut fields);
        }
        let keys = Layout::ALL.map(|layout| self.planned_keys(shape, layout, &fields));
        // Two fields can be copied together if the second one directly follows the first in the
        // document and in the output, after the same bytes.
        let can_coalesce = keys.iter().any(|keys| {
            keys.windows(2).any(|pair| {
                let consecutive = |(first, second): (usize, usize)| first + 1 == second;
                pair[1].same_prefix && pair[0].field.zip(pair[1].field).is_some_and(consecutive)
            })
        });
        Some(Plan {
            shape,
            keys,
            selected_keys: fields.first_and_last.iter().flatten().count(),
            max_states: fields.output.len() + fields.max_states_inside,
            can_coalesce: fields.can_coalesce || can_coalesce,
            fields: fields.output.into_boxed_slice(),
        })
    }

    /// The keys of a struct in the stored order of a layout.
    fn planned_keys(
        &self,
        shape: &'static Shape,
        layout: Layout,
        fields: &Fields,
    ) -> Box<[PlannedKey]> {
        let order = layout.order(shape, self.keys);
        let keys = order.into_iter().enumerate().map(|(position, index)| {
            let key = self.keys.key(&shape.fields[index]);
            let prefix = layout.value_prefix(key, position == 0);
            let field = fields.first_and_last[index].map(|(first, _)| first);
            let same = |field: usize| fields.output[field].prefix.bytes() == prefix.bytes();
            PlannedKey {
                key,
                field,
                is_uuid: is_uuid(&shape.fields[index]),
                same_prefix: field.is_some_and(same),
                prefix,
            }
        });
        keys.collect()
    }

    /// Compiles one field of the output. Adds nothing if there was an error.
    fn field(&mut self, shape: &'static Shape, field: &MergedField<'s>, fields: &mut Fields) {
        let mut prefix = Vec::with_capacity(field.response_key.len() + 4);
        prefix.push(if fields.output.is_empty() { b'{' } else { b',' });
        push_quoted(&mut prefix, field.response_key);
        prefix.push(b':');
        let mut quotes = false;
        let (value, nullable, json) = if field.name == TYPE_NAME {
            if field.has_braces {
                self.errors
                    .push(mistakes::braces_of_scalar(&self.path, field));
            }
            push_quoted(&mut prefix, shape.type_name);
            (ValuePlan::TypeName, false, TYPE_NAME)
        } else {
            let index = self.find(shape, field);
            let value = index.and_then(|index| self.value(&shape.fields[index], field));
            let (Some(index), Some((value, nullable))) = (index, value) else {
                return;
            };
            quotes = self.quotes(&shape.fields[index], field.response_key);
            fields.link(index);
            (value, nullable, shape.fields[index].json)
        };
        if let ValuePlan::Object(plan) | ValuePlan::List(plan) = &value {
            // The objects of different fields are written one after the other, and use the same
            // states.
            fields.max_states_inside = fields.max_states_inside.max(plan.max_states);
            fields.can_coalesce |= plan.can_coalesce;
        }
        fields.output.push(OutputField {
            prefix: PaddedBytes::new(prefix),
            response_key: field.response_key.to_owned(),
            json,
            value,
            quotes,
            nullable,
            next_of_key: None,
        });
    }

    /// Whether the numbers of a field are written as strings. Below a name that begins with `$`, which
    /// no query of GraphQL can select, the output is read by the application and not by a client.
    fn quotes(&self, field: &schema::Field, response_key: &str) -> bool {
        let is_for_clients = |name: &&str| !name.starts_with('$');
        self.big_ints == BigInts::Strings
            && is_of_type(field, "int8")
            && self.path.iter().all(is_for_clients)
            && is_for_clients(&response_key)
    }

    /// The index of a selected field in the struct.
    fn find(&mut self, shape: &'static Shape, field: &MergedField<'s>) -> Option<usize> {
        let found = shape
            .fields
            .iter()
            .position(|candidate| candidate.json == field.name && !candidate.is_hidden());
        if found.is_none() {
            self.errors
                .push(mistakes::unknown_field(&self.path, shape, field));
        }
        found
    }

    /// How the value of a field is written, and whether it may be null.
    fn value(
        &mut self,
        source: &'static schema::Field,
        field: &MergedField<'s>,
    ) -> Option<(ValuePlan, bool)> {
        if let Some(ty) = source.source.scalar() {
            if field.has_braces {
                self.errors
                    .push(mistakes::braces_of_scalar(&self.path, field));
                return None;
            }
            return Some(scalar(ty));
        }
        let child = source.source.part()?;
        let is_list = source.source.is_list_of_parts();
        let nullable = match &source.source {
            Source::One(to) => to.nullable,
            source => matches!(source, Source::First(_)),
        };
        if !field.has_braces {
            self.errors
                .push(mistakes::no_braces(&self.path, field, child, is_list));
            return None;
        }
        self.path.push(field.response_key);
        let plan = self.object(child, &field.nested);
        self.path.pop();
        let value = match is_list {
            true => ValuePlan::List,
            false => ValuePlan::Object,
        };
        Some((value(plan?), nullable))
    }
}

impl Fields {
    /// Makes the next field of the output one of those that are made of this field of the struct.
    fn link(&mut self, index: usize) {
        let next = self.output.len();
        match &mut self.first_and_last[index] {
            None => self.first_and_last[index] = Some((next, next)),
            Some((_, last)) => {
                self.output[*last].next_of_key = Some(next);
                *last = next;
            }
        }
    }
}

fn scalar(ty: &ScalarType) -> (ValuePlan, bool) {
    let value = match ty.admits_null_elements() {
        Some(false) => ValuePlan::NonNullElements,
        Some(true) | None => ValuePlan::Scalar,
    };
    (value, ty.admits_null())
}

fn is_uuid(field: &schema::Field) -> bool {
    let is_list = match &field.source {
        Source::Column { ty, .. } | Source::Expr { ty, .. } => ty.list.is_some(),
        _ => true,
    };
    !is_list && is_of_type(field, "uuid")
}

/// Whether a field, or each element of it, has this SQL type.
fn is_of_type(field: &schema::Field, sql: &str) -> bool {
    field.source.scalar().is_some_and(|ty| ty.sql == sql)
}
