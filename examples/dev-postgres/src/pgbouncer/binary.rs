//! Search for a `pgbouncer`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::debian;
use crate::account::Account;
use crate::error::{Error, Result};

/// A version of PgBouncer without its patch level, such as 1.24.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PgBouncerVersion {
    major: u32,
    minor: u32,
}

impl PgBouncerVersion {
    /// The first version with prepared statements in transaction mode.
    pub const WITH_PREPARED_STATEMENTS: Self = Self::new(1, 21);

    /// A version.
    #[must_use]
    pub const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }

    /// Whether clients in transaction mode can use prepared statements.
    #[must_use]
    pub fn has_prepared_statements(self) -> bool {
        self >= Self::WITH_PREPARED_STATEMENTS
    }

    /// Parses `1.24` or `1.24.1`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split('.');
        let major = numbers.next()?.parse().ok()?;
        let minor = numbers.next()?.parse().ok()?;
        Some(Self { major, minor })
    }

    /// The value of `DEV_PGBOUNCER`.
    fn from_env() -> Result<Option<Self>> {
        let value = std::env::var("DEV_PGBOUNCER").unwrap_or_default();
        if value.is_empty() {
            return Ok(None);
        }
        match Self::parse(&value) {
            Some(version) => Ok(Some(version)),
            None => Err(Error::BadPgBouncerVersion(value)),
        }
    }
}

impl fmt::Display for PgBouncerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// A `pgbouncer` that can be run.
#[derive(Clone, Debug)]
pub(super) struct Binary {
    path: PathBuf,
    version: PgBouncerVersion,
    release: String,
}

impl Binary {
    /// Checks that `path` is a PgBouncer. The error is the reason why not.
    pub(super) fn at(path: &Path) -> Result<Self, String> {
        if !path.is_file() {
            return Err("it is no file".into());
        }
        let output = Command::new(path)
            .arg("--version")
            .output()
            .map_err(|error| format!("it cannot be run: {error}"))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let release = release(&text);
        let version = release.and_then(PgBouncerVersion::parse);
        let (Some(release), Some(version)) = (release, version) else {
            let problem = String::from_utf8_lossy(&output.stderr);
            let printed = [text.trim(), problem.trim()].concat();
            return Err(format!("its `--version` prints {printed:?}"));
        };
        Ok(Self {
            path: path.to_owned(),
            version,
            release: release.to_owned(),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn version(&self) -> PgBouncerVersion {
        self.version
    }

    /// The version with its patch level, such as `1.24.1`.
    pub(super) fn release(&self) -> &str {
        &self.release
    }
}

/// Parses `PgBouncer 1.24.1` in the first line.
fn release(text: &str) -> Option<&str> {
    let release = text.strip_prefix("PgBouncer ")?;
    release.split_whitespace().next()
}

/// Which versions are wanted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    only: Option<PgBouncerVersion>,
    at_least: Option<PgBouncerVersion>,
}

impl Wanted {
    pub(super) fn fits(self, version: PgBouncerVersion) -> bool {
        self.only.is_none_or(|only| only == version)
            && self.at_least.is_none_or(|oldest| oldest <= version)
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.only, self.at_least) {
            (Some(only), _) => only.fmt(f),
            (None, Some(oldest)) => write!(f, "{oldest} or newer"),
            (None, None) => f.write_str("of any version"),
        }
    }
}

/// Finds a `pgbouncer`, or installs one. `only` replaces the version of `DEV_PGBOUNCER`.
pub(super) fn locate(
    account: Account,
    only: Option<PgBouncerVersion>,
    at_least: Option<PgBouncerVersion>,
) -> Result<Binary> {
    let only = match only {
        None => PgBouncerVersion::from_env()?,
        only => only,
    };
    let wanted = Wanted { only, at_least };
    let mut tried = Vec::new();
    if let Some(path) = std::env::var_os("PGBOUNCER_BIN").map(PathBuf::from) {
        // The user has named this file, so it is an error if it is unusable. Only another version
        // makes the search go on.
        let found = Binary::at(&path).map_err(|reason| Error::BadPgBouncer { path, reason })?;
        if wanted.fits(found.version) {
            return Ok(found);
        }
        tried.push(format!("PGBOUNCER_BIN (it is {})", found.release));
    }
    for path in candidates() {
        match Binary::at(&path) {
            Ok(found) if wanted.fits(found.version) => return Ok(found),
            Ok(found) => tried.push(format!("{} (it is {})", path.display(), found.release)),
            Err(reason) if path.exists() => tried.push(format!("{} ({reason})", path.display())),
            Err(_) => {}
        }
    }
    tried.push("PATH, /usr/sbin, /usr/local/sbin, Homebrew".into());
    debian::install(account, wanted).map_err(|debian| Error::NoPgBouncer {
        wanted: wanted.to_string(),
        tried: tried.join("; "),
        debian,
        install: install_command(),
    })
}

/// The files to try, in order of preference.
fn candidates() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut dirs: Vec<PathBuf> = std::env::split_paths(&path).collect();
    // Directories for administrators are not in the PATH of everybody.
    for dir in ["/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin"] {
        let dir = PathBuf::from(dir);
        if !dirs.contains(&dir) {
            dirs.push(dir);
        }
    }
    dirs.into_iter().map(|dir| dir.join("pgbouncer")).collect()
}

/// The command that installs PgBouncer on this system.
fn install_command() -> String {
    for (manager, command) in [
        ("/usr/bin/apt-get", "sudo apt-get install pgbouncer"),
        ("/usr/bin/dnf", "sudo dnf install pgbouncer"),
        ("/sbin/apk", "sudo apk add pgbouncer"),
        ("/usr/bin/pacman", "sudo pacman -S pgbouncer"),
    ] {
        if Path::new(manager).exists() {
            return command.into();
        }
    }
    if cfg!(target_os = "macos") {
        return "brew install pgbouncer".into();
    }
    "your system's package manager (the package is called pgbouncer)".into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        let version = |text| PgBouncerVersion::parse(text).unwrap();
        assert_eq!(release("PgBouncer 1.24.1\nlibevent 2.1"), Some("1.24.1"));
        assert_eq!(release("psql (PostgreSQL) 15.18"), None);
        assert_eq!(version("1.24.1"), PgBouncerVersion::new(1, 24));
        assert!(version("1.9") < version("1.18"));
        assert!(!version("1.20.1").has_prepared_statements());
        assert!(version("1.21").has_prepared_statements());
        assert_eq!(PgBouncerVersion::parse("1"), None);
    }

    #[test]
    fn a_version_or_those_from_one_on_are_wanted() {
        let (old, new) = (PgBouncerVersion::new(1, 18), PgBouncerVersion::new(1, 24));
        let wanted = |only, at_least| Wanted { only, at_least };
        assert!(wanted(None, None).fits(old));
        assert!(wanted(Some(old), None).fits(old) && !wanted(Some(old), None).fits(new));
        assert!(wanted(None, Some(new)).fits(new) && !wanted(None, Some(new)).fits(old));
        assert_eq!(wanted(None, Some(old)).to_string(), "1.18 or newer");
    }
}
