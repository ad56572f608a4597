//! Clients that know nothing of documents: SQL as psql, other programs and functions of the database run it.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::bail;
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool};

use crate::stress::operation::Keys;

/// Functions and a trigger of the application.
const FUNCTIONS: &str = "
CREATE FUNCTION move_comments(of int4, \"to\" int4) RETURNS void LANGUAGE sql AS $$
    UPDATE tb_comment SET post_id = p.id FROM tb_post AS p WHERE post_id = $1 AND p.id = $2;
    UPDATE tb_post SET title = 'title 2' WHERE id = $2
$$;
CREATE FUNCTION publish(author int4) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    post int4;
BEGIN
    FOR post IN SELECT id FROM tb_post WHERE author_id = $1 ORDER BY id LOOP
        BEGIN
            UPDATE tb_post SET published = true WHERE id = post;
            IF post % 3 = 0 THEN
                RAISE 'not this one';
            END IF;
        EXCEPTION WHEN raise_exception THEN
            DELETE FROM tb_reaction WHERE post_id = post;
        END;
    END LOOP;
END $$;
CREATE FUNCTION react() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO tb_reaction VALUES (NEW.post_id, NEW.author_id) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER react AFTER INSERT ON tb_comment
FOR EACH ROW WHEN (NEW.id % 4 = 0) EXECUTE FUNCTION react();
";

/// A transaction that has ended.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) client: u32,
    pub(super) start: Duration,
    pub(super) end: Duration,
    pub(super) sql: String,
    /// The SQLSTATE.
    pub(super) error: Option<String>,
}

pub(super) struct Plain {
    connection: PgConnection,
    number: u32,
    rng: SmallRng,
    /// Of the server.
    has_merge: bool,
}

/// Creates what the clients use.
pub(super) async fn create(pool: &PgPool) -> sqlx::Result<()> {
    sqlx::raw_sql(FUNCTIONS).execute(pool).await.map(drop)
}

impl Plain {
    pub(super) async fn connect(pool: &PgPool, number: u32, seed: u64) -> anyhow::Result<Self> {
        let mut connection = PgConnection::connect_with(&pool.connect_options()).await?;
        let has_merge =
            sqlx::query_scalar("SELECT current_setting('server_version_num')::int4 >= 150000")
                .fetch_one(&mut connection)
                .await?;
        Ok(Self {
            connection,
            number,
            rng: SmallRng::seed_from_u64(seed),
            has_merge,
        })
    }

    /// Runs a random transaction. Errors that plain SQL may meet beside others end it.
    pub(super) async fn run(&mut self, keys: &Keys, began: Instant) -> anyhow::Result<Entry> {
        let start = began.elapsed();
        let mut sql = self.transaction(keys);
        let result = if let Some(rows) = sql.strip_prefix("COPY ") {
            let rows = rows.to_owned();
            let result = self.copy(&rows).await;
            sql.truncate(200);
            result
        } else {
            let script = sqlx::raw_sql(AssertSqlSafe(&*sql));
            script.execute(&mut self.connection).await.map(drop)
        };
        let mut error = None;
        if let Err(source) = result {
            let code = source.as_database_error().and_then(|error| error.code());
            match code.as_deref() {
                // Constraints, serialization failures and deadlocks.
                Some(code @ ("23503" | "23505" | "40001" | "40P01")) => {
                    error = Some(code.to_owned());
                }
                _ => bail!("{source}\n{sql}"),
            }
            sqlx::raw_sql("ROLLBACK")
                .execute(&mut self.connection)
                .await?;
        }
        if self.rng.random_ratio(1, 4) {
            let pause = Duration::from_micros(self.rng.random_range(0..5_000));
            tokio::time::sleep(pause).await;
        }
        Ok(Entry {
            client: self.number,
            start,
            end: began.elapsed(),
            sql,
            error,
        })
    }

    async fn copy(&mut self, rows: &str) -> sqlx::Result<()> {
        let mut copy = self
            .connection
            .copy_in_raw("COPY tb_comment FROM STDIN (DELIMITER ',')")
            .await?;
        copy.send(rows.as_bytes()).await?;
        copy.finish().await.map(drop)
    }

