//! Queries about rows that PostgreSQL deletes or changes together with other rows: the foreign keys
//! with such an action, and the values of rows that they lead to. Tables are named at run time, from
//! the catalog.

use crate::schema::columns::ColumnNames;
use crate::sql::dependents::GivenValues;
use crate::sql::text::{Sql, column};

/// The foreign keys that act when rows of the tables in `$1` are deleted or change their keys, and
/// those that act in turn when these keys delete or change rows: one JSON object with the tables
/// that are reached, and the keys.
///
/// It goes from table to table by the triggers that execute the keys, since `pg_trigger` has an index
/// on the referenced table. So what is found is what PostgreSQL executes: of a partitioned table, the
/// triggers of its partitions; and nothing of a key that is not enforced.
pub(crate) const FOREIGN_KEYS: &str = r#"
WITH RECURSIVE
  actions (oid, on_delete, kind) AS (
    VALUES
      ('pg_catalog."RI_FKey_cascade_del"'::pg_catalog.regproc::oid, true, 'cascade'),
      ('pg_catalog."RI_FKey_setnull_del"'::pg_catalog.regproc::oid, true, 'null'),
      ('pg_catalog."RI_FKey_setdefault_del"'::pg_catalog.regproc::oid, true, 'default'),
      ('pg_catalog."RI_FKey_cascade_upd"'::pg_catalog.regproc::oid, false, 'cascade'),
      ('pg_catalog."RI_FKey_setnull_upd"'::pg_catalog.regproc::oid, false, 'null'),
      ('pg_catalog."RI_FKey_setdefault_upd"'::pg_catalog.regproc::oid, false, 'default')
  ),
  reached (oid) AS (
    SELECT pg_catalog.to_regclass(given.name)::oid
    FROM pg_catalog.unnest($1::text[]) AS given (name)
    WHERE pg_catalog.to_regclass(given.name) IS NOT NULL
    UNION
    SELECT next.oid
    FROM reached AS r
    CROSS JOIN LATERAL (
      SELECT i.inhrelid AS oid
      FROM pg_catalog.pg_inherits AS i
      WHERE i.inhparent = r.oid
      UNION ALL
      SELECT k.conrelid
      FROM pg_catalog.pg_trigger AS t
      JOIN actions AS a ON a.oid = t.tgfoid
      JOIN pg_catalog.pg_constraint AS k ON k.oid = t.tgconstraint
      WHERE t.tgrelid = r.oid AND t.tgenabled <> 'D'
    ) AS next
  ),
  -- The tables that the rows of a table belong to: itself, and those that it inherits from.
  above (member, oid) AS (
    SELECT r.oid, r.oid FROM reached AS r
    UNION
    SELECT a.member, i.inhparent
    FROM above AS a
    JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = a.oid
  )
