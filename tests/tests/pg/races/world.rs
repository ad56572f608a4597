//! The tables, the views, the plain upsert, and the expected documents.

use std::collections::BTreeSet;

use fraiseql_runtime::{Capture, Embed, Mutation, ReadModel, TView};
use fraiseql_tests::run;
use sqlx::PgPool;

/// Stops a session that has `test.pause` while it builds a document, after its snapshot, for as
/// long as another session holds the advisory lock.
const TABLES: &str = "
CREATE TABLE tb_user (id int4 PRIMARY KEY, name text NOT NULL);
CREATE TABLE tb_post (
    id int4 PRIMARY KEY,
    author_id int4 NOT NULL REFERENCES tb_user,
    title text NOT NULL
);
CREATE INDEX ON tb_post (author_id);
CREATE TABLE tb_comment (
    id int4 PRIMARY KEY,
    post_id int4 NOT NULL REFERENCES tb_post ON DELETE CASCADE,
    author_id int4 NOT NULL REFERENCES tb_user,
    content text NOT NULL
);
CREATE INDEX ON tb_comment (post_id);
CREATE TABLE tb_tag (id int4 PRIMARY KEY, name text NOT NULL);
CREATE TABLE tb_post_tag (
    post_id int4 REFERENCES tb_post ON DELETE CASCADE,
    tag_id int4 REFERENCES tb_tag,
    PRIMARY KEY (post_id, tag_id)
);
CREATE FUNCTION pause(id int4) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
    IF current_setting('test.pause', true) = 'yes' THEN
        PERFORM pg_advisory_xact_lock_shared(1);
    END IF;
    RETURN true;
END $$";

const ROWS: &str = "
DELETE FROM tb_post_tag; DELETE FROM tb_comment; DELETE FROM tb_post; DELETE FROM tb_user;
DELETE FROM tb_tag; DELETE FROM tv_post; DELETE FROM tv_parted; DELETE FROM tv_user;
INSERT INTO tb_user VALUES (1, 'Ada'), (2, 'Bob'), (3, 'Cleo');
INSERT INTO tb_post VALUES (1, 1, 'One'), (2, 2, 'Two');
INSERT INTO tb_comment VALUES (1, 1, 2, 'First!'), (2, 2, 1, 'Hello');
INSERT INTO tb_tag VALUES (1, 'rust'), (2, 'sql');
INSERT INTO tb_post_tag VALUES (2, 2)";

#[derive(Embed)]
#[tview(table = "tb_user")]
#[allow(dead_code)]
pub(crate) struct Author {
    id: i32,
    name: String,
}

#[derive(Embed)]
#[tview(table = "tb_comment")]
#[allow(dead_code)]
pub(crate) struct PostComment {
    id: i32,
    content: String,
    #[tview(one(fk = "author_id"))]
    author: Author,
}

#[derive(Embed)]
#[tview(table = "tb_tag")]
#[allow(dead_code)]
pub(crate) struct Tag {
    id: i32,
    name: String,
}

#[derive(TView)]
#[allow(dead_code)]
pub(crate) struct Post {
    id: i32,
    #[tview(filter)]
    title: String,
    #[tview(expr = "pause({}.id)")]
    paused: bool,
    #[tview(one(fk = "author_id"))]
    author: Author,
    #[tview(many(fk = "post_id"))]
    comments: Vec<PostComment>,
    #[tview(many(through(table = "tb_post_tag", fk = "post_id", to = "tag_id")))]
    tags: Vec<Tag>,
    #[tview(count(table = "tb_comment", fk = "post_id"))]
    comment_count: i64,
}

/// The same in a partitioned view table.
#[derive(TView)]
#[tview(table = "tb_post", view = "tv_parted", partition(hash = 3))]
#[allow(dead_code)]
struct Parted {
    id: i32,
    #[tview(filter)]
    title: String,
    #[tview(expr = "pause({}.id)")]
    paused: bool,
    #[tview(one(fk = "author_id"))]
    author: Author,
    #[tview(many(fk = "post_id"))]
    comments: Vec<PostComment>,
    #[tview(many(through(table = "tb_post_tag", fk = "post_id", to = "tag_id")))]
    tags: Vec<Tag>,
    #[tview(count(table = "tb_comment", fk = "post_id"))]
    comment_count: i64,
}

#[derive(Embed)]
#[tview(table = "tb_comment")]
#[allow(dead_code)]
struct UserComment {
    id: i32,
    content: String,
}

