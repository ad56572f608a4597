//! The list statement and its branches.

use super::condition::Condition;
use super::keyset::{Bound, after, after_in_index, reversed};
use super::order::Term;
use super::parameter::Parameter;
use super::view_row::{V, column};
use crate::schema::View;
use crate::sql::shape;
use crate::sql::text::Sql;

/// A list of documents. The result has the document (null if it is stale), the key, and, for
/// pages, the values of the other terms.
#[derive(Debug)]
pub(crate) struct ListQuery<'a> {
    pub(crate) view: &'a View,
    /// The number of the view's shape.
    pub(crate) shape: i64,
    pub(crate) condition: Option<Condition>,
    /// The terms of the order; the last is the key.
    pub(crate) order: Vec<Term>,
    /// Only rows after this one.
    pub(crate) after: Option<Bound>,
    /// Only rows before this one.
    pub(crate) before: Option<Bound>,
    /// The maximum number of documents. It is written into the text: for a parameter, the planner
    /// assumes a tenth of all rows, finds the generic plan more expensive than one for this value,
    /// and plans each execution anew.
    pub(crate) limit: Option<u64>,
    pub(crate) offset: Option<Parameter>,
    /// Keys that are removed from the documents.
    pub(crate) without: Option<Parameter>,
    /// Whether the values of the terms are returned.
    pub(crate) with_terms: bool,
}

/// One SELECT of the statement: a range of the index.
struct Branch {
    conditions: Vec<String>,
    order: Vec<String>,
}

