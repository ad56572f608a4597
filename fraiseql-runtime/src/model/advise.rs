//! `ReadModel::advise`: which storage fits each view.

use sqlx::PgPool;

use crate::advise::Advise;
use crate::model::read_model::ReadModel;

impl ReadModel {
    /// Measures each view on the live database, and says what fits it: `storage`, `json` or `jsonb`,
    /// `sync = "eventual"`, and what not to embed; with the numbers, and what it would cost to be wrong.
    ///
    /// It builds 200 documents, copies them to temporary tables, and reads them one by one; it reads how
    /// often the base tables are written from the server's statistics, and follows 20 rows of each to the
    /// documents that contain them. All in one transaction, which is rolled back. It takes a second or
    /// two for each view, and works for any storage, before [`migrate`](Self::migrate), too. How often
    /// documents are read, and how old they may be, only you know.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
    /// # #[derive(TView)]
    /// # pub struct Post { pub id: i64, pub title: String }
    /// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL);
    /// #     INSERT INTO tb_post SELECT i, 'Notes' FROM generate_series(1, 100) AS i", async |pool| {
    /// use std::time::Duration;
    ///
    /// let blog = ReadModel::builder().view::<Post>().build()?;
    /// let advice = blog
    ///     .advise(&pool)
    ///     .reads_per_day(1_000_000.0)
    ///     .max_age(Duration::from_secs(300)) // or else a materialized view is no choice
    ///     .await?;
    /// println!("{advice}"); // Post: storage = "live" .. because ..
    /// let post = advice.of::<Post>().unwrap();
    /// assert_eq!(post.measured.documents, 100);
    /// # Ok(()) }) }
    /// ```
    ///
    /// The times are those of an idle server with documents in its memory: advice taken under load, or
    /// over a slow network, is about that load and that network.
    ///
    /// # Errors
    /// If a query fails: the role must be able to read the base tables, and to create temporary tables, so it
    /// cannot run on a replica.
    pub fn advise<'a>(&'a self, pool: &'a PgPool) -> Advise<'a> {
        Advise::new(&self.views, pool)
    }
}
