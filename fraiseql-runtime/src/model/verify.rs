//! `ReadModel::verify`: compares the documents of all views with the base tables.

use crate::model::read_model::ReadModel;
use crate::ops::verify::Verify;
use crate::ops::verify::report::VerifyReports;
use crate::ops::verify::target::VerifyTarget;

impl ReadModel {
    /// Verifies all views whose documents are synced, one after the other: `verify_post` for each, with the
    /// settings of [`Verify`]. A materialized view may be old, and is left out: `verify_revenue` compares it, and
    /// [`age`](Self::age) says how old it is. Repairs are reported to the observers and the sync log, as syncs
    /// [`on`](Self::on) the read model.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
    /// # #[derive(TView)]
    /// # pub struct Post { pub id: i64, pub title: String }
    /// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL);
    /// #     INSERT INTO tb_post VALUES (7, 'Notes')", async |pool| {
    /// let blog = ReadModel::builder().view::<Post>().build()?;
    /// # blog.migrate(&pool).await?;
    /// let reports = blog.verify(&pool).sample(1.0).await?;
    /// assert!(!reports.is_clean());
    /// assert_eq!(reports.of::<Post>().unwrap().missing.of::<Post>(), [7]);
    /// for report in &reports {
    ///     eprintln!("{report}");
    /// }
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    /// Awaiting it returns the first error of a view's [`Verify`].
    pub fn verify<'a>(&self, target: impl VerifyTarget + 'a) -> Verify<'a, VerifyReports> {
        Verify::new(self.on(target), self.synced.clone())
    }
}
