//! Metrics: `/metrics`, `/metrics.json` and the query `syncMetrics`.

use super::*;

/// A blog in which nothing but a request syncs: with capture, the worker syncs a new user as well, whose
/// document is synced after the commit of its row.
async fn without_capture() -> Blog {
    Blog::start_with(&["--posts", "0", "--capture", "off"]).await
}

#[tokio::test]
async fn metrics_count_syncs_mutations_and_requests() {
    const USERS: usize = 3;
    let blog = without_capture().await;
    let before = metrics(&blog).await;
    // Counters start at zero, since Prometheus does not see an increase from an absent series.
    for outcome in ["inserted", "updated", "unchanged", "deleted", "invalid"] {
        let documents = [("entity", "user"), ("outcome", outcome)];
        assert_eq!(
            before.value("fraiseql_sync_documents_total", &documents),
            0.0
        );
    }

    let mut users = Vec::new();
    for n in 0..USERS {
        let name = json!({"name": format!("ada{n}")});
        users.push(create(&blog, CREATE_USER, "createUser", name).await);
    }
    let author = json!({"author": users[0]});
    let post = create(&blog, CREATE_POST, "createPost", author).await;
    let comment = json!({"post": post, "author": users[1]});
    create(&blog, CREATE_COMMENT, "createComment", comment).await;
    // Three documents embed the renamed user: their own, the post's, and the comment's.
    blog.data(RENAME, json!({"id": users[1]})).await;
    // A failed command commits nothing.
    let taken = blog.execute(CREATE_USER, json!({"name": "ada0"})).await;
    assert_eq!(taken["errors"][0]["extensions"]["code"], "TAKEN");

    let after = metrics(&blog).await;
    let documents = |entity, outcome| {
        let labels = [("entity", entity), ("outcome", outcome)];
        after.value("fraiseql_sync_documents_total", &labels)
    };
    assert_eq!(documents("user", "inserted"), USERS as f64);
    assert_eq!(documents("post", "inserted"), 1.0);
    assert_eq!(documents("comment", "inserted"), 1.0);
    assert_eq!(documents("comment", "updated"), 1.0);
    assert_eq!(documents("comment", "deleted"), 0.0);

    let synced = [("entity", "user"), ("mode", "sync"), ("success", "true")];
    let batches = after.value("fraiseql_sync_batches_total", &synced);
    let times = after.value("fraiseql_sync_batch_duration_seconds_count", &synced);
    assert_eq!(batches, times);
    let rows: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM sync_log WHERE entity = 'user' AND mode = 'sync' AND success",
    )
    .fetch_one(&blog.pool)
    .await
    .unwrap();
    assert_eq!(batches, rows as f64);

    // Dependents: post and author; comment, post and author; and the three of the rename.
    let mutations = after.value("fraiseql_mutation_dependents_count", &[]);
    assert_eq!(mutations, 3.0);
    assert_eq!(
        after.value("fraiseql_mutation_dependents_sum", &[]),
        2.0 + 3.0 + 3.0
    );
    let of_posts = [("entity", "post")];
    assert_eq!(
        after.value("fraiseql_mutation_view_dependents_sum", &of_posts),
        3.0
    );
    let committed = [("success", "true")];
    assert_eq!(
        after.value(
            "fraiseql_mutation_commit_duration_seconds_count",
            &committed
        ),
        3.0
    );
    assert_eq!(after.value("fraiseql_mutation_retries_total", &[]), 0.0);

    let counted = [("route", "/graphql"), ("method", "POST"), ("status", "200")];
    assert_eq!(
        after.value("blog_http_requests_total", &counted),
        (USERS + 4) as f64
    );
    let timed = [("route", "/graphql"), ("method", "POST")];
    assert_eq!(
        after.value("blog_http_request_duration_seconds_count", &timed),
        (USERS + 4) as f64
    );
    // The request of the metrics itself.
    assert_eq!(after.value("blog_http_requests_in_flight", &[]), 1.0);
    assert_eq!(after.value("blog_pool_connections_max", &[]), 10.0);
    let open = |state| after.value("blog_pool_connections", &[("state", state)]);
    assert!((1.0..=10.0).contains(&(open("busy") + open("idle"))));
    assert_eq!(after.value("blog_ready", &[]), 1.0);
    assert_eq!(after.value("blog_slow_syncs_total", &of_posts), 0.0);
}

