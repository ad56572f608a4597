//! The columns of base tables that documents are made of.
//!
//! An UPDATE of all others changes no document. A fragment may read any column of its row; those that it names are
//! known if it is simple enough.

use std::collections::{BTreeMap, BTreeSet};

use crate::schema::{Columns, Link, RowValue, Shape, Source, Table, View};
use crate::sql::fragment::{Token, tokens};

/// The columns of one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Relevant {
    /// Any column: a fragment reads columns that are not known.
    All,
    /// These.
    Some(BTreeSet<String>),
}

/// The columns of all tables, by table.
#[derive(Debug, Default)]
pub(super) struct RelevantColumns {
    named: BTreeMap<Table, BTreeSet<String>>,
    fragments: BTreeMap<Table, BTreeSet<&'static str>>,
}

impl RelevantColumns {
    pub(super) fn of(views: &[&'static View]) -> Self {
        let mut all = Self::default();
        for view in views {
            all.columns(view.shape.table, view.key.columns);
            all.shape(view.shape);
        }
        all
    }

    /// The columns of a table. `first` are those by which paths leave its rows.
    pub(super) fn of_table(&self, table: Table, first: &BTreeSet<Columns>) -> Relevant {
        let mut columns = self.named.get(&table).cloned().unwrap_or_default();
        let first = first.iter().flat_map(|columns| columns.names());
        columns.extend(first.map(|&name| name.to_owned()));
        let mut of_fragments = BTreeSet::new();
        for fragment in self.fragments.get(&table).into_iter().flatten() {
            match columns_of(fragment, &columns) {
                Some(names) => of_fragments.extend(names),
                None => return Relevant::All,
            }
        }
        columns.extend(of_fragments);
        Relevant::Some(columns)
    }

    fn column(&mut self, table: Table, name: &str) {
        self.named.entry(table).or_default().insert(name.to_owned());
    }

    fn columns(&mut self, table: Table, columns: Columns) {
        for name in columns.names() {
            self.column(table, name);
        }
    }

    fn fragment(&mut self, table: Table, fragment: Option<&'static str>) {
        self.fragments.entry(table).or_default().extend(fragment);
    }

    /// Ends because the derives refuse types that contain themselves.
    fn shape(&mut self, shape: &'static Shape) {
        self.fragment(shape.table, shape.filter);
        if let Some(key) = shape.key {
            self.columns(shape.table, key.columns);
        }
        for name in shape.group_by {
            self.column(shape.table, name);
        }
        for field in shape.fields {
            self.source(shape, &field.source);
        }
    }

    /// The columns by which rows of a table, with this key, are linked to their parent.
    fn link(&mut self, link: &Link, rows: Table, rows_key: Columns) {
        match *link {
            Link::ForeignKey(fk) => self.columns(rows, fk),
            Link::Through {
                table,
                fk,
                to,
                key,
                order_by,
            } => {
                self.columns(table, fk);
                self.columns(table, to);
                for term in order_by {
                    self.column(table, term.column);
                }
                self.columns(rows, key.unwrap_or(rows_key));
            }
        }
    }

    fn source(&mut self, shape: &'static Shape, source: &'static Source) {
        match source {
            Source::Column { column, .. } => self.column(shape.table, column),
            Source::Expr { expr, .. } => self.fragment(shape.table, Some(expr)),
            Source::GlobalId { .. } => self.columns(shape.table, shape.key_columns()),
            // Of the join table: see the lists.
            Source::Through { .. } => {}
            Source::One(one) => {
                let child = one.shape.get();
                self.columns(shape.table, one.fk);
                self.columns(child.table, one.key.unwrap_or(child.key_columns()));
                self.shape(child);
            }
            Source::Many(many) | Source::First(many) => {
                let child = many.shape.get();
                self.columns(shape.table, many.key.unwrap_or(shape.key_columns()));
                self.link(&many.link, child.table, child.key_columns());
                if let Link::Through { table, .. } = many.link {
                    for (name, _) in child.through_columns() {
                        self.column(table, name);
                    }
                }
                for term in many.order_by {
                    // A group is also ordered by its aggregates.
                    if child.group_aggregate(term.column).is_none() {
                        self.column(child.table, term.column);
                    }
                }
                self.fragment(child.table, many.filter);
                self.shape(child);
            }
            Source::Values(values) => {
                self.columns(shape.table, values.key.unwrap_or(shape.key_columns()));
                self.link(&values.link, values.table, Columns::ID);
                match values.value {
                    RowValue::Column(name) => self.column(values.table, name),
                    RowValue::Expr(expr) => self.fragment(values.table, Some(expr)),
                }
                for term in values.order_by {
                    self.column(values.table, term.column);
                }
                self.fragment(values.table, values.filter);
            }
            Source::OfGroup(aggregate) => {
                self.fragment(shape.table, aggregate.expr);
                self.fragment(shape.table, aggregate.filter);
            }
            Source::Aggregate(aggregate) => {
                self.columns(shape.table, aggregate.key.unwrap_or(shape.key_columns()));
                self.columns(aggregate.table, aggregate.fk);
                if let Some(rows) = aggregate.through {
                    self.columns(rows.table, rows.fk);
                    self.columns(rows.table, rows.key);
                    self.fragment(rows.table, rows.filter);
                }
                self.fragment(aggregate.table, aggregate.expr);
                self.fragment(aggregate.table, aggregate.filter);
            }
        }
    }
}

/// Keywords of expressions that are no names of columns.
const KEYWORDS: [&str; 21] = [
    "and", "or", "not", "is", "null", "true", "false", "in", "between", "like", "ilike", "similar",
    "case", "when", "then", "else", "end", "distinct", "from", "any", "unknown",
];

/// The columns of its row that a fragment reads, if all its words are understood. A name without `{}.` is one of a
/// column if it is one of `known`.
///
/// A name that is no column would make the trigger function fail, and a column that is left out would lose changes; so
/// there is no guessing.
fn columns_of(fragment: &str, known: &BTreeSet<String>) -> Option<BTreeSet<String>> {
    let all = tokens(fragment);
    let tokens: Vec<Token<'_>> = all
        .into_iter()
        .filter(|token| !matches!(token, Token::Space(_)))
        .collect();
    let at = |index: usize| tokens.get(index).copied();
    let is_symbol = |index: usize, symbol| at(index) == Some(Token::Symbol(symbol));
    let mut columns = BTreeSet::new();
    let mut index = 0;
    while let Some(token) = at(index) {
        index += 1;
        match token {
            Token::Row => {
                // `{}` alone is the whole row.
                let name = at(index + 1).filter(|_| is_symbol(index, '.'))?;
                columns.insert(unquoted(name)?);
                index += 2;
            }
            Token::Symbol(':') if is_symbol(index, ':') => index = type_end(&tokens, index + 1)?,
            Token::Word(_) | Token::Quoted(_) => {
                let name = unquoted(token)?;
                if name == "select" {
                    return None;
                }
                let is_keyword =
                    matches!(token, Token::Word(_)) && KEYWORDS.contains(&name.as_str());
                // Of a function, with or without its schema.
                let is_call = is_symbol(index, '(');
                if is_symbol(index, '.') {
                    if !is_symbol(index + 2, '(') {
                        return None;
                    }
                    index += 2;
                } else if !is_keyword && !is_call {
                    columns.insert(known.get(&name)?.clone());
                }
            }
            // `(row).field`
            Token::Symbol('.' | '[') => return None,
            Token::Symbol(_) | Token::Text(_) | Token::Number(_) | Token::Space(_) => {}
        }
    }
    Some(columns)
}

/// The position after the name of a type, which follows `::`.
fn type_end(tokens: &[Token<'_>], start: usize) -> Option<usize> {
    let is_name =
        |index: usize| matches!(tokens.get(index), Some(Token::Word(_) | Token::Quoted(_)));
    if !is_name(start) {
        return None;
    }
    let dot = start + 1;
    if tokens.get(dot) == Some(&Token::Symbol('.')) && is_name(dot + 1) {
        return Some(dot + 2);
    }
    Some(dot)
}

/// The name that a token means: PostgreSQL folds names without quotes to lower case.
fn unquoted(token: Token<'_>) -> Option<String> {
    match token {
        Token::Word(word) => Some(word.to_lowercase()),
        Token::Quoted(name) => {
            let inside = name.strip_prefix('"')?.strip_suffix('"')?;
            Some(inside.replace("\"\"", "\""))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(fragment: &str) -> Option<Vec<String>> {
        let known = BTreeSet::from(["state".to_owned(), "Odd name".to_owned()]);
        columns_of(fragment, &known).map(|names| names.into_iter().collect())
    }

    #[test]
    fn the_columns_of_a_simple_fragment_are_known() {
        for (fragment, wanted) in [
            (
                "{}.quantity * {}.unit_price",
                &["quantity", "unit_price"][..],
            ),
            (
                "{}.deleted_at IS NULL AND {}.\"Odd\"\"er\" > 'x'",
                &["Odd\"er", "deleted_at"],
            ),
            ("State = 'open' -- {}.a", &["state"]),
            ("\"Odd name\" IN (1, 2.5e3)", &["Odd name"]),
            (
                "pg_catalog.lower({}.Name)::text || coalesce({}.b, '')",
                &["b", "name"],
            ),
            (
                "{}.price::numeric(10, 2)::\"The Types\".money NOT BETWEEN 1 AND 2",
                &["price"],
            ),
            ("true", &[]),
        ] {
            let wanted: Vec<String> = wanted.iter().map(|&name| name.to_owned()).collect();
            assert_eq!(columns(fragment), Some(wanted), "{fragment}");
        }
    }

    #[test]
    fn a_fragment_that_is_not_understood_may_read_any_column() {
        for fragment in [
            "deleted_at IS NULL",
            "to_jsonb({})",
            "({}.address).street = 'x'",
            "EXISTS (SELECT FROM tb_like AS l WHERE l.post_id = {}.id)",
            "{}.at > CURRENT_DATE",
            "tb_post.title <> ''",
            "{}.at AT TIME ZONE 'UTC' > now()",
            "{}.tags[1] = 'x'",
        ] {
            assert_eq!(columns(fragment), None, "{fragment}");
        }
    }
}
