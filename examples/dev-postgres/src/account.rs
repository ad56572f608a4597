//! The account that the server runs as. PostgreSQL refuses to run as root, so root uses another one.

use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use crate::error::{Error, IoContext, Result};

/// The account that owns the server's files and processes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Account {
    /// The user who started the program.
    Own,
    /// Root started the program; the server runs as this account.
    Other { uid: u32, gid: u32 },
}

impl Account {
    /// The current user; for root, `postgres` or else `nobody`.
    pub(crate) fn detect() -> Result<Self> {
        if !is_root()? {
            return Ok(Self::Own);
        }
        let passwd =
            std::fs::read_to_string("/etc/passwd").context(|| "reading /etc/passwd".into())?;
        ["postgres", "_postgres", "nobody"]
            .iter()
            .find_map(|name| find(&passwd, name))
            .ok_or(Error::NoAccount)
    }

    pub(crate) fn is_own(self) -> bool {
        matches!(self, Self::Own)
    }

    /// Makes `command` run as this account.
    pub(crate) fn apply(self, command: &mut Command) {
        if let Self::Other { uid, gid } = self {
            command.uid(uid).gid(gid);
        }
    }

    /// Makes this account the owner of `path`.
    pub(crate) fn own(self, path: &Path) -> Result<()> {
        if let Self::Other { uid, gid } = self {
            std::os::unix::fs::chown(path, Some(uid), Some(gid))
                .context(|| format!("giving {} to the server's account", path.display()))?;
        }
        Ok(())
    }
}

/// Whether the effective user is root. The owner of a new file is the effective user, which std
/// offers no safe function for.
fn is_root() -> Result<bool> {
    let probe = tempfile::tempfile().context(|| "creating a temporary file".into())?;
    let meta = probe
        .metadata()
        .context(|| "reading a temporary file's owner".into())?;
    Ok(meta.uid() == 0)
}

fn find(passwd: &str, name: &str) -> Option<Account> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next() != Some(name) {
            return None;
        }
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        (uid != 0).then_some(Account::Other { uid, gid })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_found_by_their_full_name() {
        let passwd = "root:x:0:0::/root:/bin/sh\npostgresql:x:1:1::/:/bin/sh\npostgres:x:101:104::/:/bin/sh\n";
        assert!(matches!(
            find(passwd, "postgres"),
            Some(Account::Other { uid: 101, gid: 104 })
        ));
        assert!(find(passwd, "nobody").is_none());
        assert!(find(passwd, "root").is_none(), "root cannot replace root");
    }
}
