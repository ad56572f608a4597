//! The statement that replaces a part in documents.
//!
//! If all that changed of a document is a row that it embeds by foreign key, directly in its root
//! object, the document need not be built again: the part is built once, and put into each
//! document. The result is the same, because `jsonb` has one form for equal values, and because
//! everything else in the document is as it was. What other transactions change in the document is
//! for them to sync.

use crate::schema::{Columns, Data, Key, Link, RowValue, Shape, Source, Table, View};
use crate::sql::document;
use crate::sql::session::Session;
use crate::sql::shape;
use crate::sql::text::{Sql, literal};
use crate::sql::write::equal::{others, touched};

/// Columns of the row that [`PartSql::replace`] returns.
pub(crate) mod result_row {
    /// Whether the settings of the session are those that the documents need. If not, nothing was
    /// written.
    pub(crate) const SESSION_OK: usize = 0;
    /// The number of documents that were updated.
    pub(crate) const UPDATED: usize = 1;
    /// The number of documents that had the part already.
    pub(crate) const UNCHANGED: usize = 2;
    /// The keys of all others, which must be synced: without a document, with a stale one, without
    /// a row, or with a row that no longer embeds the part.
    pub(crate) const REST: usize = 3;
}

/// The statement for the parts that one foreign key of the root row refers to.
#[derive(Debug)]
pub struct PartSql {
    /// The table that is referenced.
    pub(crate) table: Table,
    /// Its key, which the foreign key references.
    pub(crate) key: Key,
    /// The columns of the foreign key.
    pub(crate) fk: Columns,
    /// Puts the rows `$2` into those documents of `$1` that embed them and that this transaction
    /// has locked, which are `$3`.
    pub replace: String,
}

/// The JSON key of a field, and the shape of its part.
type PartField = (&'static str, &'static Shape);

/// The statement while it is composed: several fields may embed the same row.
struct Replacement<'a> {
    view: &'a View,
    /// The number of the view's shape.
    number: i64,
    table: Table,
    key: Key,
    fk: Columns,
    fields: Vec<PartField>,
}

/// Composes a statement for each foreign key of the view's root row whose parts can be replaced.
pub(crate) fn compose(view: &View, number: i64) -> Vec<PartSql> {
    // A part cannot be replaced in text. And a fragment that calls a function or contains a
    // sub-select may read the changed row too.
    if view.data == Data::Json || has_call(view.shape) {
        return Vec::new();
    }
    let mut replacements: Vec<Replacement<'_>> = Vec::new();
    for field in view.shape.fields {
        let Source::One(one) = &field.source else {
            continue;
        };
        let shape = one.shape.get();
        let Some(key) = shape
            .key
            .filter(|key| one.key.is_none_or(|k| k == key.columns))
        else {
            continue;
        };
        if is_read_by_others(view.shape, (shape.table, key.columns), one.fk) {
            continue;
        }
        let same_rows = replacements.iter_mut().find(|other| {
            other.table == shape.table && other.key.columns == key.columns && other.fk == one.fk
        });
        match same_rows {
            Some(other) => other.fields.push((field.json, shape)),
            None => replacements.push(Replacement {
                view,
                number,
                table: shape.table,
                key,
                fk: one.fk,
                fields: vec![(field.json, shape)],
            }),
        }
    }
    replacements
        .iter()
        .map(|replacement| PartSql {
            table: replacement.table,
            key: replacement.key,
            fk: replacement.fk,
            replace: replacement.statement(),
        })
        .collect()
}

