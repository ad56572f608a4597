//! The statements that create and drop the indexes of a view table.

use crate::schema::scalar::{Enum, JsonEncoding};
use crate::schema::{Field, Index, IndexOn, OrderBy, Promoted, Storage, View};
use crate::sql::ddl::twin::TWIN;
use crate::sql::enums::place_of_name;
use crate::sql::hash::fnv1a;
use crate::sql::identifier::shortened;
use crate::sql::indexed;
use crate::sql::tenant;
use crate::sql::text::{direction_and_nulls, ident, literal};

/// The statements of one index of a view table.
#[derive(Debug)]
pub struct IndexDdl {
    /// The name of the index, in the schema of the view table.
    pub name: String,
    /// The indexed columns or expression, as SQL over the columns of the view table. PostgreSQL
    /// uses an index of an expression, a path or a full text only for a query with the same
    /// expression.
    pub expression: String,
    /// The condition of a partial index. PostgreSQL uses the index only for a query that implies
    /// it.
    pub filter: Option<String>,
    /// Creates the index.
    pub sql: String,
    /// Creates the index without blocking writers. It cannot run in a transaction.
    pub concurrently: String,
    /// Drops the index without blocking writers. It cannot run in a transaction.
    pub(crate) drop_concurrently: String,
    /// Stores a hash of the definition in the comment of the index, so that a later migration
    /// detects a changed definition.
    pub comment: String,
    /// The text of that comment.
    pub(crate) mark: String,
    /// Creates the index on the twin of the table: see [`twin`](super::twin).
    pub(crate) twin: String,
}

/// The clauses of a CREATE INDEX.
#[derive(Default)]
struct Clauses {
    unique: bool,
    method: Option<&'static str>,
    /// The text between the parentheses.
    elements: String,
    /// [`IndexDdl::expression`].
    expression: String,
    include: Vec<String>,
    filter: Option<String>,
}

/// Composes the statements of all indexes but the primary key.
pub(crate) fn compose(view: &View) -> Vec<IndexDdl> {
    let default_name = |stem: &str| shortened(&format!("{}_{stem}", view.table.name), "_idx");
    let promoted = view.shape.fields.iter().filter_map(|field| {
        let promoted = field.promoted.filter(|promoted| promoted.index)?;
        let of_column = statements(
            view,
            default_name(promoted.column),
            clauses_of_column(view, field, promoted),
        );
        let of_order = enum_of(field).filter(|_| promoted.sort).map(|table| {
            let name = default_name(&format!("{}_declaration", promoted.column));
            statements(view, name, clauses_of_enum(view, promoted, table))
        });
        Some([Some(of_column), of_order])
    });
    let promoted = promoted.flatten().flatten();
    let declared = view.indexes.iter().map(|declared| {
        let name = declared
            .name
            .map_or_else(|| default_name(declared.stem), str::to_owned);
        statements(view, name, clauses_of_declared(view, declared))
    });
    // Of a view table this is the primary key, which a materialized view cannot have.
    let key = matches!(view.storage, Storage::Matview { .. }).then(|| {
        let clauses = Clauses {
            unique: true,
            elements: view.key_list(),
            expression: view.key_list(),
            ..Clauses::default()
        };
        statements(view, shortened(view.table.name, "_pkey"), clauses)
    });
    key.into_iter().chain(promoted).chain(declared).collect()
}

fn statements(view: &View, name: String, clauses: Clauses) -> IndexDdl {
    let quoted = ident(&name);
    let table = view.table.to_string();
    let create = |table: &str| create("INDEX", &quoted, table, &clauses);
    let sql = create(&table);
    let mark = format!("fraiseql {:016x}", fnv1a(&sql));
    IndexDdl {
        comment: format!(
            "COMMENT ON INDEX {}.{quoted} IS {}",
            ident(view.table.schema),
            literal(&mark)
        ),
        twin: create(TWIN),
        concurrently: self::create("INDEX CONCURRENTLY", &quoted, &table, &clauses),
        drop_concurrently: format!(
            "DROP INDEX CONCURRENTLY {}.{quoted}",
            ident(view.table.schema)
        ),
        sql,
        mark,
        name,
        expression: clauses.expression,
        filter: clauses.filter,
    }
}

