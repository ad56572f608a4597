//! A server that all processes of one parent share.
//!
//! Its watchdog waits for the end of the parent instead of this process: a second shell polls
//! whether the parent exists, and holds the write end of the watchdog's pipe until then.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, parent_id};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::account::Account;
use crate::cache;
use crate::error::{Error, IoContext, Result};

/// Waits for the end of the process `$1`, and removes the file `$2`.
const PARENT_WATCH: &str = r#"
trap '' HUP INT TERM
while kill -0 "$1" 2>/dev/null; do sleep 0.2; done
rm -f "$2"
"#;

/// The file with the socket directory of the parent's server. It is locked as long as this value
/// exists, so that only one process starts a server.
pub(crate) struct SharedServer {
    path: PathBuf,
    file: File,
}

impl SharedServer {
    pub(crate) fn lock(account: Account) -> Result<Self> {
        let cache = cache::directory(account).map_err(Error::NoDirectory)?;
        cache::create(&cache).map_err(Error::NoDirectory)?;
        let path = cache.join(format!("shared-{}", parent_id()));
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .context(|| format!("opening {}", path.display()))?;
        file.lock()
            .context(|| format!("locking {}", path.display()))?;
        Ok(Self { path, file })
    }

    /// The directory of the server's socket, if the server is running. The file may be left from an
    /// earlier process with the same PID as the parent.
    pub(crate) fn running(&mut self) -> Result<Option<PathBuf>> {
        let mut directory = String::new();
        self.file
            .read_to_string(&mut directory)
            .context(|| format!("reading {}", self.path.display()))?;
        let directory = PathBuf::from(directory);
        let is_running = UnixStream::connect(directory.join(".s.PGSQL.5432")).is_ok();
        Ok(is_running.then_some(directory))
    }

    pub(crate) fn write(&mut self, directory: &Path) -> Result<()> {
        let text = directory.to_string_lossy();
        self.file
            .set_len(0)
            .and_then(|()| self.file.rewind())
            .and_then(|()| self.file.write_all(text.as_bytes()))
            .context(|| format!("writing into {}", self.path.display()))
    }

    /// Starts a process whose standard output is closed when the parent has ended.
    pub(crate) fn watch_parent(&self) -> Result<Child> {
        Command::new("/bin/sh")
            .args(["-c", PARENT_WATCH, "dev-postgres", &parent_id().to_string()])
            .arg(&self.path)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .current_dir("/")
            .process_group(0)
            .spawn()
            .context(|| "starting /bin/sh to wait for the parent process".into())
    }
}
