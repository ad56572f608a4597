//! `mutate!`: `ReadModel::mutate` for work that borrows.

/// Runs a block as a [`Mutation`](crate::Mutation) and commits it, like
/// [`ReadModel::mutate`](crate::ReadModel::mutate), and may borrow what is around it, in any task or
/// handler. It is a future.
///
/// The block is that of a closure whose parameter is the mutation. After a deadlock, a serialization
/// failure or without a second connection it runs again, so it must not consume what it borrows. `?`
/// in it ends the block, and `return` as well.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
/// use fraiseql_runtime::mutate;
///
/// # #[derive(TView)]
/// # struct Post { id: i64, title: String }
/// async fn rename(blog: &ReadModel, pool: &PgPool, id: i64, title: &str) -> anyhow::Result<u64> {
///     let (rows, report) = mutate!(blog, pool, |m| -> anyhow::Result<u64> {
///         let done = sqlx::query("UPDATE tb_post SET title = $2 WHERE id = $1")
///             .bind(id)
///             .bind(title)
///             .execute(&mut **m)
///             .await?;
///         m.changed::<Post>(&[id]);
///         Ok(done.rows_affected())
///     })
///     .await?;
///     # assert_eq!(report.changed(), 1);
///     Ok(rows)
/// }
/// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL);
/// #     INSERT INTO tb_post VALUES (7, 'Notes')", async |pool| {
/// # let blog = ReadModel::builder().view::<Post>().build()?;
/// # blog.migrate(&pool).await?;
/// # let title = String::from("More");
/// # let task = tokio::spawn(async move { rename(&blog, &pool, 7, &title).await });
/// # assert_eq!(task.await??, 1);
/// # Ok(()) }) }
/// ```
///
/// For another isolation level, or to keep a mutation open between two steps, write the loop with
/// [`ReadModel::attempts`](crate::ReadModel::attempts).
#[macro_export]
macro_rules! mutate {
    ($model:expr, $pool:expr, |$mutation:ident| -> $result:ty $work:block) => {
        async {
            let mut attempts = $crate::ReadModel::attempts(&$model, &$pool);
            loop {
                let mut mutation = match attempts.begin().await {
                    ::core::result::Result::Ok(mutation) => mutation,
                    ::core::result::Result::Err(error) => {
                        break ::core::result::Result::Err(::core::convert::From::from(error));
                    }
                };
                let result: $result = {
                    let $mutation = &mut mutation;
                    async { $work }.await
                };
                match attempts.end(mutation, result).await {
                    ::core::result::Result::Ok(::core::option::Option::Some(done)) => {
                        break ::core::result::Result::Ok(done);
                    }
                    ::core::result::Result::Ok(::core::option::Option::None) => {}
                    ::core::result::Result::Err(error) => {
                        break ::core::result::Result::Err(error);
                    }
                }
            }
        }
    };
}
