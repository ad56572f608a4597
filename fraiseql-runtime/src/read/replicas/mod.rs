//! `Replicas`: reads on streaming replicas, which see what was written before a position.
//!
//! | module | |
//! |---|---|
//! | `settings` | limits on age, lag and waiting, and how connections are used |
//! | `primary` | what is known of the primary: where its log was, and when |
//! | `replica` | one replica: its pool, the servers that this leads to, and its counters |
//! | `set`, `state` | the primary and its replicas, and which of them may answer |
//! | `probe` | looks at all servers from time to time, while there are reads |
//! | `waiting`, `wait` | the reads that wait for a position, and the task that looks whether it has arrived |
//! | `route` | takes a server for a read, and another one if that fails |
//! | `sync` | syncs on the primary, with the position in the report |
//! | `status` | what an operator sees |
//! | `telemetry` | metrics |

mod primary;
mod probe;
mod replica;
mod route;
mod set;
mod settings;
pub(crate) mod state;
pub(crate) mod status;
mod sync;
mod telemetry;
mod wait;
mod waiting;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::PgPool;
use sqlx::postgres::PgRow;

use crate::db::wal_position::WalPosition;
use crate::error::Result;
use crate::read::by_key::KeyRead;
use crate::read::list_rows::{ListRead, ListRow};
use crate::read::readers::{Readers, Routed};
use crate::read::target::ReadTarget;

use self::set::ReplicaSet;
use self::settings::Settings;
use self::status::ReplicasStatus;

/// A primary and its streaming replicas, as a [`ReadTarget`]. Reads go to the replicas in turn, and to
/// the primary if none of them will do.
///
/// [`at_least`](Self::at_least) is for reads after own writes: they see everything before a
/// [position](WalPosition), which a [mutation](crate::MutationReport::position) returns.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
/// # #[derive(TView)]
/// # pub struct Post { pub id: i64, pub title: String }
/// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL)", async |pool| {
/// # let blog = ReadModel::builder().view::<Post>().build()?;
/// # blog.migrate(&pool).await?;
/// # let (primary, replica) = (pool.clone(), pool.clone());
/// use fraiseql_runtime::Replicas;
///
/// let replicas = Replicas::new(primary.clone()).replica(replica);
///
/// let mut m = blog.mutation(&primary).await?;
/// sqlx::query("INSERT INTO tb_post VALUES (7, 'Notes')").execute(&mut *m).await?;
/// m.changed::<Post>(&[7]);
/// let position = m.commit().await?.position();
///
/// let post = Post::find(&replicas.at_least(position), 7).await?; // the mutation is in it
/// assert_eq!(post.unwrap().title, "Notes");
/// let posts = Post::list().limit(20).read(&replicas).await?; // may be a moment old
/// # let _ = posts;
/// println!("{}", replicas.status().await);
/// # Ok(()) }) }
/// ```
///
/// # Which server answers
///
/// A replica is in the *set* while it is a replica of this primary, on its timeline, reachable, and
/// neither older nor further behind than the [settings](Self::max_age) allow. One that was promoted, one
/// of another database system, and one that lags leave the set, and come back by themselves.
///
/// A connection is asked for all of that when it comes from its pool, before anything is read on it: so
/// a load balancer, a DNS name that moves, or a pool with several servers behind it mislead no read of a replica. The
/// pool of the primary is asked about once a second: if it leads to a replica, a read with a position is
/// [`Error::PrimaryIsReplica`](crate::Error::PrimaryIsReplica).
/// Connections are lent from one read to the next, as by [`Readers::lending`](crate::Readers::lending), so
/// that under load this is one statement for many reads. What a replica has replayed is remembered: a
/// read that needs no more is one statement.
///
/// A read that fails on a replica is answered by another one or by the primary. So a replica that is
/// stopped, crashes, or cancels a query because of a conflict with recovery, causes no error.
///
/// Clones share everything. [`guide::replicas`](crate::guide::replicas) has more.
#[derive(Clone)]
pub struct Replicas {
    set: Arc<ReplicaSet>,
    position: Option<WalPosition>,
}

impl Replicas {
    /// Reads that go to this primary, until [replicas](Self::replica) are added.
    #[must_use]
    pub fn new(primary: PgPool) -> Self {
        Self {
            set: Arc::new(ReplicaSet::new(primary)),
            position: None,
        }
    }

    /// Adds a replica. It need not be reachable now. The pool is the application's own, with its role and
    /// settings; set its `acquire_timeout` to no more than a read may take.
    #[must_use]
    pub fn replica(mut self, pool: PgPool) -> Self {
        Arc::make_mut(&mut self.set).add(pool);
        self
    }

