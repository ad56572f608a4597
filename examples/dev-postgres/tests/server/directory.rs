//! Data directories and run directories.

use super::*;

#[tokio::test]
async fn a_persistent_directory_keeps_its_data_and_is_locked() {
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

    // A second server on the same directory is an error, or with `join` uses the first one.
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
fn the_directory_of_a_killed_process_can_be_used_at_once() {
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
fn a_failed_start_reports_the_log_and_leaves_no_directory() {
    let before = run_dirs();
    let error = Server::builder()
        .ignore_database_url()
        .setting("shared_buffers", "none")
        .start()
        .unwrap_err();
    let message = error.to_string();
    assert!(message.contains("it exited with status 1"), "{message}");
    assert!(message.contains("shared_buffers"), "{message}");
    // Concurrent tests create and remove directories too, so only new ones whose server has exited
    // are checked.
    for dir in run_dirs() {
        if !before.contains(&dir) && dir.join("exited").exists() {
            assert!(
                is_removed_within(&dir, Duration::from_secs(10)),
                "{}",
                dir.display()
            );
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
