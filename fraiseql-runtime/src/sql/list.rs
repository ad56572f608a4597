//! The statement that reads a list of documents: filtered, in order, a page at a time.
//!
//! A page goes on where another ended by the values of its last row, not by their number
//! (*keyset*), and walks the index of a `sort` column, (column, key). An index is walked from a
//! value on, and what comes after a value may be in two places: `a > 5 OR a IS NULL` has no one
//! beginning. So where nulls matter, the list is read in two parts, those with a value and those
//! with null, each by index and each with the limit; what follows sorts two pages at most. It is
//! what puts nulls where the index does not have them, too.
//!
//! A column counts as one that may be null even where the field is no `Option`: it is, in
//! documents that an older release wrote without it.

use std::fmt;

use crate::schema::View;
use crate::sql::shape;
use crate::sql::text::{Sql, column};

/// Says how a statement would be run.
pub(crate) const EXPLAIN: &str = "EXPLAIN ";

/// The alias of the view table.
const V: &str = "v";

/// A parameter, with the type that it is sent as.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    /// From 1.
    pub(crate) number: usize,
    /// Its type, or several: `text::bit(4)`.
    pub(crate) cast: String,
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${}::{}", self.number, self.cast)
    }
}

/// Which documents are listed.
#[derive(Debug)]
pub(crate) enum Condition {
    /// `column <operator> value`.
    Compare {
        column: &'static str,
        operator: &'static str,
        value: Parameter,
    },
    /// `column IS NULL`, or `IS NOT NULL`.
    IsNull {
        column: &'static str,
        is: bool,
    },
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
}

/// A column that the list is ordered by, in the direction in which it is walked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Term {
    pub(crate) column: &'static str,
    pub(crate) descending: bool,
    pub(crate) nulls_first: bool,
    /// The key is never null, and ends the order.
    pub(crate) is_key: bool,
    /// Its value is answered as text.
    pub(crate) as_text: bool,
}

/// The values of a row's terms: where a page begins or ends.
pub(crate) type Bound = Vec<Option<Parameter>>;

/// A list of documents. The answer has the document (null where it is of another shape), the
/// key, and, for pages, the terms but the key.
#[derive(Debug)]
pub(crate) struct ListQuery<'a> {
    pub(crate) view: &'a View,
    /// The number of the view's shape.
    pub(crate) shape: i64,
    pub(crate) condition: Option<Condition>,
    /// The last one is the key.
    pub(crate) order: Vec<Term>,
    /// Only what comes after this row.
    pub(crate) after: Option<Bound>,
    /// Only what comes before this row.
    pub(crate) before: Option<Bound>,
    /// A part of the text: of a parameter the planner thinks that it is a tenth of all rows, finds
    /// the plan for any value worse than one for this value, and plans anew on each request.
    pub(crate) limit: Option<u64>,
    pub(crate) offset: Option<Parameter>,
    /// Keys that are taken out of the documents.
    pub(crate) without: Option<Parameter>,
    /// The terms are answered.
    pub(crate) with_terms: bool,
}

/// One part of a list: its conditions, and what it is ordered by.
struct Part {
    conditions: Vec<String>,
    order: Vec<String>,
}

