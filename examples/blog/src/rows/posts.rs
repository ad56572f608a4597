//! `tb_post`, with its tags.

use fraiseql_runtime::Mutation;
use uuid::Uuid;

use super::{found, hold_names, post_key, slug, user_key};
use crate::service::Result;

/// A post that is begun.
#[derive(Clone, Debug)]
pub struct NewPost {
    /// The title.
    pub title: String,
    /// The text.
    pub content: String,
}

/// What is to be changed of a post; `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct PostChange {
    /// The title.
    pub title: Option<String>,
    /// The text.
    pub content: Option<String>,
}

/// What became of a change to a certain version of a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Updated {
    /// It was made.
    Done,
    /// The post has this version, another one.
    Stale(i32),
}

/// Rows of posts.
pub trait Posts {
    /// Adds posts of one author, in one statement.
    ///
    /// # Errors
    /// When there is no such author.
    async fn insert_posts(&mut self, author: Uuid, posts: &[NewPost]) -> Result<Vec<Uuid>>;

    /// Changes a post, if it has this version.
    ///
    /// # Errors
    /// When there is none.
    async fn update_post(&mut self, id: Uuid, version: i32, change: &PostChange)
    -> Result<Updated>;

    /// Publishes a post, and says whether it was not published before.
    ///
    /// # Errors
    /// When there is none.
    async fn publish_post(&mut self, id: Uuid) -> Result<bool>;

    /// Deletes a post, with its comments and likes, and says whose it was.
    ///
    /// # Errors
    /// When there is none.
    async fn delete_post(&mut self, id: Uuid) -> Result<Uuid>;

    /// Adds tags to a post, and says which row of `tb_post` it is, for the rows of the join
    /// table.
    ///
    /// # Errors
    /// When there is no such post.
    async fn tag_post(&mut self, id: Uuid, tags: &[String]) -> Result<i64>;
}

impl Posts for Mutation {
    async fn insert_posts(&mut self, author: Uuid, posts: &[NewPost]) -> Result<Vec<Uuid>> {
        let author_key = user_key(self, author).await?;
        let ids: Vec<Uuid> = posts.iter().map(|_| Uuid::new_v4()).collect();
        let identifiers = ids.iter().zip(posts).map(|(id, post)| {
            // The end of the key tells posts of one title apart.
            let end = &id.simple().to_string()[20..];
            match slug(&post.title) {
                title if title.is_empty() => end.to_owned(),
                title => format!("{title}-{end}"),
            }
        });
        let titles = posts.iter().map(|post| post.title.as_str());
        let contents = posts.iter().map(|post| post.content.as_str());
        sqlx::query(
            "INSERT INTO tb_post (fk_author, id, identifier, title, content)
             SELECT $1, new.id, new.identifier, new.title, new.content
             FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[])
                 AS new (id, identifier, title, content)",
        )
        .bind(author_key)
        .bind(&ids)
        .bind(identifiers.collect::<Vec<_>>())
        .bind(titles.collect::<Vec<_>>())
        .bind(contents.collect::<Vec<_>>())
        .execute(&mut **self)
        .await?;
        Ok(ids)
    }

    async fn update_post(
        &mut self,
        id: Uuid,
        version: i32,
        change: &PostChange,
    ) -> Result<Updated> {
        hold_names(self, &[id], &[]).await?;
        let done = sqlx::query(
            "UPDATE tb_post
             SET title = coalesce($3, title), content = coalesce($4, content),
                 version = version + 1
             WHERE id = $1 AND version = $2",
        )
        .bind(id)
        .bind(version)
        .bind(&change.title)
        .bind(&change.content)
        .execute(&mut **self)
        .await?;
        if done.rows_affected() == 1 {
            return Ok(Updated::Done);
        }
        let stored = sqlx::query_scalar("SELECT version FROM tb_post WHERE id = $1")
            .bind(id)
            .fetch_optional(&mut **self)
            .await?;
        found(stored, "post", id).map(Updated::Stale)
    }

    async fn publish_post(&mut self, id: Uuid) -> Result<bool> {
        hold_names(self, &[id], &[]).await?;
        let published = sqlx::query_scalar(
            "WITH before AS (SELECT pk_post, published_at FROM tb_post WHERE id = $1 FOR NO KEY UPDATE)
             UPDATE tb_post AS p
             SET published_at = coalesce(before.published_at, now())
             FROM before
             WHERE p.pk_post = before.pk_post
             RETURNING before.published_at IS NULL",
        )
        .bind(id)
        .fetch_optional(&mut **self)
        .await?;
        found(published, "post", id)
    }

    async fn delete_post(&mut self, id: Uuid) -> Result<Uuid> {
        hold_names(self, &[id], &[]).await?;
        let author = sqlx::query_scalar(
            "DELETE FROM tb_post AS p WHERE p.id = $1
             RETURNING (SELECT u.id FROM tb_user AS u WHERE u.pk_user = p.fk_author)",
        )
        .bind(id)
        .fetch_optional(&mut **self)
        .await?;
        found(author, "post", id)
    }

    async fn tag_post(&mut self, id: Uuid, tags: &[String]) -> Result<i64> {
        hold_names(self, &[id], &[]).await?;
        let post = post_key(self, id).await?;
        let identifiers: Vec<String> = tags.iter().map(|tag| slug(tag)).collect();
        let names: Vec<&str> = tags.iter().map(|tag| tag.trim()).collect();
        // In the order of their names, so that two who add the same tags wait for each other.
        sqlx::query(
            "INSERT INTO tb_tag (identifier, name)
             SELECT DISTINCT ON (t.identifier) t.identifier, t.name
             FROM unnest($1::text[], $2::text[]) AS t (identifier, name)
             ORDER BY t.identifier, t.name
             ON CONFLICT (identifier) DO NOTHING",
        )
        .bind(&identifiers)
        .bind(names)
        .execute(&mut **self)
        .await?;
        sqlx::query(
            "INSERT INTO tb_post_tag (fk_post, fk_tag)
             SELECT $1, t.pk_tag FROM tb_tag AS t WHERE t.identifier = ANY ($2)
             ON CONFLICT DO NOTHING",
        )
        .bind(post)
        .bind(&identifiers)
        .execute(&mut **self)
        .await?;
        Ok(post)
    }
}