SELECT pg_catalog.json_build_object(
  'tables', (
    SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
      'oid', c.oid::int8,
      'name', pg_catalog.json_build_array(n.nspname, c.relname),
      'partitioned', c.relkind = 'p',
      'readable', pg_catalog.has_schema_privilege(n.oid, 'USAGE')
        AND pg_catalog.has_any_column_privilege(c.oid, 'SELECT'),
      'lockable', c.relkind IN ('r', 'p')
        AND pg_catalog.has_any_column_privilege(c.oid, 'UPDATE'),
      'members', ARRAY(
        SELECT i.inhrelid::int8 FROM pg_catalog.pg_inherits AS i WHERE i.inhparent = c.oid),
      'above', (
        SELECT pg_catalog.json_agg(pg_catalog.json_build_array(an.nspname, ac.relname))
        FROM above AS a
        JOIN pg_catalog.pg_class AS ac ON ac.oid = a.oid
        JOIN pg_catalog.pg_namespace AS an ON an.oid = ac.relnamespace
        WHERE a.member = c.oid)
    ))
    FROM reached AS r
    JOIN pg_catalog.pg_class AS c ON c.oid = r.oid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  ),
  'keys', (
    SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
      'parent', t.tgrelid::int8,
      'child', k.conrelid::int8,
      'name', k.conname,
      'on_delete', a.on_delete,
      'kind', a.kind,
      'columns', (
        SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
          'fk', (
            SELECT f.attname FROM pg_catalog.pg_attribute AS f
            WHERE f.attrelid = k.conrelid AND f.attnum = u.fk),
          'key', (
            SELECT p.attname FROM pg_catalog.pg_attribute AS p
            WHERE p.attrelid = k.confrelid AND p.attnum = u.key),
          'ty', (
            SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(ty.typname)
            FROM pg_catalog.pg_attribute AS p
            JOIN pg_catalog.pg_type AS ty ON ty.oid = p.atttypid
            JOIN pg_catalog.pg_namespace AS n ON n.oid = ty.typnamespace
            WHERE p.attrelid = k.confrelid AND p.attnum = u.key),
          'eq', (
            SELECT 'OPERATOR(' || pg_catalog.quote_ident(n.nspname) || '.' || eq.oprname || ')'
            FROM pg_catalog.pg_operator AS eq
            JOIN pg_catalog.pg_namespace AS n ON n.oid = eq.oprnamespace
            WHERE eq.oid = u.eq),
          'default', (
            SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid)
            FROM pg_catalog.pg_attrdef AS d
            WHERE a.kind = 'default' AND d.adrelid = k.conrelid AND d.adnum = u.fk
              -- ON DELETE SET DEFAULT may name some of the columns, from PostgreSQL 15 on.
              AND (NOT a.on_delete
                OR coalesce(pg_catalog.to_jsonb(k) -> 'confdelsetcols', 'null') = 'null'
                OR pg_catalog.to_jsonb(k) -> 'confdelsetcols' @> pg_catalog.to_jsonb(u.fk)))
        ) ORDER BY u.position)
        FROM ROWS FROM (
          pg_catalog.unnest(k.conkey), pg_catalog.unnest(k.confkey), pg_catalog.unnest(k.conpfeqop)
        ) WITH ORDINALITY AS u (fk, key, eq, position))
    ) ORDER BY t.tgrelid, k.oid, a.on_delete)
    FROM reached AS r
    JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = r.oid AND t.tgenabled <> 'D'
    JOIN actions AS a ON a.oid = t.tgfoid
    JOIN pg_catalog.pg_constraint AS k ON k.oid = t.tgconstraint
  )
)::text"#;

/// The functions of the triggers that execute an action when a referenced row is deleted.
pub(crate) const DELETE_ACTIONS: &str = "\
'pg_catalog.\"RI_FKey_cascade_del\"'::pg_catalog.regproc, \
'pg_catalog.\"RI_FKey_setnull_del\"'::pg_catalog.regproc, \
'pg_catalog.\"RI_FKey_setdefault_del\"'::pg_catalog.regproc";

/// The functions of the triggers that execute an action when a referenced key changes.
pub(crate) const UPDATE_ACTIONS: &str = "\
'pg_catalog.\"RI_FKey_cascade_upd\"'::pg_catalog.regproc, \
'pg_catalog.\"RI_FKey_setnull_upd\"'::pg_catalog.regproc, \
'pg_catalog.\"RI_FKey_setdefault_upd\"'::pg_catalog.regproc";

/// How the rows of an image are found.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FoundBy<'a> {
    /// The rows whose columns are in the array `$1` of this type.
    Columns(&'a ColumnNames, &'a str),
    /// The rows that refer to given ones. Each column of the foreign key has a parameter: an array
    /// of texts. The values at one position of these arrays belong together.
    Reference(&'a [ReferenceColumn<'a>]),
}

/// A column of a foreign key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReferenceColumn<'a> {
    /// The referencing column.
    pub(crate) fk: &'a str,
    /// The type of the referenced column, as SQL.
    pub(crate) ty: &'a str,
    /// The operator that compares the referenced column with the referencing one, as SQL.
    pub(crate) eq: &'a str,
}

/// The columns of the row that [`images`] returns.
pub(crate) mod image_row {
    /// Whether row security may hide rows of the table.
    pub(crate) const SECURED: usize = 0;
    /// The number of distinct rows, at most the limit.
    pub(crate) const COUNT: usize = 1;
    /// For each column the values, as texts, and then the type, as SQL.
    pub(crate) const FIRST_COLUMN: usize = 2;
}

