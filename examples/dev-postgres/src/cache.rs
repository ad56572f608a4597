//! The cache directory, for installed servers and persistent data.

use std::path::{Path, PathBuf};

use crate::account::Account;

/// The path of the cache: in the user's cache directory; for root, in one that the server's account
/// can enter.
pub(crate) fn directory(account: Account) -> Result<PathBuf, String> {
    const NAME: &str = "fraiseql-dev-postgres";
    if let Some(dir) = std::env::var_os("DEV_POSTGRES_CACHE") {
        return Ok(PathBuf::from(dir));
    }
    if !account.is_own() {
        return Ok(Path::new("/var/cache").join(NAME));
    }
    if let Some(dir) = std::env::var_os("XDG_CACHE_HOME").filter(|dir| !dir.is_empty()) {
        return Ok(PathBuf::from(dir).join(NAME));
    }
    let home = std::env::var_os("HOME").ok_or("HOME is not set, so there is no cache to use")?;
    let cache = if cfg!(target_os = "macos") {
        "Library/Caches"
    } else {
        ".cache"
    };
    Ok(Path::new(&home).join(cache).join(NAME))
}

/// Creates a directory of mode 0755, because the server may run as another account.
pub(crate) fn create(dir: &Path) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::create_dir_all(dir).map_err(|error| format!("creating {}: {error}", dir.display()))?;
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o755))
        .map_err(|error| format!("setting the mode of {}: {error}", dir.display()))
}