    /// A transaction, or several statements that are one. After `COPY ` there are rows of `tb_comment`.
    fn transaction(&mut self, keys: &Keys) -> String {
        if self.rng.random_ratio(1, 6) {
            return self.several(keys);
        }
        self.statement(keys)
    }

    /// Statements in an explicit transaction, with savepoints that are rolled back or released.
    fn several(&mut self, keys: &Keys) -> String {
        let level = match self.rng.random_range(0..8) {
            0 => "BEGIN ISOLATION LEVEL REPEATABLE READ",
            1 => "BEGIN ISOLATION LEVEL SERIALIZABLE",
            _ => "BEGIN",
        };
        let mut sql = vec![level.to_owned()];
        for _ in 0..self.rng.random_range(1..4) {
            let mut statement = self.statement(keys);
            while statement.starts_with("COPY") || statement.starts_with("TRUNCATE") {
                statement = self.statement(keys);
            }
            match self.rng.random_range(0..4) {
                0 => sql.extend(["SAVEPOINT s".into(), statement, "ROLLBACK TO s".into()]),
                1 => sql.extend(["SAVEPOINT s".into(), statement, "RELEASE s".into()]),
                2 => sql.extend([statement, "SELECT pg_sleep(0.005)".into()]),
                _ => sql.push(statement),
            }
        }
        let end = if self.rng.random_ratio(1, 6) {
            "ROLLBACK"
        } else {
            "COMMIT"
        };
        sql.push(end.to_owned());
        sql.join("; ")
    }