fn create(index: &str, name: &str, table: &str, clauses: &Clauses) -> String {
    let unique = if clauses.unique { "UNIQUE " } else { "" };
    let mut sql = format!("CREATE {unique}{index} {name} ON {table} ");
    if let Some(method) = clauses.method {
        sql.push_str(&format!("USING {method} "));
    }
    sql.push_str(&format!("({})", clauses.elements));
    if !clauses.include.is_empty() {
        sql.push_str(&format!(" INCLUDE ({})", clauses.include.join(", ")));
    }
    if let Some(filter) = &clauses.filter {
        sql.push_str(&format!(" WHERE ({filter})"));
    }
    sql
}

/// The index of a promoted column. It begins with the tenant, if the view has one.
///
/// That of a list is a GIN index, which finds lists by their values. It has no tenant: a type such as `bigint` is in a
/// GIN index only with an extension. The values of a unique list are compared as a whole.
fn clauses_of_column(view: &View, field: &Field, promoted: Promoted) -> Clauses {
    let is_list = field.source.scalar().is_some_and(|ty| ty.list.is_some());
    if is_list && !promoted.unique {
        let element = ident(promoted.column);
        return Clauses {
            method: Some("gin"),
            expression: element.clone(),
            elements: element,
            ..Clauses::default()
        };
    }
    let mut elements = vec![ident(promoted.column)];
    let is_tenant = view
        .tenant
        .is_some_and(|tenant| tenant.column == promoted.column);
    if (promoted.sort || is_tenant) && !promoted.unique {
        // With the key as last columns, a page can begin between two equal values. The index of the
        // tenant itself is that of its lists in the order of the key.
        elements.extend(key_within(view));
    }
    let elements = tenant::first(view, elements).join(", ");
    Clauses {
        unique: promoted.unique,
        expression: elements.clone(),
        elements,
        ..Clauses::default()
    }
}

/// The columns of the key within a tenant: the tenant may be one of them, and has one value there.
fn key_within(view: &View) -> impl Iterator<Item = String> {
    let tenant = view.tenant.map(|tenant| tenant.column);
    let several = view.key.single().is_none();
    let columns = view.key_columns().into_iter();
    columns
        .filter(move |name| !several || Some(*name) != tenant)
        .map(ident)
}

/// The index for the order of an enum: that of its declaration. The index of the column itself is for
/// filters.
fn clauses_of_enum(view: &View, promoted: Promoted, table: &Enum) -> Clauses {
    let expression = place_of_name(&ident(promoted.column), table);
    let mut elements = vec![format!("({expression})")];
    elements.extend(key_within(view));
    Clauses {
        elements: tenant::first(view, elements).join(", "),
        expression,
        ..Clauses::default()
    }
}

/// The enum that is the type of a field.
fn enum_of(field: &Field) -> Option<&'static Enum> {
    let ty = field.source.scalar()?;
    match ty.encoding {
        JsonEncoding::Enum(table) if ty.list.is_none() => Some(table),
        _ => None,
    }
}

/// An index of the attribute `index(..)`.
///
/// One of the method `btree` begins with the tenant. The other methods cannot search by it first, or only
/// with an extension.
fn clauses_of_declared(view: &View, index: &Index) -> Clauses {
    let scoped = |elements: Vec<String>| match index.global {
        true => elements.join(", "),
        false => tenant::first(view, elements).join(", "),
    };
    let (method, elements, expression) = match index.on {
        IndexOn::Columns { method, columns } => {
            let elements: Vec<String> = columns.iter().map(term).collect();
            let names: Vec<String> = columns.iter().map(|term| ident(term.column)).collect();
            match method {
                "btree" => (None, scoped(elements), scoped(names)),
                method => (Some(method), elements.join(", "), names.join(", ")),
            }
        }
        IndexOn::Expr(expr) => (None, scoped(vec![format!("({expr})")]), expr.to_owned()),
        IndexOn::Gin(path) => {
            // `jsonb_path_ops` supports `@>` only, by an index that is smaller and faster than the
            // default.
            let expression = indexed::value(path, "data");
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
        IndexOn::FullText {
            texts, language, ..
        } => {
            let expression = indexed::words(texts, language, "data", ident);
            (Some("gin"), expression.clone(), expression)
        }
    };
    Clauses {
        unique: index.unique,
        method,
        elements,
        expression,
        include: index.include.iter().map(|column| ident(column)).collect(),
        filter: index.filter.map(str::to_owned),
    }
}

fn term(term: &OrderBy) -> String {
    format!("{}{}", ident(term.column), direction_and_nulls(term))
}