    /// Sets the age at which a replica leaves the set: 20 seconds by default.
    ///
    /// The age of a replica is the time since the primary has had what the replica has not. It is zero if
    /// nothing is missing, and grows while the replay is paused or slow, or the connection between the two
    /// is lost, if the primary goes on writing.
    #[must_use]
    pub fn max_age(self, age: Duration) -> Self {
        self.with(|settings| settings.max_age = age)
    }

    /// Sets how many bytes of the primary's log a replica may not have replayed: any number by default.
    #[must_use]
    pub fn max_lag(self, bytes: u64) -> Self {
        self.with(|settings| settings.max_lag = bytes)
    }

    /// Sets how long a read waits for a replica that has not replayed its [position](Self::at_least), before it
    /// goes to the primary: 200 ms by default. Zero sends it there at once.
    ///
    /// A read does not wait for a replica whose age is known to be more than that.
    #[must_use]
    pub fn max_wait(self, time: Duration) -> Self {
        self.with(|settings| settings.max_wait = time)
    }

    /// Sets whether connections are lent from one read to the next: on by default. Off, each read takes
    /// one from the pool, whose hooks are then called, and asks its server: see
    /// [`Readers::lending`](crate::Readers::lending).
    #[must_use]
    pub fn lending(mut self, on: bool) -> Self {
        Arc::make_mut(&mut self.set).lend(on);
        self
    }

    fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut Arc::make_mut(&mut self.set).settings);
        self
    }

    /// The same servers, for reads that see everything before a position: a replica that has replayed it,
    /// now or within [`max_wait`](Self::max_wait), or else the primary. Without a position, it changes nothing.
    ///
    /// A position of another database system, and one of a timeline that is not known, lead to the
    /// primary. One from before a promotion leads to replicas that have what the promoted server had. So
    /// any position is safe, even if it comes from a client:
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
    /// # #[derive(TView)]
    /// # pub struct Post { pub id: i64, pub title: String }
    /// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL)", async |pool| {
    /// # migrate::<Post>(&pool).await;
    /// # let replicas = fraiseql_runtime::Replicas::new(pool.clone()).replica(pool);
    /// # let header = "7-1-16b3748";
    /// let position = header.parse().ok(); // garbage is none
    /// let post = Post::find(replicas.at_least(position), 7).await?;
    /// # assert!(post.is_none());
    /// # Ok(()) }) }
    /// ```
    ///
    /// If both have a position, the later one counts.
    #[must_use]
    pub fn at_least(&self, position: impl Into<Option<WalPosition>>) -> Self {
        let position = match (self.position, position.into()) {
            (Some(before), position) => Some(before.or_later(position)),
            (None, position) => position,
        };
        Self {
            set: Arc::clone(&self.set),
            position,
        }
    }

    /// The pool of the primary, for whatever writes.
    #[must_use]
    pub fn primary(&self) -> &PgPool {
        self.set.primary.readers.pool()
    }

    /// Looks at all servers now, and returns what it found, with counters of reads since this was created.
    /// A server that does not respond within a second is reported as unreachable. `Display` has a line for
    /// each.
    pub async fn status(&self) -> ReplicasStatus {
        self.set.probe_all().await;
        self.set.status()
    }
}

impl ReadTarget for &Replicas {
    async fn read(self, read: KeyRead) -> Result<Vec<PgRow>> {
        self.set.read(&read, self.position).await
    }

    async fn list(self, list: ListRead) -> Result<Vec<ListRow>> {
        self.set.read(&list, self.position).await
    }
}

impl ReadTarget for Replicas {
    async fn read(self, read: KeyRead) -> Result<Vec<PgRow>> {
        self.set.read(&read, self.position).await
    }

    async fn list(self, list: ListRead) -> Result<Vec<ListRow>> {
        self.set.read(&list, self.position).await
    }
}

impl Routed for Replicas {
    fn read(&self, read: KeyRead) -> BoxFuture<'_, Result<Vec<PgRow>>> {
        Box::pin(ReadTarget::read(self, read))
    }

    fn list(&self, list: ListRead) -> BoxFuture<'_, Result<Vec<ListRow>>> {
        Box::pin(ReadTarget::list(self, list))
    }

    fn at_least(&self, position: Option<WalPosition>) -> Arc<dyn Routed> {
        Arc::new(self.at_least(position))
    }
}

/// For root fields of GraphQL, and whatever else takes [`Readers`].
impl From<Replicas> for Readers {
    fn from(replicas: Replicas) -> Self {
        Self::of_routed(replicas.primary().clone(), Arc::new(replicas))
    }
}

impl fmt::Debug for Replicas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.set.replicas.iter().map(|one| &*one.name).collect();
        f.debug_struct("Replicas")
            .field("primary", self.primary())
            .field("replicas", &names)
            .field("settings", &self.set.settings)
            .field("position", &self.position)
            .finish()
    }
}
