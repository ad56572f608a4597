//! The imports of the samples in the guides, and the [parser](sample) that generates tests from
//! them.

pub mod sample;

mod trace;

/// The Rust blocks of the texts that are not guides, as doctests.
#[cfg(doctest)]
mod texts {
    #[doc = include_str!("../../../docs/overview.md")]
    struct Overview;
    #[doc = include_str!("../../../fraiseql-derive/README.md")]
    struct Derive;
    #[doc = include_str!("../../../fraiseql-runtime/README.md")]
    struct Runtime;
    #[doc = include_str!("../../../fraiseql-graphql/README.md")]
    struct Graphql;
    #[doc = include_str!("../../../examples/dev-postgres/README.md")]
    struct DevPostgres;
}

use std::path::{Path, PathBuf};

pub use fraiseql_runtime::mutation::*;
pub use fraiseql_runtime::rebuild::{RebuildOutcome, RebuildState};
pub use fraiseql_runtime::select::*;
pub use fraiseql_runtime::sync::*;
pub use fraiseql_runtime::testing::*;
pub use fraiseql_runtime::verify::*;
pub use fraiseql_runtime::*;
pub use serde_json::json;
pub use sqlx::PgPool;
pub use trace::Trace;

/// The result of a sample: `?` converts every error.
pub type Outcome = std::result::Result<(), Box<dyn std::error::Error>>;

/// Runs a sample that needs no database.
///
/// # Panics
/// If the sample fails.
pub fn run(sample: impl AsyncFnOnce() -> Outcome) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(sample()),
        Err(error) => Err(error.into()),
    };
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

/// Runs a sample on a new database, with these tables and rows.
///
/// # Panics
/// If the SQL or the sample fails, or there is no server.
pub fn on(tables: &'static str, sample: impl AsyncFnOnce(PgPool) -> Outcome) {
    run(async || {
        let server = dev_postgres::Server::shared()?;
        let pool = PgPool::connect_with(server.create_database().await?).await?;
        if let Err(error) = sqlx::raw_sql(tables).execute(&pool).await {
            panic!("{error}\n{tables}");
        }
        sample(pool.clone()).await?;
        pool.close().await;
        Ok(())
    });
}

/// Creates the view table of `V`.
///
/// # Panics
/// If it cannot be created.
pub async fn migrate<V: TView>(pool: &PgPool) {
    let model = ok(ReadModel::builder().view::<V>().build());
    ok(model.migrate(pool).await);
}

/// The document as it is stored.
///
/// # Panics
/// If it does not exist, or cannot be read.
pub async fn text<V: TView>(pool: &PgPool, key: V::Key) -> String {
    let document = ok(V::find_json(pool, key).await);
    document.expect("there is a document").get().to_owned()
}

/// The stored document. Asserts that the struct can be read from it, and serializes to the same.
///
/// # Panics
/// If it does not exist, cannot be read, or the struct serializes to something else.
pub async fn document<V: TView>(pool: &PgPool, key: V::Key) -> serde_json::Value {
    let stored: serde_json::Value = ok(serde_json::from_str(&text::<V>(pool, key).await));
    let read: V = ok(serde_json::from_value(stored.clone()));
    assert_eq!(ok(serde_json::to_value(&read)), stored);
    stored
}

/// The columns of the only row of a query, as text with spaces between them.
///
/// # Panics
/// If the query fails.
pub async fn row(pool: &PgPool, sql: &'static str) -> String {
    let columns = "SELECT value FROM json_each_text(row_to_json(_row))";
    let sql = format!("SELECT concat_ws(' ', VARIADIC ARRAY({columns})) FROM ({sql}) AS _row");
    let row = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(pool);
    ok(row.await)
}

fn ok<T, E: std::fmt::Display>(result: std::result::Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}

/// The directory of `fraiseql-runtime`.
pub fn runtime() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fraiseql-runtime")
}

/// The text of a guide.
///
/// # Panics
/// If it cannot be read.
pub fn guide(name: &str) -> String {
    ok(std::fs::read_to_string(runtime().join("docs").join(name)))
}

/// The sources below a directory, with their text.
///
/// # Panics
/// If they cannot be read.
pub fn sources(directory: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in ok(std::fs::read_dir(directory)) {
        let path = ok(entry).path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = ok(std::fs::read_to_string(&path));
            found.push((path, text));
        }
    }
    found.sort();
    found
}

/// The concatenated sources of `fraiseql-runtime` whose path contains `part`.
///
/// # Panics
/// If there are none.
pub fn source_of(part: &str) -> String {
    let all = sources(&runtime().join("src"));
    let is_part = |path: &Path| path.to_string_lossy().contains(part);
    let text: String = all
        .iter()
        .filter(|(path, _)| is_part(path))
        .map(|(_, text)| &**text)
        .collect();
    assert!(!text.is_empty(), "no source has {part} in its path");
    text
}

/// The status and the body with which an application responds.
///
/// # Panics
/// If the body is not UTF-8, or larger than a megabyte.
pub async fn respond(
    app: &mut axum::Router,
    request: axum::http::Request<String>,
) -> (axum::http::StatusCode, String) {
    use tower_service::Service as _;
    let response = ok(app.call(request).await);
    let status = response.status();
    let body = ok(axum::body::to_bytes(response.into_body(), 1 << 20).await);
    (status, ok(String::from_utf8(body.into())))
}
