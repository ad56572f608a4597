//! The schemas in which a session looks for operators and functions: whether they are the right ones,
//! and the path that has them.

use crate::sql::session::{SET_PATH, Session};
use crate::sql::text::{Sql, literal};

/// The first OID of an object that was not created with the database cluster.
const FIRST_OWN_OID: u32 = 16_384;

impl Session {
    /// The condition that the session compares foreign keys by the right operators. `None` if every
    /// session does.
    pub(crate) fn path_condition(&self) -> Option<String> {
        self.needs.search_path.then(|| self.path_is_right())
    }

    /// Gives the rest of the transaction the path by which foreign keys are compared by the right
    /// operators, unless the session has one. `None` if every session has.
    pub(crate) fn set_path(&self) -> Option<String> {
        let right = self.path_condition()?;
        let mut sql = Sql::new();
        sql.line("SELECT CASE");
        sql.indented(|sql| {
            sql.line(format!("WHEN {right} THEN ''"));
            sql.line("ELSE");
            sql.indented(|sql| self.set_path_config(sql));
        });
        sql.line("END AS path");
        Some(sql.finish())
    }

    /// Sets the path, and notes that it was set for documents.
    pub(crate) fn set_path_config(&self, sql: &mut Sql) {
        sql.line(format!(
            "pg_catalog.set_config('{SET_PATH}', pg_catalog.set_config('search_path', \
             pg_catalog.array_to_string(ARRAY("
        ));
        sql.indented(|sql| self.path(sql));
        sql.line("), ', '), true), true)");
    }

    /// The condition that extensions or operators are in other schemas than the first ones.
    pub(crate) fn has_more_schemas(&self) -> String {
        let first: Vec<String> = self.first_schemas().into_iter().map(literal).collect();
        let mut sql = Sql::new();
        sql.block("EXISTS (", ")", |sql| {
            sql.line("SELECT FROM pg_catalog.pg_namespace AS n");
            sql.line(format!(
                "WHERE n.nspname <> ALL (ARRAY[{}]::name[]) AND n.oid IN (",
                first.join(", ")
            ));
            sql.line("  SELECT extnamespace FROM pg_catalog.pg_extension");
            sql.line(format!(
                "  UNION ALL SELECT oprnamespace FROM pg_catalog.pg_operator WHERE oid >= {FIRST_OWN_OID}"
            ));
            sql.line(")");
        });
        sql.finish()
    }

    /// The condition that names mean what they mean in every other session.
    ///
    /// An operator that is not found raises an error, after which the batch is repeated with a path
    /// that has it. What has to be looked for are types that are silently taken for another one,
    /// because of a cast, if their operators are not found.
    pub(super) fn path_is_right(&self) -> String {
        let mut sql = Sql::new();
        sql.block("(", ")", |sql| {
            sql.line(format!(
                "coalesce(nullif(pg_catalog.current_setting('{SET_PATH}', true), '') \
                 = pg_catalog.current_setting('search_path'), false)"
            ));
            sql.line(format!(
                "OR NOT EXISTS (SELECT FROM pg_catalog.pg_cast WHERE oid >= {FIRST_OWN_OID} \
                 AND castcontext = 'i' AND NOT pg_catalog.pg_type_is_visible(castsource))"
            ));
            if !self.reads.names.is_empty() {
                sql.block("AND (", ")", |sql| self.names_are_right(sql));
            }
        });
        sql.finish()
    }

    /// The condition that the functions and types which fragments name are those of `pg_catalog`, or
    /// are looked for in the right schemas.
    fn names_are_right(&self, sql: &mut Sql) {
        let names: Vec<String> = self.reads.names.iter().map(|name| literal(name)).collect();
        let names = names.join(", ");
        // A table has a type of its name.
        for (and, table, prefix) in [("", "proc", "pro"), ("AND ", "type", "typ")] {
            sql.line(format!(
                "{and}NOT EXISTS (SELECT FROM pg_catalog.pg_{table} WHERE {prefix}name IN ({names}) \
                 AND {prefix}namespace <> 'pg_catalog'::pg_catalog.regnamespace)"
            ));
        }
        let first = self.first_schemas();
        let count = first.len();
        let first: Vec<String> = first.into_iter().map(literal).collect();
        let first = format!("ARRAY[{}]::name[]", first.join(", "));
        sql.block("OR coalesce((", "), false)", |sql| {
            sql.line(format!("SELECT p.path[1:{count}] = {first}"));
            sql.line("  AND pg_catalog.bool_and(e.name = ANY (p.path))");
            sql.line(format!(
                "  AND pg_catalog.count(DISTINCT e.name) FILTER (WHERE e.name <> ALL ({first})) \
                 = pg_catalog.cardinality(p.path) - {count}"
            ));
            sql.line(
                "FROM (SELECT pg_catalog.array_remove(pg_catalog.current_schemas(true), \
                 pg_catalog.pg_my_temp_schema()::pg_catalog.regnamespace::text::name) AS path) AS p,",
            );
            sql.line(
                "  (SELECT extnamespace::pg_catalog.regnamespace::text::name AS name \
                 FROM pg_catalog.pg_extension) AS e",
            );
            sql.line("GROUP BY p.path");
        });
    }

    /// The schemas that the path begins with.
    pub(crate) fn first_schemas(&self) -> Vec<&'static str> {
        let own = self
            .schemas
            .iter()
            .copied()
            .filter(|name| *name != "public");
        ["pg_catalog"]
            .into_iter()
            .chain(own)
            .chain(["public"])
            .collect()
    }

    /// The schemas of the path, in order.
    fn path(&self, sql: &mut Sql) {
        let places: Vec<String> = self
            .first_schemas()
            .into_iter()
            .enumerate()
            .map(|(place, name)| format!("({}::name, {place})", literal(name)))
            .collect();
        sql.line("SELECT pg_catalog.quote_ident(n.nspname)");
        sql.block("FROM (", ") AS s", |sql| {
            sql.line("SELECT n.oid, w.place");
            sql.line(format!("FROM (VALUES {}) AS w (name, place)", places.join(", ")));
            sql.line("JOIN pg_catalog.pg_namespace AS n ON n.nspname = w.name");
            sql.line("UNION ALL SELECT extnamespace, NULL FROM pg_catalog.pg_extension");
            sql.line(format!(
                "UNION ALL SELECT oprnamespace, NULL FROM pg_catalog.pg_operator WHERE oid >= {FIRST_OWN_OID}"
            ));
        });
        sql.line("JOIN pg_catalog.pg_namespace AS n ON n.oid = s.oid");
        sql.line("WHERE pg_catalog.has_schema_privilege(n.oid, 'USAGE')");
        sql.line("GROUP BY n.nspname");
        sql.line("ORDER BY pg_catalog.min(s.place), n.nspname");
    }
}
