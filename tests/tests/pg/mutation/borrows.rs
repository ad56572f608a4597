//! Tests that work in a mutation may borrow, where its future has to be `Send`: in a spawned task, in
//! a handler of axum, in a resolver of async-graphql.

use std::future::Future;

use async_graphql::{Context, EmptySubscription, Object, Schema};
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{Request, StatusCode};
use fraiseql_runtime::{Error, ReadModel, mutate};
use sqlx::PgPool;
use tower_service::Service as _;

use super::{Comment, Post, User, assert_right, blog};

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("there is no post {0}")]
    Missing(i64),
    #[error(transparent)]
    Sql(#[from] sqlx::Error),
    #[error(transparent)]
    Sync(#[from] Error),
}

fn is_send<F: Future + Send>(work: F) -> F {
    work
}

#[derive(Clone)]
struct App {
    blog: ReadModel,
    pool: PgPool,
}

/// A service whose function borrows all that it is given.
async fn rename(app: &App, id: i64, title: &str) -> Result<String, Failure> {
    let words: Vec<&str> = title.split(' ').collect();
    let (title, _) = is_send(mutate!(
        app.blog,
        app.pool,
        |m| -> Result<String, Failure> {
            let title = words.join("_");
            let done = sqlx::query("UPDATE tb_post SET title = $2 WHERE id = $1")
                .bind(id)
                .bind(&title)
                .execute(&mut **m)
                .await?;
            if done.rows_affected() == 0 {
                return Err(Failure::Missing(id));
            }
            m.changed::<Post>(&[id]);
            Ok(title)
        }
    ))
    .await?;
    Ok(title)
}

async fn handler(
    State(app): State<App>,
    Path(id): Path<i64>,
    title: String,
) -> Result<String, (StatusCode, String)> {
    rename(&app, id, &title)
        .await
        .map_err(|error| (StatusCode::CONFLICT, error.to_string()))
}

struct Query;

#[Object]
impl Query {
    async fn version(&self) -> i32 {
        1
    }
}

struct Mutation;

#[Object]
impl Mutation {
    async fn move_comment(
        &self,
        ctx: &Context<'_>,
        id: i64,
        posts: Vec<i64>,
    ) -> async_graphql::Result<usize> {
        let App { blog, pool } = ctx.data::<App>()?;
        let mut moves = 0;
        let (_, report) = mutate!(blog, pool, |m| -> Result<(), Failure> {
            m.changing::<Comment>(&[id]).await?;
            for post in &posts {
                sqlx::query("UPDATE tb_comment SET post_id = $2 WHERE id = $1")
                    .bind(id)
                    .bind(post)
                    .execute(&mut **m)
                    .await?;
                moves += 1;
            }
            Ok(())
        })
        .await?;
        assert_eq!(moves, posts.len());
        Ok(report
            .of::<Post>()
            .map_or(0, |posts| posts.updated as usize))
    }
}

#[tokio::test]
async fn work_in_a_handler_and_in_a_resolver_may_borrow() -> anyhow::Result<()> {
    let (pool, blog) = blog().await;
    let app = App {
        blog,
        pool: pool.clone(),
    };
    let mut routes = axum::Router::new()
        .route("/{id}", axum::routing::post(handler))
        .with_state(app.clone());
    for (id, expected) in [(1, "a_b"), (9, "there is no post 9")] {
        let request = Request::post(format!("/{id}")).body(Body::from("a b"))?;
        let response = routes.call(request).await?;
        let body = axum::body::to_bytes(response.into_body(), 1_000).await?;
        assert_eq!(body, expected);
    }
    assert_right(&pool).await;

    let schema = Schema::build(Query, Mutation, EmptySubscription)
        .data(app.clone())
        .finish();
    let response = schema
        .execute("mutation { moveComment(id: 1, posts: [2, 3]) }")
        .await;
    assert_eq!(response.errors, []);
    assert_eq!(response.data.to_string(), "{moveComment: 2}");
    assert_right(&pool).await;

    let title = "in a task".to_owned();
    let renamed = tokio::spawn(async move { rename(&app, 2, &title).await });
    assert_eq!(renamed.await??, "in_a_task");
    assert_right(&pool).await;
    Ok(())
}

/// Both lock a user, and want the other.
#[tokio::test]
async fn a_block_that_borrows_is_run_again_after_a_deadlock() -> anyhow::Result<()> {
    let (pool, model) = blog().await;
    let suffix = "x".to_owned();
    let rename = async |users: [i64; 2]| {
        mutate!(model, pool, |m| -> Result<usize, Failure> {
            for user in &users {
                sqlx::query("UPDATE tb_user SET name = name || $2 WHERE id = $1")
                    .bind(user)
                    .bind(&suffix)
                    .execute(&mut **m)
                    .await?;
                sqlx::query("SELECT pg_sleep(0.05)")
                    .execute(&mut **m)
                    .await?;
            }
            m.changed::<User>(&users);
            Ok(users.len())
        })
        .await
    };
    let (one, other) = tokio::join!(rename([1, 2]), rename([2, 1]));
    assert!(one?.1.retries + other?.1.retries > 0);
    assert_right(&pool).await;
    Ok(())
}

/// The loop that the macro writes, with an error that is not from a mutation.
#[tokio::test]
async fn attempts_can_be_made_in_a_loop_of_ones_own() -> anyhow::Result<()> {
    let (pool, model) = blog().await;
    let mut attempts = model.attempts(&pool);
    let mut begun = 0;
    let error = loop {
        let mut m = attempts.begin().await?;
        begun += 1;
        sqlx::query("DELETE FROM tb_post").execute(&mut *m).await?;
        m.changed::<Post>(&[1, 2, 3]);
        let result: Result<(), Failure> = Err(Failure::Missing(7));
        match attempts.end(m, result).await {
            Ok(Some(_)) => panic!("it was rolled back"),
            Ok(None) => {}
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Failure::Missing(7)), "{error}");
    assert_eq!(begun, 1);
    assert_right(&pool).await;
    Ok(())
}