#[tokio::test]
async fn busy_connections_and_requests_in_flight_are_counted() {
    let blog = Blog::start_with(&["--posts", "0", "--connections", "4"]).await;
    let mut transaction = blog.pool.begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE tb_user")
        .execute(&mut *transaction)
        .await
        .unwrap();
    let (name, other) = (json!({"name": "ada"}), json!({"name": "bob"}));
    let waiting = async {
        tokio::join!(
            blog.execute(CREATE_USER, name),
            blog.execute(CREATE_USER, other)
        )
    };
    let watching = async {
        until("two requests wait for the lock", async || {
            let metrics = metrics(&blog).await;
            // At least two: the connection of the readiness check may not be returned yet.
            metrics.value("blog_pool_connections", &[("state", "busy")]) >= 2.0
                && metrics.value("blog_http_requests_in_flight", &[]) == 3.0
        })
        .await;
        transaction.rollback().await.unwrap();
    };
    let ((ada, bob), ()) = tokio::join!(waiting, watching);
    assert!(ada["errors"].is_null() && bob["errors"].is_null());
    until("both requests are done", async || {
        let metrics = metrics(&blog).await;
        metrics.value("blog_http_requests_in_flight", &[]) == 1.0
    })
    .await;
}

#[tokio::test]
async fn clients_cannot_create_labels() {
    let blog = Blog::start(0).await;
    for path in ["/nothing", "/else?query=1", "/graphql/more"] {
        let url = format!("{}{path}", blog.url);
        assert_eq!(blog.client.get(url).send().await.unwrap().status(), 404);
    }
    for path in ["/graphql", "/nothing"] {
        let brew = Method::from_bytes(b"BREW").unwrap();
        let request = blog.client.request(brew, format!("{}{path}", blog.url));
        request.send().await.unwrap();
    }
    let metrics = metrics(&blog).await;
    let unmatched = [("route", "unmatched"), ("method", "GET"), ("status", "404")];
    assert_eq!(metrics.value("blog_http_requests_total", &unmatched), 3.0);
    let routes = metrics.labels("blog_http_requests_total", "route");
    assert_eq!(Vec::from_iter(routes), ["/graphql", "unmatched"]);
    let methods = metrics.labels("blog_http_requests_total", "method");
    assert_eq!(Vec::from_iter(methods), ["GET", "other"]);
}

#[tokio::test]
async fn a_cancelled_request_is_counted() {
    let blog = Blog::start(0).await;
    let mut transaction = blog.pool.begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE tb_user")
        .execute(&mut *transaction)
        .await
        .unwrap();
    let body = json!({"query": CREATE_USER, "variables": {"name": "ada"}});
    let request = blog
        .client
        .post(format!("{}/graphql", blog.url))
        .timeout(Duration::from_millis(300))
        .json(&body);
    assert!(request.send().await.unwrap_err().is_timeout());
    until("the request is counted", async || {
        let metrics = metrics(&blog).await;
        let cancelled = [("route", "/graphql"), ("status", "cancelled")];
        metrics.find("blog_http_requests_total", &cancelled) == [1.0]
            && metrics.value("blog_http_requests_in_flight", &[]) == 1.0
    })
    .await;
    transaction.rollback().await.unwrap();
}

