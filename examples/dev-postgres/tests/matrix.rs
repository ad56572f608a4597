//! The program that runs a command on several versions.

use std::process::{Command, Output, Stdio};

/// Starts the program of this crate, whose input ends at once.
const STARTS_A_SERVER: &str = concat!(env!("CARGO_BIN_EXE_dev-postgres"), " </dev/null");

/// Runs `script` on `versions`.
fn matrix(versions: &[&str], script: &str) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_matrix"))
        .args(versions)
        .args(["--", "sh", "-c", script])
        // Neither a server of the user's nor what another matrix asks for.
        .env("DATABASE_URL", "postgres:///?host=/nowhere")
        .env_remove("PG_BIN_DIR")
        .env_remove("DEV_POSTGRES")
        .env_remove("DEV_POSTGRES_LOG")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    (output.status.success(), text(&output))
}

fn text(output: &Output) -> String {
    [&output.stdout[..], &output.stderr]
        .map(String::from_utf8_lossy)
        .concat()
}

/// The major version of what is found on this machine.
fn here() -> String {
    let output = Command::new("sh")
        .args(["-c", STARTS_A_SERVER])
        .env_remove("DATABASE_URL")
        .env_remove("PG_BIN_DIR")
        .env_remove("DEV_POSTGRES")
        .output()
        .unwrap();
    let says = text(&output);
    let release = says.split_once("PostgreSQL ").unwrap().1;
    release.chars().take_while(char::is_ascii_digit).collect()
}

#[test]
fn a_command_that_succeeds_on_a_server_passes() {
    let version = here();
    let script = format!("{STARTS_A_SERVER} && {STARTS_A_SERVER}");
    let (passed, says) = matrix(&[&version], &script);
    assert!(passed, "{says}");
    // The command speaks for itself; then comes the summary.
    assert_eq!(says.matches(" from /").count(), 2, "{says}");
    assert!(says.contains(&format!("PostgreSQL {version}.")), "{says}");
    assert!(says.contains(": passed on 2 servers in "), "{says}");
}

#[test]
fn a_command_that_fails_fails() {
    let script = format!("{STARTS_A_SERVER}; exit 3");
    let (passed, says) = matrix(&[&here()], &script);
    assert!(!passed);
    assert!(says.contains(": FAILED (exit status: 3), after "), "{says}");
}

#[test]
fn a_command_that_started_no_such_server_has_shown_nothing() {
    let version = here();
    let (passed, says) = matrix(&[&version], "true");
    assert!(!passed);
    let reason = format!(": FAILED: the command started no PostgreSQL {version}, after ");
    assert!(says.contains(&reason), "{says}");
}

#[test]
fn a_version_that_cannot_be_had_stops_no_other() {
    let version = here();
    let (passed, says) = matrix(&["99", &version], STARTS_A_SERVER);
    assert!(!passed);
    assert!(says.contains("no PostgreSQL 99 was found"), "{says}");
    assert!(says.contains("PostgreSQL 99: NOT RUN, see above"), "{says}");
    assert!(says.contains(": passed on 1 server in "), "{says}");
}

#[test]
fn what_is_no_version_is_refused_with_help() {
    let output = Command::new(env!("CARGO_BIN_EXE_matrix"))
        .args(["cargo", "test"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    let says = text(&output);
    assert!(says.contains("`cargo` is not a major version"), "{says}");
    assert!(says.contains("Usage: cargo matrix"), "{says}");
}
