//! The list statement and its branches.

use super::columns::Columns;
use super::condition::Condition;
use super::keyset::{Bound, after, after_in_index, reversed};
use super::order::Term;
use super::parameter::Parameter;
use super::rows::Rows;
use super::view_row::{V, column};
use crate::schema::{Storage, View};
use crate::sql::document::{self, HIDDEN};
use crate::sql::read::VERSION;
use crate::sql::shape;
use crate::sql::text::Sql;

/// A list of documents. The result has the document (null if it is stale), the key, and, for
/// pages, the values of the other terms.
#[derive(Clone, Debug)]
pub(crate) struct ListQuery<'a> {
    pub(crate) view: &'a View,
    /// The number of the view's shape.
    pub(crate) shape: i64,
    pub(crate) condition: Option<Condition>,
    /// Whether only the documents of the tenant in the array `$1` are read.
    pub(crate) by_tenant: bool,
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
    /// What is returned in place of the documents: whether it is the same, and these columns at the end.
    pub(crate) columns: Option<Columns>,
    /// Keys whose fields a live view does not build.
    pub(crate) unbuilt: Vec<String>,
    /// Keys that are removed from the documents.
    pub(crate) without: Option<Parameter>,
    /// Whether the values of the terms are returned.
    pub(crate) with_terms: bool,
    /// Whether hidden fields are returned, in a column of their own.
    pub(crate) with_hidden: bool,
    /// Whether versions of documents are returned, in the column `version`: null if the document is stale.
    /// The document, or whether columns are the same, is also null if the version is in this array.
    pub(crate) held: Option<Parameter>,
}

/// Whether the statements have the same text. Views are compared by their addresses: a view has one.
impl PartialEq for ListQuery<'_> {
    fn eq(&self, other: &Self) -> bool {
        let Self {
            view,
            shape,
            condition,
            by_tenant,
            order,
            after,
            before,
            limit,
            offset,
            columns,
            unbuilt,
            without,
            with_terms,
            with_hidden,
            held,
        } = other;
        std::ptr::eq(self.view, *view)
            && self.shape == *shape
            && self.condition == *condition
            && self.by_tenant == *by_tenant
            && self.order == *order
            && self.after == *after
            && self.before == *before
            && self.limit == *limit
            && self.offset == *offset
            && self.columns == *columns
            && self.unbuilt == *unbuilt
            && self.without == *without
            && self.with_terms == *with_terms
            && self.with_hidden == *with_hidden
            && self.held == *held
    }
}

/// One SELECT of the statement: a range of the index.
struct Branch {
    conditions: Vec<String>,
    order: Vec<String>,
}