impl ListQuery<'_> {
    /// The statement. Its text depends on the form of the list and on the limit, not on values.
    pub(crate) fn compose(&self) -> String {
        let mut sql = Sql::new();
        match self.parts().as_slice() {
            [part] => {
                self.select(&mut sql);
                sql.line(format!("FROM {} AS {V}", self.view.table));
                sql.conditions("WHERE", &part.conditions);
                sql.line(format!("ORDER BY {}", part.order.join(", ")));
                self.end(&mut sql);
            }
            parts => {
                self.select(&mut sql);
                sql.block("FROM (", format!(") AS {V}"), |sql| {
                    for (index, part) in parts.iter().enumerate() {
                        if index > 0 {
                            sql.line("UNION ALL");
                        }
                        sql.block("(", ")", |sql| self.part(sql, part));
                    }
                });
                let order: Vec<String> = self.order.iter().map(Term::text).collect();
                sql.line(format!("ORDER BY {}", order.join(", ")));
                self.end(&mut sql);
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
            column(V, self.view.key.column),
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

    fn end(&self, sql: &mut Sql) {
        if let Some(limit) = &self.limit {
            sql.line(format!("LIMIT {limit}"));
        }
        if let Some(offset) = &self.offset {
            sql.line(format!("OFFSET {offset}"));
        }
    }

    /// What [`select`](Self::select) needs of one part.
    fn part(&self, sql: &mut Sql, part: &Part) {
        let mut columns = vec![format!("{V}.shape"), format!("{V}.data")];
        columns.extend(self.order.iter().map(Term::name));
        sql.line(format!("SELECT {}", columns.join(", ")));
        sql.line(format!("FROM {} AS {V}", self.view.table));
        sql.conditions("WHERE", &part.conditions);
        sql.line(format!("ORDER BY {}", part.order.join(", ")));
        match (&self.limit, &self.offset) {
            (Some(limit), Some(offset)) => sql.line(format!("LIMIT {limit} + {offset}")),
            (Some(limit), None) => sql.line(format!("LIMIT {limit}")),
            (None, _) => {}
        }
    }

    /// The parts in which the list is read, in order.
    fn parts(&self) -> Vec<Part> {
        let first = self.order[0];
        let bounded = self.after.is_some() || self.before.is_some();
        let in_one = first.is_key
            || self.limit.is_none()
            || (!bounded && first.nulls_first == first.descending);
        if in_one {
            let mut conditions = self.conditions();
            if let Some(after) = &self.after {
                conditions.push(from_value(&self.order, after));
            }
            if let Some(before) = &self.before {
                conditions.push(from_value(&reversed(&self.order), before));
            }
            return vec![Part {
                conditions,
                order: self.order.iter().map(Term::text).collect(),
            }];
        }
        let nulls = if first.nulls_first {
            [true, false]
        } else {
            [false, true]
        };
        // In which of the two a bound is.
        let place = |bound: &Bound| usize::from(bound[0].is_none() != nulls[0]);
        let begin = self.after.as_ref().map(place);
        let end = self.before.as_ref().map(place);
        let parts: Vec<Part> = (0..2)
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
        if parts.is_empty() {
            // What comes after the one and before the other: nothing.
            return vec![Part {
                conditions: vec!["FALSE".to_owned()],
                order: self.order.iter().map(Term::text).collect(),
            }];
        }
        parts
    }

    /// The rows whose first term is null.
    fn nulls(&self, after: Option<&Bound>, before: Option<&Bound>) -> Part {
        let rest = &self.order[1..];
        let mut conditions = self.conditions();
        conditions.push(format!("{} IS NULL", self.order[0].name()));
        conditions.extend(after.map(|bound| beyond(rest, &bound[1..])));
        conditions.extend(before.map(|bound| beyond(&reversed(rest), &bound[1..])));
        Part {
            conditions,
            order: self.order_of_part(),
        }
    }

    /// The rows whose first term has a value.
    fn values(&self, after: Option<&Bound>, before: Option<&Bound>) -> Part {
        let mut conditions = self.conditions();
        if after.is_none() && before.is_none() {
            conditions.push(format!("{} IS NOT NULL", self.order[0].name()));
        }
        conditions.extend(after.map(|bound| from_value(&self.order, bound)));
        conditions.extend(before.map(|bound| from_value(&reversed(&self.order), bound)));
        Part {
            conditions,
            order: self.order_of_part(),
        }
    }

    /// The order of rows whose first term is null, or is not: it has nulls where the index has
    /// them. It has the first term even where that is null in all rows, or the index would not be
    /// taken for the order of the rest.
    fn order_of_part(&self) -> Vec<String> {
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

fn reversed(terms: &[Term]) -> Vec<Term> {
    terms.iter().copied().map(Term::reversed).collect()
}

impl Term {
    /// The same, walked in the other direction.
    pub(crate) const fn reversed(self) -> Self {
        Self {
            descending: !self.descending,
            nulls_first: !self.nulls_first,
            ..self
        }
    }

    fn name(&self) -> String {
        column(V, self.column)
    }

    fn direction(&self) -> String {
        let direction = if self.descending { " DESC" } else { "" };
        format!("{}{direction}", self.name())
    }

    fn text(&self) -> String {
        // Unless told otherwise, PostgreSQL has nulls last, and first where it is descending.
        let nulls = match (self.is_key, self.descending, self.nulls_first) {
            (true, ..) | (_, true, true) | (_, false, false) => "",
            (_, false, true) => " NULLS FIRST",
            (_, true, false) => " NULLS LAST",
        };
        format!("{}{nulls}", self.direction())
    }

    const fn beyond(&self) -> &'static str {
        if self.descending { "<" } else { ">" }
    }
}

/// The rows beyond a row whose first term has a value, among those that have one: by a condition
/// that an index can begin at.
fn from_value(terms: &[Term], bound: &[Option<Parameter>]) -> String {
    match (terms, bound) {
        ([key], [Some(value)]) => format!("{} {} {value}", key.name(), key.beyond()),
        ([first, key], [Some(value), Some(last)]) if first.descending == key.descending => {
            format!(
                "({}, {}) {} ({value}, {last})",
                first.name(),
                key.name(),
                first.beyond()
            )
        }
        ([first, rest @ ..], [Some(value), others @ ..]) => {
            let (name, sign) = (first.name(), first.beyond());
            format!(
                "{name} {sign}= {value} AND ({name} {sign} {value} OR {})",
                beyond(rest, others)
            )
        }
        _ => beyond(terms, bound),
    }
}

/// The rows beyond a row, in an order of any form.
fn beyond(terms: &[Term], bound: &[Option<Parameter>]) -> String {
    let ([first, rest @ ..], [value, others @ ..]) = (terms, bound) else {
        return "FALSE".to_owned();
    };
    let (name, sign) = (first.name(), first.beyond());
    let Some(value) = value else {
        let equal = format!("{name} IS NULL AND {}", beyond(rest, others));
        return if first.nulls_first {
            format!("({name} IS NOT NULL OR {equal})")
        } else {
            format!("({equal})")
        };
    };
    if first.is_key {
        return format!("{name} {sign} {value}");
    }
    let nulls = if first.nulls_first {
        String::new()
    } else {
        format!(" OR {name} IS NULL")
    };
    format!(
        "({name} {sign} {value}{nulls} OR {name} = {value} AND {})",
        beyond(rest, others)
    )
}

impl Condition {
    fn text(&self) -> String {
        match self {
            Self::Compare {
                column: name,
                operator,
                value,
            } => {
                let name = column(V, name);
                if operator.ends_with("ANY") || operator.ends_with("ALL") {
                    format!("{name} {operator} ({value})")
                } else {
                    format!("{name} {operator} {value}")
                }
            }
            Self::IsNull { column: name, is } => {
                let not = if *is { "" } else { "NOT " };
                format!("{} IS {not}NULL", column(V, name))
            }
            Self::All(all) => Self::joined(all, " AND ", "TRUE"),
            Self::Any(any) => Self::joined(any, " OR ", "FALSE"),
            Self::Not(not) => format!("NOT ({})", not.text()),
        }
    }

    fn joined(conditions: &[Self], by: &str, none: &str) -> String {
        let texts: Vec<String> = conditions.iter().map(Self::text).collect();
        match texts.as_slice() {
            [] => none.to_owned(),
            [one] => one.clone(),
            _ => format!("({})", texts.join(by)),
        }
    }
}
