//! Compiles filters into a condition in SQL, with a parameter for each value.

use serde_json::Value;

use super::encode;
use super::error::ListError;
use super::fields;
use super::filter::{Filter, FilterNode};
use super::limits::{Depth, Nodes};
use super::operator::Operator;
use super::parameters::Parameters;
use super::within;
use crate::schema::View;
use crate::sql::list::Condition;

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
        nodes: Nodes::default(),
        within_not: false,
    };
    let all = compiler.nodes(filters, Depth::MAX)?;
    Ok(Some(Condition::All(all)))
}

struct FilterCompiler<'a> {
    view: &'static View,
    parameters: &'a mut Parameters,
    nodes: Nodes,
    /// Whether what is compiled is within an odd number of NOT.
    within_not: bool,
}

impl FilterCompiler<'_> {
    fn nodes(&mut self, filters: &[Filter], depth: Depth) -> Result<Vec<Condition>, ListError> {
        filters
            .iter()
            .map(|filter| self.node(filter, depth))
            .collect()
    }

    fn node(&mut self, filter: &Filter, depth: Depth) -> Result<Condition, ListError> {
        let within = self.nodes.enter(depth)?;
        Ok(match &filter.node {
            FilterNode::All(filters) => Condition::All(self.nodes(filters, within)?),
            FilterNode::Any(filters) => Condition::Any(self.nodes(filters, within)?),
            FilterNode::Not(filter) => {
                self.within_not = !self.within_not;
                let not = self.node(filter, within)?;
                self.within_not = !self.within_not;
                Condition::Not(Box::new(not))
            }
            FilterNode::WithoutJson { field, reason } => {
                let field = fields::filterable_field(self.view, field)?;
                return Err(encode::without_json(field.json, field.ty, reason));
            }
            FilterNode::Compare {
                field,
                operator,
                value,
            } => self.compare(field, *operator, value)?,
            FilterNode::Within {
                field,
                quantifier,
                filter,
            } => {
                let path = within::of_part(
                    self.view,
                    field,
                    *quantifier,
                    filter,
                    within,
                    &mut self.nodes,
                )?;
                self.json_path(&path)?
            }
            FilterNode::At {
                field,
                path,
                operator,
                value,
            } => {
                let not = self.within_not;
                let path = within::of_json(self.view, field, path, *operator, value, not)?;
                self.json_path(&path)?
            }
            FilterNode::Search { name, text } => {
                let search = within::search(self.view, name.as_deref())?;
                Condition::Search {
                    texts: search.texts,
                    language: search.language,
                    query: self.parameters.push(encode::words(search.name, text)?),
                }
            }
        })
    }

    /// The condition that a path of an indexed value finds something.
    fn json_path(&mut self, path: &within::IndexedPath) -> Result<Condition, ListError> {
        Ok(Condition::Within {
            path: path.index,
            operator: "@?",
            value: self.parameters.push(encode::json_path(&path.path)?),
        })
    }

    fn compare(
        &mut self,
        name: &str,
        operator: Operator,
        value: &Value,
    ) -> Result<Condition, ListError> {
        if within::is_embedded(self.view, name) {
            return self.compare_embedded(name, operator, value);
        }
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

    /// Compares a part or JSON as a whole.
    fn compare_embedded(
        &mut self,
        name: &str,
        operator: Operator,
        value: &Value,
    ) -> Result<Condition, ListError> {
        if operator != Operator::Contains {
            return self.json_path(&within::is_null(self.view, name, operator, value)?);
        }
        let (path, json) = within::containing(self.view, name, value)?;
        Ok(Condition::Within {
            path,
            operator: "@>",
            value: self.parameters.push(encode::jsonb(&json)),
        })
    }
}
