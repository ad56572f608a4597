//! Limits: how many documents one mutation may sync, and how far from the changed rows.

/// How many documents one mutation may sync, and how far from the changed rows. Set for a read
/// model by [`ReadModelBuilder::limits`](crate::model::ReadModelBuilder::limits), for one mutation
/// by [`Mutation::limits`](crate::Mutation::limits).
///
/// Without limits, a change to a row that half of all documents embed would hold locks for
/// minutes, in a transaction that was expected to take milliseconds.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
/// # #[derive(TView)]
/// # struct Post { id: i64, #[tview(one(fk = "author_id"))] author: Author }
/// # #[derive(Embed)]
/// # #[tview(table = "tb_user")]
/// # struct Author { id: i64, name: String }
/// # fn main() { on("CREATE TABLE tb_user (id int8 PRIMARY KEY, name text NOT NULL);
/// #     CREATE TABLE tb_post (id int8 PRIMARY KEY, author_id int8 NOT NULL);
/// #     INSERT INTO tb_user VALUES (1, 'Ada');
/// #     INSERT INTO tb_post SELECT i, 1 FROM generate_series(1, 200) AS i", async |pool| {
/// let blog = ReadModel::builder()
///     .view::<Post>()
///     .limits(Limits { documents: 100, ..Limits::default() })
///     .build()?;
/// # blog.migrate(&pool).await?;
/// let mut m = blog.mutation(&pool).await?;
/// sqlx::query("UPDATE tb_user SET name = 'Countess' WHERE id = 1").execute(&mut *m).await?;
/// m.changed::<Author>(&[1]);
/// assert_eq!(
///     m.commit().await.unwrap_err().to_string(),
///     "the changed rows are in more than 100 documents, the limit of this mutation: more than 100 \
///      by tb_user.id -> Post.author; raise the limit, or leave the other documents to a full sync \
///      (Limits::over_limit)"
/// );
/// # Ok(()) }) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The maximum number of documents, of all views together. The default is 100,000.
    pub documents: usize,
    /// The maximum distance from a changed row to a document: the root row has 0, a row that it
    /// embeds 1, a row that is embedded in that one 2. Rows that are deleted with another one, by
    /// `ON DELETE CASCADE`, are one further than that row. The default is 16.
    pub depth: usize,
    /// What happens when a limit is exceeded.
    pub over_limit: OverLimit,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            documents: 100_000,
            depth: 16,
            over_limit: OverLimit::Fail,
        }
    }
}

/// What happens when a mutation has more dependents than its limits allow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OverLimit {
    /// The mutation fails, with [`Error::TooManyDependents`](crate::Error::TooManyDependents) or
    /// [`Error::TooDeep`](crate::Error::TooDeep), and is rolled back.
    #[default]
    Fail,
    /// The mutation commits without syncing the views that exceed the limits. They are listed in
    /// [`MutationReport::deferred`](crate::MutationReport::deferred), and need a full sync.
    Defer,
}

/// The limit for a statement: one more row shows that there are more.
pub(super) fn one_more(limit: usize) -> i64 {
    i64::try_from(limit).map_or(i64::MAX, |limit| limit.saturating_add(1))
}
