//! The check after `rename`: every stored document has the new name.

use anyhow::ensure;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::contender::Contender;
use super::database::Database;

/// Fails if a document of the authors that these clients have renamed has another name.
pub(crate) async fn check(
    database: &Database,
    contender: Contender,
    clients: usize,
) -> anyhow::Result<()> {
    let documents = match contender {
        Contender::OursJson | Contender::OursTrusted => "tv_post_json",
        Contender::OursJsonb => "tv_post_jsonb",
        Contender::Triggers => "tv_by_trigger",
        Contender::Matview => "mv_post",
        // These contenders store no documents.
        _ => return Ok(()),
    };
    let mut connection = PgConnection::connect_with(database.of(contender)).await?;
    let (right, all): (i64, i64) = sqlx::query_as(AssertSqlSafe(format!(
        "SELECT count(*) FILTER (WHERE v.data #>> '{{author,fullName}}' = u.full_name), count(*)
         FROM tb_user AS u
         JOIN tb_post AS p ON p.author_id = u.id
         LEFT JOIN {documents} AS v ON v.id = p.id
         WHERE u.id = ANY ($1)"
    )))
    .bind(&database.authors[..clients])
    .fetch_one(&mut connection)
    .await?;
    connection.close().await?;
    let expected = i64::try_from(clients)? * i64::from(database.posts_of_author);
    ensure!(
        right == all && all == expected,
        "{contender}: {right} of {expected} documents have the new name"
    );
    Ok(())
}