/// Whether a list or an aggregate of the root row is made of the row that a foreign key refers to, by the
/// same columns: it would be left as it was.
fn is_read_by_others(root: &Shape, (table, key): (Table, Columns), fk: Columns) -> bool {
    let is_row = |rows: Table, link: &Link, own: Option<Columns>| {
        let is_linked = matches!(*link, Link::ForeignKey(column) if column == key);
        is_linked && rows == table && own.unwrap_or(root.key_columns()) == fk
    };
    root.fields.iter().any(|field| match &field.source {
        Source::Many(many) | Source::First(many) => {
            is_row(many.shape.get().table, &many.link, many.key)
        }
        Source::Values(values) => is_row(values.table, &values.link, values.key),
        Source::Aggregate(aggregate) => {
            let link = Link::ForeignKey(aggregate.fk);
            aggregate.through.is_none() && is_row(aggregate.table, &link, aggregate.key)
        }
        _ => false,
    })
}

/// Whether a fragment in the document does more than compare and compute columns of its row: a
/// call or a sub-select has a parenthesis.
fn has_call(shape: &Shape) -> bool {
    let calls = |sql: Option<&str>| sql.is_some_and(|sql| sql.contains('('));
    calls(shape.filter)
        || shape.fields.iter().any(|field| match &field.source {
            Source::Column { .. } | Source::GlobalId { .. } | Source::Through { .. } => false,
            Source::Expr { expr, .. } => calls(Some(expr)),
            Source::One(one) => has_call(one.shape.get()),
            Source::Many(many) | Source::First(many) => {
                calls(many.filter) || has_call(many.shape.get())
            }
            Source::Values(values) => {
                let expr = match values.value {
                    RowValue::Column(_) => None,
                    RowValue::Expr(expr) => Some(expr),
                };
                calls(expr) || calls(values.filter)
            }
            Source::OfGroup(aggregate) => calls(aggregate.expr) || calls(aggregate.filter),
            Source::Aggregate(aggregate) => {
                let between = aggregate.through.and_then(|rows| rows.filter);
                calls(aggregate.expr) || calls(aggregate.filter) || calls(between)
            }
        })
}

