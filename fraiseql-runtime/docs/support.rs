// Hidden lines of the samples in API documentation: imports, and a database for each sample. The
// samples of the guides use the package `fraiseql-guide-tests` instead.
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

    /// The stored document. The struct can be read from it, and serializes to the same.
    pub async fn document<V: TView>(pool: &PgPool, key: V::Key) -> serde_json::Value {
        let text = V::find_json(pool, key).await.unwrap().expect("there is a document");
        let stored: serde_json::Value = serde_json::from_str(text.get()).unwrap();
        let read: V = serde_json::from_value(stored.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), stored);
        stored
    }
}
#[allow(unused_imports)]
use support::*;
