//! Installation into the cache: once, also with concurrent processes.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::account::Account;
use crate::cache;

/// What `find` finds in `<cache>/<name>`. If it finds nothing, `fill` installs into an empty directory
/// that it is given, and returns the directory that becomes `<cache>/<name>`.
pub(crate) fn once<T>(
    account: Account,
    name: &str,
    find: impl Fn(&Path) -> Result<T, String>,
    fill: impl FnOnce(&Path) -> Result<PathBuf, String>,
) -> Result<T, String> {
    once_in(&cache::directory(account)?, account, name, find, fill)
}

fn once_in<T>(
    cache: &Path,
    account: Account,
    name: &str,
    find: impl Fn(&Path) -> Result<T, String>,
    fill: impl FnOnce(&Path) -> Result<PathBuf, String>,
) -> Result<T, String> {
    let home = cache.join(name);
    if let Ok(found) = find(&home) {
        return Ok(found);
    }
    cache::create(cache)?;
    // The lock is held until the end of this function. Other processes wait for it, and then find
    // the binaries installed.
    let path = cache.join(format!("{name}.lock"));
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|error| format!("{} is not writable: {error}", cache.display()))?;
    lock.lock()
        .map_err(|error| format!("locking {}: {error}", path.display()))?;
    if let Ok(found) = find(&home) {
        return Ok(found);
    }
    // Install into a directory beside, run the binaries, and rename it, so that no process sees a
    // partial installation.
    let staging = cache.join(format!("{name}.partial"));
    remove(&staging)?; // A process that was killed may have left it.
    std::fs::create_dir(&staging).map_err(|error| format!("{}: {error}", staging.display()))?;
    let installed = fill(&staging).and_then(|filled| {
        make_readable(&filled, account)?;
        find(&filled)?;
        remove(&home)?;
        std::fs::rename(&filled, &home)
            .map_err(|error| format!("moving it to {}: {error}", home.display()))
    });
    remove(&staging)?;
    installed?;
    find(&home).map_err(|reason| format!("{}: {reason}", home.display()))
}

/// Runs a command. The error is its standard error, or why it cannot be run.
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

/// Makes the files readable for the server's account, whatever this user's umask is.
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
    use crate::locate::Binaries;

    fn find(home: &Path) -> Result<Binaries, String> {
        Binaries::at(&home.join("bin"))
    }

    /// Writes scripts `postgres` and `initdb` into `dir` that print `output`. A shell writes them:
    /// if this process did, a child that another thread forks meanwhile could inherit the open
    /// file, and running the script would fail with ETXTBSY.
    fn write_fake_postgres(dir: &Path, output: &str) {
        let write = r#"mkdir -p "$0" && cd "$0" &&
            printf '#!/bin/sh\necho "%s"\n' "$1" >postgres &&
            cp postgres initdb && chmod 755 postgres initdb"#;
        run(Command::new("sh").args(["-c", write]).arg(dir).arg(output)).unwrap();
    }

    fn fill(staging: &Path) -> Result<PathBuf, String> {
        let target = staging.join("unpacked");
        write_fake_postgres(&target.join("bin"), "postgres (PostgreSQL) 16.1");
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
    fn concurrent_calls_install_once() {
        let cache = tempfile::tempdir().unwrap();
        let filled = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let found = once_in(cache.path(), Account::Own, "pg", find, |staging| {
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
    fn a_partial_installation_is_replaced() {
        let cache = tempfile::tempdir().unwrap();
        for left in ["pg.partial/unpacked/bin", "pg/lib"] {
            std::fs::create_dir_all(cache.path().join(left)).unwrap();
        }
        let found = once_in(cache.path(), Account::Own, "pg", find, fill).unwrap();
        assert_eq!(found.dir(), cache.path().join("pg/bin"));
        assert!(!cache.path().join("pg/lib").exists());
        assert_eq!(names(cache.path()), ["pg", "pg.lock"]);
    }

    #[test]
    fn binaries_that_do_not_run_are_not_kept() {
        let cache = tempfile::tempdir().unwrap();
        let problem = once_in(cache.path(), Account::Own, "pg", find, |staging| {
            write_fake_postgres(&staging.join("bin"), "wrong C library");
            Ok(staging.to_owned())
        });
        let problem = problem.unwrap_err();
        assert!(problem.contains("wrong C library"), "{problem}");
        let problem = once_in(cache.path(), Account::Own, "pg", find, |_| {
            Err("no network".into())
        });
        assert_eq!(problem.unwrap_err(), "no network");
        assert_eq!(names(cache.path()), ["pg.lock"]);
    }

    #[test]
    fn a_missing_or_failing_command_is_an_error() {
        assert_eq!(
            run(&mut Command::new("no-such-client")).unwrap_err(),
            "`no-such-client` is not installed"
        );
        let mut failing = Command::new("sh");
        failing.args(["-c", "echo no network >&2; exit 1"]);
        assert_eq!(run(&mut failing).unwrap_err(), "no network");
    }
}
