//! A comment is added to a post: `createComment` of the example `blog`, whose documents of three views
//! change.
//!
//! Compared with the same by hand, as a good engineer would write it: the three statements of the
//! application, and one upsert of nested `jsonb_build_object` for each view, in one transaction, into
//! tables with the columns and indexes that the same lists need. It has no guard against concurrent writers, and it has to know which documents change. Both end with
//! reading the document of the comment.

use std::time::{Duration, Instant};

use anyhow::ensure;
use blog_example::service::comments;
use blog_example::views::{Comment, read_model, sync_all_comments, sync_all_posts, sync_all_users};
use dev_postgres::Server;
use fraiseql_runtime::model::ReadModelBuilder;
use fraiseql_runtime::{Capture, ReadModel, TView as _};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::blog::durable_server;
use crate::measure::{Times, millis};
use crate::mutation::proxy::Proxy;

/// Options of the added comment.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(super) struct Options {
    /// Measured rounds of the added comment.
    #[arg(long, default_value_t = 200)]
    comment_rounds: usize,
    /// Measured rounds with a network.
    #[arg(long, default_value_t = 50)]
    network_rounds: usize,
    /// The round trip of the network, in milliseconds.
    #[arg(long, default_value_t = 1.0)]
    network: f64,
    /// The mutation does not read the position of its commit, as without replicas.
    #[arg(long)]
    without_positions: bool,
}

const TABLES: &str = include_str!("../../../examples/blog/migrations/0001_tables.sql");

/// 100 users, 1,000 posts and 10,000 comments.
const ROWS: &str = "
INSERT INTO tb_user (identifier, username, full_name)
SELECT 'user' || i, 'user' || i, 'User Number ' || i FROM generate_series(1, 100) AS i;
INSERT INTO tb_tag (identifier, name)
VALUES ('rust', 'Rust'), ('postgres', 'PostgreSQL'), ('graphql', 'GraphQL'), ('sql', 'SQL');
INSERT INTO tb_post (identifier, fk_author, title, content, published_at)
SELECT 'post-' || i, i % 100 + 1, 'Post Number ' || i,
       repeat('What there is to say about post ' || i || '. ', 10), now()
FROM generate_series(1, 1000) AS i;
INSERT INTO tb_post_tag
SELECT p.pk_post, t.pk_tag FROM tb_post AS p JOIN tb_tag AS t ON p.pk_post % 4 <> t.pk_tag % 4;
INSERT INTO tb_like
SELECT p.pk_post, u.pk_user FROM tb_post AS p JOIN tb_user AS u ON u.pk_user <= p.pk_post % 5;
INSERT INTO tb_comment (fk_post, fk_author, content, created_at)
SELECT p.pk_post, (p.pk_post * 7 + n * 13) % 100 + 1, 'Comment number ' || n,
       now() - n * interval '1 second'
FROM tb_post AS p CROSS JOIN generate_series(1, 10) AS n;
CREATE TABLE hand_user (id uuid PRIMARY KEY, identifier text, username text, created_at timestamptz,
    data jsonb NOT NULL, updated_at timestamptz NOT NULL);
CREATE INDEX ON hand_user (identifier);
CREATE INDEX ON hand_user (username, id);
CREATE INDEX ON hand_user (created_at, id);
CREATE TABLE hand_post (id uuid PRIMARY KEY, identifier text, title text, published_at timestamptz,
    created_at timestamptz, comment_count bigint, data jsonb NOT NULL, updated_at timestamptz NOT NULL);
CREATE INDEX ON hand_post (identifier);
CREATE INDEX ON hand_post (title, id);
CREATE INDEX ON hand_post (published_at, id);
CREATE INDEX ON hand_post (created_at, id);
CREATE INDEX ON hand_post (comment_count, id);
CREATE TABLE hand_comment (id uuid PRIMARY KEY, created_at timestamptz, data jsonb NOT NULL,
    updated_at timestamptz NOT NULL);
CREATE INDEX ON hand_comment (created_at, id);
";

/// The statements of the application, as in `rows/comments.rs` of the example.
const LOCK_AUTHORS: &str = "
SELECT FROM tb_user AS u
WHERE u.pk_user = ANY (ARRAY(
    SELECT p.fk_author FROM tb_post AS p WHERE p.id = ANY ($1)
    UNION ALL
    SELECT c.fk_author FROM tb_post AS p JOIN tb_comment AS c ON c.fk_post = p.pk_post
    WHERE p.id = ANY ($1)
    UNION ALL
    SELECT pk_user FROM tb_user WHERE id = ANY ($2)
))
ORDER BY u.pk_user
FOR SHARE OF u";
const POST_KEY: &str = "SELECT pk_post FROM tb_post WHERE id = $1 FOR SHARE";
const INSERT: &str = "
INSERT INTO tb_comment (fk_post, fk_author, content)
SELECT $1, u.pk_user, $3 FROM tb_user AS u WHERE u.id = $2
RETURNING id";

