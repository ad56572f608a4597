//! The statements that read documents by key.
//!
//! With live storage, all of them build documents. Otherwise they read stored documents: a stale document, which an older or a newer release of the application has written, is read as
//! null, and then built from the base tables.

use crate::schema::{Storage, View};
use crate::sql::document::{self, HIDDEN};
use crate::sql::guard::guarded;
use crate::sql::session::Session;
use crate::sql::shape;
use crate::sql::tenant;
use crate::sql::text::{Sql, elements};

/// The statements that read documents by key.
///
/// If the view has hidden fields, each returns them as one object in a column of its own.
#[derive(Debug)]
pub struct ReadSql {
    /// The document of the one key in the array `$1`; null if it is stale.
    pub find: String,
    /// The same with its version, if documents are stored: null if it is stale. The document is also null
    /// if its version is in the array that is the last parameter, and is then not read from its row.
    pub find_unless: Option<String>,
    /// The documents of the keys in the array `$1`, with the positions of the keys in it. A stale
    /// document is null, and a key without a document has no row.
    pub find_many: String,
    /// Builds the documents of the keys in the array `$1`, whose positions are in the array `$2`.
    /// The columns are those of [`find_many`](Self::find_many).
    pub build: String,
    /// The same among the documents of one tenant, if the view has tenants. The array of the tenant is
    /// their last parameter.
    pub of_tenant: Option<Box<Self>>,
}

impl ReadSql {
    /// The statements that compare the tenant, or those that do not.
    pub(crate) fn scoped(&self, by_tenant: bool) -> &Self {
        match &self.of_tenant {
            Some(of_tenant) if by_tenant => of_tenant,
            _ => self,
        }
    }
}

/// The version of a stored document, whose row is `v`: it changes with the document, and never returns.
pub(crate) const VERSION: &str = "pg_catalog.concat(v.version, '-', v.synced_xid)";

/// Composes the statements of a view, whose shape has the number `number`.
pub(crate) fn compose(view: &View, number: i64) -> ReadSql {
    let scoped = |by_tenant| match view.storage {
        Storage::Live => live(view, by_tenant),
        Storage::Table | Storage::Matview { .. } => stored(view, number, by_tenant),
    };
    ReadSql {
        of_tenant: view.tenant.map(|_| Box::new(scoped(true))),
        ..scoped(false)
    }
}

/// Builds the document of the one key in the array `$1`, in a session that has what documents need.
pub(crate) fn live_statement(view: &View) -> String {
    live_find(view, false)
}

fn live_find(view: &View, by_tenant: bool) -> String {
    let mut find = Sql::new();
    document::write_data(&mut find, view, &[], true, |root| {
        let mut conditions = vec![view.base_key(root).is_first_of_parameter(1)];
        conditions.extend(tenant::of_row(view, root, 2).filter(|_| by_tenant));
        conditions
    });
    find.finish()
}

/// [`ReadSql::build`].
pub(crate) fn build_statement(view: &View) -> String {
    build(view, &given_places(view), None)
}

/// The statements that build the documents which they return. In an unsuitable session they return a
/// row of nulls: see [`guard`](crate::sql::guard).
fn live(view: &View, by_tenant: bool) -> ReadSql {
    let places = format!("{} WITH ORDINALITY", elements(1, view.key.sql_type()));
    let session = Session::of([view.shape]);
    let hidden = match view.shape.has_hidden() {
        true => format!(", q.{HIDDEN}"),
        false => String::new(),
    };
    let guarded = |statement: String, columns: String| {
        let columns = columns + &hidden;
        guarded(&session, &statement, &columns).unwrap_or(statement)
    };
    ReadSql {
        find: guarded(live_find(view, by_tenant), "q.\"data\"".to_owned()),
        find_many: guarded(
            build(view, &places, by_tenant.then_some(2)),
            "q.\"data\", q.place".to_owned(),
        ),
        build: build(view, &given_places(view), by_tenant.then_some(3)),
        find_unless: None,
        of_tenant: None,
    }
}

