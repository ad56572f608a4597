//! The statement that searches for the keys of stale and missing documents.

use crate::schema::View;
use crate::sql::key_pages::{self, PageStart};
use crate::sql::shape;
use crate::sql::text::Sql;

/// The number of keys that one statement searches.
const PAGE: usize = 5_000;

/// The keys of one page that have no document of the shape `number`: their document is stale or
/// missing. It does not read `data`, so that long documents are not fetched from the TOAST table.
///
/// Rows without a document are searched as well, because an older release, which does not know the
/// view, inserts rows and does not sync them.
///
/// If the page has more such keys than the limit, the search resumes after the last of them,
/// otherwise after the page.
pub(super) fn compose(view: &View, number: i64, start: PageStart) -> String {
    let limit = match start {
        PageStart::First => "$1::int8",
        PageStart::AfterKey => "$2::int8",
    };
    // As the page is ordered.
    let order = view.key.list_of("\"key\"");
    let backwards = view.key.backwards("\"key\"");
    let mut sql = Sql::new();
    sql.block("WITH page AS MATERIALIZED (", "),", |sql| {
        sql.line("SELECT");
        sql.block_list([
            "p.\"key\"".to_owned(),
            format!(
                "v.shape IS DISTINCT FROM {} AS other",
                shape::literal(number)
            ),
        ]);
        sql.block("FROM (", ") AS p", |sql| {
            key_pages::rows(sql, view, view.shape.filter, start, &PAGE.to_string(), None);
        });
        // Looked up by their keys: a join would read the whole table for each page.
        sql.block("LEFT JOIN LATERAL (", ") AS v ON true", |sql| {
            sql.line("SELECT v.shape");
            sql.line(format!("FROM {} AS v", view.table));
            sql.line(format!("WHERE {}", view.stored_key("v").is("p.\"key\"")));
            sql.line("OFFSET 0");
        });
    });
    sql.block("others AS MATERIALIZED (", ")", |sql| {
        sql.line("SELECT \"key\"");
        sql.line("FROM page");
        sql.line("WHERE other");
        sql.line(format!("ORDER BY {order}"));
        sql.line(format!("LIMIT {limit}"));
    });
    sql.line("SELECT");
    sql.block_list([
        format!("ARRAY(SELECT \"key\" FROM others ORDER BY {order}) AS keys"),
        format!(
            "CASE WHEN (SELECT pg_catalog.count(*) FROM others) = {limit}\n    \
             THEN ARRAY(SELECT \"key\" FROM others ORDER BY {backwards} LIMIT 1)\n    \
             ELSE ARRAY(SELECT \"key\" FROM page ORDER BY {backwards} LIMIT 1)\n  \
             END AS last"
        ),
    ]);
    sql.finish()
}