const HAND_USER: &str = "
INSERT INTO hand_user (id, identifier, username, created_at, data, updated_at)
SELECT u.id, u.identifier, u.username, u.created_at, jsonb_build_object(
    'id', u.id, 'identifier', u.identifier, 'username', u.username, 'fullName', u.full_name,
    'bio', u.bio, 'createdAt', u.created_at,
    'publishedPostCount', (SELECT count(*) FROM tb_post AS p
                           WHERE p.fk_author = u.pk_user AND p.published_at IS NOT NULL),
    'commentCount', (SELECT count(*) FROM tb_comment AS c WHERE c.fk_author = u.pk_user)
  ), now()
FROM tb_user AS u
WHERE {where}
ON CONFLICT (id) DO UPDATE SET identifier = EXCLUDED.identifier, username = EXCLUDED.username,
  created_at = EXCLUDED.created_at, data = EXCLUDED.data, updated_at = EXCLUDED.updated_at";

const HAND_POST: &str = "
INSERT INTO hand_post (id, identifier, title, published_at, created_at, comment_count, data, updated_at)
SELECT p.id, p.identifier, p.title, p.published_at, p.created_at, cc.number, jsonb_build_object(
    'id', p.id, 'identifier', p.identifier, 'title', p.title, 'content', p.content,
    'publishedAt', p.published_at, 'version', p.version, 'createdAt', p.created_at,
    'author', jsonb_build_object('id', u.id, 'username', u.username, 'fullName', u.full_name),
    'tags', coalesce((
      SELECT jsonb_agg(jsonb_build_object('id', t.id, 'identifier', t.identifier, 'name', t.name)
                       ORDER BY t.name, t.id)
      FROM tb_post_tag AS pt JOIN tb_tag AS t ON t.pk_tag = pt.fk_tag
      WHERE pt.fk_post = p.pk_post), '[]'),
    'comments', coalesce((
      SELECT jsonb_agg(jsonb_build_object(
          'id', c.id, 'content', c.content, 'createdAt', c.created_at,
          'author', jsonb_build_object(
            'id', cu.id, 'username', cu.username, 'fullName', cu.full_name)
        ) ORDER BY c.created_at DESC, c.id)
      FROM (SELECT * FROM tb_comment WHERE fk_post = p.pk_post
            ORDER BY created_at DESC, id LIMIT 50) AS c
      JOIN tb_user AS cu ON cu.pk_user = c.fk_author), '[]'),
    'commentCount', cc.number,
    'likeCount', (SELECT count(*) FROM tb_like AS l WHERE l.fk_post = p.pk_post)
  ), now()
FROM tb_post AS p
JOIN tb_user AS u ON u.pk_user = p.fk_author
CROSS JOIN LATERAL (SELECT count(*) AS number FROM tb_comment AS c WHERE c.fk_post = p.pk_post) AS cc
WHERE {where}
ON CONFLICT (id) DO UPDATE SET identifier = EXCLUDED.identifier, title = EXCLUDED.title,
  published_at = EXCLUDED.published_at, created_at = EXCLUDED.created_at,
  comment_count = EXCLUDED.comment_count, data = EXCLUDED.data, updated_at = EXCLUDED.updated_at";

const HAND_COMMENT: &str = "
INSERT INTO hand_comment (id, created_at, data, updated_at)
SELECT c.id, c.created_at, jsonb_build_object(
    'id', c.id, 'content', c.content, 'createdAt', c.created_at,
    'author', jsonb_build_object('id', u.id, 'username', u.username, 'fullName', u.full_name),
    'post', jsonb_build_object('id', p.id, 'identifier', p.identifier, 'title', p.title)
  ), now()
FROM tb_comment AS c
JOIN tb_user AS u ON u.pk_user = c.fk_author
JOIN tb_post AS p ON p.pk_post = c.fk_post
WHERE {where}
ON CONFLICT (id) DO UPDATE SET created_at = EXCLUDED.created_at, data = EXCLUDED.data,
  updated_at = EXCLUDED.updated_at";

/// The upserts, and by which condition a document of each is found.
const HAND: [(&str, &str); 3] = [
    (HAND_USER, "u.id = $1"),
    (HAND_POST, "p.id = $1"),
    (HAND_COMMENT, "c.id = $1"),
];

