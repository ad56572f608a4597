//! Tables with a column of each name.

use sqlx::{AssertSqlSafe, PgPool};

macro_rules! list {
    ($($kind:ident $name:ident $column:tt $filter:tt $expr:tt;)*) => { &[$($column),*] };
}

/// All names.
pub(super) const NAMES: &[&str] = columns!(list);

macro_rules! of_data {
    (@ data) => { true };
    (@ catalog) => { false };
    ($($kind:ident $name:ident $column:tt $filter:tt $expr:tt;)*) => {
        &[$((of_data!(@ $kind), $column)),*]
    };
}

/// The names in statements about the tables of the user.
pub(super) fn of_data() -> Vec<&'static str> {
    const ALL: &[(bool, &str)] = columns!(of_data);
    let of_data = ALL.iter().filter(|(is_of_data, _)| *is_of_data);
    of_data.map(|(_, name)| *name).collect()
}

/// A database with the tables, which have columns of these names, and [`rows`] in them. `constraint` is that of each column of
/// `tb_all`: hundreds of columns and indexes make every statement slow to plan.
pub(super) async fn tables(names: &[&str], constraint: &str) -> PgPool {
    let pool = fraiseql_tests::pool().await;
    let columns = |end: &str| -> String {
        let columns = names
            .iter()
            .map(|name| format!(", \"{name}\" int8 NOT NULL{end}"));
        columns.collect()
    };
    let sql = format!(
        "CREATE TABLE tb_all (\"the row\" int8 PRIMARY KEY, \"the note\" text NOT NULL{});
         CREATE TABLE tb_link (\"the row\" int8 PRIMARY KEY{});
         CREATE TABLE tb_doc (\"doc id\" int8 PRIMARY KEY{})",
        columns(constraint),
        columns(""),
        columns(""),
    );
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&pool)
        .await
        .unwrap();
    rows(&pool, names.len()).await;
    pool
}

/// Three rows and their links, whose columns have the number of the row, and 45 documents of the first.
pub(super) async fn rows(pool: &PgPool, columns: usize) {
    let values = |value: &str| format!(", {value}").repeat(columns);
    let sql = format!(
        // Not TRUNCATE, which would take new files.
        "DELETE FROM tb_all; DELETE FROM tb_link; DELETE FROM tb_doc;
         INSERT INTO tb_all SELECT i, 'n' || i{0} FROM generate_series(1, 3) AS i;
         INSERT INTO tb_link SELECT i{0} FROM generate_series(1, 3) AS i;
         INSERT INTO tb_doc SELECT i{1} FROM generate_series(1, 45) AS i",
        values("i"),
        values("1"),
    );
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(pool)
        .await
        .unwrap();
}
