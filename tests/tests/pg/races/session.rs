//! Sessions: the steps they run, and how they are stopped and waited for.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use fraiseql_runtime::mutation::Isolation;
use fraiseql_runtime::{Error, Mutation, ReadModel};
use sqlx::postgres::PgPoolOptions;
use sqlx::{PgPool, Postgres, Transaction};
use tokio::task::JoinHandle;

use crate::races::isolation::SERIALIZABLE;
use crate::races::marks::mark;
use crate::races::world::{View, World};
use fraiseql_runtime::error::Operation;

/// The place where a session syncs its writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// On the pool, after the commit.
    After,
    /// In the transaction.
    Inside,
    /// In a mutation, which has marks for the writes and finds the dependents.
    Mutation,
    /// In a mutation without marks: its changes are captured.
    Captured,
    /// Nowhere: it knows nothing of documents. Its changes are captured.
    Nowhere,
}

/// The implementation of the sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Syncer {
    /// The plain upsert.
    Plain,
    Fraiseql,
}

/// A step of a session.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// Changes base tables: in its transaction, or in one that is committed at once.
    Write(&'static str),
    /// Syncs the documents whose keys this expression yields: `ARRAY[1]`. A mutation ignores it
    /// unless it has written nothing.
    Sync(View, &'static str),
    /// Syncs posts, in whichever view the world uses for them.
    Posts(&'static str),
    /// Syncs all posts.
    AllPosts,
    /// Commits the transaction, if there is one.
    End,
}

/// One connection, its place and its syncer.
pub(crate) struct Session {
    pool: PgPool,
    pid: i32,
    place: Place,
    syncer: Syncer,
    begin: &'static str,
    posts: View,
    model: ReadModel,
    transaction: Option<Transaction<'static, Postgres>>,
    mutation: Option<Mutation>,
    /// Whether the mutation has a mark.
    marked: bool,
    /// Whether it is retried after an error that is retryable.
    again: bool,
    /// The number of retries.
    pub(crate) retries: u32,
}

/// A running session, or other work on one connection.
pub(crate) struct Running<T = Session> {
    pid: i32,
    task: JoinHandle<Result<T, Error>>,
}

impl World {
    pub(crate) async fn session(&self, syncer: Syncer, place: Place) -> Session {
        self.open(syncer, place, "no").await
    }

    /// A session that stops while it builds documents, as long as there is a [`World::gate`].
    pub(crate) async fn slow_session(&self, syncer: Syncer, place: Place) -> Session {
        self.open(syncer, place, "yes").await
    }

    async fn open(&self, syncer: Syncer, place: Place, pause: &str) -> Session {
        let options = (*self.pool.connect_options())
            .clone()
            // A test that would hang fails instead.
            .options([("statement_timeout", "30s"), ("test.pause", pause)]);
        // A mutation may need a second connection. It is closed afterwards, so that the next one begins
        // on the first again, whose process is watched.
        let connections = if place == Place::Mutation { 2 } else { 1 };
        let first = Arc::new(OnceLock::new());
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .after_release(move |connection, _| {
                let first = first.clone();
                Box::pin(async move {
                    let pid: i32 = sqlx::query_scalar("SELECT pg_backend_pid()")
                        .fetch_one(connection)
                        .await?;
                    Ok(*first.get_or_init(|| pid) == pid)
                })
            })
            .connect_with(options)
            .await
            .unwrap();
        let pid = sqlx::query_scalar("SELECT pg_backend_pid()")
            .fetch_one(&pool)
            .await
            .unwrap();
        Session {
            pool,
            pid,
            place,
            syncer,
            begin: "BEGIN",
            posts: self.posts,
            model: self.view.model(self.capture),
            transaction: None,
            mutation: None,
            marked: false,
            again: true,
            retries: 0,
        }
    }

    /// Slow sessions stop while this is held.
    pub(crate) async fn gate(&self) -> Transaction<'static, Postgres> {
        let mut gate = self.pool.begin().await.unwrap();
        sqlx::raw_sql("SELECT pg_advisory_xact_lock(1)")
            .execute(&mut *gate)
            .await
            .unwrap();
        gate
    }

    /// Waits until each session is done or waits for another; returns which are done.
    pub(crate) async fn settled<T, const N: usize>(&self, sessions: [&Running<T>; N]) -> [bool; N] {
        for _ in 0..4_000 {
            let done = sessions.map(|session| session.task.is_finished());
            let pids: Vec<i32> = sessions
                .iter()
                .zip(done)
                .filter_map(|(session, done)| (!done).then_some(session.pid))
                .collect();
            // Not the wait event, which lasts a moment longer than the wait.
            let blocked: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM unnest($1::int4[]) AS pid
                 WHERE cardinality(pg_blocking_pids(pid)) > 0",
            )
            .bind(&pids)
            .fetch_one(&self.pool)
            .await
            .unwrap();
            if usize::try_from(blocked).unwrap() == pids.len() {
                return done;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        panic!("the sessions neither end nor wait");
    }
}

impl Session {
    /// Whether it syncs nowhere.
    pub(crate) fn is_unaware(&self) -> bool {
        self.place == Place::Nowhere
    }

    /// Sets the isolation level of its transactions.
    pub(crate) fn isolation(mut self, begin: &'static str) -> Self {
        self.begin = begin;
        self
    }

    /// Makes it stop at the first error.
    pub(crate) fn once(mut self) -> Self {
        self.again = false;
        self
    }

    /// Runs the steps in the background.
    pub(crate) fn start(self, steps: &[Step]) -> Running {
        let steps = steps.to_vec();
        Running {
            pid: self.pid,
            task: tokio::spawn(async move {
                let mut session = self;
                session.work(&steps).await?;
                Ok(session)
            }),
        }
    }

    /// Runs the steps, and again after a retryable error.
    async fn work(&mut self, steps: &[Step]) -> Result<(), Error> {
        let again = self.again && self.transaction.is_none() && self.mutation.is_none();
        loop {
            match self.attempt(steps).await {
                Err(error) if error.is_retryable() && again && self.retries < 5 => {
                    self.retries += 1;
                }
                result => return result,
            }
        }
    }

    async fn attempt(&mut self, steps: &[Step]) -> Result<(), Error> {
        for step in steps {
            if let Err(error) = self.step(*step).await {
                self.transaction = None;
                self.mutation = None;
                return Err(error);
            }
        }
        Ok(())
    }

    async fn step(&mut self, step: Step) -> Result<(), Error> {
        match step {
            Step::Write(sql) => {
                self.execute(sql, None).await?;
                if self.place == Place::Captured {
                    self.marked = true;
                } else if let Some(mutation) = &mut self.mutation {
                    self.marked |= mark(mutation, sql);
                }
                Ok(())
            }
            Step::Posts(_) | Step::Sync(..) | Step::AllPosts if self.place == Place::Nowhere => {
                Ok(())
            }
            Step::Posts(keys) => self.sync(self.posts, keys).await,
            Step::Sync(view, keys) => self.sync(view, keys).await,
            Step::AllPosts if matches!(self.place, Place::Mutation | Place::Captured) => {
                self.sync(self.posts, "ARRAY(SELECT id FROM tb_post)").await
            }
            Step::AllPosts if self.syncer == Syncer::Fraiseql => match &mut self.transaction {
                Some(transaction) => self.posts.sync_all(transaction).await.map(drop),
                None if self.place == Place::Inside => {
                    self.begin().await?;
                    Box::pin(self.step(step)).await
                }
                None => self.posts.sync_all(&self.pool).await.map(drop),
            },
            Step::AllPosts => {
                self.sync(self.posts, "ARRAY(SELECT generate_series(1, 10))")
                    .await
            }
            Step::End => {
                if let Some(mutation) = self.mutation.take() {
                    return mutation.commit().await.map(drop);
                }
                match self.transaction.take() {
                    Some(transaction) => transaction.commit().await.map_err(failed),
                    None => Ok(()),
                }
            }
        }
    }

    async fn begin(&mut self) -> Result<(), Error> {
        if matches!(self.place, Place::Inside | Place::Nowhere) && self.transaction.is_none() {
            self.transaction = Some(self.pool.begin_with(self.begin).await.map_err(failed)?);
        }
        if matches!(self.place, Place::Mutation | Place::Captured) && self.mutation.is_none() {
            let isolation = if self.begin == SERIALIZABLE {
                Isolation::Serializable
            } else {
                Isolation::ReadCommitted
            };
            while self.pool.size() > 1 || self.pool.num_idle() == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            self.mutation = Some(self.model.mutation_with(&self.pool, isolation).await?);
            self.marked = false;
        }
        Ok(())
    }

    async fn execute(&mut self, sql: &'static str, keys: Option<&[i32]>) -> Result<(), Error> {
        self.begin().await?;
        let mut query = sqlx::query(sql);
        if let Some(keys) = keys {
            query = query.bind(keys.to_vec());
        }
        match (&mut self.transaction, &mut self.mutation) {
            (Some(transaction), _) => query.execute(&mut **transaction).await,
            (None, Some(mutation)) => query.execute(&mut **mutation).await,
            (None, None) => query.execute(&self.pool).await,
        }
        .map(drop)
        .map_err(failed)
    }

    async fn sync(&mut self, view: View, keys: &'static str) -> Result<(), Error> {
        self.begin().await?;
        let sql = sqlx::AssertSqlSafe(format!("SELECT {keys}"));
        let query = sqlx::query_scalar(sql);
        let keys: Vec<i32> = match (&mut self.transaction, &mut self.mutation) {
            (Some(transaction), _) => query.fetch_one(&mut **transaction).await,
            (None, Some(_)) if self.marked => return Ok(()),
            (None, Some(mutation)) => query.fetch_one(&mut **mutation).await,
            (None, None) => query.fetch_one(&self.pool).await,
        }
        .map_err(failed)?;
        if self.syncer == Syncer::Plain {
            for sql in view.plain() {
                self.execute(sql, Some(&keys)).await?;
            }
            return Ok(());
        }
        if let Some(mutation) = &mut self.mutation {
            view.resync(mutation, &keys);
            return Ok(());
        }
        match &mut self.transaction {
            Some(transaction) => view.sync(transaction, &keys).await,
            None => view.sync(&self.pool, &keys).await,
        }
        .map(drop)
    }
}

impl<T> Running<T> {
    /// Work that runs on the connection of the server process `pid`.
    pub(crate) fn of(pid: i32, task: JoinHandle<Result<T, Error>>) -> Self {
        Self { pid, task }
    }

    /// Waits for the session, which must succeed.
    pub(crate) async fn done(self) -> T {
        self.task.await.unwrap().unwrap()
    }

    /// Waits for the session, and returns its error.
    pub(crate) async fn failed(self) -> Error {
        self.task.await.unwrap().err().expect("it should fail")
    }
}

fn failed(source: sqlx::Error) -> Error {
    Error::Database {
        operation: Operation::Other("running a step of the test".into()),
        table: None,
        source,
    }
}