impl ListQuery<'_> {
    /// The statement. Its text depends on the structure of the list and on the limit, not on
    /// values. That of a live view is for a session that has what documents need: see
    /// [`guard`](crate::sql::guard).
    pub(crate) fn compose(&self) -> String {
        let mut sql = Sql::new();
        match self.view.storage {
            Storage::Table | Storage::Matview { .. } => {
                self.select(&mut sql, V);
                self.page(&mut sql);
            }
            Storage::Live => self.live(&mut sql),
        }
        sql.finish()
    }

    /// The same statement with documents, if this one tests whether columns are the same.
    pub(crate) fn of_documents(&self) -> Option<String> {
        let is_tested = self.columns.as_ref().is_some_and(Columns::are_tested);
        is_tested.then(|| {
            let documents = Self {
                columns: None,
                ..self.clone()
            };
            documents.compose()
        })
    }

    /// Selects the rows of the page first, and builds their documents only: the planner would build
    /// a document for each row that it sorts.
    fn live(&self, sql: &mut Sql) {
        self.select(sql, "b");
        sql.block("FROM (", format!(") AS {V}"), |sql| {
            let mut columns: Vec<String> = self.order.iter().map(Term::name).collect();
            // The order has not the tenant, if it is one for all rows, and the key may.
            let key = self.view.key_columns().into_iter();
            let unordered = key.filter(|name| self.order.iter().all(|term| term.column != *name));
            columns.extend(unordered.map(column));
            sql.line(format!("SELECT {}", columns.join(", ")));
            self.page(sql);
        });
        sql.block("CROSS JOIN LATERAL (", ") AS b", |sql| {
            let key = self.view.stored_key(V);
            document::write_data(sql, self.view, &self.unbuilt, self.with_hidden, |root| {
                vec![self.view.base_key(root).is_same(&key)]
            });
            sql.line("OFFSET 0");
        });
        sql.line(format!("ORDER BY {}", self.order_of_list()));
    }

    /// Writes FROM and what follows it.
    fn page(&self, sql: &mut Sql) {
        match self.branches().as_slice() {
            [branch] => {
                self.from(sql);
                sql.conditions("WHERE", &branch.conditions);
                sql.line(format!("ORDER BY {}", branch.order.join(", ")));
            }
            branches => {
                sql.block("FROM (", format!(") AS {V}"), |sql| {
                    for (index, branch) in branches.iter().enumerate() {
                        if index > 0 {
                            sql.line("UNION ALL");
                        }
                        sql.block("(", ")", |sql| self.branch(sql, branch));
                    }
                });
                sql.line(format!("ORDER BY {}", self.order_of_list()));
            }
        }
        self.limit_and_offset(sql);
    }

    fn order_of_list(&self) -> String {
        let order: Vec<String> = self.order.iter().map(Term::text).collect();
        order.join(", ")
    }

    /// The rows that the list has.
    fn rows(&self) -> Rows<'_> {
        Rows {
            view: self.view,
            condition: self.condition.as_ref(),
            by_tenant: self.by_tenant,
        }
    }

    /// Writes the rows that are filtered and sorted.
    fn from(&self, sql: &mut Sql) {
        let sorted = self.order.iter().map(|term| term.column).collect();
        self.rows().from(sql, sorted);
    }

    /// Writes the columns of the list. `documents` is the alias of what has the documents.
    fn select(&self, sql: &mut Sql, documents: &str) {
        let data = match (&self.columns, &self.without) {
            (Some(columns), _) => columns.are_same(self.view.shape.table),
            (None, Some(keys)) => format!("{documents}.data - {keys}"),
            (None, None) => format!("{documents}.data"),
        };
        let current = format!("{V}.shape = {}", shape::literal(self.shape));
        let data = match (self.view.storage, &self.held) {
            (Storage::Live, _) => format!("{data} AS data"),
            (Storage::Table | Storage::Matview { .. }, None) => {
                format!("CASE WHEN {current} THEN {data} END AS data")
            }
            (Storage::Table | Storage::Matview { .. }, Some(held)) => {
                format!("CASE WHEN {current} AND {VERSION} <> ALL ({held}) THEN {data} END AS data")
            }
        };
        let mut columns = vec![data, self.view.stored_key(V).value()];
        if self.with_terms {
            columns.extend(
                self.order
                    .iter()
                    .filter(|term| !term.is_whole_key)
                    .map(|term| {
                        let text = if term.as_text { "::text" } else { "" };
                        format!("{}{text}", term.name())
                    }),
            );
        }
        columns.extend(self.hidden(documents));
        if self.held.is_some() {
            columns.push(format!("CASE WHEN {current} THEN {VERSION} END AS version"));
        }
        if let Some(instead) = &self.columns {
            columns.extend(instead.values(self.view.data));
        }
        sql.line("SELECT");
        sql.block_list(columns);
    }

    /// The hidden fields, if they are returned.
    fn hidden(&self, documents: &str) -> Option<String> {
        if !self.with_hidden || !self.view.shape.has_hidden() {
            return None;
        }
        match self.view.storage {
            Storage::Live => Some(format!("{documents}.{HIDDEN}")),
            Storage::Table | Storage::Matview { .. } => document::stored_hidden(self.view, V),
        }
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
        let mut columns = match self.view.storage {
            Storage::Live => Vec::new(),
            Storage::Table | Storage::Matview { .. } if self.columns.is_some() => {
                vec![format!("{V}.shape")]
            }
            Storage::Table | Storage::Matview { .. } => {
                vec![format!("{V}.shape"), format!("{V}.data")]
            }
        };
        if self.held.is_some() {
            columns.extend(["version", "synced_xid"].map(column));
        }
        columns.extend(self.order.iter().map(Term::name));
        let ordered = |name: &str| self.order.iter().any(|term| term.column == name);
        // The tenant is not in the order of its documents.
        let key = self.view.key_columns().into_iter();
        columns.extend(key.filter(|name| !ordered(name)).map(column));
        if let Some(instead) = &self.columns {
            let names = instead.fields.iter().map(|field| column(field.name));
            for name in names {
                if !columns.contains(&name) {
                    columns.push(name);
                }
            }
        }
        if self.with_hidden && self.view.storage != Storage::Live {
            let fields = self.view.shape.fields.iter();
            let hidden = fields.filter_map(|field| field.promoted.filter(|it| it.hidden));
            columns.extend(
                hidden
                    .filter(|promoted| !ordered(promoted.column))
                    .map(|promoted| column(promoted.column)),
            );
        }
        sql.line(format!("SELECT {}", columns.join(", ")));
        self.from(sql);
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
            let mut conditions = self.rows().conditions();
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
        let mut conditions = self.rows().conditions();
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
        let mut conditions = self.rows().conditions();
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
}
