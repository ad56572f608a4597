//! The state of composing one document query: options, nesting, and the aliases in use.

use std::collections::HashSet;

use super::lists::JoinRow;
use super::options::{BatchSize, Extract, Purpose};
use crate::schema::Data;
use crate::schema::naming::MAX_IDENTIFIER_BYTES;
use crate::sql::text::{Sql, ident};

/// Writes a part of the query that was composed before its position in the text is reached.
///
/// Joins are composed first, because the SELECT list refers to their aliases, and written last,
/// because FROM follows SELECT.
pub(super) type SqlWriter = Box<dyn FnOnce(&mut Sql)>;

/// Composes one document query. The modules `query`, `joins`, `lists` and `record` each add
/// methods; they call each other for the rows inside of rows.
pub(super) struct Composer {
    pub(super) data: Data,
    pub(super) batch_size: BatchSize,
    pub(super) purpose: Purpose,
    /// The number of objects and arrays in the document down to the current row.
    pub(super) levels: usize,
    /// The number of lists around the current row.
    pub(super) list_depth: usize,
    /// Whether the innermost of them has a limit.
    pub(super) in_limited_list: bool,
    /// The only part of the document that is composed; `None` for all of it.
    pub(super) extract: Option<Extract>,
    /// The only fields of the root that are composed; `None` for all of them.
    pub(super) root_fields: Option<Vec<usize>>,
    /// Whether a null in a field that is not an `Option` is an error.
    pub(super) checks_nulls: bool,
    /// The row of the join table by which the current row is in a list.
    pub(super) through: Option<JoinRow>,
    /// The indexes of the fields that lead to the current row.
    at: Vec<usize>,
    aliases: HashSet<String>,
}

impl Composer {
    pub(super) fn new(data: Data, batch_size: BatchSize, purpose: Purpose) -> Self {
        Self {
            data,
            batch_size,
            purpose,
            levels: 1,
            list_depth: 0,
            in_limited_list: false,
            extract: None,
            root_fields: None,
            checks_nulls: true,
            through: None,
            at: Vec::new(),
            // Statements that contain this query call the view table `v`.
            aliases: HashSet::from(["v".to_owned()]),
        }
    }

    /// The aliases of the root row and of the document.
    pub(super) fn root(&mut self) -> (String, String) {
        (self.alias("root"), self.alias("_document"))
    }

    /// Whether a field of the current row is composed.
    pub(super) fn wants(&self, index: usize) -> bool {
        if let Some(fields) = self.root_fields.as_ref().filter(|_| self.at.is_empty()) {
            return fields.contains(&index);
        }
        let Some(extract) = &self.extract else {
            return true;
        };
        match extract.field.get(self.at.len()) {
            Some(wanted) => *wanted == index,
            None => extract.whole,
        }
    }

    /// Composes something in a field of the current row.
    pub(super) fn inside<T>(&mut self, index: usize, compose: impl FnOnce(&mut Self) -> T) -> T {
        self.at.push(index);
        let composed = compose(self);
        self.at.pop();
        composed
    }

    /// A quoted alias that is unique in the query, even after PostgreSQL has truncated it.
    pub(super) fn alias(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_owned();
        let mut count = 1;
        // Ends: each round tries another suffix, and there are finitely many aliases.
        while name.len() > MAX_IDENTIFIER_BYTES || !self.aliases.insert(name.clone()) {
            count += 1;
            let suffix = format!("_{count}");
            let mut end = wanted.len().min(MAX_IDENTIFIER_BYTES - suffix.len());
            while !wanted.is_char_boundary(end) {
                end -= 1;
            }
            name = format!("{}{suffix}", &wanted[..end]);
        }
        ident(&name)
    }
}

/// The path of field names from the root to a field, which is the alias of its rows.
pub(super) fn child_path(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}_{name}")
    }
}