#[derive(Embed)]
#[tview(table = "tb_post")]
#[allow(dead_code)]
struct UserPost {
    id: i32,
    title: String,
    #[tview(many(fk = "post_id"))]
    comments: Vec<UserComment>,
}

#[derive(TView)]
#[allow(dead_code)]
pub(crate) struct User {
    id: i32,
    name: String,
    #[tview(expr = "pause({}.id)")]
    paused: bool,
    #[tview(many(fk = "author_id"))]
    posts: Vec<UserPost>,
    #[tview(count(table = "tb_post", fk = "author_id"))]
    post_count: i64,
}

/// The document of a post, as SQL written by hand.
macro_rules! post {
    () => {
        "jsonb_build_object('id', p.id, 'title', p.title, 'paused', pause(p.id),
            'author', (SELECT jsonb_build_object('id', u.id, 'name', u.name)
                FROM tb_user u WHERE u.id = p.author_id),
            'comments', coalesce((SELECT jsonb_agg(jsonb_build_object(
                    'id', c.id, 'content', c.content,
                    'author', jsonb_build_object('id', u.id, 'name', u.name)) ORDER BY c.id)
                FROM tb_comment c JOIN tb_user u ON u.id = c.author_id
                WHERE c.post_id = p.id), '[]'),
            'tags', coalesce((SELECT jsonb_agg(jsonb_build_object('id', t.id, 'name', t.name)
                    ORDER BY t.id)
                FROM tb_post_tag pt JOIN tb_tag t ON t.id = pt.tag_id
                WHERE pt.post_id = p.id), '[]'),
            'commentCount', (SELECT count(*) FROM tb_comment c WHERE c.post_id = p.id))"
    };
}

/// The document of a user, as SQL written by hand.
macro_rules! user {
    () => {
        "jsonb_build_object('id', u.id, 'name', u.name, 'paused', pause(u.id),
            'posts', coalesce((SELECT jsonb_agg(jsonb_build_object(
                    'id', p.id, 'title', p.title,
                    'comments', coalesce((SELECT jsonb_agg(jsonb_build_object(
                            'id', c.id, 'content', c.content) ORDER BY c.id)
                        FROM tb_comment c WHERE c.post_id = p.id), '[]')) ORDER BY p.id)
                FROM tb_post p WHERE p.author_id = u.id), '[]'),
            'postCount', (SELECT count(*) FROM tb_post p WHERE p.author_id = u.id))"
    };
}

/// The plain upsert for the keys `$1`: documents without a row are deleted, the others written.
macro_rules! plain {
    ($view:literal, $columns:literal, $from:literal, $key:literal, $table:literal, $values:literal, $document:expr) => {
        [
            concat!(
                "DELETE FROM ",
                $view,
                " v WHERE v.id = ANY ($1::int4[])
                 AND NOT EXISTS (SELECT FROM ",
                $table,
                " WHERE id = v.id)"
            ),
            concat!(
                "INSERT INTO ",
                $view,
                " (id, ",
                $columns,
                "data, version, synced_xid, updated_at)
                 SELECT ",
                $key,
                ", ",
                $values,
                $document,
                ", 1, pg_current_xact_id(), now()
                 FROM ",
                $from,
                " WHERE ",
                $key,
                " = ANY ($1::int4[]) ORDER BY ",
                $key,
                "
                 ON CONFLICT (id) DO UPDATE SET data = EXCLUDED.data"
            ),
        ]
    };
}

/// Documents that are wrong: the key, what is stored, what is expected.
macro_rules! compared {
    ($view:literal, $from:literal, $key:literal, $document:expr) => {
        concat!(
            "SELECT id, v.data::text, e.data::text
             FROM ",
            $view,
            " v
             FULL JOIN (SELECT ",
            $key,
            " AS id, ",
            $document,
            " AS data FROM ",
            $from,
            ") e USING (id)
             WHERE v.data IS DISTINCT FROM e.data ORDER BY id"
        )
    };
}

/// A view of these tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum View {
    Post,
    Parted,
    User,
}

impl View {
    /// The plain delete and the plain upsert.
    pub(crate) fn plain(self) -> [&'static str; 2] {
        match self {
            Self::Post => plain!(
                "tv_post",
                "title, ",
                "tb_post p",
                "p.id",
                "tb_post",
                "p.title, ",
                post!()
            ),
            Self::Parted => {
                plain!(
                    "tv_parted",
                    "title, ",
                    "tb_post p",
                    "p.id",
                    "tb_post",
                    "p.title, ",
                    post!()
                )
            }
            Self::User => plain!("tv_user", "", "tb_user u", "u.id", "tb_user", "", user!()),
        }
    }

    fn compared(self) -> &'static str {
        match self {
            Self::Post => compared!("tv_post", "tb_post p", "p.id", post!()),
            Self::Parted => compared!("tv_parted", "tb_post p", "p.id", post!()),
            Self::User => compared!("tv_user", "tb_user u", "u.id", user!()),
        }
    }

    /// Syncs with fraiseql.
    pub(crate) async fn sync(
        self,
        target: impl fraiseql_runtime::SyncTarget,
        keys: &[i32],
    ) -> fraiseql_runtime::Result<fraiseql_runtime::SyncReport> {
        match self {
            Self::Post => sync_post(target, keys).await,
            Self::Parted => sync_parted(target, keys).await,
            Self::User => sync_user(target, keys).await,
        }
    }

    /// Marks these documents for `resync` in a mutation.
    pub(crate) fn resync(self, mutation: &mut Mutation, keys: &[i32]) {
        match self {
            Self::Post => mutation.resync::<Post>(keys),
            Self::Parted => mutation.resync::<Parted>(keys),
            Self::User => mutation.resync::<User>(keys),
        }
    }

    /// A read model of this view alone.
    pub(crate) fn model(self, capture: Capture) -> ReadModel {
        let model = ReadModel::builder().capture(capture);
        match self {
            Self::Post => model.view::<Post>(),
            Self::Parted => model.view::<Parted>(),
            Self::User => model.view::<User>(),
        }
        .build()
        .unwrap()
    }

    /// A full sync with fraiseql.
    pub(crate) async fn sync_all(
        self,
        target: impl fraiseql_runtime::SyncTarget,
    ) -> fraiseql_runtime::Result<fraiseql_runtime::SyncReport> {
        match self {
            Self::Post => sync_all_posts(target).await,
            Self::Parted => sync_all_parteds(target).await,
            Self::User => sync_all_users(target).await,
        }
    }
}