#[derive(Debug, serde::Serialize)]
struct Report {
    server: String,
    cores: usize,
    /// Without a network, then with one.
    lines: Vec<Line>,
}

#[derive(Debug, serde::Serialize)]
struct Line {
    /// The round trip of the network, in milliseconds.
    network: f64,
    ours: Contender,
    by_hand: Contender,
}

#[derive(Debug, serde::Serialize)]
struct Contender {
    /// The median in milliseconds.
    time: f64,
    /// Statements that the server has executed for one comment.
    statements: u64,
    /// With the pool's test of the connection.
    round_trips: u64,
}

pub(super) async fn run(options: &Options, capture: Capture, json: bool) -> anyhow::Result<()> {
    let server = durable_server()?;
    eprintln!("{}: loading a blog", server.description());
    let ours = read_model()
        .capture(capture)
        .positions(!options.without_positions);
    let bench = Bench::load(&server, ours).await?;
    let near = bench.measure(0.0, options.comment_rounds).await?;
    let far = bench
        .measure(options.network, options.network_rounds)
        .await?;
    bench.compare().await?;
    let report = Report {
        server: server.description().to_owned(),
        cores: std::thread::available_parallelism().map_or(0, usize::from),
        lines: vec![near, far],
    };
    if json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
    }
    Ok(())
}

fn print(report: &Report) {
    println!(
        "{}, {} cores, a comment is added, three documents change; medians",
        report.server, report.cores
    );
    println!();
    println!("| network | ours | by hand | ours / by hand | statements | round trips |");
    println!("|---:|---:|---:|---:|---:|---:|");
    for Line {
        network,
        ours,
        by_hand,
    } in &report.lines
    {
        println!(
            "| {network} ms | {} | {} | **{:.2}** | {} / {} | {} / {} |",
            millis(ours.time),
            millis(by_hand.time),
            ours.time / by_hand.time,
            ours.statements,
            by_hand.statements,
            ours.round_trips,
            by_hand.round_trips
        );
    }
    println!();
}

struct Bench {
    /// Of each contender, so that statements by hand run without triggers that record changes.
    blogs: [Blog; 2],
    upserts: [&'static str; 3],
}

/// A blog in a database of its own.
struct Blog {
    options: PgConnectOptions,
    pool: PgPool,
    model: ReadModel,
    posts: Vec<Uuid>,
    users: Vec<Uuid>,
}

impl Blog {
    async fn load(options: PgConnectOptions, builder: ReadModelBuilder) -> anyhow::Result<Self> {
        let pool = PgPool::connect_with(options.clone()).await?;
        sqlx::raw_sql(TABLES).execute(&pool).await?;
        sqlx::raw_sql(ROWS).execute(&pool).await?;
        let model = builder.build()?;
        model.migrate(&pool).await?;
        sqlx::raw_sql("VACUUM ANALYZE").execute(&pool).await?;
        sync_all_users(&pool).await?;
        sync_all_posts(&pool).await?;
        sync_all_comments(&pool).await?;
        for (text, _) in HAND {
            sqlx::query(leaked(text, "true")).execute(&pool).await?;
        }
        sqlx::raw_sql("VACUUM ANALYZE").execute(&pool).await?;
        let ids = async |table: &str| {
            sqlx::query_scalar::<_, Uuid>(leaked("SELECT id FROM {where}", table))
                .fetch_all(&pool)
                .await
        };
        let (posts, users) = (ids("tb_post").await?, ids("tb_user").await?);
        Ok(Self {
            options,
            pool,
            model,
            posts,
            users,
        })
    }
}

impl Bench {
    async fn load(server: &Server, ours: ReadModelBuilder) -> anyhow::Result<Self> {
        Ok(Self {
            blogs: [
                Blog::load(server.create_database().await?, ours).await?,
                Blog::load(server.create_database().await?, read_model()).await?,
            ],
            upserts: HAND.map(|(text, condition)| leaked(text, condition)),
        })
    }

