//! One server for all processes of one parent.
//!
//! Its watchdog does not wait for this process to end but for the parent: a second shell asks
//! whether there still is one, and holds the pipe that the watchdog reads as long.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, parent_id};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::account::Account;
use crate::cache;
use crate::error::{Doing, Error, Result};

/// Waits for the end of the process `$1`, and removes the file `$2`.
const PARENT: &str = r#"
trap '' HUP INT TERM
while kill -0 "$1" 2>/dev/null; do sleep 0.2; done
rm -f "$2"
"#;

/// The file that says where the server of a parent is. Locked as long as this is there, so
/// that no two start one.
pub(crate) struct Place {
    path: PathBuf,
    file: File,
}

impl Place {
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
            .doing(|| format!("opening {}", path.display()))?;
        file.lock()
            .doing(|| format!("locking {}", path.display()))?;
        Ok(Self { path, file })
    }

    /// The directory of the server's socket, where one answers: the file may be older than
    /// the parent, whose number another process had before.
    pub(crate) fn running(&mut self) -> Result<Option<PathBuf>> {
        let mut directory = String::new();
        self.file
            .read_to_string(&mut directory)
            .doing(|| format!("reading {}", self.path.display()))?;
        let directory = PathBuf::from(directory);
        let answers = UnixStream::connect(directory.join(".s.PGSQL.5432")).is_ok();
        Ok(answers.then_some(directory))
    }

    pub(crate) fn write(&mut self, directory: &Path) -> Result<()> {
        let text = directory.to_string_lossy();
        self.file
            .set_len(0)
            .and_then(|()| self.file.rewind())
            .and_then(|()| self.file.write_all(text.as_bytes()))
            .doing(|| format!("writing into {}", self.path.display()))
    }

    /// A process whose output ends when the parent has.
    pub(crate) fn parent(&self) -> Result<Child> {
        Command::new("/bin/sh")
            .args(["-c", PARENT, "dev-postgres", &parent_id().to_string()])
            .arg(&self.path)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .current_dir("/")
            .process_group(0)
            .spawn()
            .doing(|| "starting /bin/sh to wait for the parent process".into())
    }
}
