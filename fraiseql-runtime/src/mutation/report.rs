//! `MutationReport`: what a mutation synced, and what it did not.

use std::fmt;
use std::time::Duration;

use crate::db::wal_position::WalPosition;
use crate::error::invalid_document::InvalidDocument;
use crate::mutation::token::SyncToken;
use crate::read::typed::TView;
use crate::schema::Table;
use crate::schema::key::{Key, Keys};
use crate::sync::report::SyncReport;

/// What a mutation synced, view by view.
///
/// ```text
/// post: 0 inserted, 2 updated, 0 unchanged, 0 deleted in 1.2ms
/// user: 0 inserted, 1 updated, 0 unchanged, 0 deleted in 0.8ms
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MutationReport {
    /// The views with dependent documents, in the order in which they were synced.
    pub views: Vec<ViewReport>,
    /// The views that were not synced, because they had more dependents than the mutation's
    /// limits allow. Their documents may differ from the base tables until a full sync.
    pub deferred: Vec<DeferredView>,
    /// The documents that were left to the worker, by [`Mutation::defer`](crate::Mutation::defer), or
    /// because their view is `#[tview(sync = "eventual")]`. They differ from the base tables until it
    /// has synced them: [`token`](Self::token).
    pub left: Vec<LeftView>,
    /// Foreign keys by which rows were deleted or changed together with a marked row, and which
    /// were not followed, because the role may not read the rows, or because their default is taken
    /// from a sequence. The documents of those rows may differ from the base tables. In a
    /// [strict](crate::Mutation::strict) mutation it is an error.
    pub not_followed: Vec<String>,
    /// The number of times that [`mutate`](crate::ReadModel::mutate) ran it again.
    pub retries: u32,
    /// The time that `commit` took.
    pub duration: Duration,
    pub(crate) token: SyncToken,
    pub(crate) position: Option<WalPosition>,
}

/// What was synced of one view.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ViewReport {
    /// The view's entity: `post`.
    pub entity: &'static str,
    /// The view table.
    pub view: Table,
    /// The keys of the documents that were compared with the base tables, in order: of those that were
    /// written or deleted, of those that were equal already, and of invalid ones.
    pub keys: Keys,
    /// The result of the sync.
    pub report: SyncReport,
}

/// The documents of a view that were left to the worker.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeftView {
    /// The view's entity: `post`.
    pub entity: &'static str,
    /// The view table.
    pub view: Table,
    /// The number of documents.
    pub documents: usize,
}

/// A view that was not synced, and needs a full sync.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeferredView {
    /// The view's entity: `post`.
    pub entity: &'static str,
    /// The view table.
    pub view: Table,
    /// The number of dependent documents that were found. There may be more.
    pub at_least: usize,
    /// The paths by which they depend on the changed rows, with the number of documents of each:
    /// `200 by tb_user.id -> Post.author`.
    pub paths: String,
}

impl MutationReport {
    /// The report of `V`, or `None` if no document of it depended on the changed rows.
    #[must_use]
    pub fn of<V: TView>(&self) -> Option<&SyncReport> {
        self.view::<V>().map(|view| &view.report)
    }

    /// The keys of the documents of `V` that were compared with the base tables, in order:
    /// [`ViewReport::keys`].
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
    /// # #[derive(TView)]
    /// # struct Post { id: i64, #[tview(one(fk = "author_id"))] author: User }
    /// # #[derive(Embed)]
    /// # struct User { id: i64, name: String }
    /// # fn main() { on("CREATE TABLE tb_user (id int8 PRIMARY KEY, name text NOT NULL);
    /// #     CREATE TABLE tb_post (id int8 PRIMARY KEY, author_id int8 NOT NULL);
    /// #     CREATE INDEX ON tb_post (author_id);
    /// #     INSERT INTO tb_user VALUES (1, 'Ada'); INSERT INTO tb_post VALUES (7, 1), (8, 1)", async |pool| {
    /// # let blog = ReadModel::builder().view::<Post>().build()?;
    /// # blog.migrate(&pool).await?;
    /// # sync_all_posts(&pool).await?;
    /// let mut m = blog.mutation(&pool).await?;
    /// sqlx::query("UPDATE tb_user SET name = 'Grace' WHERE id = 1").execute(&mut *m).await?;
    /// m.changed::<User>(&[1]);
    /// let report = m.commit().await?;
    /// assert_eq!(report.keys::<Post>(), [7, 8]);
    /// # Ok(()) }) }
    /// ```
    #[must_use]
    pub fn keys<V: TView>(&self) -> Vec<V::Key> {
        let mut keys = Vec::new();
        if let Some(view) = self.view::<V>() {
            V::Key::each(&view.keys, &mut |key| keys.push(key));
        }
        keys
    }

