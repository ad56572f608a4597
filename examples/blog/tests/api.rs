//! Queries over HTTP: statements, pages, filters, errors and query plans.

mod support;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};
use support::Blog;
use support::proxy::StatementProxy;

/// The query of a page of recent posts.
const FIVE_POSTS: &str = "{ posts(limit: 5) { id title author { username fullName } commentCount \
    comments { content author { username } } } }";

/// A blog with this number of posts, and the proxy between it and its database.
async fn start_with_proxy(posts: &str) -> (Blog, StatementProxy) {
    let database = support::database().await;
    let proxy = StatementProxy::start(&database).await;
    let blog = Blog::start_on(&database, &proxy.options, &["--posts", posts]).await;
    // At start, the program verifies all documents in the background. Its statements would be
    // counted too; comments are the last view.
    support::eventually("comments are verified", async || {
        proxy
            .take()
            .iter()
            .any(|sql| is_verification(sql, "tv_comment"))
    })
    .await;
    let idle = "SELECT NOT EXISTS (SELECT FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle')
      AND NOT EXISTS (SELECT FROM fraiseql_change)";
    support::eventually("the verification has ended", async || {
        let is_idle = sqlx::query_scalar(idle)
            .fetch_one(&blog.pool)
            .await
            .unwrap();
        is_idle && proxy.take().is_empty()
    })
    .await;
    (blog, proxy)
}

/// Not one that the check at start prepares.
fn is_verification(sql: &str, view: &str) -> bool {
    sql.contains(view) && sql.contains("AS orphaned") && !sql.starts_with("PREPARE")
}

