// Hidden lines of the examples: imports, and a database for each example.
#[allow(dead_code, unused_imports)]
mod support {
    pub use fraiseql_graphql::*;
    pub use fraiseql_runtime::*;
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
}
#[allow(unused_imports)]
use support::*;
