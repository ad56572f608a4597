//! Directories of a server: its lock, its socket and log, and its data.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::account::Account;
use crate::error::{Error, IoContext, Result};
use crate::locate::Binaries;

/// Locks a persistent directory; `None` if another process holds the lock.
pub(super) fn lock(directory: &Path, account: Account) -> Result<Option<File>> {
    std::fs::create_dir_all(directory).context(|| format!("creating {}", directory.display()))?;
    account.own(directory)?;
    let path = directory.join("lock");
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .context(|| format!("opening {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => {
            // Only for humans who look for the owner.
            let _ = writeln!(file, "{}", std::process::id());
            Ok(Some(file))
        }
        Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        Err(std::fs::TryLockError::Error(error)) => {
            Err(error).context(|| format!("locking {}", path.display()))
        }
    }
}

/// Creates the directory of the socket and the log. It is in /tmp because the path of a Unix socket
/// is limited to 107 bytes.
pub(crate) fn run_dir(account: Account) -> Result<tempfile::TempDir> {
    let dir = tempfile::Builder::new()
        .prefix("pg-")
        .permissions(std::fs::Permissions::from_mode(0o700))
        .tempdir_in("/tmp")
        .context(|| "creating a directory in /tmp".into())?;
    account.own(dir.path())?;
    Ok(dir)
}

/// Waits up to ten seconds until no server runs on the data. The watchdog of a process that was
/// killed needs some time to stop its server.
pub(super) fn wait_until_stopped(data: &Path) -> Result<()> {
    let pid_file = data.join("postmaster.pid");
    let deadline = Instant::now() + Duration::from_secs(10);
    while pid_file.exists() && Instant::now() < deadline {
        let alive = std::fs::read_to_string(&pid_file).is_ok_and(|text| {
            let pid = text.lines().next().unwrap_or_default().trim().to_owned();
            Command::new("kill")
                .args(["-0", &pid])
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success())
        });
        if !alive {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

pub(super) fn initdb(binaries: &Binaries, data: &Path, account: Account) -> Result<()> {
    // The same LC_CTYPE everywhere. Not every libc has C.UTF-8, so others are tried next.
    let locales: &[&[&str]] = &[
        &["--locale=C", "--lc-ctype=C.UTF-8"],
        &["--locale=C", "--lc-ctype=en_US.UTF-8"],
        &["--locale=C"],
    ];
    let mut failure = None;
    for locale in locales {
        let mut command = Command::new(binaries.tool("initdb"));
        command
            .args(["-U", "postgres", "--auth=trust", "-E", "UTF8", "--no-sync"])
            .args(*locale)
            .arg("-D")
            .arg(data)
            .env_remove("LC_ALL")
            .current_dir("/")
            .stdin(Stdio::null());
        account.apply(&mut command);
        let output = command
            .output()
            .context(|| format!("running {}", binaries.tool("initdb").display()))?;
        if output.status.success() {
            return Ok(());
        }
        failure.get_or_insert_with(|| Error::Initdb {
            command: format!("{command:?}"),
            output: format!(
                "{}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            ),
        });
    }
    failure.map_or(Ok(()), Err)
}
