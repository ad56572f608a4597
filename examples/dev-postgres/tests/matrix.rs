//! The program `matrix`.

use std::process::{Command, Output, Stdio};

/// Starts the program of this crate, whose input ends at once.
const START_SERVER: &str = concat!(env!("CARGO_BIN_EXE_dev-postgres"), " </dev/null");

/// Runs `script` on `versions`.
fn matrix(versions: &[&str], script: &str) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_matrix"))
        .args(versions)
        .args(["--", "sh", "-c", script])
        // Variables of the user or of another `matrix` must have no effect.
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

/// The major version that is found on this machine.
fn local_version() -> String {
    let output = Command::new("sh")
        .args(["-c", START_SERVER])
        .env_remove("DATABASE_URL")
        .env_remove("PG_BIN_DIR")
        .env_remove("DEV_POSTGRES")
        .output()
        .unwrap();
    let output = text(&output);
    let release = output.split_once("PostgreSQL ").unwrap().1;
    release.chars().take_while(char::is_ascii_digit).collect()
}

#[test]
fn a_successful_command_passes() {
    let version = local_version();
    let script = format!("{START_SERVER} && {START_SERVER}");
    let (passed, output) = matrix(&[&version], &script);
    assert!(passed, "{output}");
    // The output of the command, and then the summary.
    assert_eq!(output.matches(" from /").count(), 2, "{output}");
    assert!(
        output.contains(&format!("PostgreSQL {version}.")),
        "{output}"
    );
    assert!(output.contains(": passed on 2 servers in "), "{output}");
}

#[test]
fn a_failing_command_fails() {
    let script = format!("{START_SERVER}; exit 3");
    let (passed, output) = matrix(&[&local_version()], &script);
    assert!(!passed);
    assert!(
        output.contains(": FAILED (exit status: 3), after "),
        "{output}"
    );
}

#[test]
fn a_command_that_starts_no_server_fails() {
    let version = local_version();
    let (passed, output) = matrix(&[&version], "true");
    assert!(!passed);
    let reason = format!(": FAILED: the command started no PostgreSQL {version}, after ");
    assert!(output.contains(&reason), "{output}");
}

#[test]
fn a_missing_version_does_not_stop_the_others() {
    let version = local_version();
    let (passed, output) = matrix(&["99", &version], START_SERVER);
    assert!(!passed);
    assert!(output.contains("no PostgreSQL 99 was found"), "{output}");
    assert!(
        output.contains("PostgreSQL 99: NOT RUN, see above"),
        "{output}"
    );
    assert!(output.contains(": passed on 1 server in "), "{output}");
}

#[test]
fn an_invalid_version_prints_the_help() {
    let output = Command::new(env!("CARGO_BIN_EXE_matrix"))
        .args(["cargo", "test"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    let output = text(&output);
    assert!(
        output.contains("`cargo` is not a major version"),
        "{output}"
    );
    assert!(output.contains("Usage: cargo matrix"), "{output}");
}
