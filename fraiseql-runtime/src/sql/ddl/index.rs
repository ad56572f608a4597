//! The indexes of a view table.

use crate::schema;
use crate::schema::{IndexOn, OrderBy, Promoted, SearchText, View};
use crate::sql::ddl::table::TWIN;
use crate::sql::ddl::{hash, name};
use crate::sql::text::{ident, literal};

/// An index of a view table.
#[derive(Debug)]
pub struct Index {
    /// Its name, in the schema of the view table.
    pub name: String,
    /// What is indexed, as SQL over the columns of the view table. A query that is to use the
    /// index of an expression, a path or a full text says the same.
    pub expression: String,
    /// Which rows are in the index, if not all. A query that is to use the index says the
    /// same, too.
    pub filter: Option<String>,
    /// Creates it.
    pub sql: String,
    /// Creates it without blocking writers, outside of any transaction.
    pub concurrently: String,
    /// Drops it in the same way.
    pub(crate) drop_concurrently: String,
    /// Writes into the comment of the index what it was made of, so that a later migration
    /// sees whether that is still what is asked for.
    pub comment: String,
    /// The text of that comment.
    pub(crate) mark: String,
    /// Creates it on the twin of the table.
    pub(crate) twin: String,
}

/// The parts of a CREATE INDEX.
#[derive(Default)]
struct Parts {
    unique: bool,
    method: Option<&'static str>,
    elements: String,
    expression: String,
    include: Vec<String>,
    filter: Option<String>,
}

pub(crate) fn compose(view: &View) -> Vec<Index> {
    let made = |stem: &str| name(&format!("{}_{stem}", view.table.name), "_idx");
    let promoted = view.shape.fields.iter().filter_map(|field| {
        let promoted = field.promoted?;
        Some(index(
            view,
            made(promoted.column),
            of_column(view, promoted),
        ))
    });
    let declared = view.indexes.iter().map(|declared| {
        let name = declared
            .name
            .map_or_else(|| made(declared.stem), str::to_owned);
        index(view, name, of_declared(declared))
    });
    promoted.chain(declared).collect()
}

fn index(view: &View, name: String, parts: Parts) -> Index {
    let quoted = ident(&name);
    let table = view.table.to_string();
    let create = |table: &str| create("INDEX", &quoted, table, &parts);
    let sql = create(&table);
    let mark = format!("fraiseql {:016x}", hash(&sql));
    Index {
        comment: format!(
            "COMMENT ON INDEX {}.{quoted} IS {}",
            ident(view.table.schema),
            literal(&mark)
        ),
        twin: create(TWIN),
        concurrently: self::create("INDEX CONCURRENTLY", &quoted, &table, &parts),
        drop_concurrently: format!(
            "DROP INDEX CONCURRENTLY {}.{quoted}",
            ident(view.table.schema)
        ),
        sql,
        mark,
        name,
        expression: parts.expression,
        filter: parts.filter,
    }
}

fn create(index: &str, name: &str, table: &str, parts: &Parts) -> String {
    let unique = if parts.unique { "UNIQUE " } else { "" };
    let mut sql = format!("CREATE {unique}{index} {name} ON {table} ");
    if let Some(method) = parts.method {
        sql.push_str(&format!("USING {method} "));
    }
    sql.push_str(&format!("({})", parts.elements));
    if !parts.include.is_empty() {
        sql.push_str(&format!(" INCLUDE ({})", parts.include.join(", ")));
    }
    if let Some(filter) = &parts.filter {
        sql.push_str(&format!(" WHERE ({filter})"));
    }
    sql
}

/// The index that a promoted column has by itself.
fn of_column(view: &View, promoted: Promoted) -> Parts {
    let mut elements = ident(promoted.column);
    if promoted.sort && !promoted.unique {
        // With the key behind it, an index can page through equal values.
        elements = format!("{elements}, {}", ident(view.key.column));
    }
    Parts {
        unique: promoted.unique,
        expression: elements.clone(),
        elements,
        ..Parts::default()
    }
}

fn of_declared(index: &schema::Index) -> Parts {
    let (method, elements, expression) = match index.on {
        IndexOn::Columns { method, columns } => {
            let elements: Vec<String> = columns.iter().map(term).collect();
            let names: Vec<String> = columns.iter().map(|term| ident(term.column)).collect();
            (
                (method != "btree").then_some(method),
                elements.join(", "),
                names.join(", "),
            )
        }
        IndexOn::Expr(expr) => (None, format!("({expr})"), expr.to_owned()),
        IndexOn::Gin(path) => {
            let expression = path.iter().fold("data".to_owned(), |document, key| {
                format!("{document} -> {}", literal(key))
            });
            let element = if path.is_empty() {
                expression.clone()
            } else {
                format!("({expression})")
            };
            (
                Some("gin"),
                format!("{element} pg_catalog.jsonb_path_ops"),
                expression,
            )
        }
        IndexOn::FullText { texts, language } => {
            let texts: Vec<String> = texts.iter().map(text).collect();
            let expression = format!(
                "pg_catalog.to_tsvector({}::pg_catalog.regconfig, {})",
                literal(language),
                texts.join(" || ' ' || ")
            );
            (Some("gin"), expression.clone(), expression)
        }
    };
    Parts {
        unique: index.unique,
        method,
        elements,
        expression,
        include: index.include.iter().map(|column| ident(column)).collect(),
        filter: index.filter.map(str::to_owned),
    }
}

fn term(term: &OrderBy) -> String {
    let direction = if term.descending { " DESC" } else { "" };
    let nulls = match term.nulls_first {
        None => "",
        Some(true) => " NULLS FIRST",
        Some(false) => " NULLS LAST",
    };
    format!("{}{direction}{nulls}", ident(term.column))
}

/// A text, empty where it is null: nothing must not hide the others.
fn text(text: &SearchText) -> String {
    let value = match text {
        SearchText::Column(name) => ident(name),
        SearchText::Document(keys) => {
            let last = keys.len() - 1;
            keys.iter()
                .enumerate()
                .fold("data".to_owned(), |document, (index, key)| {
                    let arrow = if index == last { "->>" } else { "->" };
                    format!("{document} {arrow} {}", literal(key))
                })
        }
    };
    format!("coalesce({value}, '')")
}