/// Whether the documents that a race is about exist before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Documents {
    Exist,
    /// The documents of key 1 do not exist: it is their first sync.
    First,
}

/// A database with correct documents.
pub(crate) struct World {
    pub(crate) pool: PgPool,
    /// The view that a race is about.
    pub(crate) view: View,
    /// The view that is used for posts.
    pub(crate) posts: View,
    pub(crate) capture: Capture,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::capturing(Capture::Off).await
    }

    /// A database whose changes are captured.
    pub(crate) async fn capturing(capture: Capture) -> Self {
        fraiseql_tests::needs_sessions();
        let pool = fraiseql_tests::pool().await;
        run(&pool, TABLES).await;
        for view in [View::Post, View::Parted, View::User] {
            view.model(capture).migrate(&pool).await.unwrap();
        }
        Self {
            pool,
            view: View::Post,
            posts: View::Post,
            capture,
        }
    }

    /// Syncs what was left for a worker.
    pub(crate) async fn drain(&self) {
        for view in BTreeSet::from([self.view, self.posts]) {
            let worker = view.model(self.capture).worker(&self.pool);
            worker.drain().await.unwrap();
        }
    }

    /// Restores the rows and the documents of this view.
    pub(crate) async fn reset(&mut self, view: View, documents: Documents) {
        run(&self.pool, ROWS).await;
        run(&self.pool, "DELETE FROM fraiseql_change").await;
        view.sync_all(&self.pool).await.unwrap();
        if documents == Documents::First {
            run(
                &self.pool,
                "DELETE FROM tv_post WHERE id = 1; DELETE FROM tv_parted WHERE id = 1;
                 DELETE FROM tv_user WHERE id = 1",
            )
            .await;
        }
        self.view = view;
        self.posts = if view == View::User { View::Post } else { view };
    }

    /// The documents that are wrong.
    pub(crate) async fn wrong(&self, view: View) -> Vec<Wrong> {
        let rows: Vec<(i32, Option<String>, Option<String>)> = sqlx::query_as(view.compared())
            .fetch_all(&self.pool)
            .await
            .unwrap();
        rows.into_iter()
            .map(|(key, stored, expected)| {
                let [stored, expected] =
                    [stored, expected].map(|data| data.unwrap_or("nothing".to_owned()));
                (key, format!("{stored} instead of {expected}"))
            })
            .collect()
    }
}

/// The key of a wrong document, and what is stored instead of what is expected.
pub(crate) type Wrong = (i32, String);
