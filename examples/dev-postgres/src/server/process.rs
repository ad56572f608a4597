//! The server's process: a shell script that runs `postgres`, and the wait until it is ready.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::Builder;
use crate::account::Account;
use crate::error::{Error, IoContext, Result};
use crate::locate::Binaries;
use crate::shared::SharedServer;

/// Time limit of a start: long enough for crash recovery on a slow disk.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// Shell script that starts the server, waits until its standard input is closed, stops the server
/// and removes its run directory. The kernel closes the pipe however the process that holds its
/// other end dies.
/// `$1` postgres, `$2` data directory, `$3` run directory, `$4` signal, `$5..` options.
const WATCHDOG: &str = r#"
trap '' HUP INT TERM
postgres=$1 data=$2 run=$3 signal=$4
shift 4
{ "$postgres" -D "$data" "$@" </dev/null >"$run/log" 2>&1; echo $? >"$run/exited"; } &
read -r _ignored
# It may have just begun to start, and would run forever without the signal.
until [ -s "$data/postmaster.pid" ] || [ -f "$run/exited" ]; do sleep 0.05; done
if [ -s "$data/postmaster.pid" ]; then
    read -r pid <"$data/postmaster.pid"
    kill "-$signal" "$pid" 2>/dev/null
fi
wait
rm -rf "$run"
"#;

impl Builder {
    pub(super) fn spawn(
        &self,
        binaries: &Binaries,
        data: &Path,
        run: &Path,
        account: Account,
        shared: Option<&SharedServer>,
    ) -> Result<StartGuard> {
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", WATCHDOG, "dev-postgres"])
            .arg(binaries.tool("postgres"))
            .arg(data)
            .arg(run)
            // SIGINT is a fast shutdown, which leaves clean data. SIGQUIT is an immediate one, for
            // data that is deleted anyway.
            .arg(if self.directory.is_some() {
                "INT"
            } else {
                "QUIT"
            });
        let mut sockets = run.to_string_lossy().into_owned();
        if let Some(other) = &self.socket {
            sockets = format!("{sockets},{}", other.display());
        }
        let mut settings = vec![
            ("listen_addresses", ""),
            ("unix_socket_directories", &*sockets),
            ("unix_socket_permissions", "0700"),
            ("port", "5432"),
            ("max_wal_size", "4GB"),
        ];
        if self.directory.is_none() {
            settings.extend([
                ("fsync", "off"),
                ("synchronous_commit", "off"),
                ("full_page_writes", "off"),
                // Tables without statistics are estimated as large, so that plans for a few rows
                // would be compiled, which takes longer than running them.
                ("jit", "off"),
            ]);
        }
        settings.extend(
            self.settings
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str())),
        );
        for (name, value) in settings {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        account.apply(&mut command);
        let mut parent = shared.map(SharedServer::watch_parent).transpose()?;
        let input = parent
            .as_mut()
            .and_then(|parent| parent.stdout.take())
            .map_or_else(Stdio::piped, Stdio::from);
        command
            .stdin(input)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .current_dir("/")
            // A process group of its own: Ctrl-C in a terminal must not reach the shell, which
            // stops the server when this process ends.
            .process_group(0);
        let child = command
            .spawn()
            .context(|| "starting /bin/sh to run PostgreSQL".into())?;
        Ok(StartGuard {
            child: Some(child),
            parent,
        })
    }
}

/// Stops the server if its start fails.
pub(super) struct StartGuard {
    child: Option<Child>,
    /// For a shared server, the process that waits for the end of the parent.
    parent: Option<Child>,
}

impl StartGuard {
    pub(super) fn disarm(mut self) -> Child {
        self.child.take().expect("only `disarm` takes it")
    }
}

impl Drop for StartGuard {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.stdin.take());
            if let Some(parent) = &mut self.parent {
                let _ = parent.kill();
                let _ = parent.wait();
            }
            let _ = child.wait();
        }
    }
}

/// Adds the server to the file that `DEV_POSTGRES_LOG` names.
pub(super) fn log(binaries: &Binaries) -> Result<()> {
    let Some(path) = std::env::var_os("DEV_POSTGRES_LOG").map(PathBuf::from) else {
        return Ok(());
    };
    // A single write, so that lines of concurrent processes do not mix.
    let line = format!("{}\t{}\n", binaries.release(), binaries.dir().display());
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .and_then(|mut file| file.write_all(line.as_bytes()))
        .context(|| format!("writing DEV_POSTGRES_LOG, {}", path.display()))
}

/// Waits until line 8 of `postmaster.pid` is `ready`, as `pg_ctl` does.
pub(super) fn wait_until_ready(data: &Path, run: &Path) -> Result<()> {
    let deadline = Instant::now() + START_TIMEOUT;
    let reason = loop {
        if std::fs::read_to_string(data.join("postmaster.pid"))
            .is_ok_and(|text| text.lines().nth(7).is_some_and(|l| l.trim() == "ready"))
        {
            return Ok(());
        }
        if let Ok(code) = std::fs::read_to_string(run.join("exited")) {
            break format!("it exited with status {}", code.trim());
        }
        if Instant::now() > deadline {
            break format!("it was not ready after {} s", START_TIMEOUT.as_secs());
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let log = std::fs::read_to_string(run.join("log")).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    Err(Error::Start {
        reason,
        log: lines[lines.len().saturating_sub(20)..].join("\n"),
    })
}
