//! What documents depend on in the session, as the settings of a function.
//!
//! A function with a SET clause has these settings while it runs, whatever the session has. So a document is the
//! same from every session, without a look at its settings.

use crate::sql::session::Session;
use crate::sql::text::{Sql, ident};

/// The path of functions in which all names are qualified.
pub(super) const PINNED_PATH: &str = "search_path = pg_catalog, pg_temp";

/// Settings of the planner. Plans are for any number of keys, because arrays are hidden from the planner: one that is made
/// for the parameters of a call is no better, and takes longer than the call. The estimates of functions that
/// return sets are far too high, so that plans would be compiled. And with the default cost of a page, that of a disk,
/// tables of up to four hundred rows are read as a whole to look up one row, for each row of each list.
const PLANNER: [&str; 3] = [
    "plan_cache_mode = force_generic_plan",
    "jit = off",
    "random_page_cost = 1.1",
];

/// The SET clauses of a function that finds or builds documents.
pub(super) fn clauses(session: &Session) -> Vec<String> {
    // Triggers that users have on view tables run with this path, too.
    let schemas = session.first_schemas().into_iter().map(ident);
    let schemas: Vec<String> = schemas.chain(["pg_temp".to_owned()]).collect();
    let mut clauses = vec![format!("search_path = {}", schemas.join(", "))];
    clauses.extend(PLANNER.map(str::to_owned));
    clauses.extend(
        session
            .settings()
            .map(|(name, value)| format!("\"{name}\" = '{value}'")),
    );
    clauses
}

/// Sets the path on which the operators and functions of this database are found, unless the documents need none
/// but those of `pg_catalog`. It holds until the function ends, which restores the path because it has a SET
/// clause.
pub(super) fn set_path(session: &Session, sql: &mut Sql) {
    if session.needs_path() {
        sql.block("PERFORM", ";", |sql| session.set_path_config(sql));
    }
}

/// The same in a function whose SET clause is that of these documents: usually nothing is to be done.
pub(super) fn complete_path(session: &Session, sql: &mut Sql) {
    if session.needs_path() {
        let is_short = format!("IF {} THEN", session.has_more_schemas());
        sql.block(is_short, "END IF;", |sql| set_path(session, sql));
    }
}
