//! `fraiseql_capture_tb_post_..`: the trigger function of one base table.
//!
//! It runs in the transaction of whoever writes, so it must neither fail nor need anything of that session: it has the
//! privileges of its owner, its own `search_path`, and compares without any operator of a type.
//!
//! # Which rows an UPDATE has changed
//!
//! Rows before and after are paired by their place in the transition tables, into which PostgreSQL puts both at once. That
//! order is not documented, and nothing depends on it: in any way of pairing, rows that are left out have, all together, the
//! same values before and after. Only if the pairs are those of the statement, no row is in a change in vain. It needs no
//! key, so that join tables and changed keys are no special cases.
//!
//! Values are compared by their bytes (`*<>`), as documents show them: `1.0` and `1.00` are equal, and are shown
//! differently. It also compares `json`, which has no equality.

use std::collections::BTreeSet;

use crate::schema::{Columns, Table};
use crate::sql::capture::CapturedModel;
use crate::sql::capture::columns::Relevant;
use crate::sql::capture::triggers::{Event, NEW_ROWS, OLD_ROWS};
use crate::sql::function::change::{self, MAX_PAIRS, change_table};
use crate::sql::function::model::suffix;
use crate::sql::function::{FunctionDdl, FunctionText};
use crate::sql::hash::fnv1a;
use crate::sql::text::{Sql, column, literal, row_value};

/// How many changed rows one change has: its images are read and written as a whole.
const ROWS: u32 = 10_000;

/// The settings of the function.
const SETTINGS: [&str; 1] = ["search_path = pg_catalog, pg_temp"];

/// Settings for many rows, until the function ends. A plan is made for the number of rows of the first such statement, and kept
/// for the session: made for a large one, every later statement would be compiled by the JIT compiler. The rows of a large
/// statement are sorted in memory.
const FOR_MANY: &str = "PERFORM pg_catalog.set_config('jit', 'off', true), \
    pg_catalog.set_config('work_mem', '32MB', true);";

/// Composes the function of a table. With `has_namesake`, another table of the read model has the same name in another
/// schema.
pub(super) fn compose(
    model: &CapturedModel<'_>,
    table: Table,
    first: &BTreeSet<Columns>,
    relevant: &Relevant,
    has_namesake: bool,
) -> FunctionDdl {
    let stem = match has_namesake {
        false => format!("capture_{}", table.name),
        true => format!("capture_{}_{:016x}", table.name, fnv1a(table.schema)),
    };
    let body = Body {
        model,
        table,
        first: first.iter().copied().collect(),
        relevant,
    };
    FunctionText {
        stem: &stem,
        schema: model.schema,
        parameters: &[],
        returns: "RETURNS trigger".to_owned(),
        outputs: &[],
        definer: true,
        settings: SETTINGS.map(str::to_owned).to_vec(),
        body: body.compose(),
    }
    .named(&suffix(model.id))
}

struct Body<'a> {
    model: &'a CapturedModel<'a>,
    table: Table,
    /// The columns by which paths leave the rows. There are at least one.
    first: Vec<Columns>,
    relevant: &'a Relevant,
}

