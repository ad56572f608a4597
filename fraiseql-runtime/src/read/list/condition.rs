//! Compiles filters into a condition in SQL, with a parameter for each value.

use serde_json::Value;

use super::encode;
use super::error::ListError;
use super::fields;
use super::filter::{Filter, FilterNode};
use super::operator::Operator;
use super::parameters::Parameters;
use crate::schema::View;
use crate::sql::list::Condition;

/// The maximum depth of a filter.
const MAX_DEPTH: usize = 16;
/// The maximum number of nodes in a filter: comparisons, and the groups that they are in.
const MAX_NODES: usize = 250;

/// The condition that all of these filters hold; `None` without a filter.
pub(super) fn compile(
    filters: &[Filter],
    view: &'static View,
    parameters: &mut Parameters,
) -> Result<Option<Condition>, ListError> {
    if filters.is_empty() {
        return Ok(None);
    }
    let mut compiler = FilterCompiler {
        view,
        parameters,
        nodes: 0,
    };
    let all = compiler.nodes(filters, MAX_DEPTH)?;
    Ok(Some(Condition::All(all)))
}

struct FilterCompiler<'a> {
    view: &'static View,
    parameters: &'a mut Parameters,
    /// The number of nodes that were compiled.
    nodes: usize,
}

impl FilterCompiler<'_> {
    fn nodes(&mut self, filters: &[Filter], depth: usize) -> Result<Vec<Condition>, ListError> {
        filters
            .iter()
            .map(|filter| self.node(&filter.node, depth))
            .collect()
    }

    /// Compiles a node that may have this many levels.
    fn node(&mut self, node: &FilterNode, depth: usize) -> Result<Condition, ListError> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(ListError::TooLarge {
                what: "conditions in a filter",
                limit: MAX_NODES,
            });
        }
        let Some(depth) = depth.checked_sub(1) else {
            return Err(ListError::TooLarge {
                what: "levels in a filter",
                limit: MAX_DEPTH,
            });
        };
        Ok(match node {
            FilterNode::All(filters) => Condition::All(self.nodes(filters, depth)?),
            FilterNode::Any(filters) => Condition::Any(self.nodes(filters, depth)?),
            FilterNode::Not(filter) => Condition::Not(Box::new(self.node(&filter.node, depth)?)),
            FilterNode::WithoutJson { field, reason } => {
                let field = fields::filterable_field(self.view, field)?;
                return Err(encode::without_json(field.json, field.ty, reason));
            }
            FilterNode::Compare {
                field,
                operator,
                value,
            } => self.compare(field, *operator, value)?,
        })
    }

    fn compare(
        &mut self,
        name: &str,
        operator: Operator,
        value: &Value,
    ) -> Result<Condition, ListError> {
        let field = fields::filterable_field(self.view, name)?;
        let operators = Operator::of(field.ty);
        if !operators.contains(&operator) {
            return Err(ListError::Operator {
                field: field.json,
                operator,
                operators,
            });
        }
        let column = field.column;
        let parameter = match operator {
            Operator::IsNull => {
                let is = encode::is_null_flag(field.json, value)?;
                return Ok(Condition::IsNull { column, is });
            }
            Operator::Like | Operator::Ilike => encode::pattern(field.json, value)?,
            _ if operator.takes_list() => encode::element_list(field.json, field.ty, value)?,
            _ => encode::value(field.json, field.ty, value)?,
        };
        Ok(Condition::Compare {
            column,
            operator: operator.sql(),
            value: self.parameters.push(parameter),
        })
    }
}
