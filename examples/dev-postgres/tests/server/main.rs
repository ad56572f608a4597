//! Servers: where they come from, how they stop, and their directories.

mod directory;
mod lifetime;
mod replica;
mod source;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use dev_postgres::{Error, Server};
use sqlx::{ConnectOptions, Connection, PgConnection};

/// The program `dev-postgres`, which starts a server and stops it at the end of its input.
fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dev-postgres"));
    command
        .env_remove("DATABASE_URL")
        .env_remove("PG_BIN_DIR")
        .env_remove("DEV_POSTGRES")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// The running program, with the description of its server and the directory of the socket.
struct Running {
    child: Child,
    description: String,
    socket: PathBuf,
    _output: BufReader<ChildStdout>,
}

fn start(command: &mut Command) -> Running {
    let mut child = command.spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let (mut description, mut psql) = (String::new(), String::new());
    output.read_line(&mut description).unwrap();
    output.read_line(&mut psql).unwrap();
    if psql.is_empty() {
        let output = child.wait_with_output().unwrap();
        panic!("{}", String::from_utf8_lossy(&output.stderr));
    }
    let socket = psql.split_whitespace().nth(2).unwrap().into();
    Running {
        child,
        description,
        socket,
        _output: output,
    }
}

/// Waits until the path does not exist; false after `within`.
fn is_removed_within(path: &Path, within: Duration) -> bool {
    let deadline = Instant::now() + within;
    while path.exists() {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}

/// Standard error of the program, which must fail.
fn stderr_of_failure(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

async fn connect(server: &Server) -> PgConnection {
    server.options().connect().await.unwrap()
}