/// The distinct values that rows of `table` have in `columns`, as one row of arrays; at most as many
/// as the last parameter says. With `only`, the rows of inheriting tables are left out. With `lock`,
/// the rows are locked as if they were deleted: nobody can change them, or refer to them anew.
///
/// Values are printed as by `to_jsonb`, which does not depend on `DateStyle`.
pub(crate) fn images(
    table: &str,
    only: bool,
    columns: &[&str],
    by: FoundBy<'_>,
    lock: bool,
) -> String {
    let mut sql = Sql::new();
    let limit = match by {
        FoundBy::Columns(..) => 2,
        FoundBy::Reference(columns) => columns.len() + 1,
    };
    let only = if only { "ONLY " } else { "" };
    let names: Vec<String> = (0..columns.len())
        .map(|index| format!("c{index}"))
        .collect();
    sql.block("WITH given AS MATERIALIZED (", "),", |sql| given(sql, by));
    sql.block("found AS MATERIALIZED (", ")", |sql| {
        sql.line(format!("SELECT DISTINCT {}", names.join(", ")));
        sql.block("FROM (", ") AS f", |sql| {
            sql.line("SELECT");
            sql.block_list(columns.iter().zip(&names).map(|(wanted, name)| {
                let value = column("r", wanted);
                format!("pg_catalog.to_jsonb({value}) OPERATOR(pg_catalog.#>>) '{{}}' AS {name}")
            }));
            rows(sql, table, only, by);
            if lock {
                let order: Vec<String> = (1..=columns.len()).map(|at| at.to_string()).collect();
                sql.line(format!("ORDER BY {}", order.join(", ")));
                sql.line("FOR UPDATE OF r");
            }
        });
        sql.line(format!("LIMIT ${limit}"));
    });
    sql.line("SELECT");
    let regclass = format!("{}::pg_catalog.regclass", crate::sql::text::literal(table));
    let mut results = vec![
        format!("pg_catalog.row_security_active({regclass}) AS secured"),
        "pg_catalog.count(*) AS count".to_owned(),
    ];
    for (wanted, name) in columns.iter().zip(&names) {
        results.push(format!("pg_catalog.array_agg({name}) AS {name}"));
        results.push(format!(
            "(SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(t.typname)\n \
             FROM pg_catalog.pg_attribute AS a\n \
             JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid\n \
             JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace\n \
             WHERE a.attrelid = {regclass} AND a.attname = {}) AS {name}_type",
            crate::sql::text::literal(wanted)
        ));
    }
    sql.block_list(results);
    sql.line("FROM found");
    sql.finish()
}

/// The given values: one array, or rows of a column for each parameter. Behind the CTE, the planner
/// does not see how many there are, so that one plan serves all executions.
fn given(sql: &mut Sql, by: FoundBy<'_>) {
    match by {
        FoundBy::Columns(_, ty) => sql.line(format!("SELECT $1::{ty}[] AS keys")),
        FoundBy::Reference(columns) => {
            let values = |(index, column): (usize, &ReferenceColumn<'_>)| {
                format!("g.k{index}::{} AS k{index}", column.ty)
            };
            let arrays = |index: usize| format!("pg_catalog.unnest(${}::text[])", index + 1);
            let names = |index: usize| format!("k{index}");
            let list = |of: &dyn Fn(usize) -> String| {
                (0..columns.len()).map(of).collect::<Vec<_>>().join(", ")
            };
            let values: Vec<String> = columns.iter().enumerate().map(values).collect();
            sql.line(format!("SELECT {}", values.join(", ")));
            sql.line(format!(
                "FROM ROWS FROM ({}) AS g ({})",
                list(&arrays),
                list(&names)
            ));
        }
    }
}

/// FROM and WHERE: the rows that are found by the given values.
fn rows(sql: &mut Sql, table: &str, only: &str, by: FoundBy<'_>) {
    match by {
        FoundBy::Columns(names, ty) => {
            sql.line(format!("FROM {only}{table} AS r"));
            let array = format!("(SELECT keys FROM given)::{ty}[]");
            let values = GivenValues {
                table,
                columns: names,
                array: &array,
            };
            sql.line(format!("WHERE {}", values.contain("r", names)));
        }
        FoundBy::Reference(columns) => {
            sql.line("FROM given AS g");
            let same = |(index, by): (usize, &ReferenceColumn<'_>)| {
                format!("g.k{index} {} {}", by.eq, column("r", by.fk))
            };
            let same: Vec<String> = columns.iter().enumerate().map(same).collect();
            sql.line(format!("JOIN {only}{table} AS r ON {}", same.join(" AND ")));
        }
    }
}
