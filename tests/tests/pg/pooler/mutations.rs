//! Mutations that run at once behind a pooler: all commit, none waits for a second connection of the server.

use std::time::{Duration, Instant};

use fraiseql_runtime::{Capture, Mutation, ReadModel, assert_synced};
use fraiseql_tests::pooler::{pgbouncer, pooler};
use fraiseql_tests::world::numbered::Comment;
use fraiseql_tests::world::worked::{Post, User, create, model_with};
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::{Pooled, blog, change, comments, pooled};

/// How a mutation says what it changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marks {
    /// Before the change.
    Before,
    /// After it, so that the rows as they were have to be found afterwards.
    After,
    /// Triggers do.
    Captured,
}

impl Marks {
    async fn before(self, m: &mut Mutation, comments: &[i64]) -> fraiseql_runtime::Result<()> {
        match self {
            Self::Before => m.changing::<Comment>(comments).await,
            Self::After | Self::Captured => Ok(()),
        }
    }

    fn after(self, m: &mut Mutation, comments: &[i64]) {
        if self != Self::Captured {
            m.changed::<Comment>(comments);
        }
    }
}

/// What mutations change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// Comments are moved.
    Moves,
    /// They are moved, deleted, inserted and updated.
    All,
}

/// Each of `clients` tasks runs some mutations.
pub(super) async fn run_at_once(
    model: &ReadModel,
    pool: &PgPool,
    clients: i64,
    marks: Marks,
    work: Work,
) {
    let mut tasks = JoinSet::new();
    for client in 1..=clients {
        let (model, pool) = (model.clone(), pool.clone());
        tasks.spawn(async move {
            for round in 0..3 {
                let mutated = fraiseql_runtime::mutate!(model, pool, |m| -> anyhow::Result<()> {
                    let comments = [client, client + 100];
                    let (comments, round) = match work {
                        Work::Moves => (&comments[..1], 3 - client % 3),
                        Work::All => (&comments[..], round),
                    };
                    marks.before(m, comments).await?;
                    change(m, client, round).await?;
                    marks.after(m, comments);
                    Ok(())
                });
                mutated.await.unwrap();
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_to_sixteen_mutations_commit_on_two_connections() {
    for (capture, marks) in [
        (Capture::Off, Marks::Before),
        (Capture::Off, Marks::After),
        (Capture::Queue, Marks::Captured),
        (Capture::AtCommit, Marks::Captured),
    ] {
        for clients in [2, 16] {
            let Pooled {
                direct,
                clients: pool,
            } = pooled(16, 2).await;
            // What the guide recommends: there is no second connection to wait for.
            let model = ReadModel::builder()
                .view::<Post>()
                .view::<User>()
                .capture(capture)
                .second_connection_wait(Duration::ZERO)
                .build()
                .unwrap();
            create(&pool, &model, 6).await;
            comments(&pool).await;
            model.sync_all(&pool).await.unwrap();
            let work = run_at_once(&model, &pool, clients, marks, Work::All);
            tokio::time::timeout(Duration::from_secs(60), work)
                .await
                .unwrap_or_else(|_| panic!("{clients} mutations with {marks:?}"));
            assert_synced(&model, &direct).await;
        }
    }
}

/// With the settings of every model: a mutation waits for a moment, then it runs again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mutations_with_marks_after_moves_commit_by_default() {
    let (pooled, model) = blog(16, 2, Capture::Off).await;
    let work = run_at_once(&model, &pooled.clients, 4, Marks::After, Work::All);
    tokio::time::timeout(Duration::from_secs(60), work)
        .await
        .unwrap();
    assert_synced(&model, &pooled.direct).await;
}

/// Both have changed something, and so hold all connections of the server when they commit.
#[tokio::test]
async fn no_mutation_waits_for_a_second_connection() -> anyhow::Result<()> {
    for (capture, marks) in [
        (Capture::Off, Marks::Before),
        (Capture::Queue, Marks::Captured),
        (Capture::AtCommit, Marks::Captured),
    ] {
        let (pooled, model) = blog(16, 2, capture).await;
        let both = Barrier::new(2);
        let start = Instant::now();
        let mutate = async |client: i64| {
            let mutated = model.mutate(&pooled.clients, async |m| -> anyhow::Result<()> {
                marks.before(m, &[client]).await?;
                // A comment of another post for each.
                change(m, client, 3 - client).await?;
                marks.after(m, &[client]);
                both.wait().await;
                Ok(())
            });
            tokio::time::timeout(Duration::from_secs(30), mutated).await
        };
        let (one, two) = tokio::join!(mutate(1), mutate(2));
        let retries = [one??.1.retries, two??.1.retries];
        assert_eq!(retries, [0, 0], "{capture:?} after {:?}", start.elapsed());
        assert_synced(&model, &pooled.direct).await;
    }
    Ok(())
}

/// The pool names each connection that it opens, and only such a connection sees comments. With one that was opened
/// beside the pool, an old parent would keep its comment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_connection_is_opened_beside_the_pool() -> anyhow::Result<()> {
    for capture in [Capture::Off, Capture::Queue, Capture::AtCommit] {
        let Pooled { direct, .. } = pooled(1, 2).await;
        let model = model_with(capture);
        create(&direct, &model, 6).await;
        comments(&direct).await;
        model.sync_all(&direct).await?;
        let options = direct.connect_options();
        let role = format!("of_{}", options.get_database().unwrap());
        let grants = model.grants(&role);
        sqlx::raw_sql(AssertSqlSafe(format!(
            "CREATE ROLE \"{role}\" LOGIN;
             {grants}
             GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO \"{role}\";
             ALTER TABLE tb_comment ENABLE ROW LEVEL SECURITY;
             CREATE POLICY own ON tb_comment USING (current_setting('application_name') = 'of the pool')"
        )))
        .execute(&direct)
        .await?;
        let options = (*options).clone().username(&role);
        let clients = PgPoolOptions::new()
            .max_connections(4)
            // PgBouncer keeps this setting for each client, and sets it in the session that the client gets.
            .after_connect(|connection, _| {
                Box::pin(async move {
                    sqlx::raw_sql("SET application_name = 'of the pool'")
                        .execute(connection)
                        .await?;
                    Ok(())
                })
            })
            .connect_with(pooler(&options, 2).await)
            .await?;
        let marks = match capture {
            Capture::Off => Marks::After,
            _ => Marks::Captured,
        };
        run_at_once(&model, &clients, 8, marks, Work::Moves).await;
        assert_synced(&model, &direct).await;
        if pgbouncer(2).is_some() {
            let sessions: i64 =
                sqlx::query_scalar("SELECT count(*) FROM pg_stat_activity WHERE usename = $1")
                    .bind(&role)
                    .fetch_one(&direct)
                    .await?;
            assert!((1..=2).contains(&sessions), "{sessions}");
        }
        clients.close().await;
    }
    Ok(())
}