impl Body<'_> {
    fn compose(&self) -> String {
        let mut sql = Sql::new();
        let views: Vec<String> = self
            .model
            .views
            .iter()
            .map(|view| view.table.to_string())
            .collect();
        sql.line(format!(
            "-- Captures the changes of {} for {}.",
            self.table,
            views.join(", ")
        ));
        sql.block("BEGIN", "END", |sql| {
            for (event, word) in Event::ALL
                .into_iter()
                .zip(["IF", "ELSIF", "ELSIF", "ELSIF"])
            {
                sql.line(format!("{word} TG_OP = '{}' THEN", event.operation()));
                sql.indented(|sql| match event {
                    Event::Insert => self.one_image(sql, event, "new", NEW_ROWS),
                    Event::Update => self.both_images(sql),
                    Event::Delete => self.one_image(sql, event, "old", OLD_ROWS),
                    Event::Truncate => self.truncated(sql),
                });
            }
            sql.line("END IF;");
            sql.line("RETURN NULL;");
        });
        sql.finish()
    }

    fn change_table(&self) -> String {
        change_table(self.model.schema)
    }

    /// The beginning of a change, whose images follow.
    fn insert(&self, sql: &mut Sql, event: Event, images: &[&str]) {
        let images: String = images.iter().map(|image| format!(", {image}")).collect();
        sql.line(format!(
            "INSERT INTO {} (model, \"table\", operation{images})",
            self.change_table()
        ));
        sql.line("SELECT");
        sql.indented(|sql| {
            let end = if images.is_empty() { "" } else { "," };
            sql.line(format!(
                "'{}'::int8, {}, '{}'{end}",
                self.model.id,
                literal(&self.table.to_string()),
                event.operation()
            ));
        });
    }

    /// The rows of an INSERT or a DELETE.
    fn one_image(&self, sql: &mut Sql, event: Event, image: &str, rows: &str) {
        let one = |sql: &mut Sql| {
            self.insert(sql, event, &[image]);
            sql.indented(|sql| sql.line(self.image_of_row("x")));
            sql.line(format!("FROM {rows} AS x"));
            sql.line(format!("WHERE {};", self.leads_to_documents(&["x"])));
        };
        let many = |sql: &mut Sql| {
            self.insert(sql, event, &[image]);
            sql.indented(|sql| sql.line(self.image(image)));
            sql.block("FROM (", ") AS changed", |sql| {
                sql.line("SELECT");
                sql.indented(|sql| {
                    sql.line(format!(
                        "(pg_catalog.row_number() OVER () - 1) / {ROWS} AS part,"
                    ));
                    sql.list(self.first_values("x", image));
                });
                sql.line(format!("FROM {rows} AS x"));
                sql.line(format!("WHERE {}", self.leads_to_documents(&["x"])));
            });
            sql.line("GROUP BY changed.part;");
        };
        one_or_many(sql, &[rows], one, many);
    }

    /// The rows of an UPDATE in which a relevant column differs.
    fn both_images(&self, sql: &mut Sql) {
        let images = ["old", "new"];
        let one = |sql: &mut Sql| {
            self.insert(sql, Event::Update, &images);
            sql.indented(|sql| sql.list(["o", "n"].map(|row| self.image_of_row(row))));
            sql.line(format!("FROM {OLD_ROWS} AS o"));
            sql.line(format!("CROSS JOIN {NEW_ROWS} AS n"));
            let [old, new] = ["o", "n"].map(|row| self.relevant_values(row));
            sql.line(format!("WHERE {old} OPERATOR(pg_catalog.*<>) {new}"));
            sql.line(format!("  AND {};", self.leads_to_documents(&["o", "n"])));
        };
        let many = |sql: &mut Sql| {
            self.insert(sql, Event::Update, &images);
            sql.indented(|sql| sql.list(images.map(|image| self.image(image))));
            sql.block("FROM (", ") AS changed", |sql| self.pairs(sql));
            sql.line("GROUP BY changed.part;");
        };
        one_or_many(sql, &[OLD_ROWS, NEW_ROWS], one, many);
    }

    /// The rows of an UPDATE before and after, in which a relevant column differs.
    fn pairs(&self, sql: &mut Sql) {
        sql.line("SELECT");
        sql.indented(|sql| {
            sql.line(format!(
                "(coalesce(before.place, after.place) - 1) / {ROWS} AS part,"
            ));
            let values = |side: &str, image: &str| -> Vec<String> {
                let names = (0..self.first.len()).map(|index| value_name(image, index));
                names.map(|name| format!("{side}.{name}")).collect()
            };
            let all = values("before", "old");
            sql.list(all.into_iter().chain(values("after", "new")));
        });
        sql.block("FROM (", ") AS before", |sql| {
            self.side(sql, "old", OLD_ROWS);
        });
        sql.block(
            "FULL JOIN (",
            ") AS after ON after.place = before.place",
            |sql| {
                self.side(sql, "new", NEW_ROWS);
            },
        );
        // Null if one side has no row.
        sql.line("WHERE (before.image OPERATOR(pg_catalog.*<>) after.image) IS NOT FALSE");
        let names = |side: &'static str, image: &'static str| {
            (0..self.first.len()).map(move |index| format!("{side}.{}", value_name(image, index)))
        };
        let all = names("before", "old").chain(names("after", "new"));
        sql.line(format!("  AND {}", one_is_not_null(all)));
    }

    /// The rows on one side of an UPDATE, each with its place, and the values of its relevant columns as a row.
    fn side(&self, sql: &mut Sql, image: &str, rows: &str) {
        sql.line("SELECT");
        sql.indented(|sql| {
            sql.line("pg_catalog.row_number() OVER () AS place,");
            for value in self.first_values("x", image) {
                sql.line(format!("{value},"));
            }
            sql.line(format!("{} AS image", self.relevant_values("x")));
        });
        sql.line(format!("FROM {rows} AS x"));
    }

    /// The values of the relevant columns of a row, as a row.
    fn relevant_values(&self, row: &str) -> String {
        match self.relevant {
            Relevant::All => row_value(row),
            Relevant::Some(names) => {
                let names: Vec<String> = names.iter().map(|name| column(row, name)).collect();
                format!("ROW({})::pg_catalog.record", names.join(", "))
            }
        }
    }

    /// Whether one of the first columns of these rows is not null.
    fn leads_to_documents(&self, rows: &[&str]) -> String {
        let values = rows.iter().flat_map(|row| {
            self.first
                .iter()
                .map(|columns| change::value_of(*columns, row))
        });
        one_is_not_null(values)
    }

    /// One change, although several tables of a family are truncated by one statement.
    fn truncated(&self, sql: &mut Sql) {
        self.insert(sql, Event::Truncate, &[]);
        sql.block("WHERE NOT EXISTS (", ");", |sql| {
            sql.line(format!("SELECT FROM {} AS c", self.change_table()));
            sql.line(format!("WHERE c.model = '{}'::int8", self.model.id));
            sql.line("  AND c.xid = pg_catalog.pg_current_xact_id()");
            sql.line(format!(
                "  AND c.\"table\" = {} AND c.operation = 'TRUNCATE'",
                literal(&self.table.to_string())
            ));
        });
    }

    /// The values of the first columns, under names of their own.
    fn first_values(&self, alias: &str, image: &str) -> Vec<String> {
        let names = self.first.iter().enumerate();
        names
            .map(|(index, columns)| {
                let value = change::value_of(*columns, alias);
                format!("{value} AS {}", value_name(image, index))
            })
            .collect()
    }

    /// The distinct values of the first columns in the rows of a change, as an object; null if there are none.
    fn image(&self, image: &str) -> String {
        let names = self.first.iter().enumerate();
        object(names.map(|(index, columns)| {
            let value = format!("changed.{}", value_name(image, index));
            let values = format!(
                "pg_catalog.array_agg(DISTINCT {value}) FILTER (WHERE {value} IS NOT NULL)"
            );
            (*columns, values)
        }))
    }

    /// The same for one row.
    fn image_of_row(&self, row: &str) -> String {
        object(self.first.iter().map(|columns| {
            let value = change::tuple_of(*columns, row);
            let values = format!(
                "CASE WHEN {} THEN pg_catalog.jsonb_build_array({value}) END",
                change::is_not_null(*columns, row)
            );
            (*columns, values)
        }))
    }
}

