//! PgBouncer's process: its configuration, the shell script that runs it, and the wait until it is
//! ready.

use std::fmt::Write as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sqlx::postgres::PgConnectOptions;

use super::{PORT, PgBouncerBuilder, PgBouncerVersion};
use crate::account::Account;
use crate::error::{Error, IoContext, Result};

/// Time limit of a start.
const START_TIMEOUT: Duration = Duration::from_secs(20);

/// Shell script that starts PgBouncer, waits until its standard input is closed, stops it and removes
/// its run directory. The kernel closes the pipe however the process that holds its other end dies.
/// `$1` pgbouncer, `$2` run directory.
const WATCHDOG: &str = r#"
trap '' HUP INT TERM
pgbouncer=$1 run=$2
{ "$pgbouncer" "$run/pgbouncer.ini" </dev/null >"$run/log" 2>&1; echo $? >"$run/exited"; } &
read -r _ignored
# It may have just begun to start, and would run forever without the signal.
until [ -s "$run/pid" ] || [ -f "$run/exited" ]; do sleep 0.05; done
if [ -s "$run/pid" ]; then
    read -r pid <"$run/pid"
    # At once: clients are not waited for.
    kill -TERM "$pid" 2>/dev/null; kill -QUIT "$pid" 2>/dev/null
fi
wait
rm -rf "$run"
"#;

/// Writes the configuration and the list of users.
pub(super) fn write_files(
    builder: &PgBouncerBuilder,
    version: PgBouncerVersion,
    server: &PgConnectOptions,
    run: &Path,
    account: Account,
) -> Result<()> {
    let user = server.get_username();
    let files = [
        (
            "pgbouncer.ini",
            configuration(builder, version, server, run),
        ),
        ("users", format!("\"{user}\" \"\"\n")),
    ];
    for (name, text) in files {
        let path = run.join(name);
        std::fs::write(&path, text).context(|| format!("writing {}", path.display()))?;
        account.own(&path)?;
    }
    Ok(())
}

fn configuration(
    builder: &PgBouncerBuilder,
    version: PgBouncerVersion,
    server: &PgConnectOptions,
    run: &Path,
) -> String {
    let host = match server.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => server.get_host().to_owned(),
    };
    let (port, user) = (server.get_port(), server.get_username());
    let run = run.display();
    let mut text = format!("[databases]\n* = host={host} port={port}\n\n[pgbouncer]\n");
    let mut settings = vec![
        ("listen_addr", String::new()),
        ("listen_port", PORT.to_string()),
        ("unix_socket_dir", run.to_string()),
        ("unix_socket_mode", "0700".into()),
        ("pidfile", format!("{run}/pid")),
        ("auth_type", "trust".into()),
        ("auth_file", format!("{run}/users")),
        // Users that are not in the file are looked up on the server.
        ("auth_user", user.into()),
        ("admin_users", user.into()),
        ("pool_mode", "transaction".into()),
        ("default_pool_size", builder.pool_size.to_string()),
        ("max_client_conn", "2000".into()),
        ("max_db_connections", "0".into()),
        // Databases of tests come and go.
        ("server_idle_timeout", "30".into()),
        ("ignore_startup_parameters", "extra_float_digits".into()),
    ];
    if version.has_prepared_statements() {
        settings.push(("max_prepared_statements", "200".into()));
    }
    let more = &builder.settings;
    settings.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
    let more = more.iter().map(|(name, value)| (&**name, value.clone()));
    for (name, value) in settings.into_iter().chain(more) {
        let _ = writeln!(text, "{name} = {value}");
    }
    text
}

/// Starts PgBouncer.
pub(super) fn spawn(binary: &Path, run: &Path, account: Account) -> Result<StartGuard> {
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", WATCHDOG, "dev-postgres"])
        .arg(binary)
        .arg(run)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .current_dir("/")
        // A process group of its own: Ctrl-C in a terminal must not reach the shell, which stops
        // PgBouncer when this process ends.
        .process_group(0);
    // It refuses to run as root, as PostgreSQL does.
    account.apply(&mut command);
    let child = command
        .spawn()
        .context(|| "starting /bin/sh to run PgBouncer".into())?;
    Ok(StartGuard(Some(child)))
}

/// Stops PgBouncer if its start fails.
pub(super) struct StartGuard(Option<Child>);

impl StartGuard {
    pub(super) fn disarm(mut self) -> Child {
        self.0.take().expect("only `disarm` takes it")
    }
}

impl Drop for StartGuard {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }
}

/// Waits until PgBouncer accepts connections.
pub(super) fn wait_until_ready(run: &Path) -> Result<()> {
    let deadline = Instant::now() + START_TIMEOUT;
    let socket = run.join(format!(".s.PGSQL.{PORT}"));
    let reason = loop {
        // The file with its process ID is written after the socket is created, and is needed to stop it. At
        // first it is empty.
        let pid = std::fs::read_to_string(run.join("pid")).unwrap_or_default();
        if pid.ends_with('\n') && UnixStream::connect(&socket).is_ok() {
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
    Err(Error::PgBouncerStart {
        reason,
        log: lines[lines.len().saturating_sub(20)..].join("\n"),
    })
}
