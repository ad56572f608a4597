//! Readiness: `/ready` while the database is broken and during the shutdown.

use super::*;

/// The reason of `/ready`, which must return 503.
async fn not_ready_reason(blog: &Blog) -> String {
    let (status, body) = get(blog, "/ready").await;
    assert_eq!(status, 503, "{body}");
    assert_eq!(body["status"], "not ready");
    body["reason"].as_str().unwrap().to_owned()
}

async fn assert_ready(blog: &Blog) {
    let (status, body) = get(blog, "/ready").await;
    assert_eq!((status, &body["status"]), (StatusCode::OK, &json!("ready")));
}

#[tokio::test]
async fn readiness_checks_migrations_and_the_response_of_the_database() {
    let blog = Blog::start(10).await;
    assert_ready(&blog).await;

    let run = async |sql: &'static str| {
        sqlx::raw_sql(sql).execute(&blog.pool).await.unwrap();
    };
    run("UPDATE _sqlx_migrations SET success = false WHERE version = 1").await;
    assert_eq!(not_ready_reason(&blog).await, "1 migrations were not run");
    assert_eq!(metrics(&blog).await.value("blog_ready", &[]), 0.0);
    run("UPDATE _sqlx_migrations SET success = true").await;
    assert_ready(&blog).await;

    // Stale views do not matter: they are normal while another release rebuilds the documents.
    run("CREATE TABLE kept AS TABLE fraiseql_view; DELETE FROM fraiseql_view").await;
    assert_ready(&blog).await;
    run("INSERT INTO fraiseql_view TABLE kept").await;
    assert_eq!(metrics(&blog).await.value("blog_ready", &[]), 1.0);

    let mut transaction = blog.pool.begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE _sqlx_migrations")
        .execute(&mut *transaction)
        .await
        .unwrap();
    let start = Instant::now();
    assert_eq!(
        not_ready_reason(&blog).await,
        "the database does not respond within 1s"
    );
    assert!(start.elapsed() < Duration::from_secs(5));
    transaction.rollback().await.unwrap();
    assert_ready(&blog).await;
}

#[tokio::test]
async fn it_is_not_ready_while_the_database_is_gone() {
    let blog = Blog::start(0).await;
    assert_ready(&blog).await;
    let database = blog.pool.connect_options();
    let name = database.get_database().unwrap().to_owned();
    let elsewhere = (*database).clone().database("postgres");
    let mut connection = PgConnection::connect_with(&elsewhere).await.unwrap();
    let mut allow = async |allowed: bool| {
        let sql = format!("ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS {allowed}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
            .execute(&mut connection)
            .await
            .unwrap();
        sqlx::query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1")
            .bind(&name)
            .execute(&mut connection)
            .await
            .unwrap();
    };
    allow(false).await;
    let why = not_ready_reason(&blog).await;
    let expected = [
        "the database query failed",
        "the database does not respond within 1s",
    ];
    assert!(expected.contains(&why.as_str()), "{why}");
    // Liveness does not depend on the database, since a restart would not repair it.
    let (status, body) = get(&blog, "/health").await;
    assert_eq!((status, &body["status"]), (StatusCode::OK, &json!("ok")));
    let (status, _) = get(&blog, "/metrics.json").await;
    assert_eq!(status, 503);
    assert_eq!(metrics(&blog).await.value("blog_ready", &[]), 0.0);

    allow(true).await;
    until("the blog is ready again", async || {
        get(&blog, "/ready").await.0 == StatusCode::OK
    })
    .await;
}

#[cfg(unix)]
#[tokio::test]
async fn readiness_fails_while_the_program_drains() {
    let mut blog = Blog::start_with(&["--posts", "0", "--drain", "60s"]).await;
    assert_ready(&blog).await;
    let terminate = || {
        let done = std::process::Command::new("kill")
            .arg(blog.pid().to_string())
            .status();
        assert!(done.unwrap().success());
    };
    terminate();
    until("the blog is not ready", async || {
        get(&blog, "/ready").await.0 == StatusCode::SERVICE_UNAVAILABLE
    })
    .await;
    assert_eq!(not_ready_reason(&blog).await, "the server is shutting down");
    // Requests are still accepted.
    blog.data(CREATE_USER, json!({"name": "ada"})).await;
    // A second signal ends the drain time.
    let start = Instant::now();
    terminate();
    assert!(blog.wait().success());
    assert!(start.elapsed() < Duration::from_secs(30));
}
