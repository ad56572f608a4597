//! SQL on `tb_post` and its tags.

use fraiseql_runtime::Mutation;
use uuid::Uuid;

use super::{lock_authors, post_key, require_found, slug, user_key};
use crate::service::Result;

/// A new post.
#[derive(Clone, Debug)]
pub struct NewPost {
    /// The title.
    pub title: String,
    /// The text.
    pub content: String,
    /// Whether it is published at once; otherwise it is a draft.
    pub published: bool,
}

/// A change of a post; `None` keeps the value.
#[derive(Clone, Debug, Default)]
pub struct PostChange {
    /// The title.
    pub title: Option<String>,
    /// The text.
    pub content: Option<String>,
}

/// The result of an update that expects a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateOutcome {
    /// The post had the expected version, and was updated.
    Updated,
    /// The post has this other version, and was not updated.
    VersionMismatch(i32),
}

/// Statements on rows of posts.
pub trait Posts {
    /// Adds posts of one author, in one statement.
    ///
    /// # Errors
    /// If the author does not exist.
    async fn insert_posts(&mut self, author: Uuid, posts: &[NewPost]) -> Result<Vec<Uuid>>;

    /// Changes a post, if it has this version.
    ///
    /// # Errors
    /// If the post does not exist.
    async fn update_post(
        &mut self,
        id: Uuid,
        version: i32,
        change: &PostChange,
    ) -> Result<UpdateOutcome>;

    /// Publishes a post. Returns whether it was a draft.
    ///
    /// # Errors
    /// If the post does not exist.
    async fn publish_post(&mut self, id: Uuid) -> Result<bool>;

    /// Locks what the deletion of a post will sync: in the order of all commands, so before its rows.
    ///
    /// # Errors
    /// If the database refuses.
    async fn lock_post(&mut self, id: Uuid) -> Result<()>;

    /// Deletes a post with its comments and likes, and returns its author.
    ///
    /// # Errors
    /// If the post does not exist.
    async fn delete_post(&mut self, id: Uuid) -> Result<Uuid>;

    /// Adds tags to a post, and returns `pk_post`, by which the changed rows of the join table are
    /// marked.
    ///
    /// # Errors
    /// If the post does not exist.
    async fn tag_post(&mut self, id: Uuid, tags: &[String]) -> Result<i64>;
}

impl Posts for Mutation {
    async fn insert_posts(&mut self, author: Uuid, posts: &[NewPost]) -> Result<Vec<Uuid>> {
        let author_key = user_key(self, author).await?;
        let ids: Vec<Uuid> = posts.iter().map(|_| Uuid::new_v4()).collect();
        let identifiers = ids.iter().zip(posts).map(|(id, post)| {
            // The last digits of the key make the identifiers of posts with the same title unique.
            let suffix = &id.simple().to_string()[20..];
            match slug(&post.title) {
                title if title.is_empty() => suffix.to_owned(),
                title => format!("{title}-{suffix}"),
            }
        });
        let titles = posts.iter().map(|post| post.title.as_str());
        let published = posts.iter().map(|post| post.published);
        let contents = posts.iter().map(|post| post.content.as_str());
        sqlx::query(
            "INSERT INTO tb_post (fk_author, id, identifier, title, content, published_at)
             SELECT $1, new.id, new.identifier, new.title, new.content,
                    CASE WHEN new.published THEN now() END
             FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::boolean[])
                 AS new (id, identifier, title, content, published)",
        )
        .bind(author_key)
        .bind(&ids)
        .bind(identifiers.collect::<Vec<_>>())
        .bind(titles.collect::<Vec<_>>())
        .bind(contents.collect::<Vec<_>>())
        .bind(published.collect::<Vec<_>>())
        .execute(&mut **self)
        .await?;
        Ok(ids)
    }

    async fn update_post(
        &mut self,
        id: Uuid,
        version: i32,
        change: &PostChange,
    ) -> Result<UpdateOutcome> {
        lock_authors(self, &[id], &[]).await?;
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
            return Ok(UpdateOutcome::Updated);
        }
        let stored = sqlx::query_scalar("SELECT version FROM tb_post WHERE id = $1")
            .bind(id)
            .fetch_optional(&mut **self)
            .await?;
        require_found(stored, "post", id).map(UpdateOutcome::VersionMismatch)
    }

    async fn publish_post(&mut self, id: Uuid) -> Result<bool> {
        lock_authors(self, &[id], &[]).await?;
        // The row is updated even if it was published already: `coalesce` then keeps the time. The
        // CTE locks it first, so that `before` is the value that the UPDATE replaces.
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
        require_found(published, "post", id)
    }

    async fn lock_post(&mut self, id: Uuid) -> Result<()> {
        lock_authors(self, &[id], &[]).await
    }

    async fn delete_post(&mut self, id: Uuid) -> Result<Uuid> {
        let author = sqlx::query_scalar(
            "DELETE FROM tb_post AS p WHERE p.id = $1
             RETURNING (SELECT u.id FROM tb_user AS u WHERE u.pk_user = p.fk_author)",
        )
        .bind(id)
        .fetch_optional(&mut **self)
        .await?;
        require_found(author, "post", id)
    }

    async fn tag_post(&mut self, id: Uuid, tags: &[String]) -> Result<i64> {
        lock_authors(self, &[id], &[]).await?;
        let post = post_key(self, id).await?;
        let identifiers: Vec<String> = tags.iter().map(|tag| slug(tag)).collect();
        let names: Vec<&str> = tags.iter().map(|tag| tag.trim()).collect();
        // Sorted, so that two clients that insert the same tags do so in the same order: one waits
        // for the other, instead of a deadlock.
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
        // A new tag is in no document before it has posts.
        self.changed_rows::<i64>("tb_tag", "pk_tag", &[])?;
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
