//! Tables with a column of each name.

use sqlx::{AssertSqlSafe, PgPool};

macro_rules! list {
    ($($kind:ident $name:ident $column:tt $filter:tt $expr:tt;)*) => { &[$($column),*] };
}

/// All names.
pub(super) const NAMES: &[&str] = columns!(list);

/// A database with the tables, and [`rows`] in them.
pub(super) async fn tables() -> PgPool {
    let pool = fraiseql_tests::pool().await;
    let columns = |end: &str| -> String {
        let columns = NAMES
            .iter()
            .map(|name| format!(", \"{name}\" int8 NOT NULL{end}"));
        columns.collect()
    };
    let sql = format!(
        "CREATE TABLE tb_all (\"the row\" int8 PRIMARY KEY, \"the note\" text NOT NULL{});
         CREATE TABLE tb_link (\"the row\" int8 PRIMARY KEY{});
         CREATE TABLE tb_doc (\"doc id\" int8 PRIMARY KEY{})",
        columns(" UNIQUE"),
        columns(""),
        columns(""),
    );
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&pool)
        .await
        .unwrap();
    rows(&pool).await;
    pool
}

/// Three rows and their links, whose columns have the number of the row, and 45 documents of the first.
pub(super) async fn rows(pool: &PgPool) {
    let columns = |value: &str| vec![format!(", {value}"); NAMES.len()].concat();
    let sql = format!(
        "TRUNCATE tb_all, tb_link, tb_doc;
         INSERT INTO tb_all SELECT i, 'n' || i{0} FROM generate_series(1, 3) AS i;
         INSERT INTO tb_link SELECT i{0} FROM generate_series(1, 3) AS i;
         INSERT INTO tb_doc SELECT i{1} FROM generate_series(1, 45) AS i",
        columns("i"),
        columns("1"),
    );
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(pool)
        .await
        .unwrap();
}
