//! How long a server runs: until it is dropped, or its process or parent ends.

use super::*;

#[tokio::test]
async fn a_temporary_server_stops_when_it_is_dropped() {
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
    assert_eq!(listens, "", "it listens on a socket only");
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
async fn databases_are_empty_and_independent() {
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
    // A named database is created again each time.
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
fn the_server_stops_when_its_process_is_killed() {
    let mut running = start(&mut program());
    assert!(running.socket.join(".s.PGSQL.5432").exists());
    // SIGKILL: no destructor runs.
    running.child.kill().unwrap();
    running.child.wait().unwrap();
    assert!(is_removed_within(&running.socket, Duration::from_secs(10)));
}

#[test]
fn the_server_stops_when_its_process_exits() {
    let mut running = start(&mut program());
    drop(running.child.stdin.take());
    assert!(running.child.wait().unwrap().success());
    assert!(is_removed_within(&running.socket, Duration::from_secs(10)));
}

/// Runs this test twice in processes of their own, whose common parent is a shell.
#[tokio::test]
async fn processes_of_one_parent_share_a_server_that_stops_with_the_parent() {
    if let Ok(directory) = std::env::var("SHARED_SERVER_TEST") {
        // In a child process: the server must outlive the child that started it.
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
    let name = "processes_of_one_parent_share_a_server_that_stops_with_the_parent";
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
    assert!(is_removed_within(
        Path::new(sockets[0]),
        Duration::from_secs(10)
    ));
}
