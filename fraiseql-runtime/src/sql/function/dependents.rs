//! `fraiseql_dependents_..`: the documents that depend on changes.
//!
//! Changes are an object with a key for each table, whose value is an object with a key for each column by which
//! paths leave its rows: `{"\"public\".\"tb_comment\"": {"post_id": [7], "author_id": [1, 2]}}`. The values are
//! those that changed rows had before or have now, so a row that was moved or deleted leads to its former documents,
//! too. A table whose value is null was truncated: all documents on its paths depend on it.
//!
//! The function returns a row for each path that leads to documents: its position in [`paths`](super::model::ModelPaths),
//! the keys as texts, at most one more than the second parameter, and whether there are more than that.

use crate::schema::{Table, View};
use crate::sql::dependents::{LookupChain, queries};
use crate::sql::function::definition::{FunctionDdl, FunctionText};
use crate::sql::function::model::ModelPaths;
use crate::sql::function::settings;
use crate::sql::session::Session;
use crate::sql::text::{Sql, literal};

const PARAMETERS: [(&str, &str); 2] = [("changes", "jsonb"), ("most", "int8")];
const RESULT: &str = "RETURNS TABLE (path int4, keys text[], more bool)";

/// The text of the function, without its name. It has the settings with which `find` compares keys.
pub(super) fn text<'a>(
    model: &ModelPaths<'_>,
    find: &FunctionDdl,
    schema: &'static str,
    definer: bool,
) -> FunctionText<'a> {
    let session = Session::of(model.views.iter().map(|view| view.shape));
    let mut sql = Sql::new();
    sql.line("#variable_conflict use_column");
    sql.block("BEGIN", "END", |sql| {
        settings::complete_path(&session, sql);
        sql.line(format!(
            "RETURN QUERY SELECT * FROM {}($1, $2);",
            find.qualified()
        ));
    });
    FunctionText {
        stem: "dependents",
        schema,
        parameters: &PARAMETERS,
        returns: RESULT.to_owned(),
        outputs: &[],
        definer,
        settings: settings::clauses(&session),
        body: sql.finish(),
    }
}

/// The text of `fraiseql_find_..`, which does the work. It runs with the settings of its caller.
pub(super) fn find<'a>(model: &ModelPaths<'_>, schema: &'static str) -> FunctionText<'a> {
    let mut sql = Sql::new();
    sql.line("#variable_conflict use_column");
    sql.block("BEGIN", "END", |sql| {
        for table in model.tables() {
            values(sql, table, model);
            whole_table(sql, table, model);
        }
    });
    FunctionText {
        stem: "find",
        schema,
        parameters: &PARAMETERS,
        returns: RESULT.to_owned(),
        outputs: &[],
        definer: false,
        settings: Vec::new(),
        body: sql.finish(),
    }
}

/// The documents on all paths that leave the rows of a table, in one query: each takes longer to begin than to run.
fn values(sql: &mut Sql, table: Table, model: &ModelPaths<'_>) {
    let changed = format!("$1 -> {}", literal(&table.to_string()));
    let mut inputs = Vec::new();
    let mut found = Vec::new();
    for group in model.groups_of(table) {
        let values = format!("{changed} -> {}", literal(&group.columns.name_in_changes()));
        let texts = format!("pg_catalog.jsonb_array_elements_text({values}) AS t (k)");
        let keys = format!("keys_{}", inputs.len());
        let chains: Vec<(&LookupChain, &View)> = group
            .paths
            .iter()
            .map(|path| (path.chain, path.view))
            .collect();
        let (input, queries) = queries(
            table,
            group.columns,
            group.ty,
            &texts,
            &keys,
            "$2 + 1",
            &chains,
        );
        inputs.push(format!("{input} AS {keys}"));
        found.extend(group.paths.iter().zip(queries));
    }
    sql.block(format!("IF {changed} <> 'null' THEN"), "END IF;", |sql| {
        sql.line("RETURN QUERY");
        sql.block("WITH input AS MATERIALIZED (", "),", |sql| {
            sql.line("SELECT");
            sql.block_list(inputs);
        });
        sql.block("found (path, keys) AS (", ")", |sql| {
            for (index, (path, query)) in found.into_iter().enumerate() {
                if index > 0 {
                    sql.line("UNION ALL");
                }
                sql.line(format!("-- {}", path.text));
                sql.block(
                    format!("SELECT {}, ARRAY(", path.position),
                    ")::text[]",
                    |sql| {
                        sql.line(query);
                    },
                );
            }
        });
        sql.line("SELECT f.path, f.keys, pg_catalog.cardinality(f.keys) > $2");
        sql.line("FROM found AS f");
        sql.line("WHERE f.keys <> '{}';");
    });
}

/// All documents of the views that have paths from a table.
fn whole_table(sql: &mut Sql, table: Table, model: &ModelPaths<'_>) {
    let changed = format!("$1 -> {}", literal(&table.to_string()));
    sql.block(format!("IF {changed} = 'null' THEN"), "END IF;", |sql| {
        for path in model.paths_of(table) {
            let key = path.view.stored_key("v");
            sql.line(format!("-- {}", path.text));
            sql.line("RETURN QUERY");
            sql.line(format!(
                "SELECT {}, f.keys::text[], pg_catalog.cardinality(f.keys) > $2",
                path.position
            ));
            sql.line(format!(
                "FROM (SELECT ARRAY(SELECT {} FROM {} AS v ORDER BY {} LIMIT $2 + 1)) AS f (keys)",
                key.value(),
                path.view.table,
                key.order()
            ));
            sql.line("WHERE f.keys <> '{}';");
        }
    });
}