impl Replacement<'_> {
    fn statement(&self) -> String {
        let mut sql = Sql::new();
        let ty = self.view.key.sql_type();
        sql.block("WITH input AS MATERIALIZED (", "),", |sql| {
            sql.line(format!(
                "SELECT $1::{ty}[] AS keys, $2::{}[] AS rows, $3::{ty}[] AS locked",
                self.key.sql_type()
            ));
        });
        let session = Session::of(self.fields.iter().map(|(_, shape)| *shape)).conditions();
        if !session.is_empty() {
            sql.block("session AS MATERIALIZED (", "),", |sql| {
                sql.line(format!("SELECT {} AS ok", session.join(" AND ")));
            });
        }
        let session_ok = (!session.is_empty()).then_some("(SELECT ok FROM session)");
        self.parts(&mut sql, session_ok);
        self.matched(&mut sql);
        self.replaced(&mut sql);
        self.equal(&mut sql);
        // As in a locked write: a skipped document is touched if another transaction may be about
        // to replace it.
        others(&mut sql, self.view, None);
        touched(&mut sql, self.view, ")");
        sql.line("SELECT");
        // `rest` is all keys that were neither updated nor equal: whatever the reason is, the
        // caller syncs them.
        sql.block_list([
            format!("{} AS session_ok", session_ok.unwrap_or("true")),
            "(SELECT pg_catalog.count(*) FROM replaced) AS updated".to_owned(),
            "(SELECT coalesce(pg_catalog.cardinality(keys), 0) FROM equal)::int8 AS unchanged"
                .to_owned(),
            "ARRAY(\n    \
               SELECT pg_catalog.unnest(keys) FROM input\n    \
               EXCEPT SELECT \"key\" FROM replaced\n    \
               EXCEPT SELECT pg_catalog.unnest(keys) FROM equal\n  \
             ) AS rest"
                .to_owned(),
        ]);
        sql.finish()
    }

    /// `part_0`, `part_1`, ..: the object of each row, one CTE for each field. They are empty if
    /// the session cannot build them, and then nothing is replaced.
    fn parts(&self, sql: &mut Sql, session_ok: Option<&str>) {
        let key = self.key;
        for (index, (_, shape)) in self.fields.iter().enumerate() {
            sql.block(format!("part_{index} AS MATERIALIZED ("), "),", |sql| {
                document::part(sql, shape, &key, |row| {
                    let rows = key.array("(SELECT rows FROM input)");
                    let mut conditions = vec![key.of_row(row).is_in(&rows)];
                    conditions.extend(session_ok.map(str::to_owned));
                    conditions
                });
            });
        }
    }

    /// `matched`: the parts of each document whose root row still refers to one of the rows. Root
    /// rows are searched by the keys of the locked documents: a key without a document has nothing
    /// to replace.
    fn matched(&self, sql: &mut Sql) {
        let view = self.view;
        let root_key = view.base_key("root");
        sql.block("matched AS MATERIALIZED (", "),", |sql| {
            sql.line("SELECT");
            let mut select = vec![format!("{} AS \"key\"", root_key.value())];
            select.extend(
                (0..self.fields.len()).map(|index| format!("part_{index}.part AS part_{index}")),
            );
            sql.block_list(select);
            document::write_from(sql, view.shape.table, "root", view.shape.filter.as_slice());
            for index in 0..self.fields.len() {
                let fk = Key {
                    columns: self.fk,
                    ..self.key
                };
                let is_part = fk.of_row("root").is(&format!("part_{index}.\"key\""));
                sql.line(format!("JOIN part_{index} ON {is_part}"));
            }
            let locked = view.key.array("(SELECT locked FROM input)");
            sql.line(format!("WHERE {}", root_key.is_in(&locked)));
        });
    }

    /// `replaced`: updates the documents that have another part. A stale document may have other
    /// keys, so it is left to be built again.
    fn replaced(&self, sql: &mut Sql) {
        let v_key = self.view.stored_key("v");
        sql.block("replaced AS (", "),", |sql| {
            let data = self.fields.iter().enumerate().fold(
                "v.data".to_owned(),
                |data, (index, (json, _))| {
                    let path = format!("ARRAY[{}]", literal(json));
                    format!("pg_catalog.jsonb_set({data}, {path}, matched.part_{index})")
                },
            );
            let differ: Vec<String> = self
                .fields
                .iter()
                .enumerate()
                // An equal document is not written: no new version, and no WAL.
                .map(|(index, (json, _))| {
                    let stored = format!("v.data -> {}", literal(json));
                    format!("{stored} IS DISTINCT FROM matched.part_{index}")
                })
                .collect();
            sql.line(format!("UPDATE {} AS v SET", self.view.table));
            sql.block_list([
                format!("data = {data}"),
                "version = v.version + 1".to_owned(),
                "synced_xid = pg_catalog.pg_current_xact_id()".to_owned(),
                "updated_at = pg_catalog.now()".to_owned(),
            ]);
            sql.line("FROM matched");
            let conditions = [
                v_key.is("matched.\"key\""),
                self.is_current(),
                format!("({})", differ.join(" OR ")),
            ];
            sql.conditions("WHERE", &conditions);
            sql.line(format!("RETURNING {} AS \"key\"", v_key.value()));
        });
    }

    /// `equal`: the keys of the documents that have the part already.
    fn equal(&self, sql: &mut Sql) {
        let v_key = self.view.stored_key("v");
        sql.block("equal AS MATERIALIZED (", "),", |sql| {
            sql.line(format!(
                "SELECT pg_catalog.array_agg({}) AS keys",
                v_key.value()
            ));
            sql.line(format!("FROM {} AS v", self.view.table));
            let unchanged =
                "\n    SELECT \"key\" FROM matched EXCEPT SELECT \"key\" FROM replaced\n  ";
            sql.line(format!("WHERE {}", v_key.is_in_query(unchanged)));
            sql.line(format!("  AND {}", self.is_current()));
        });
    }

    /// The condition that the document `v` is not stale.
    fn is_current(&self) -> String {
        format!("v.shape = {}", shape::literal(self.number))
    }
}
