//! The operations as an application writes them with mutations: it marks the changed rows, and
//! neither looks up dependents nor locks rows.

use fraiseql_runtime::{Mutation, Result};
use sqlx::PgConnection;

use super::finish::database_error;
use super::operation::Operation;
use super::schema::{Comment, Post, Tag, User};

impl Operation {
    /// Writes base tables, and marks the changed rows.
    pub(crate) async fn mutate(&self, m: &mut Mutation) -> Result<()> {
        match self {
            Self::CreatePost { post, author } => {
                let sql = "INSERT INTO tb_post VALUES ($1, $2, 'title 0', false)";
                execute(m, sql, *post, Some(*author)).await?;
                m.inserted::<Post>(&[*post]);
            }
            Self::CreateComment {
                comment,
                post,
                author,
            } => {
                // The post may be deleted already; a foreign key error is avoided.
                let sql = "INSERT INTO tb_comment
                    SELECT $1, p.id, $3, 'content 0' FROM tb_post p WHERE p.id = $2 FOR KEY SHARE";
                sqlx::query(sql)
                    .bind(comment)
                    .bind(post)
                    .bind(author)
                    .execute(&mut **m)
                    .await
                    .map_err(database_error)?;
                m.inserted::<Comment>(&[*comment]);
            }
            Self::RenameUsers { users, value } => {
                let sql = "UPDATE tb_user SET name = 'name ' || $2 WHERE id = ANY ($1)";
                execute(m, sql, users, Some(*value)).await?;
                m.changed::<User>(users);
            }
            Self::ChangeManager { user, manager } => {
                let sql = "UPDATE tb_user SET manager_id = $2 WHERE id = $1";
                execute(m, sql, *user, *manager).await?;
                m.changed::<User>(&[*user]);
            }
            Self::Retitle { post, value } => {
                let sql = "UPDATE tb_post SET title = 'title ' || $2 WHERE id = $1";
                execute(m, sql, *post, Some(*value)).await?;
                m.changed::<Post>(&[*post]);
            }
            Self::TogglePublished { author } => {
                let sql = "UPDATE tb_post SET published = NOT published WHERE author_id = $1
                    RETURNING id";
                let posts: Vec<i32> = sqlx::query_scalar(sql)
                    .bind(author)
                    .fetch_all(&mut **m)
                    .await
                    .map_err(database_error)?;
                m.changed::<Post>(&posts);
            }
            Self::EditComments { comments, value } => {
                let sql = "UPDATE tb_comment SET content = 'content ' || $2 WHERE id = ANY ($1)";
                execute(m, sql, comments, Some(*value)).await?;
                m.changed::<Comment>(comments);
            }
            Self::RenameTag { tag, value } => {
                let sql = "UPDATE tb_tag SET name = 'tag ' || $2 WHERE id = $1";
                execute(m, sql, *tag, Some(*value)).await?;
                m.changed::<Tag>(&[*tag]);
            }
            Self::MoveComment { comment, post } => {
                let sql = "UPDATE tb_comment SET post_id = p.id
                    FROM (SELECT id FROM tb_post WHERE id = $2 FOR KEY SHARE) AS p
                    WHERE tb_comment.id = $1";
                execute(m, sql, *comment, Some(*post)).await?;
                m.changed::<Comment>(&[*comment]);
            }
            Self::MovePost { post, author } => {
                let sql = "UPDATE tb_post SET author_id = $2 WHERE id = $1";
                execute(m, sql, *post, Some(*author)).await?;
                m.changed::<Post>(&[*post]);
            }
            Self::Tag { post, tag } => {
                let sql = "INSERT INTO tb_post_tag
                    SELECT p.id, $2 FROM tb_post p WHERE p.id = $1 FOR KEY SHARE
                    ON CONFLICT DO NOTHING";
                execute(m, sql, *post, Some(*tag)).await?;
                m.changed_rows("tb_post_tag", "post_id", &[*post])?;
            }
            Self::Untag { post, tag } => {
                let sql = "DELETE FROM tb_post_tag WHERE post_id = $1 AND tag_id = $2";
                execute(m, sql, *post, Some(*tag)).await?;
                m.changed_rows("tb_post_tag", "post_id", &[*post])?;
            }
            Self::DeleteComment { comment } => {
                let sql = "DELETE FROM tb_comment WHERE id = $1";
                execute_one(m, sql, *comment).await?;
                m.changed::<Comment>(&[*comment]);
            }
            // The cascade deletes its comments and tags.
            Self::DeletePost { post } => {
                let sql = "DELETE FROM tb_post WHERE id = $1";
                execute_one(m, sql, *post).await?;
                m.changed::<Post>(&[*post]);
            }
        }
        Ok(())
    }
}

async fn execute<'q, K>(
    db: &mut PgConnection,
    sql: &'static str,
    key: K,
    to: Option<i32>,
) -> Result<()>
where
    K: sqlx::Encode<'q, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + 'q,
{
    let query = sqlx::query(sql).bind(key).bind(to);
    query.execute(db).await.map(drop).map_err(database_error)
}

async fn execute_one(db: &mut PgConnection, sql: &'static str, key: i32) -> Result<()> {
    let query = sqlx::query(sql).bind(key);
    query.execute(db).await.map(drop).map_err(database_error)
}
