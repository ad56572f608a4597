//! What one mutation may touch.

/// The most that one mutation may touch. Set for a read model by
/// [`ReadModelBuilder::limits`](crate::model::ReadModelBuilder::limits), for one mutation by
/// [`Mutation::limits`](crate::Mutation::limits).
///
/// A change to a row that half of the database embeds would hold its locks for minutes, where
/// the caller expected milliseconds.
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
///     "the rows that were changed are in more than 100 documents, the most that this mutation \
///      may sync: more than 100 by tb_user.id -> Post.author; raise the limit, or let it leave the \
///      rest to a full sync (Limits::beyond)"
/// );
/// # Ok(()) }) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many documents, of all views together: 100,000 unless set.
    pub documents: usize,
    /// How far a changed row may be from the documents it is in: a document's own row has 0, a
    /// row that it embeds 1, a row that is embedded in that one 2. Rows that are deleted with
    /// another, by `ON DELETE CASCADE`, are one further than it. 16 unless set.
    pub depth: usize,
    /// What is done beyond.
    pub beyond: Beyond,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            documents: 100_000,
            depth: 16,
            beyond: Beyond::Fail,
        }
    }
}

/// What is done where a mutation has more dependents than it may touch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Beyond {
    /// The mutation fails, with [`Error::TooManyDependents`](crate::Error::TooManyDependents) or
    /// [`Error::TooDeep`](crate::Error::TooDeep), and is rolled back.
    #[default]
    Fail,
    /// The views that have too many are not synced, and are said to be stale in
    /// [`MutationReport::left`](crate::MutationReport::left): a full sync of them is to follow.
    Leave,
}
