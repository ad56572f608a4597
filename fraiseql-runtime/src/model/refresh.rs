//! `ReadModel::refresh`: materialized views.

use std::time::Duration;

use sqlx::PgPool;

use crate::db::lease::Lease;
use crate::error::Result;
use crate::model::read_model::ReadModel;
use crate::ops::refresh::{self, RefreshReport};
use crate::read::typed::TView;

impl ReadModel {
    /// Builds the documents of a view with `storage = "matview"` again. Reads go on meanwhile, and see the old
    /// documents until it has ended; rows that have not changed are not written. If another refresh runs, it
    /// waits for that one first. For other views there is nothing to do.
    ///
    /// The role must own the materialized view. A [worker](Self::worker) does it by itself, with
    /// `refresh = "5m"` in the attribute.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
    /// use fraiseql_runtime::ReadModel;
    ///
    /// #[derive(TView)]
    /// #[tview(table = "tb_product", storage = "matview")]
    /// pub struct Revenue {
    ///     pub id: i64,
    ///     #[tview(sum(table = "tb_line", fk = "product_id", expr = "{}.price * {}.quantity"), sort)]
    ///     pub revenue: i64,
    /// }
    /// # fn main() { on("CREATE TABLE tb_product (id int8 PRIMARY KEY);
    /// #     CREATE TABLE tb_line (product_id int8 NOT NULL, price int8 NOT NULL, quantity int8 NOT NULL);
    /// #     CREATE INDEX ON tb_line (product_id);
    /// #     INSERT INTO tb_product VALUES (1); INSERT INTO tb_line VALUES (1, 20, 3)", async |pool| {
    /// let shop = ReadModel::builder().view::<Revenue>().build()?;
    /// shop.migrate(&pool).await?; // creates and fills it
    /// assert_eq!(Revenue::find(&pool, 1).await?.unwrap().revenue, 60);
    ///
    /// sqlx::query("INSERT INTO tb_line VALUES (1, 5, 8)").execute(&pool).await?;
    /// assert_eq!(Revenue::find(&pool, 1).await?.unwrap().revenue, 60);
    /// shop.refresh::<Revenue>(&pool).await?;
    /// assert_eq!(Revenue::find(&pool, 1).await?.unwrap().revenue, 100);
    /// assert!(shop.age::<Revenue>(&pool).await?.unwrap() < std::time::Duration::from_secs(60));
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    /// If the database refuses the refresh; then the documents stay as they were.
    /// [`Error::Invalid`](crate::Error::Invalid) if one of them cannot be built.
    pub async fn refresh<V: TView>(&self, pool: &PgPool) -> Result<RefreshReport> {
        let mut connection = Lease::acquire(pool, "refresh").await?;
        let result = refresh::refresh(&mut connection, V::handle().in_schema(self.schema())).await;
        connection.release();
        result
    }

    /// How old the documents of a view are that a read finds now: the time since the last refresh began
    /// to build them. Zero with `storage = "live"`. `None` for a view table, whose documents are as old as
    /// their syncs, and for a materialized view that was not created by [`migrate`](Self::migrate).
    ///
    /// On a replica it also counts how far that is behind.
    ///
    /// # Errors
    /// If the query fails.
    pub async fn age<V: TView>(&self, pool: &PgPool) -> Result<Option<Duration>> {
        let mut connection = Lease::acquire(pool, "age").await?;
        let result = refresh::age(&mut connection, V::handle().in_schema(self.schema())).await;
        connection.release();
        result
    }
}
