//! Puts a PostgreSQL into the cache once, whoever starts at the same time.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::account::Account;
use crate::cache;
use crate::locate::Binaries;

/// The binaries in `<cache>/<name>/<bin>`. When they are not there yet, `fill` gets an
/// empty directory, installs into it, and answers with the directory that shall be kept as
/// `<cache>/<name>`.
pub(crate) fn once(
    account: Account,
    name: &str,
    bin: &str,
    fill: impl FnOnce(&Path) -> Result<PathBuf, String>,
) -> Result<Binaries, String> {
    once_in(&cache::directory(account)?, account, name, bin, fill)
}

fn once_in(
    cache: &Path,
    account: Account,
    name: &str,
    bin: &str,
    fill: impl FnOnce(&Path) -> Result<PathBuf, String>,
) -> Result<Binaries, String> {
    let home = cache.join(name);
    if let Ok(found) = Binaries::at(&home.join(bin)) {
        return Ok(found);
    }
    cache::create(cache)?;
    // Held until the end of this function: the others wait, and then find it installed.
    let path = cache.join(format!("{name}.lock"));
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|error| format!("{} is not writable: {error}", cache.display()))?;
    lock.lock()
        .map_err(|error| format!("locking {}: {error}", path.display()))?;
    if let Ok(found) = Binaries::at(&home.join(bin)) {
        return Ok(found);
    }
    // Installed beside its place, tried and renamed, so that nobody sees half of it.
    let staging = cache.join(format!("{name}.partial"));
    remove(&staging)?; // What a process left that was killed.
    std::fs::create_dir(&staging).map_err(|error| format!("{}: {error}", staging.display()))?;
    let installed = fill(&staging).and_then(|filled| {
        make_readable(&filled, account)?;
        Binaries::at(&filled.join(bin))?;
        remove(&home)?;
        std::fs::rename(&filled, &home)
            .map_err(|error| format!("moving it to {}: {error}", home.display()))
    });
    remove(&staging)?;
    installed?;
    Binaries::at(&home.join(bin)).map_err(|reason| format!("{}: {reason}", home.display()))
}

/// Runs a client of a registry, and answers with what it complained of.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    match command.stdin(Stdio::null()).output() {
        Ok(Output { status, .. }) if status.success() => Ok(()),
        Ok(Output { stderr, .. }) => Err(String::from_utf8_lossy(&stderr).trim().to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(format!("`{name}` is not installed"))
        }
        Err(error) => Err(format!("`{name}` cannot be run: {error}")),
    }
}

/// Lets the server's account read what this user's umask may have closed.
fn make_readable(dir: &Path, account: Account) -> Result<(), String> {
    if account.is_own() {
        return Ok(());
    }
    run(Command::new("chmod").args(["-R", "a+rX"]).arg(dir))
}

fn remove(dir: &Path) -> Result<(), String> {
    match std::fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("removing {}: {error}", dir.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// Puts something that answers like a PostgreSQL into `dir`. A shell writes it: a file
    /// that this process writes can be open in a child of another thread, and then the
    /// kernel does not run it.
    fn imitate(dir: &Path, says: &str) {
        let write = r#"mkdir -p "$0" && cd "$0" &&
            printf '#!/bin/sh\necho "%s"\n' "$1" >postgres &&
            cp postgres initdb && chmod 755 postgres initdb"#;
        run(Command::new("sh").args(["-c", write]).arg(dir).arg(says)).unwrap();
    }

    fn fill(staging: &Path) -> Result<PathBuf, String> {
        let target = staging.join("unpacked");
        imitate(&target.join("bin"), "postgres (PostgreSQL) 16.1");
        Ok(target)
    }

    fn names(cache: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(cache)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn of_many_that_start_at_once_one_installs() {
        let cache = tempfile::tempdir().unwrap();
        let filled = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let found = once_in(cache.path(), Account::Own, "pg", "bin", |staging| {
                        filled.fetch_add(1, Ordering::Relaxed);
                        fill(staging)
                    });
                    assert_eq!(found.unwrap().release(), "16.1");
                });
            }
        });
        assert_eq!(filled.into_inner(), 1);
        assert_eq!(names(cache.path()), ["pg", "pg.lock"]);
    }

    #[test]
    fn what_a_killed_installation_left_is_replaced() {
        let cache = tempfile::tempdir().unwrap();
        for left in ["pg.partial/unpacked/bin", "pg/lib"] {
            std::fs::create_dir_all(cache.path().join(left)).unwrap();
        }
        let found = once_in(cache.path(), Account::Own, "pg", "bin", fill).unwrap();
        assert_eq!(found.dir(), cache.path().join("pg/bin"));
        assert!(!cache.path().join("pg/lib").exists());
        assert_eq!(names(cache.path()), ["pg", "pg.lock"]);
    }

    #[test]
    fn what_does_not_run_is_not_kept() {
        let cache = tempfile::tempdir().unwrap();
        let problem = once_in(cache.path(), Account::Own, "pg", "bin", |staging| {
            imitate(&staging.join("bin"), "wrong C library");
            Ok(staging.to_owned())
        });
        let problem = problem.unwrap_err();
        assert!(problem.contains("wrong C library"), "{problem}");
        let problem = once_in(cache.path(), Account::Own, "pg", "bin", |_| {
            Err("no network".into())
        });
        assert_eq!(problem.unwrap_err(), "no network");
        assert_eq!(names(cache.path()), ["pg.lock"]);
    }

    #[test]
    fn a_client_that_is_missing_or_fails_is_told() {
        assert_eq!(
            run(&mut Command::new("no-such-client")).unwrap_err(),
            "`no-such-client` is not installed"
        );
        let mut failing = Command::new("sh");
        failing.args(["-c", "echo no network >&2; exit 1"]);
        assert_eq!(run(&mut failing).unwrap_err(), "no network");
    }
}
