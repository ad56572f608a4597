//! Tests that `migrate` creates and changes view tables: once, repeatedly, concurrently, and over
//! those of older releases.

mod drift;
mod indexes;
mod large;
mod plans;
mod tables;

use fraiseql_runtime::migrate::{Drift, Migration};
use fraiseql_tests::run;
use sqlx::{AssertSqlSafe, PgPool};

const TABLES: &str = "CREATE TABLE notes (id int8 PRIMARY KEY, title text NOT NULL, stars int4);
    INSERT INTO notes VALUES (1, 'a', 5)";

mod first {
    #[derive(fraiseql_runtime::TView)]
    #[tview(table = "notes")]
    #[allow(dead_code)]
    pub(crate) struct Note {
        pub(crate) id: i64,
        pub(crate) title: String,
    }
}

mod second {
    #[derive(fraiseql_runtime::TView)]
    #[tview(table = "notes")]
    #[allow(dead_code)]
    pub(crate) struct Note {
        pub(crate) id: i64,
        #[tview(filter, sort)]
        pub(crate) title: String,
        #[tview(sort)]
        pub(crate) stars: Option<i32>,
    }
}

/// Views of the same table that define the index `by_title` differently.
macro_rules! indexed {
    ($($module:ident($($attribute:tt)*))*) => {$(
        mod $module {
            #[derive(fraiseql_runtime::TView)]
            #[tview(table = "notes", index(name = "by_title", $($attribute)*))]
            #[allow(dead_code)]
            pub(crate) struct Note {
                pub(crate) id: i64,
                #[tview(filter)]
                pub(crate) title: String,
            }
        }
    )*};
}

indexed! {
    ascending(on = "title, id")
    descending(on = "title DESC, id")
    unique(on = "title, id", unique)
    partial(on = "title, id", filter = "title <> ''")
    lowered(expr = "lower(title)")
    // The same definition as the last, spelled differently.
    lowered_too(expr = "LOWER( (title) )")
    including(on = "title", include = "id")
    hashed(on = "title", using = "hash")
    searched(fulltext = "title", language = "english")
    searched_simply(fulltext = "title")
}

async fn notes() -> PgPool {
    let pool = fraiseql_tests::pool().await;
    run(&pool, TABLES).await;
    pool
}

async fn columns(pool: &PgPool) -> Vec<(String, String)> {
    sqlx::query_as(
        "SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute
         WHERE attrelid = 'tv_note'::regclass AND attnum > 0 ORDER BY attnum",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

async fn indexes(pool: &PgPool) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT indexdef FROM pg_indexes WHERE tablename = 'tv_note' ORDER BY indexname",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

/// What was created, but for functions.
fn tables_of(migration: &Migration) -> Vec<&str> {
    let created = migration.created.iter().map(String::as_str);
    created
        .filter(|what| !what.starts_with("function "))
        .collect()
}

/// Runs the remedies one after the other, as an operator would.
async fn repair(pool: &PgPool, drift: &[Drift]) {
    for left in drift {
        sqlx::raw_sql(AssertSqlSafe(left.remedy.clone()))
            .execute(pool)
            .await
            .unwrap_or_else(|error| panic!("{error}: {left}"));
    }
}
