// What the examples of the guides have in hidden lines: a database of their own, and imports.
#[allow(dead_code, unused_imports)]
mod support {
    pub use fraiseql_runtime::mutation::*;
    pub use fraiseql_runtime::rebuild::{RebuildOutcome, RebuildState};
    pub use fraiseql_runtime::select::*;
    pub use fraiseql_runtime::sync::*;
    pub use fraiseql_runtime::testing::*;
    pub use fraiseql_runtime::verify::*;
    pub use fraiseql_runtime::*;
    pub use serde_json::json;
    pub use sqlx::PgPool;

    /// Runs an example on a database with these tables and rows.
    pub fn on<F>(tables: &'static str, example: F)
    where
        F: AsyncFnOnce(PgPool) -> std::result::Result<(), Box<dyn std::error::Error>>,
    {
        let server = dev_postgres::Server::shared().unwrap_or_else(|error| panic!("{error}"));
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(async {
                let options = server.create_database().await.unwrap();
                let pool = PgPool::connect_with(options).await.unwrap();
                if let Err(error) = sqlx::raw_sql(tables).execute(&pool).await {
                    panic!("{error}\n{tables}");
                }
                if let Err(error) = example(pool.clone()).await {
                    panic!("{error}");
                }
                pool.close().await;
            });
    }

    /// Creates the view table of `V`.
    pub async fn migrate<V: TView>(pool: &PgPool) {
        let model = ReadModel::builder().view::<V>().build().unwrap();
        model.migrate(pool).await.unwrap();
    }

    /// The document that is stored, as it is stored.
    pub async fn text<V: TView>(pool: &PgPool, key: V::Key) -> String {
        let document = V::find_json(pool, key).await.unwrap();
        document.expect("there is a document").get().to_owned()
    }

    /// The document that is stored. It can be read as the struct, which writes the same JSON.
    pub async fn document<V: TView>(pool: &PgPool, key: V::Key) -> serde_json::Value {
        let stored: serde_json::Value = serde_json::from_str(&text::<V>(pool, key).await).unwrap();
        let read: V = serde_json::from_value(stored.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), stored);
        stored
    }

    /// The columns of a query's only row, as text with spaces between them.
    pub async fn row(pool: &PgPool, sql: &'static str) -> String {
        let sql = format!("SELECT concat_ws(' ', VARIADIC ARRAY(SELECT value FROM json_each_text(row_to_json(_row)))) FROM ({sql}) AS _row");
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(pool).await.unwrap()
    }
}
#[allow(unused_imports)]
use support::*;