    fn statement(&mut self, keys: &Keys) -> String {
        let highest = keys.highest_post();
        let (user, other) = (keys.user(&mut self.rng), keys.user(&mut self.rng));
        let post = keys.post(&mut self.rng);
        let to = keys.post(&mut self.rng);
        let comment = keys.comment(&mut self.rng);
        let tag = keys.tag(&mut self.rng);
        let value = self.rng.random_range(0..3);
        match self.rng.random_range(0..100) {
            0..8 => format!(
                "INSERT INTO tb_comment VALUES ({comment}, {post}, {user}, 'content {value}')
                 ON CONFLICT (id) DO UPDATE SET content = EXCLUDED.content, post_id = EXCLUDED.post_id"
            ),
            8..12 => format!(
                "INSERT INTO tb_post SELECT i, {user}, 'title {value}', false
                 FROM generate_series({}, {highest}) AS i ON CONFLICT DO NOTHING",
                (highest - 10).max(1)
            ),
            12..18 => format!("UPDATE tb_user SET name = 'name {value}' WHERE id = {user}"),
            18..22 => format!("UPDATE tb_post SET title = 'title {value}' WHERE author_id = {user}"),
            22..28 => format!("UPDATE tb_post SET author_id = {other} WHERE id = {post}"),
            28..34 => format!("UPDATE tb_comment SET post_id = {to} WHERE id = {comment}"),
            34..37 => format!("UPDATE tb_comment SET author_id = {user} WHERE post_id = {post}"),
            37..40 => format!("UPDATE tb_comment SET id = -id WHERE id = {comment}"),
            40..45 => format!("DELETE FROM tb_comment WHERE id IN ({comment}, -{comment})"),
            // With its comments, tags and reactions.
            45..48 => format!("DELETE FROM tb_post WHERE id = {post}"),
            48..51 => format!("UPDATE tb_tag SET name = 'tag {value}' WHERE id = {tag}"),
            51..55 => format!(
                "INSERT INTO tb_post_tag SELECT id, {tag} FROM tb_post WHERE id IN ({post}, {to})
                 ON CONFLICT DO NOTHING"
            ),
            55..58 => format!("UPDATE tb_post_tag SET tag_id = {tag} WHERE post_id = {post}"),
            58..60 => format!("DELETE FROM tb_post_tag WHERE tag_id = {tag} AND post_id % 3 = 0"),
            60..64 => format!("SELECT move_comments({post}, {to})"),
            64..68 => format!("SELECT publish({user})"),
            68..71 => format!("UPDATE tb_user SET manager_id = {other} WHERE id = {user}"),
            71..74 => format!(
                "INSERT INTO tb_user VALUES ({}, 'name {value}', {user})
                 ON CONFLICT (id) DO UPDATE SET name = 'name 0', manager_id = EXCLUDED.manager_id",
                keys.extra_user(tag)
            ),
            74..76 => format!("DELETE FROM tb_user WHERE id = {}", keys.extra_user(tag)),
            76..80 => format!(
                "INSERT INTO tb_reaction SELECT id, {user} FROM tb_post WHERE id % 3 = {post} % 3
                 ON CONFLICT DO NOTHING"
            ),
            // Partitions by their own names, and rows that move from one to the other.
            80..83 => format!(
                "INSERT INTO tb_reaction_high VALUES ({post}, {user} + 100) ON CONFLICT DO NOTHING"
            ),
            83..85 => format!("DELETE FROM tb_reaction_low WHERE post_id = {post}"),
            85..88 => format!(
                "UPDATE tb_reaction SET user_id = {user} WHERE post_id = {post} AND user_id = {other}"
            ),
            88..91 => self.copied(keys, user),
            91..95 if self.has_merge => format!(
                "MERGE INTO tb_post_tag AS t USING (SELECT {post}, {tag} UNION SELECT {to}, {tag}) AS v (p, t)
                 ON t.post_id = v.p AND t.tag_id = v.t
                 WHEN MATCHED AND v.p % 2 = 0 THEN DELETE
                 WHEN NOT MATCHED THEN INSERT VALUES (v.p, v.t)"
            ),
            95..98 if self.has_merge => format!(
                "MERGE INTO tb_comment AS c USING (SELECT id FROM tb_post WHERE id = {post}) AS p
                 ON c.id = {comment}
                 WHEN MATCHED AND c.post_id = p.id THEN DELETE
                 WHEN MATCHED THEN UPDATE SET post_id = p.id
                 WHEN NOT MATCHED THEN INSERT VALUES ({comment}, p.id, {user}, 'content {value}')"
            ),
            // Seldom: then views are synced as a whole, which hides what was lost before.
            98 if self.rng.random_ratio(1, 20) => match self.rng.random_range(0..4) {
                0 => "TRUNCATE tb_post_tag".to_owned(),
                1 => "TRUNCATE tb_reaction".to_owned(),
                2 => "TRUNCATE tb_reaction_low".to_owned(),
                _ => "TRUNCATE tb_post CASCADE".to_owned(),
            },
            _ => format!(
                "UPDATE tb_post SET published = NOT published WHERE id IN ({post}, {to});
                 UPDATE tb_comment SET content = 'content {value}' WHERE post_id = {post}"
            ),
        }
    }

    /// New comments, as lines.
    fn copied(&mut self, keys: &Keys, user: i32) -> String {
        let first = keys.add_comments(5);
        let lines = (first..first + 5).map(|comment| {
            let post = keys.post(&mut self.rng);
            format!("{comment},{post},{user},content 0\n")
        });
        format!("COPY {}", lines.collect::<String>())
    }
}

/// Keys as [`Operation`](crate::stress::operation::Operation) picks them.
impl Keys {
    fn highest_post(&self) -> i32 {
        self.posts.load(Ordering::Relaxed)
    }

    fn user(&self, rng: &mut SmallRng) -> i32 {
        rng.random_range(1..=self.users)
    }

    /// A user that no operation refers to, and so may be deleted.
    fn extra_user(&self, number: i32) -> i32 {
        self.users + 1_000 + number
    }

    fn tag(&self, rng: &mut SmallRng) -> i32 {
        rng.random_range(1..=self.tags)
    }

    fn post(&self, rng: &mut SmallRng) -> i32 {
        let highest = self.highest_post();
        rng.random_range((highest - 20).max(1)..=highest)
    }

    fn comment(&self, rng: &mut SmallRng) -> i32 {
        let highest = self.comments.load(Ordering::Relaxed);
        rng.random_range((highest - 60).max(1)..=highest)
    }

    /// Reserves keys, and returns the first.
    fn add_comments(&self, count: i32) -> i32 {
        self.comments.fetch_add(count, Ordering::Relaxed) + 1
    }
}