#[tokio::test]
async fn statistics_of_the_last_day_are_those_of_the_sync_log() {
    const QUERY: &str = "query ($entity: String) { syncMetrics(entityType: $entity) {
        totalSyncs24h avgDurationMs successRate failures24h } }";
    let blog = without_capture().await;
    let of = async |entity: Option<&str>| {
        let mut data = blog.data(QUERY, json!({"entity": entity})).await;
        data["syncMetrics"].take()
    };

    let nothing = json!({"total_syncs": 0, "avg_duration_ms": null, "success_rate": null});
    let nothing_of = |entity: &str| {
        let mut nothing = nothing.clone();
        nothing["entity_type"] = entity.into();
        nothing
    };
    let (status, body) = get(&blog, "/metrics.json").await;
    assert_eq!(status, 200);
    assert_eq!(
        body,
        json!({"sync_metrics_24h": {
            "overall": nothing,
            "by_entity": [nothing_of("user"), nothing_of("post"), nothing_of("comment")],
        }})
    );
    assert_eq!(
        of(None).await,
        json!({"totalSyncs24h": 0, "avgDurationMs": null, "successRate": null, "failures24h": 0})
    );

    sqlx::raw_sql(
        "INSERT INTO sync_log (created_at, entity, mode, keys, inserted, updated, unchanged, deleted,
                               invalid, duration, retries, success)
         SELECT now() - age, entity, 'sync', 1, 0, 1, 0, 0, 0, duration, 0, success
         FROM (VALUES ('1 hour'::interval, 'user', '1500 microseconds'::interval, true),
                      ('23 hours 59 minutes', 'user', '2 milliseconds', true),
                      ('2 hours', 'user', '3 milliseconds', true),
                      ('3 hours', 'user', '9500 microseconds', false),
                      ('1 minute', 'comment', '4 milliseconds', true),
                      ('24 hours 1 minute', 'post', '1 hour', false),
                      ('1 minute', 'gone', '1 hour', false))
              AS syncs (age, entity, duration, success)",
    )
    .execute(&blog.pool)
    .await
    .unwrap();
    let (_, body) = get(&blog, "/metrics.json").await;
    assert_eq!(
        body,
        json!({"sync_metrics_24h": {
            "overall": {"total_syncs": 5, "avg_duration_ms": 4.0, "success_rate": 80.0},
            "by_entity": [
                {"entity_type": "user", "total_syncs": 4, "avg_duration_ms": 4.0, "success_rate": 75.0},
                nothing_of("post"),
                {"entity_type": "comment", "total_syncs": 1, "avg_duration_ms": 4.0, "success_rate": 100.0},
            ],
        }})
    );
    assert_eq!(
        of(None).await,
        json!({"totalSyncs24h": 5, "avgDurationMs": 4.0, "successRate": 80.0, "failures24h": 1})
    );
    assert_eq!(
        of(Some("user")).await,
        json!({"totalSyncs24h": 4, "avgDurationMs": 4.0, "successRate": 75.0, "failures24h": 1})
    );
    assert_eq!(of(Some("post")).await["totalSyncs24h"], 0);

    // A real sync is counted too.
    blog.data(CREATE_USER, json!({"name": "ada"})).await;
    assert_eq!(of(Some("user")).await["totalSyncs24h"], 5);

    let unknown = blog.execute(QUERY, json!({"entity": "posts"})).await;
    assert_eq!(
        unknown["errors"][0]["message"],
        "there is no entity `posts`; the entities are `user`, `post`, `comment`"
    );
    assert_eq!(unknown["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
}

#[tokio::test]
async fn changes_that_are_left_and_dead_letters_are_shown() {
    let blog = Blog::start(0).await;
    let ada = create(&blog, CREATE_USER, "createUser", json!({"name": "ada"})).await;
    create(&blog, CREATE_POST, "createPost", json!({"author": ada})).await;
    let left = async || {
        let (_, body) = get(&blog, "/ready").await;
        (
            body["changes"]["pending"].clone(),
            body["changes"]["deadLetters"].clone(),
        )
    };
    until("nothing is left", async || {
        left().await == (json!(0), json!(0))
    })
    .await;
    let healthy = metrics(&blog).await;
    for gauge in [
        "blog_changes_pending",
        "blog_changes_oldest_seconds",
        "blog_dead_letters",
    ] {
        assert_eq!(healthy.value(gauge, &[]), 0.0, "{gauge}");
    }
    assert_eq!(healthy.value("blog_worker_alive", &[]), 1.0);
    let (_, health) = get(&blog, "/health").await;
    assert_eq!(health["worker"]["alive"], true);

    // A row that psql changes, whose document is locked.
    let mut lock = blog.pool.begin().await.unwrap();
    let sql = "SELECT FROM tv_post FOR UPDATE";
    sqlx::query(sql).execute(&mut *lock).await.unwrap();
    let psql = async |sql: &'static str| {
        sqlx::raw_sql(sql).execute(&blog.pool).await.unwrap();
    };
    psql("UPDATE tb_post SET title = 'More'").await;
    until("the change is counted", async || left().await.0 == 1).await;
    until("the oldest has an age", async || {
        let behind = metrics(&blog).await;
        behind.value("blog_changes_pending", &[]) == 1.0
            && behind.value("blog_changes_oldest_seconds", &[]) > 0.0
    })
    .await;
    lock.rollback().await.unwrap();
    until("it is drained", async || left().await.0 == 0).await;

    // A document that cannot be written, after all attempts: the time between them is ten minutes.
    psql("ALTER TABLE tv_post ADD CONSTRAINT short CHECK (length(title) < 10)").await;
    psql("UPDATE tb_post SET title = 'Longer than that'").await;
    until("it has failed", async || {
        metrics(&blog).await.value("blog_changes_failing", &[]) == 1.0
    })
    .await;
    psql("UPDATE fraiseql_change SET retry_at = 'infinity'").await;
    assert_eq!(left().await, (json!(0), json!(1)));
    assert_eq!(metrics(&blog).await.value("blog_dead_letters", &[]), 1.0);

    // A later change of the same post is tried once more, and it is no dead letter any more.
    psql("UPDATE tb_post SET title = 'Short'").await;
    until("nothing is left", async || {
        left().await == (json!(0), json!(0))
    })
    .await;
    blog.assert_synced().await;
}