/// An object of pairs whose values are not null; null if there are none.
fn object(pairs: impl Iterator<Item = (Columns, String)>) -> String {
    let pairs: Vec<String> = pairs
        .map(|(columns, value)| format!("{}, {value}", literal(&columns.name_in_changes())))
        .collect();
    let objects: Vec<String> = pairs
        .chunks(MAX_PAIRS)
        .map(|pairs| {
            format!(
                "pg_catalog.jsonb_build_object(\n      {}\n    )",
                pairs.join(",\n      ")
            )
        })
        .collect();
    format!(
        "nullif(\n  pg_catalog.jsonb_strip_nulls(\n    {}\n  ),\n  '{{}}'\n)",
        objects.join(" || ")
    )
}

/// A branch for a statement that has changed one row, as most do: what is needed for many takes longer than the
/// statement. And one for the others.
fn one_or_many(
    sql: &mut Sql,
    tables: &[&str],
    one: impl FnOnce(&mut Sql),
    many: impl FnOnce(&mut Sql),
) {
    let is_one = tables.iter().map(|rows| {
        format!("(SELECT pg_catalog.count(*) FROM (SELECT FROM {rows} LIMIT 2) AS l) = 1")
    });
    let is_one: Vec<String> = is_one.collect();
    sql.block(format!("IF {} THEN", is_one.join(" AND ")), "ELSE", one);
    sql.indented(|sql| {
        sql.line(FOR_MANY);
        many(sql);
    });
    sql.line("END IF;");
}

/// The name of the value of a first column.
fn value_name(image: &str, index: usize) -> String {
    format!("{image}_{index}")
}

/// Whether one of these values is not null.
fn one_is_not_null(values: impl Iterator<Item = String>) -> String {
    let conditions: Vec<String> = values.map(|value| format!("{value} IS NOT NULL")).collect();
    format!("({})", conditions.join(" OR "))
}
