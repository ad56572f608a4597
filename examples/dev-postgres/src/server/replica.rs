//! Streaming replicas: a copy of a server's data, and a server on it that follows the first one.
//!
//! `pg_basebackup` is missing in the wheel, so that this is what it does: the files are copied between the
//! start and the stop of a backup.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use sqlx::{Connection as _, PgConnection};

use super::data::lock;
use super::{Builder, Files, Server};
use crate::account::Account;
use crate::error::{Error, IoContext, Result};

/// Directories whose files a copy does not need: the log is streamed, and the rest is of the sessions of
/// the first server.
const EMPTY: [&str; 7] = [
    "pg_wal",
    "pg_replslot",
    "pg_dynshmem",
    "pg_notify",
    "pg_stat_tmp",
    "pg_subtrans",
    "pgsql_tmp",
];

/// Files of the running server.
const LEFT_OUT: [&str; 3] = ["postmaster.pid", "postmaster.opts", "backup_label"];

impl Server {
    /// Starts a streaming replica of this server, with settings of its own. It stops like any other
    /// server, and is promoted by `SELECT pg_promote()`.
    ///
    /// With a [persistent](Builder::persistent) directory, it goes on with the data that are there. The
    /// first server keeps little of its log for a replica that is away: set its `wal_keep_size`, such as
    /// `256MB`.
    ///
    /// ```no_run
    /// # async fn run() -> Result<(), dev_postgres::Error> {
    /// use dev_postgres::Server;
    ///
    /// let primary = Server::builder().setting("wal_keep_size", "256MB").start()?;
    /// let slow = Server::builder().setting("recovery_min_apply_delay", "2s");
    /// let replica = primary.replica(slow).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// If this process has not started the server, or the copy or the start fails.
    pub async fn replica(&self, builder: Builder) -> Result<Self> {
        let Some(files) = &self.files else {
            return Err(Error::NotOwn);
        };
        let account = Account::detect()?;
        let conninfo = format!(
            "host={} port=5432 user=postgres",
            files.socket.to_string_lossy()
        );
        // A replica needs at least the connections, locks and so on of the first server.
        let mut settings = files.settings.clone();
        settings.push(("primary_conninfo".to_owned(), conninfo));
        settings.extend(builder.settings);
        let builder = Builder {
            settings,
            ..builder
        };
        let held = match &builder.directory {
            None => None,
            Some(directory) => {
                let held = lock(directory, account)?.ok_or_else(|| Error::InUse {
                    dir: directory.clone(),
                })?;
                Some(held)
            }
        };
        // On the same file system as the data.
        let parent = builder.directory.as_deref().unwrap_or(Path::new("/tmp"));
        let staging = tempfile::tempdir_in(parent)
            .context(|| format!("creating a directory in {}", parent.display()))?;
        let copy = staging.path().join("data");
        if !builder.has_data(files) {
            self.back_up(files, &copy, account).await?;
        }
        builder.start_with(files.binaries.clone(), account, held, None, |_, data| {
            fs::rename(&copy, data).context(|| format!("moving a copy to {}", data.display()))
        })
    }

    /// Copies the data between the start and the stop of a backup.
    async fn back_up(&self, files: &Files, copy: &Path, account: Account) -> Result<()> {
        let mut connection = PgConnection::connect_with(self.options()).await?;
        let (start, stop) = match files.binaries.version() {
            14 => (
                "SELECT pg_start_backup('replica', true, false)::text",
                "SELECT labelfile FROM pg_stop_backup(false, false)",
            ),
            _ => (
                "SELECT pg_backup_start('replica', true)::text",
                "SELECT labelfile FROM pg_backup_stop(false)",
            ),
        };
        sqlx::query(start).execute(&mut connection).await?;
        copy_directory(&files.data, copy, account)?;
        // The session that has started the backup stops it.
        let label: String = sqlx::query_scalar(stop).fetch_one(&mut connection).await?;
        connection.close().await?;
        for (name, text) in [("backup_label", &*label), ("standby.signal", "")] {
            let path = copy.join(name);
            fs::write(&path, text).context(|| format!("writing {}", path.display()))?;
            account.own(&path)?;
        }
        Ok(())
    }
}

impl Builder {
    fn has_data(&self, files: &Files) -> bool {
        let name = format!("data-{}", files.binaries.version());
        let directory = self.directory.as_ref();
        directory.is_some_and(|directory| directory.join(name).join("PG_VERSION").exists())
    }
}

/// Copies a directory of a running server.
fn copy_directory(from: &Path, to: &Path, account: Account) -> Result<()> {
    fs::create_dir(to).context(|| format!("creating {}", to.display()))?;
    fs::set_permissions(to, fs::Permissions::from_mode(0o700))
        .context(|| format!("changing {}", to.display()))?;
    account.own(to)?;
    let entries = fs::read_dir(from).context(|| format!("reading {}", from.display()))?;
    for entry in entries {
        let entry = entry.context(|| format!("reading {}", from.display()))?;
        let (name, path) = (entry.file_name(), entry.path());
        let copy = to.join(&name);
        let name = name.to_string_lossy();
        if path.is_dir() {
            match EMPTY.contains(&&*name) {
                true => empty_directory(&path, &copy, account)?,
                false => copy_directory(&path, &copy, account)?,
            }
        } else if !LEFT_OUT.contains(&&*name) {
            match fs::copy(&path, &copy) {
                Ok(_) => account.own(&copy)?,
                // The server has deleted it. What matters of it is in its log.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    return Err(error).context(|| format!("copying {}", path.display()));
                }
            }
        }
    }
    Ok(())
}

/// Creates a directory with the directories of another one, and without its files.
fn empty_directory(from: &Path, to: &Path, account: Account) -> Result<()> {
    fs::create_dir(to).context(|| format!("creating {}", to.display()))?;
    fs::set_permissions(to, fs::Permissions::from_mode(0o700))
        .context(|| format!("changing {}", to.display()))?;
    account.own(to)?;
    let entries = fs::read_dir(from).context(|| format!("reading {}", from.display()))?;
    for entry in entries {
        let entry = entry.context(|| format!("reading {}", from.display()))?;
        if entry.path().is_dir() {
            empty_directory(&entry.path(), &to.join(entry.file_name()), account)?;
        }
    }
    Ok(())
}