fn titles(posts: &Value) -> Vec<&str> {
    let posts = posts.as_array().unwrap().iter();
    posts.map(|post| post["title"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn five_posts_with_authors_and_comments_are_one_statement() {
    let (blog, proxy) = start_with_proxy("30").await;
    let posts = blog.field(FIVE_POSTS, json!({})).await;
    assert_eq!(proxy.take().len(), 1);
    assert_eq!(posts.as_array().unwrap().len(), 5);
    for post in posts.as_array().unwrap() {
        assert_eq!(post["commentCount"], 10);
        assert_eq!(post["comments"].as_array().unwrap().len(), 10);
        assert!(post["comments"][9]["author"]["username"].is_string());
        assert!(
            post["author"]["fullName"]
                .as_str()
                .unwrap()
                .starts_with("User Number ")
        );
    }
}

#[tokio::test]
async fn each_root_field_is_one_statement() {
    let (blog, proxy) = start_with_proxy("30").await;
    let posts = blog
        .field("{ posts { id author { id } comments { id } } }", json!({}))
        .await;
    let (post, user) = (&posts[0]["id"], &posts[0]["author"]["id"]);
    let comment = &posts[0]["comments"][0]["id"];
    let fields = [
        format!("post(id: {post}) {{ title comments {{ content }} }}"),
        format!("user(id: {user}) {{ username publishedPostCount commentCount }}"),
        format!("comment(id: {comment}) {{ content post {{ title }} author {{ username }} }}"),
        "posts(orderBy: {createdAt: DESC}, where: {publishedAt: {isNull: false}}) { title }".into(),
        "users(limit: 3, orderBy: {username: ASC}) { username }".to_owned(),
        "comments(offset: 10) { content }".to_owned(),
        "postsConnection(first: 3) { nodes { title } pageInfo { hasNextPage endCursor } }".into(),
        "usersConnection(last: 3) { nodes { username } }".to_owned(),
        "commentsConnection(first: 3) { nodes { content } }".to_owned(),
    ];
    for field in &fields {
        proxy.take();
        let read = blog.field(&format!("{{ {field} }}"), json!({})).await;
        assert!(!read.is_null());
        let statements = proxy.take();
        assert_eq!(statements.len(), 1, "{field}: {statements:#?}");
    }
    let all: Vec<String> = (0..)
        .zip(&fields)
        .map(|(n, field)| format!("a{n}: {field}"))
        .collect();
    blog.data(&format!("{{ {} }}", all.join(" ")), json!({}))
        .await;
    assert_eq!(proxy.take().len(), fields.len());
}

#[tokio::test]
async fn pages_have_each_post_once_in_either_direction() {
    let blog = Blog::start(30).await;
    let all = blog.field(
        "{ posts(limit: 30, orderBy: {createdAt: DESC}) { title } }",
        json!({}),
    );
    let all = all.await;
    let all = titles(&all);
    assert_eq!(all.len(), 30);
    assert_eq!(all[0], "Post Number 30");

    let query = "query ($after: String) {
        postsConnection(first: 7, after: $after, orderBy: {createdAt: DESC}) {
            nodes { title } pageInfo { hasNextPage endCursor }
        }
    }";
    let (mut after, mut seen, mut pages) = (Value::Null, Vec::new(), 0);
    loop {
        let page = blog.field(query, json!({"after": after})).await;
        seen.extend(titles(&page["nodes"]).into_iter().map(str::to_owned));
        pages += 1;
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(
        (seen, pages),
        (all.iter().map(|title| (*title).to_owned()).collect(), 5)
    );

    let query = "query ($before: String!) {
        postsConnection(last: 3, before: $before, orderBy: {createdAt: DESC}) { nodes { title } }
    }";
    let page = blog.field(query, json!({"before": after})).await;
    // `after` is the end of the page before the last, the 28th.
    assert_eq!(titles(&page["nodes"]), &all[24..27]);
}

#[tokio::test]
async fn lists_are_filtered_ordered_and_cut() {
    let blog = Blog::start(30).await;
    // Every tenth post is a draft.
    let query = "{ posts(where: {publishedAt: {isNull: true}}, orderBy: {title: DESC}) { title } }";
    let drafts = blog.field(query, json!({})).await;
    assert_eq!(
        titles(&drafts),
        ["Post Number 30", "Post Number 20", "Post Number 10"]
    );
    let query = "{ posts(where: {identifier: {in: [\"post-3\", \"post-4\"]}},
        orderBy: [{createdAt: ASC}]) { title } }";
    let two = blog.field(query, json!({})).await;
    assert_eq!(titles(&two), ["Post Number 3", "Post Number 4"]);
    let query = "{ posts(orderBy: {createdAt: ASC}, limit: 2, offset: 5) { title } }";
    let two = blog.field(query, json!({})).await;
    assert_eq!(titles(&two), ["Post Number 6", "Post Number 7"]);
    let query = "query ($name: String!) { users(where: {username: {eq: $name}}) { fullName } }";
    let user = blog.field(query, json!({"name": "user2"})).await;
    assert_eq!(user, json!([{"fullName": "User Number 2"}]));
    let query = "{ posts(orderBy: [{commentCount: DESC}, {createdAt: DESC}], limit: 1) { title } }";
    let most = blog.field(query, json!({})).await;
    assert_eq!(titles(&most), ["Post Number 30"]);
}

#[tokio::test]
async fn invalid_queries_are_rejected_without_a_statement() {
    let (blog, proxy) = start_with_proxy("1").await;
    for (query, part) in [
        ("{ posts(limit: 101) { id } }", "at most 100"),
        ("{ posts(limit: -1) { id } }", "negative"),
        (
            "{ postsConnection(first: 1, after: \"nonsense\") { nodes { id } } }",
            "after",
        ),
        ("{ posts(where: {content: {eq: \"\"}}) { id } }", "content"),
        ("{ posts { nothing } }", "nothing"),
        ("{ post(id: \"seven\") { id } }", "id"),
    ] {
        let response = blog.send(query, json!({})).await.unwrap();
        let response: Value = response.json().await.unwrap();
        let message = response["errors"][0]["message"].as_str();
        let message = message.unwrap_or_else(|| panic!("{query} should fail: {response:#}"));
        assert!(message.contains(part), "{query}: {message}");
    }
    assert!(proxy.take().is_empty());
}

