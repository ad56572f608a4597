//! What must hold in every snapshot: a document that differs from the base tables is one that a change leads to.

use serde_json::Value;
use sqlx::{Connection as _, PgConnection};

use crate::stress::changes::{Change, Changes, Documents};
use crate::stress::check::{self, Drifted};

/// The documents that differ in a snapshot.
pub(super) struct Sample {
    /// How many a change leads to.
    pub(super) pending: u64,
    /// The others.
    pub(super) unexplained: Vec<Drifted>,
}

/// Compares all documents in one snapshot.
pub(super) async fn sample(connection: &mut PgConnection) -> anyhow::Result<Sample> {
    let mut tx = connection
        .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ")
        .await?;
    // Before there is a snapshot: in one that is older, a table that is truncated has no rows.
    sqlx::raw_sql(
        "LOCK TABLE tb_user, tb_post, tb_comment, tb_tag, tb_post_tag, tb_reaction, \
         tv_user, tv_post, tv_comment, fraiseql_change IN ACCESS SHARE MODE",
    )
    .execute(&mut *tx)
    .await?;
    let drifted = check::drifted(&mut tx).await?;
    let leads = documents(&mut tx).await?;
    tx.rollback().await?;
    let all = drifted.len();
    let unexplained: Vec<Drifted> = match leads {
        None => Vec::new(),
        Some(leads) => drifted
            .into_iter()
            .filter(|document| {
                let keys = match document.view {
                    "user" => &leads.users,
                    "post" => &leads.posts,
                    _ => &leads.comments,
                };
                !keys.contains(&document.key)
            })
            .collect(),
    };
    Ok(Sample {
        pending: (all - unexplained.len()) as u64,
        unexplained,
    })
}

/// The documents that the changes of a snapshot lead to; `None` for all, after `TRUNCATE` or of a whole view.
async fn documents(connection: &mut PgConnection) -> anyhow::Result<Option<Documents>> {
    // Each is {"post_id": [1, 2]}.
    // Documents that were left for later are in `new`, beside the transactions that left them.
    let changes: Vec<(String, Option<Value>, Option<Value>)> = sqlx::query_as(
        "SELECT \"table\", CASE WHEN operation <> 'SYNC' THEN old END, new FROM fraiseql_change",
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut leads = Changes::default();
    let mut named = Documents::default();
    for (table, old, new) in changes {
        if old.is_none() && new.is_none() {
            return Ok(None);
        }
        for values in [old, new].into_iter().flatten() {
            let columns: std::collections::BTreeMap<String, Vec<Value>> =
                serde_json::from_value(values)?;
            for (column, keys) in columns {
                for key in keys {
                    // A document is named by the text of its key.
                    let key: i32 = match &key {
                        Value::String(text) => text.parse()?,
                        key => serde_json::from_value(key.clone())?,
                    };
                    add(&mut leads, &mut named, &table, &column, key)?;
                }
            }
        }
    }
    let mut found = leads.documents(connection, false).await?;
    found.users.extend(named.users);
    found.posts.extend(named.posts);
    found.comments.extend(named.comments);
    Ok(Some(found))
}

fn add(
    leads: &mut Changes,
    named: &mut Documents,
    table: &str,
    column: &str,
    key: i32,
) -> anyhow::Result<()> {
    let table = table.trim_start_matches("\"public\".").trim_matches('"');
    match (table, column) {
        ("tb_user", "id") => {
            leads.add(Change::User(key));
            // The lookup finds no document of a user that is deleted.
            named.users.insert(key);
        }
        ("tb_post", "id") => leads.add(Change::Post(key)),
        ("tb_comment", "id") => leads.add(Change::Comment(key)),
        ("tb_tag", "id") | ("tb_post_tag", "tag_id") => leads.add(Change::Tag(key)),
        ("tb_comment", "post_id") => leads.add(Change::CommentsOf(key)),
        ("tb_comment" | "tb_post", "author_id") | ("tb_reaction", "user_id") => {
            named.users.insert(key);
        }
        ("tb_post_tag" | "tb_reaction", "post_id") => {
            named.posts.insert(key);
        }
        ("tv_user", "key") => {
            named.users.insert(key);
        }
        ("tv_post", "key") => {
            named.posts.insert(key);
        }
        ("tv_comment", "key") => {
            named.comments.insert(key);
        }
        // It leads to the manager's row, which embeds nothing of this one.
        ("tb_user", "manager_id") => {}
        _ => anyhow::bail!("a change of {table}.{column} leads nowhere"),
    }
    Ok(())
}
