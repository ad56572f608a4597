//! A blog that reads a streaming replica.

mod support;

use dev_postgres::Server;
use serde_json::{Value, json};
use sqlx::{ConnectOptions as _, PgPool};
use support::Blog;

/// A request as a client that has written up to a position, if it has one.
async fn send(blog: &Blog, position: Option<&str>, query: &str) -> (Option<String>, Value) {
    let request = blog.client.post(format!("{}/graphql", blog.url));
    let request = match position {
        Some(position) => request.header("fraiseql-position", position),
        None => request,
    };
    let response = request.json(&json!({"query": query})).send().await.unwrap();
    let position = response.headers().get("fraiseql-position");
    let position = position.map(|value| value.to_str().unwrap().to_owned());
    (position, response.json().await.unwrap())
}

#[tokio::test]
async fn queries_read_the_replica_and_clients_see_what_they_have_changed() {
    let server = Server::builder()
        .ignore_database_url()
        .setting("synchronous_commit", "on")
        .start()
        .unwrap();
    let database = server.create_database().await.unwrap();
    let standby = server.replica(Server::builder()).await.unwrap();
    let name = database.get_database().unwrap();
    let replica = standby.options().clone().database(name);
    let url = replica.to_url_lossy().to_string();
    let arguments = ["--posts", "0", "--replica", &url];
    let blog = Blog::start_on(&database, &database, &arguments).await;

    let create = |name: &str| {
        format!("mutation {{ createUser(username: \"{name}\", fullName: \"Ada\") {{ id }} }}")
    };
    let (position, body) = send(&blog, None, &create("ada")).await;
    assert_eq!(body["extensions"]["position"], json!(position));
    let users = "{ users { username } }";
    let (_, body) = send(&blog, position.as_deref(), users).await;
    assert_eq!(body["data"], json!({"users": [{"username": "ada"}]}));

    // A late replica: other clients read it, and those that have written read what they wrote.
    let admin = PgPool::connect_with(replica).await.unwrap();
    sqlx::query("SELECT pg_wal_replay_pause()")
        .execute(&admin)
        .await
        .unwrap();
    let id = body_of(&blog, &create("bob")).await;
    let (_, body) = send(&blog, None, users).await;
    assert_eq!(body["data"]["users"].as_array().unwrap().len(), 1);
    let rename =
        format!("mutation {{ updateUser(id: \"{id}\", fullName: \"Bob\") {{ fullName }} }}");
    let (position, body) = send(&blog, None, &rename).await;
    assert_eq!(body["data"]["updateUser"]["fullName"], "Bob");
    let (_, body) = send(&blog, position.as_deref(), users).await;
    assert_eq!(body["data"]["users"].as_array().unwrap().len(), 2);

    let metrics = blog.client.get(format!("{}/metrics", blog.url)).send();
    let metrics = metrics.await.unwrap().text().await.unwrap();
    for metric in [
        "fraiseql_replica_reads_total{server=\"primary\"}",
        "fraiseql_replica_fallbacks_total{reason=\"behind\"}",
        "fraiseql_replica_lag_bytes{server=",
        "fraiseql_replica_serving{server=",
    ] {
        assert!(metrics.contains(metric), "{metric} is not in\n{metrics}");
    }

    let (_, body) = send(&blog, Some("garbage"), users).await;
    let message = body["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains("fraiseql-position"), "{message}");
}

/// The id that a mutation returns.
async fn body_of(blog: &Blog, mutation: &str) -> String {
    let (_, body) = send(blog, None, mutation).await;
    body["data"]["createUser"]["id"]
        .as_str()
        .unwrap()
        .to_owned()
}