#[tokio::test]
async fn tools_can_read_the_schema_and_nobody_all_of_its_depths() {
    let blog = Blog::start(1).await;
    // What GraphiQL and code generators send.
    let introspection = include_str!("../../../tests/src/introspection.graphql");
    for _ in 0..2 {
        let schema = blog.field(introspection, json!({})).await;
        let types = schema["types"].as_array().unwrap();
        let post = types.iter().find(|ty| ty["name"] == "Post").unwrap();
        let fields: Vec<_> = post["fields"].as_array().unwrap().iter().collect();
        assert!(fields.iter().any(|field| field["name"] == "comments"));
    }
    let nested =
        "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }";
    let (message, _) = blog.error(nested, json!({})).await;
    assert_eq!(message, "Maximum introspection depth exceeded");
    // The limits of the schema still apply to data.
    let aliases: String = (0..400).map(|n| format!("a{n}: title ")).collect();
    let costly = format!(
        "{{ __typename {} }}",
        format!("posts {{ {aliases} }}").repeat(13)
    );
    let (message, _) = blog.error(&costly, json!({})).await;
    assert!(message.contains("more than"), "{message}");
}

#[tokio::test]
async fn sample_posts_differ_and_their_documents_are_synced() {
    let blog = Blog::start(30).await;
    let query = "{ posts(limit: 30) { likeCount tags { name } } }";
    let posts = blog.field(query, json!({})).await;
    let posts = posts.as_array().unwrap();
    let likes: BTreeSet<i64> = posts
        .iter()
        .map(|post| post["likeCount"].as_i64().unwrap())
        .collect();
    assert_eq!(likes, BTreeSet::from([0, 1, 2, 3]), "there are three users");
    assert!(
        posts
            .iter()
            .all(|post| post["tags"].as_array().unwrap().len() == 3)
    );
    blog.assert_synced().await;
}

/// Explains every statement as the program sends it, on tables that are large enough for the
/// planner to prefer an index.
#[tokio::test]
async fn every_command_finds_its_rows_by_an_index() {
    let (blog, proxy) = start_with_proxy("2000").await;
    let readers = "INSERT INTO tb_user (identifier, username, full_name)
        SELECT 'reader' || i, 'reader' || i, 'Reader' FROM generate_series(1, 5000) AS i; ANALYZE";
    sqlx::raw_sql(readers).execute(&blog.pool).await.unwrap();
    let posts = blog.field(
        "{ posts(limit: 2) { id version author { id } comments { id } } }",
        json!({}),
    );
    let posts = posts.await;
    let (one, two, version) = (&posts[0]["id"], &posts[1]["id"], &posts[0]["version"]);
    let (ada, comments) = (&posts[0]["author"]["id"], &posts[0]["comments"]);
    let (c, d) = (&comments[0]["id"], &comments[1]["id"]);
    #[rustfmt::skip]
    let requests = [
        FIVE_POSTS.to_owned(),
        "mutation { createUser(username: \"carl\", fullName: \"Carl\") { id } }".to_owned(),
        format!("mutation {{ updateUser(id: {ada}, bio: \"Engines\") {{ id }} }}"),
        format!("mutation {{ createPost(authorId: {ada}, title: \"3\", content: \"\") {{ id }} }}"),
        format!("mutation {{ updatePost(id: {one}, version: {version}, title: \"1\") {{ id }} }}"),
        format!("mutation {{ updatePost(id: {two}, version: 77, title: \"1\") {{ id }} }}"),
        format!("mutation {{ publishPost(id: {one}) {{ id }} }}"),
        format!("mutation {{ createComment(postId: {two}, authorId: {ada}, content: \"3\") {{ id }} }}"),
        format!("mutation {{ moveComment(id: {c}, postId: {two}) {{ id }} }}"),
        format!("mutation {{ deleteComment(id: {d}) {{ id }} }}"),
        format!("mutation {{ tagPost(id: {one}, tags: [\"Rust\", \"New\"]) {{ id }} }}"),
        format!("mutation {{ likePost(id: {one}, userId: {ada}) {{ id }} }}"),
        format!("mutation {{ deletePost(id: {two}) {{ id }} }}"),
        format!("mutation {{ deleteUser(id: {ada}) {{ incomplete {{ type }} }} }}"),
    ];
    proxy.take();
    let mut statements = BTreeSet::new();
    for request in requests {
        blog.execute(&request, json!({})).await;
        statements.extend(proxy.take());
    }
    // The syncs of fraiseql-runtime are left out, since it has its own tests of their plans. They
    // quote the names of base tables; the statements of the blog do not. The messages of a flush are of
    // several statements, the first of which is SET.
    let is_flush = |sql: &str| sql.starts_with("SET CONSTRAINTS");
    let is_read = |sql: &str| sql.contains("\"tv_") && !sql.contains("\"tb_") && !is_flush(sql);
    let is_of_blog = |sql: &&String| sql.contains(" tb_") || is_read(sql);
    let statements: Vec<&String> = statements.iter().filter(is_of_blog).collect();
    assert!(statements.len() >= 17, "{statements:#?}");
    for sql in statements {
        let plan = generic_plan(&blog.pool, sql).await;
        // A table of a few tags may be scanned.
        let is_scan = |line: &&String| line.contains("Seq Scan on") && !line.contains("on tb_tag");
        assert!(
            !plan.iter().any(|line| is_scan(&line)),
            "{sql}\n{}",
            plan.join("\n")
        );
    }
}

