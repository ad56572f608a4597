//! The statement that replaces a part in documents.
//!
//! Where all that changed of a document is a row that it embeds by foreign key, directly in its
//! root object, the document need not be built anew: the part is built once, and put into each.
//! That is the same, because `jsonb` has one form for one value, and because everything else in
//! the document is as it was; a document that others change is theirs to sync.

use crate::schema::{Data, Key, Shape, Source, Table, View};
use crate::sql::document;
use crate::sql::session::SessionNeeds;
use crate::sql::shape;
use crate::sql::text::{Sql, column, literal};
use crate::sql::write::equal::{others, touched};

/// Columns of the answer of [`PartSql::replace`].
pub(crate) mod answer {
    /// Whether the session's settings were right. If not, nothing was written.
    pub(crate) const SESSION_OK: usize = 0;
    /// How many documents were updated.
    pub(crate) const UPDATED: usize = 1;
    /// How many had the part already.
    pub(crate) const UNCHANGED: usize = 2;
    /// The keys of all others: no document, or one of another shape, no row, or not this part
    /// any more.
    pub(crate) const REST: usize = 3;
}

/// The parts of a view that one foreign key of its root row refers to.
#[derive(Debug)]
pub struct PartSql {
    /// The table that is referred to.
    pub(crate) table: Table,
    /// Its key, that the foreign key refers to.
    pub(crate) key: Key,
    /// The foreign key.
    pub(crate) fk: &'static str,
    /// Puts the rows `$2` into those documents of `$1` that embed them, and that this
    /// transaction has locked: `$3`.
    pub replace: String,
}

/// A field of the document, and the shape of its part.
type PartField = (&'static str, &'static Shape);

pub(crate) fn compose(view: &View, number: i64) -> Vec<PartSql> {
    // Text is not taken apart; and SQL of the user that calls or selects something may read the
    // changed row, too.
    if view.data == Data::Json || calls(view.shape) {
        return Vec::new();
    }
    let mut parts: Vec<(Table, Key, &'static str, Vec<PartField>)> = Vec::new();
    for field in view.shape.fields {
        let Source::One(one) = &field.source else {
            continue;
        };
        let shape = (one.shape)();
        let Some(key) = shape
            .key
            .filter(|key| one.key.is_none_or(|k| k == key.column))
        else {
            continue;
        };
        let same = parts.iter_mut().find(|(table, of, fk, _)| {
            *table == shape.table && of.column == key.column && *fk == one.fk
        });
        match same {
            Some((.., fields)) => fields.push((field.json, shape)),
            None => parts.push((shape.table, key, one.fk, vec![(field.json, shape)])),
        }
    }
    parts
        .into_iter()
        .map(|(table, key, fk, fields)| PartSql {
            table,
            key,
            fk,
            replace: replace(view, number, key, fk, &fields),
        })
        .collect()
}

/// Whether a fragment of SQL in a document does more than compare and compute columns of its row.
fn calls(shape: &Shape) -> bool {
    let does = |sql: Option<&str>| sql.is_some_and(|sql| sql.contains('('));
    does(shape.filter)
        || shape.fields.iter().any(|field| match &field.source {
            Source::Column { .. } => false,
            Source::Expr { expr, .. } => does(Some(expr)),
            Source::One(one) => calls((one.shape)()),
            Source::Many(many) => does(many.filter) || calls((many.shape)()),
            Source::Aggregate(aggregate) => does(aggregate.expr) || does(aggregate.filter),
        })
}

fn replace(view: &View, number: i64, key: Key, fk: &str, fields: &[PartField]) -> String {
    let mut sql = Sql::new();
    let (ty, v_key) = (view.key.ty.sql, column("v", view.key.column));
    let root_key = column("root", view.key.column);
    sql.block("WITH input AS MATERIALIZED (", "),", |sql| {
        sql.line(format!(
            "SELECT $1::{ty}[] AS keys, $2::{}[] AS rows, $3::{ty}[] AS locked",
            key.ty.sql
        ));
    });
    let session = SessionNeeds::of(fields.iter().map(|(_, shape)| *shape)).conditions();
    if !session.is_empty() {
        sql.block("session AS MATERIALIZED (", "),", |sql| {
            sql.line(format!("SELECT {} AS ok", session.join(" AND ")));
        });
    }
    let session_ok = (!session.is_empty()).then_some("(SELECT ok FROM session)");
    for (index, (_, shape)) in fields.iter().enumerate() {
        sql.block(format!("part_{index} AS MATERIALIZED ("), "),", |sql| {
            document::part(sql, shape, key.column, |row| {
                let rows = format!("(SELECT rows FROM input)::{}[]", key.ty.sql);
                let mut conditions = vec![format!("{} = ANY ({rows})", column(row, key.column))];
                conditions.extend(session_ok.map(str::to_owned));
                conditions
            });
        });
    }
    // Documents are looked up by what was locked: those are there.
    sql.block("matched AS MATERIALIZED (", "),", |sql| {
        sql.line("SELECT");
        let mut select = vec![format!("{root_key} AS \"key\"")];
        select.extend((0..fields.len()).map(|index| format!("part_{index}.part AS part_{index}")));
        sql.block_list(select);
        document::write_from(sql, view.shape.table, "root", view.shape.filter.as_slice());
        for index in 0..fields.len() {
            sql.line(format!(
                "JOIN part_{index} ON part_{index}.\"key\" = {}",
                column("root", fk)
            ));
        }
        sql.line(format!(
            "WHERE {root_key} = ANY ((SELECT locked FROM input)::{ty}[])"
        ));
    });
    let is_ours = format!("v.shape = {}", shape::literal(number));
    sql.block("replaced AS (", "),", |sql| {
        let data =
            fields
                .iter()
                .enumerate()
                .fold("v.data".to_owned(), |data, (index, (json, _))| {
                    let path = format!("ARRAY[{}]", literal(json));
                    format!("pg_catalog.jsonb_set({data}, {path}, matched.part_{index})")
                });
        let differ: Vec<String> = fields
            .iter()
            .enumerate()
            .map(|(index, (json, _))| {
                let stored = format!("v.data -> {}", literal(json));
                format!("{stored} IS DISTINCT FROM matched.part_{index}")
            })
            .collect();
        sql.line(format!("UPDATE {} AS v SET", view.table));
        sql.block_list([
            format!("data = {data}"),
            "version = v.version + 1".to_owned(),
            "synced_xid = pg_catalog.pg_current_xact_id()".to_owned(),
            "updated_at = pg_catalog.now()".to_owned(),
        ]);
        sql.line("FROM matched");
        let conditions = [
            format!("{v_key} = matched.\"key\""),
            is_ours.clone(),
            format!("({})", differ.join(" OR ")),
        ];
        sql.conditions("WHERE", &conditions);
        sql.line(format!("RETURNING {v_key} AS \"key\""));
    });
    sql.block("equal AS MATERIALIZED (", "),", |sql| {
        sql.line(format!("SELECT pg_catalog.array_agg({v_key}) AS keys"));
        sql.line(format!("FROM {} AS v", view.table));
        sql.block(format!("WHERE {v_key} = ANY (ARRAY("), "))", |sql| {
            sql.line("SELECT \"key\" FROM matched EXCEPT SELECT \"key\" FROM replaced");
        });
        sql.line(format!("  AND {is_ours}"));
    });
    others(&mut sql, view, None);
    touched(&mut sql, view, ")");
    sql.line("SELECT");
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
