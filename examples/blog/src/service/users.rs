//! Users who join, change and leave.

use fraiseql_runtime::{Changes, SyncTarget};
use uuid::Uuid;

use super::{Error, Result};
use crate::rows::{NewUser, NewUsers, UserChange, Users};
use crate::views::{User, sync_user};

/// After a create: the row is committed, then its document is made.
///
/// Nothing can embed somebody who is new, so one document is all there is to sync, and no
/// transaction is needed.
///
/// # Errors
/// When the name is empty, or taken.
pub async fn create(
    users: &mut impl NewUsers,
    documents: impl SyncTarget,
    user: &NewUser,
) -> Result<Uuid> {
    named(&user.username)?;
    let id = users.insert_user(user).await?;
    sync_user(documents, &[id]).await?;
    Ok(id)
}

/// Only if a relevant column changed: the names are in every post and comment of the user, what
/// they say of themselves is in their own document alone.
///
/// # Errors
/// When there is none, or the name is empty, or taken.
pub async fn update(db: &mut (impl Users + Changes), id: Uuid, change: &UserChange) -> Result<()> {
    if let Some(username) = &change.username {
        named(username)?;
    }
    let renamed = db.update_user(id, change).await?;
    if renamed {
        db.changed::<User>(&[id]);
    } else {
        db.resync::<User>(&[id]);
    }
    Ok(())
}

/// A cascade: posts, comments and likes go with the user, and the posts of others lose comments
/// and likes. The mutation finds them by the foreign keys, before they are gone.
///
/// # Errors
/// When there is none.
pub async fn delete(db: &mut (impl Users + Changes), id: Uuid) -> Result<()> {
    db.delete_user(id).await?;
    db.changed::<User>(&[id]);
    Ok(())
}

fn named(username: &str) -> Result<()> {
    if slug::slugify(username).is_empty() {
        let what = format!("`{username}` is no username: it needs a letter or a digit");
        return Err(Error::Invalid(what));
    }
    Ok(())
}
