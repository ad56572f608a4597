//! Commands on users.

use fraiseql_runtime::{Changes, SyncTarget};
use uuid::Uuid;

use super::{Result, text};
use crate::rows::{NewUser, NewUsers, UserChange, Users};
use crate::views::{User, sync_user};

/// The longest texts, in characters.
const MAX_USERNAME: usize = 40;
const MAX_FULL_NAME: usize = 100;
const MAX_BIO: usize = 1_000;

/// **A sync after the commit**: first the row, then its document.
///
/// No document embeds a new user, so there is one document to sync and no transaction is needed.
/// The cost: if the request is cancelled or the process killed in between, the row has no document
/// until [`upkeep`](super::upkeep) repairs it.
///
/// # Errors
/// If the username is taken, or a text is invalid.
pub async fn create(
    users: &mut impl NewUsers,
    documents: impl SyncTarget,
    user: &NewUser,
) -> Result<Uuid> {
    text::name("username", &user.username, MAX_USERNAME)?;
    text::required("fullName", &user.full_name, MAX_FULL_NAME)?;
    text::optional("bio", user.bio.as_deref().unwrap_or(""), MAX_BIO)?;

    let id = users.insert_user(user).await?;
    sync_user(documents, &[id]).await?.ensure_valid()?;
    Ok(id)
}

/// **Only if a relevant column changed**: names are embedded in the documents of posts and
/// comments, the bio is only in the user's own document.
///
/// # Errors
/// If the user does not exist, the username is taken, or a text is invalid.
pub async fn update(db: &mut (impl Users + Changes), id: Uuid, change: &UserChange) -> Result<()> {
    if let Some(username) = &change.username {
        text::name("username", username, MAX_USERNAME)?;
    }
    if let Some(full_name) = &change.full_name {
        text::required("fullName", full_name, MAX_FULL_NAME)?;
    }
    if let Some(Some(bio)) = &change.bio {
        text::optional("bio", bio, MAX_BIO)?;
    }

    let renamed = db.update_user(id, change).await?;
    if renamed {
        db.changed::<User>(&[id]); // every document that embeds the user
    } else {
        db.resync::<User>(&[id]); // the user's own document only
    }
    Ok(())
}

/// **A cascade**: the user's posts, comments and likes are deleted too, and the posts of others
/// lose comments and likes. The mutation finds them by the foreign keys, before they go.
///
/// # Errors
/// If the user does not exist.
pub async fn delete(db: &mut (impl Users + Changes), id: Uuid) -> Result<()> {
    db.lock_names().await?;
    db.changing::<User>(&[id]).await?;
    db.delete_user(id).await
}