impl ListQuery<'_> {
    /// The statement. Its text depends on the structure of the list and on the limit, not on
    /// values.
    pub(crate) fn compose(&self) -> String {
        let mut sql = Sql::new();
        match self.branches().as_slice() {
            [branch] => {
                self.select(&mut sql);
                sql.line(format!("FROM {} AS {V}", self.view.table));
                sql.conditions("WHERE", &branch.conditions);
                sql.line(format!("ORDER BY {}", branch.order.join(", ")));
                self.limit_and_offset(&mut sql);
            }
            branches => {
                self.select(&mut sql);
                sql.block("FROM (", format!(") AS {V}"), |sql| {
                    for (index, branch) in branches.iter().enumerate() {
                        if index > 0 {
                            sql.line("UNION ALL");
                        }
                        sql.block("(", ")", |sql| self.branch(sql, branch));
                    }
                });
                let order: Vec<String> = self.order.iter().map(Term::text).collect();
                sql.line(format!("ORDER BY {}", order.join(", ")));
                self.limit_and_offset(&mut sql);
            }
        }
        sql.finish()
    }

    fn select(&self, sql: &mut Sql) {
        let data = match &self.without {
            Some(keys) => format!("{V}.data - {keys}"),
            None => format!("{V}.data"),
        };
        let mut columns = vec![
            format!(
                "CASE WHEN {V}.shape = {} THEN {data} END AS data",
                shape::literal(self.shape)
            ),
            column(self.view.key_column()),
        ];
        if self.with_terms {
            columns.extend(self.order.iter().filter(|term| !term.is_key).map(|term| {
                let text = if term.as_text { "::text" } else { "" };
                format!("{}{text}", term.name())
            }));
        }
        sql.line("SELECT");
        sql.block_list(columns);
    }

    fn limit_and_offset(&self, sql: &mut Sql) {
        if let Some(limit) = &self.limit {
            sql.line(format!("LIMIT {limit}"));
        }
        if let Some(offset) = &self.offset {
            sql.line(format!("OFFSET {offset}"));
        }
    }

    /// Writes a branch with the columns that [`select`](Self::select) needs.
    fn branch(&self, sql: &mut Sql, branch: &Branch) {
        let mut columns = vec![format!("{V}.shape"), format!("{V}.data")];
        columns.extend(self.order.iter().map(Term::name));
        sql.line(format!("SELECT {}", columns.join(", ")));
        sql.line(format!("FROM {} AS {V}", self.view.table));
        sql.conditions("WHERE", &branch.conditions);
        sql.line(format!("ORDER BY {}", branch.order.join(", ")));
        // The skipped rows may all be in one branch, so each has to yield them too.
        match (&self.limit, &self.offset) {
            (Some(limit), Some(offset)) => sql.line(format!("LIMIT {limit} + {offset}")),
            (Some(limit), None) => sql.line(format!("LIMIT {limit}")),
            (None, _) => {}
        }
    }

    /// The branches of the statement, in the order of the list.
    fn branches(&self) -> Vec<Branch> {
        let first = self.order[0];
        let bounded = self.after.is_some() || self.before.is_some();
        // One branch is enough if the first term is never null, if all rows are read anyway, or if
        // the list begins where the index does and has nulls where the index has them.
        let in_one = first.is_key
            || self.limit.is_none()
            || (!bounded && first.nulls_first == first.descending);
        if in_one {
            let mut conditions = self.conditions();
            if let Some(after) = &self.after {
                conditions.push(after_in_index(&self.order, after));
            }
            if let Some(before) = &self.before {
                conditions.push(after_in_index(&reversed(&self.order), before));
            }
            return vec![Branch {
                conditions,
                order: self.order.iter().map(Term::text).collect(),
            }];
        }
        // Whether the first and the second branch have the rows with null.
        let nulls = if first.nulls_first {
            [true, false]
        } else {
            [false, true]
        };
        // The index of the branch that a bound is in.
        let branch_of = |bound: &Bound| usize::from(bound[0].is_none() != nulls[0]);
        let begin = self.after.as_ref().map(branch_of);
        let end = self.before.as_ref().map(branch_of);
        let branches: Vec<Branch> = (0..2)
            .filter(|index| begin.is_none_or(|begin| *index >= begin))
            .filter(|index| end.is_none_or(|end| *index <= end))
            .map(|index| {
                let after = self.after.as_ref().filter(|_| begin == Some(index));
                let before = self.before.as_ref().filter(|_| end == Some(index));
                if nulls[index] {
                    self.nulls(after, before)
                } else {
                    self.values(after, before)
                }
            })
            .collect();
        if branches.is_empty() {
            // The list begins after its end.
            return vec![Branch {
                conditions: vec!["FALSE".to_owned()],
                order: self.order.iter().map(Term::text).collect(),
            }];
        }
        branches
    }

    /// The rows whose first term is null.
    fn nulls(&self, begin: Option<&Bound>, end: Option<&Bound>) -> Branch {
        let rest = &self.order[1..];
        let mut conditions = self.conditions();
        conditions.push(format!("{} IS NULL", self.order[0].sorted()));
        conditions.extend(begin.map(|bound| after(rest, &bound[1..])));
        conditions.extend(end.map(|bound| after(&reversed(rest), &bound[1..])));
        Branch {
            conditions,
            order: self.order_of_branch(),
        }
    }

    /// The rows whose first term is not null.
    fn values(&self, begin: Option<&Bound>, end: Option<&Bound>) -> Branch {
        let mut conditions = self.conditions();
        if begin.is_none() && end.is_none() {
            conditions.push(format!("{} IS NOT NULL", self.order[0].sorted()));
        }
        conditions.extend(begin.map(|bound| after_in_index(&self.order, bound)));
        conditions.extend(end.map(|bound| after_in_index(&reversed(&self.order), bound)));
        Branch {
            conditions,
            order: self.order_of_branch(),
        }
    }

    /// The order of a branch. The first term has nulls where the index has them, because the
    /// branch has either only nulls or none. It is written even if all rows are null in it: the
    /// planner would not use the index for the order of the rest without it.
    fn order_of_branch(&self) -> Vec<String> {
        let (first, rest) = (&self.order[0], &self.order[1..]);
        let rest = rest.iter().map(Term::text);
        [first.direction()].into_iter().chain(rest).collect()
    }

    fn conditions(&self) -> Vec<String> {
        match &self.condition {
            None => Vec::new(),
            // Each on a line of its own.
            Some(Condition::All(all)) if !all.is_empty() => {
                all.iter().map(Condition::text).collect()
            }
            Some(condition) => vec![condition.text()],
        }
    }
}