fn stored(view: &View, number: i64, by_tenant: bool) -> ReadSql {
    let key = view.stored_key("v");
    let ty = view.key.sql_type();
    // One comparison in the same row: a stale document costs a second statement, a current one
    // nothing.
    let current = shape::literal(number);
    let data = format!("CASE WHEN v.shape = {current} THEN v.data END AS data");
    let hidden = document::stored_hidden(view, "v");
    let of_tenant = tenant::of_stored(view, "v", 2).filter(|_| by_tenant);
    let conditions = [key.is_first_of_parameter(1)];
    let conditions: Vec<String> = conditions.into_iter().chain(of_tenant.clone()).collect();
    let one = |columns: Vec<String>| {
        let mut sql = Sql::new();
        match columns.as_slice() {
            [column] => sql.line(format!("SELECT {column}")),
            _ => {
                sql.line("SELECT");
                sql.block_list(columns);
            }
        }
        sql.line(format!("FROM {} AS v", view.table));
        sql.conditions("WHERE", &conditions);
        sql.finish()
    };
    // The position, as in `find_many`.
    let place = || "'1'::int8 AS place".to_owned();
    let find = one(match &hidden {
        None => vec![data.clone()],
        Some(hidden) => vec![data.clone(), place(), hidden.clone()],
    });
    let find_unless = (view.storage == Storage::Table).then(|| {
        let held = if of_tenant.is_some() { 3 } else { 2 };
        one(vec![
            format!(
                "CASE WHEN v.shape = {current} AND {VERSION} <> ALL (${held}::text[]) THEN v.data END AS data"
            ),
            place(),
            format!("CASE WHEN v.shape = {current} THEN {VERSION} END AS version"),
        ])
    });
    let mut many = Sql::new();
    many.line("SELECT");
    many.block_list([data, "wanted.place".to_owned()].into_iter().chain(hidden));
    many.line(format!(
        "FROM {} WITH ORDINALITY AS wanted (\"key\", place)",
        elements(1, ty)
    ));
    many.line(format!(
        "JOIN {} AS v ON {}",
        view.table,
        key.is("wanted.\"key\"")
    ));
    many.conditions("WHERE", of_tenant.as_slice());
    many.line("ORDER BY wanted.place");
    ReadSql {
        find,
        find_unless,
        find_many: many.finish(),
        build: build(view, &given_places(view), by_tenant.then_some(3)),
        of_tenant: None,
    }
}

/// The keys and the positions of [`ReadSql::build`].
fn given_places(view: &View) -> String {
    let ty = view.key.sql_type();
    format!("ROWS FROM ({}, {})", elements(1, ty), elements(2, "int8"))
}

/// Builds documents. `places` yields keys and their positions. It has the alias `v`, which no row of a
/// document has. `tenant` is the parameter of the tenant that the rows must belong to.
fn build(view: &View, places: &str, tenant: Option<u8>) -> String {
    let mut columns = vec!["b.\"data\"".to_owned(), "v.place".to_owned()];
    if view.shape.has_hidden() {
        columns.push(format!("b.{HIDDEN}"));
    }
    let mut sql = Sql::new();
    sql.line(format!("SELECT {}", columns.join(", ")));
    sql.line(format!("FROM {places} AS v (\"key\", place)"));
    sql.block("CROSS JOIN LATERAL (", ") AS b", |sql| {
        document::write_data(sql, view, &[], true, |root| {
            let mut conditions = vec![view.base_key(root).is("v.\"key\"")];
            conditions.extend(tenant.and_then(|number| tenant::of_row(view, root, number)));
            conditions
        });
        // Keeps the planner from joining all documents: each row is looked up by its key.
        sql.line("OFFSET 0");
    });
    sql.line("ORDER BY v.place");
    sql.finish()
}