    fn view<V: TView>(&self) -> Option<&ViewReport> {
        let mut views = self.views.iter();
        views.find(|view| view.view.is_declared_as(V::VIEW.table))
    }

    /// The number of documents of all views that were compared, changed or not.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.views.iter().map(|view| view.report.total()).sum()
    }

    /// The number of documents of all views that were written or deleted.
    #[must_use]
    pub fn changed(&self) -> u64 {
        self.views.iter().map(|view| view.report.changed()).sum()
    }

    /// What [`ReadModel::wait_synced`](crate::ReadModel::wait_synced) waits for: the documents that were
    /// [left](Self::left) to the worker. If none were, it waits for nothing.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
    /// # #[derive(TView)]
    /// # struct Post { id: i64, title: String }
    /// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL)", async |pool| {
    /// # let blog = ReadModel::builder().view::<Post>().build()?;
    /// # blog.migrate(&pool).await?;
    /// let mut m = blog.mutation(&pool).await?;
    /// sqlx::query("INSERT INTO tb_post VALUES (7, 'Notes')").execute(&mut *m).await?;
    /// m.changed::<Post>(&[7]);
    /// m.defer();
    /// let report = m.commit().await?;
    /// assert_eq!((report.total(), report.left[0].documents), (0, 1));
    ///
    /// # blog.worker(&pool).drain().await?; // elsewhere
    /// blog.wait_synced(&pool, report.token()).await?;
    /// # assert!(Post::find(&pool, 7).await?.is_some());
    /// # Ok(()) }) }
    /// ```
    #[must_use]
    pub const fn token(&self) -> SyncToken {
        self.token
    }

    /// The position after the commit: a replica that has replayed it has everything that the mutation
    /// wrote. See [`Replicas::at_least`](crate::Replicas::at_least).
    ///
    /// It is read in the same message as the commit, so it costs no round trip. `None` if the role may
    /// not read it.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
    /// # #[derive(TView)]
    /// # struct Post { id: i64, title: String }
    /// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL)", async |pool| {
    /// # let blog = ReadModel::builder().view::<Post>().build()?;
    /// # blog.migrate(&pool).await?;
    /// # let replica = pool.clone();
    /// use fraiseql_runtime::Replicas;
    ///
    /// let replicas = Replicas::new(pool.clone()).replica(replica);
    /// let mut m = blog.mutation(&pool).await?;
    /// sqlx::query("INSERT INTO tb_post VALUES (7, 'Notes')").execute(&mut *m).await?;
    /// m.changed::<Post>(&[7]);
    /// let report = m.commit().await?;
    ///
    /// let post = Post::find(replicas.at_least(report.position()), 7).await?;
    /// assert_eq!(post.unwrap().title, "Notes");
    /// # assert!(report.position().is_some());
    /// # Ok(()) }) }
    /// ```
    #[must_use]
    pub const fn position(&self) -> Option<WalPosition> {
        self.position
    }

    /// The invalid documents of all views.
    pub fn invalid(&self) -> impl Iterator<Item = &InvalidDocument> {
        self.views.iter().flat_map(|view| &view.report.invalid)
    }
}

impl fmt::Display for DeferredView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: at least {} documents deferred to a full sync ({})",
            self.entity, self.at_least, self.paths
        )
    }
}

impl fmt::Display for MutationReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nothing = self.views.is_empty() && self.left.is_empty();
        if nothing && self.deferred.is_empty() && self.not_followed.is_empty() {
            return f.write_str("no document depends on what was changed");
        }
        let synced = self
            .views
            .iter()
            .map(|view| format!("{}: {}", view.entity, view.report));
        let left = self.left.iter().map(|view| {
            format!(
                "{}: {} documents left to the worker",
                view.entity, view.documents
            )
        });
        let deferred = self.deferred.iter().map(ToString::to_string);
        let not_followed = self
            .not_followed
            .iter()
            .map(|key| format!("not followed from deleted or changed rows: {key}"));
        for (index, line) in synced
            .chain(left)
            .chain(deferred)
            .chain(not_followed)
            .enumerate()
        {
            let end = if index == 0 { "" } else { "\n" };
            write!(f, "{end}{line}")?;
        }
        Ok(())
    }
}