    /// Measures both, alternating, behind a network with that round trip.
    async fn measure(&self, network: f64, rounds: usize) -> anyhow::Result<Line> {
        const WARM_UP: usize = 20;
        // The proxy takes time itself: it counts in rounds of its own.
        let [ours, by_hand] = &self.blogs;
        let counting = Proxy::start(&ours.options, Duration::ZERO)?;
        let delaying = Proxy::start(&ours.options, Duration::from_secs_f64(network / 2e3))?;
        let pool = |options| {
            PgPoolOptions::new()
                .max_connections(2)
                .connect_with(options)
        };
        let counted = [
            pool(counting.options(&ours.options)).await?,
            pool(counting.options(&by_hand.options)).await?,
        ];
        let through = |options: &PgConnectOptions| match network > 0.0 {
            true => delaying.options(options),
            false => options.clone(),
        };
        let timed = [
            pool(through(&ours.options)).await?,
            pool(through(&by_hand.options)).await?,
        ];
        let mut times: [Times; 2] = Default::default();
        let mut counts = [(0, 0); 2];
        for round in 0..rounds + WARM_UP {
            for place in 0..2 {
                let contender = (place + round) % 2;
                let Blog { posts, users, .. } = &self.blogs[contender];
                let post = posts[(round * 7) % posts.len()];
                let user = users[(round * 3) % users.len()];
                let start = Instant::now();
                self.add(contender, &timed[contender], post, user).await?;
                if round >= WARM_UP {
                    times[contender].push(start.elapsed());
                    continue;
                }
                counting.take_counts();
                self.add(contender, &counted[contender], post, user).await?;
                // sqlx tests a connection that returns to the pool, in a task.
                tokio::time::sleep(Duration::from_millis(5)).await;
                counts[contender] = counting.take_counts();
            }
        }
        let contender = |place: usize| Contender {
            time: times[place].median(),
            statements: counts[place].0,
            round_trips: counts[place].1,
        };
        Ok(Line {
            network,
            ours: contender(0),
            by_hand: contender(1),
        })
    }

    async fn add(
        &self,
        contender: usize,
        pool: &PgPool,
        post: Uuid,
        user: Uuid,
    ) -> anyhow::Result<()> {
        const CONTENT: &str = "A comment that says something of average length about it.";
        let (id, is_read) = if contender == 0 {
            let mut m = self.blogs[0].model.mutation(pool).await?;
            let id = comments::create(&mut m, post, user, CONTENT).await?;
            let report = m.commit().await?;
            ensure!(report.changed() >= 3, "{report:?}");
            (id, Comment::find_json(pool, id).await?.is_some())
        } else {
            let mut tx = pool.begin().await?;
            let id = self.add_by_hand(&mut tx, post, user, CONTENT).await?;
            tx.commit().await?;
            let data: Option<String> =
                sqlx::query_scalar("SELECT data::text FROM hand_comment WHERE id = $1")
                    .bind(id)
                    .fetch_optional(pool)
                    .await?;
            (id, data.is_some())
        };
        ensure!(is_read, "no document of comment {id}");
        Ok(())
    }

    async fn add_by_hand(
        &self,
        connection: &mut PgConnection,
        post: Uuid,
        user: Uuid,
        content: &str,
    ) -> anyhow::Result<Uuid> {
        sqlx::query(LOCK_AUTHORS)
            .bind([post].as_slice())
            .bind([user].as_slice())
            .execute(&mut *connection)
            .await?;
        let post_key: i64 = sqlx::query_scalar(POST_KEY)
            .bind(post)
            .fetch_one(&mut *connection)
            .await?;
        let id: Uuid = sqlx::query_scalar(INSERT)
            .bind(post_key)
            .bind(user)
            .bind(content)
            .fetch_one(&mut *connection)
            .await?;
        for (upsert, key) in self.upserts.into_iter().zip([user, post, id]) {
            sqlx::query(upsert)
                .bind(key)
                .execute(&mut *connection)
                .await?;
        }
        Ok(id)
    }

    /// Checks that both store the same documents, in both databases. Each contender has left out those of the
    /// other.
    async fn compare(&self) -> anyhow::Result<()> {
        for Blog { pool, .. } in &self.blogs {
            sync_all_users(pool).await?;
            sync_all_posts(pool).await?;
            sync_all_comments(pool).await?;
            for (text, _) in HAND {
                sqlx::query(leaked(text, "true")).execute(pool).await?;
            }
            for view in ["user", "post", "comment"] {
                let different: i64 = sqlx::query_scalar(leaked(
                    "SELECT count(*) FROM tv_{where} AS a FULL JOIN hand_{where} AS b USING (id)
                     WHERE a.data::jsonb IS DISTINCT FROM b.data",
                    view,
                ))
                .fetch_one(pool)
                .await?;
                ensure!(different == 0, "{different} documents of {view} differ");
            }
        }
        Ok(())
    }
}

/// Fills in the condition. The text is leaked, because sqlx accepts `&'static str` without an
/// assertion.
fn leaked(text: &str, condition: &str) -> &'static str {
    text.replace("{where}", condition).leak()
}
