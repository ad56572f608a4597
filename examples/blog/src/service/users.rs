//! Users who join, change and leave.

use fraiseql_runtime::{Changes, SyncTarget};
use uuid::Uuid;

use super::{Result, text};
use crate::rows::{NewUser, NewUsers, UserChange, Users};
use crate::views::{User, sync_user};

/// The longest texts, in characters.
const USERNAME: usize = 40;
const FULL_NAME: usize = 100;
const BIO: usize = 1_000;

/// **After a create**: the row is committed, then its document is made.
///
/// Nothing can embed somebody who is new, so one document is all there is to sync, and no
/// transaction is needed. The price: whoever stops in between, because the client is gone or the
/// process dies, leaves a row without a document, until [`upkeep`](super::upkeep) finds it.
///
/// # Errors
/// When the username is taken, or a text cannot be.
pub async fn create(
    users: &mut impl NewUsers,
    documents: impl SyncTarget,
    user: &NewUser,
) -> Result<Uuid> {
    text::name("username", &user.username, USERNAME)?;
    text::required("fullName", &user.full_name, FULL_NAME)?;
    text::optional("bio", user.bio.as_deref().unwrap_or(""), BIO)?;

    let id = users.insert_user(user).await?;
    sync_user(documents, &[id]).await?.ensure_valid()?;
    Ok(id)
}

/// **Only if a relevant column changed**: the names are in every post and comment of the user,
/// what they say of themselves is in their own document alone.
///
/// # Errors
/// When there is no such user, the username is taken, or a text cannot be.
pub async fn update(db: &mut (impl Users + Changes), id: Uuid, change: &UserChange) -> Result<()> {
    if let Some(username) = &change.username {
        text::name("username", username, USERNAME)?;
    }
    if let Some(full_name) = &change.full_name {
        text::required("fullName", full_name, FULL_NAME)?;
    }
    if let Some(Some(bio)) = &change.bio {
        text::optional("bio", bio, BIO)?;
    }

    let renamed = db.update_user(id, change).await?;
    if renamed {
        db.changed::<User>(&[id]); // with all that embeds them
    } else {
        db.resync::<User>(&[id]); // this document
    }
    Ok(())
}

/// **A cascade**: posts, comments and likes go with the user, and the posts of others lose
/// comments and likes. The mutation follows the foreign keys, and finds them as they were before.
///
/// # Errors
/// When there is no such user.
pub async fn delete(db: &mut (impl Users + Changes), id: Uuid) -> Result<()> {
    db.delete_user(id).await?;
    db.changed::<User>(&[id]);
    Ok(())
}