/// The generic plan of a statement, which does not depend on the values of its parameters.
async fn generic_plan(pool: &PgPool, sql: &str) -> Vec<String> {
    let count = (1..).take_while(|n| sql.contains(&format!("${n}"))).count();
    let mut tx = pool.begin().await.unwrap();
    let prepare = format!("SET LOCAL plan_cache_mode = force_generic_plan; PREPARE s AS {sql}");
    let prepared = sqlx::raw_sql(AssertSqlSafe(prepare))
        .execute(&mut *tx)
        .await;
    prepared.unwrap_or_else(|error| panic!("{error}: {sql}"));
    let nulls = vec!["NULL"; count].join(", ");
    let values = if count == 0 {
        String::new()
    } else {
        format!("({nulls})")
    };
    let explain = format!("EXPLAIN (COSTS OFF) EXECUTE s{values}");
    let plan = sqlx::query_scalar(AssertSqlSafe(explain))
        .fetch_all(&mut *tx)
        .await
        .unwrap();
    sqlx::raw_sql("DEALLOCATE s")
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.rollback().await.unwrap();
    plan
}

#[tokio::test]
async fn the_first_user_of_the_sample_has_a_known_id() {
    let blog = Blog::start(10).await;
    let query = "{ user(id: \"00000000-0000-0000-0000-000000000001\") { username } }";
    assert_eq!(
        blog.field(query, json!({})).await,
        json!({"username": "user1"})
    );
    let users = blog.field("{ users(limit: 100) { id } }", json!({})).await;
    assert_eq!(users.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn each_response_says_how_long_it_took() {
    let blog = Blog::start(0).await;
    for path in [
        "/graphql?query={__typename}",
        "/",
        "/health",
        "/metrics.json",
        "/nowhere",
    ] {
        let response = blog
            .client
            .get(format!("{}{path}", blog.url))
            .send()
            .await
            .unwrap();
        let seconds = response
            .headers()
            .get("x-process-time")
            .expect(path)
            .to_str()
            .unwrap();
        let seconds: f64 = seconds.parse().unwrap();
        assert!((0.0..30.0).contains(&seconds), "{path}: {seconds}");
    }
}
