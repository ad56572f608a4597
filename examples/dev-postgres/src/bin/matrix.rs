//! A program that runs a command on several versions of PostgreSQL and prints a summary.
//!
//! `cargo matrix 14 18 -- cargo test --workspace`; see `cargo matrix --help`.

use std::io::Write;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use dev_postgres::{Server, VERSIONS};
use sqlx::{ConnectOptions, Connection};

const HELP: &str = "\
Runs a command on several versions of PostgreSQL, one after the other, and prints a summary.

Usage: cargo matrix [version]... [-- command...]

  version   major versions, such as 14 18; by default all from 14 to 18
  command   by default `cargo test --workspace`

A version that is not on this machine is installed into your cache. The command runs with
DEV_POSTGRES set to the version and without DATABASE_URL. A version passes if the command
succeeds and has started at least one server of that version.
";

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match Plan::parse(&arguments) {
        Ok(Some(plan)) => plan.run(),
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(problem) => Err(format!("{problem}\n\n{HELP}").into()),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The parsed arguments.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    versions: Vec<u32>,
    command: Vec<String>,
}

/// The result of one version.
struct Outcome {
    /// With the minor version, if a server was started.
    version: String,
    /// The number of servers that the command started, or why it failed.
    result: Result<usize, String>,
    took: Duration,
}

impl Plan {
    /// `None` for `--help`.
    fn parse(arguments: &[String]) -> Result<Option<Self>, String> {
        let mut parts = arguments.splitn(2, |argument| argument == "--");
        let (versions, command) = (parts.next().unwrap_or_default(), parts.next());
        let mut plan = Self {
            versions: Vec::new(),
            command: match command {
                None => ["cargo", "test", "--workspace"].map(String::from).to_vec(),
                Some([]) => return Err("there is no command behind `--`".into()),
                Some(command) => command.to_vec(),
            },
        };
        for version in versions {
            if ["-h", "--help"].contains(&version.as_str()) {
                return Ok(None);
            }
            let version = version.parse().map_err(|_| {
                format!("`{version}` is not a major version; a command follows `--`")
            })?;
            if !plan.versions.contains(&version) {
                plan.versions.push(version);
            }
        }
        if plan.versions.is_empty() {
            plan.versions = VERSIONS.to_vec();
        }
        Ok(Some(plan))
    }

    /// Returns whether all versions passed.
    fn run(&self) -> Result<bool, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let log = tempfile::tempdir()?;
        let mut outcomes = Vec::new();
        for &version in &self.versions {
            let start = Instant::now();
            let mut name = version.to_string();
            let log = log.path().join(&name);
            let result = match runtime.block_on(probe(version)) {
                Ok(found) => {
                    print_line(&format!("== {} on {found}", self.command.join(" ")));
                    name = found;
                    self.run_on(version, &log)
                }
                Err(error) => {
                    print_line(&format!("== PostgreSQL {version}: {error}"));
                    Err("NOT RUN, see above".into())
                }
            };
            outcomes.push(Outcome {
                version: name,
                result,
                took: start.elapsed(),
            });
        }
        print_line(&format!("== {}", self.command.join(" ")));
        for outcome in &outcomes {
            print_line(&outcome.to_string());
        }
        Ok(outcomes.iter().all(|outcome| outcome.result.is_ok()))
    }

    /// Runs the command, and counts the servers of this version that it started.
    fn run_on(&self, version: u32, log: &std::path::Path) -> Result<usize, String> {
        let status = Command::new(&self.command[0])
            .args(&self.command[1..])
            .env_remove("DATABASE_URL")
            .env("DEV_POSTGRES", version.to_string())
            .env("DEV_POSTGRES_LOG", log)
            .status()
            .map_err(|error| format!("`{}` cannot be run: {error}", self.command[0]))?;
        if !status.success() {
            return Err(format!("FAILED ({status})"));
        }
        let log = std::fs::read_to_string(log).unwrap_or_default();
        match log.lines().filter(|line| major(line) == version).count() {
            0 => Err(format!(
                "FAILED: the command started no PostgreSQL {version}"
            )),
            servers => Ok(servers),
        }
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seconds = self.took.as_secs_f64();
        match &self.result {
            Ok(servers) => write!(
                f,
                "PostgreSQL {}: passed on {servers} server{} in {seconds:.1} s",
                self.version,
                if *servers == 1 { "" } else { "s" }
            ),
            Err(reason) => write!(
                f,
                "PostgreSQL {}: {reason}, after {seconds:.1} s",
                self.version
            ),
        }
    }
}

/// Starts a server of this version, which installs it if necessary, and returns its full version.
async fn probe(version: u32) -> Result<String, dev_postgres::Error> {
    let server = Server::builder()
        .ignore_database_url()
        .version(version)
        .start()?;
    let mut connection = server.options().connect().await?;
    let release: String = sqlx::query_scalar("SHOW server_version")
        .fetch_one(&mut connection)
        .await?;
    connection.close().await?;
    Ok(release)
}

/// `17.10<tab>directory` -> 17.
fn major(line: &str) -> u32 {
    let end = line.find(|c: char| !c.is_ascii_digit());
    line[..end.unwrap_or(line.len())].parse().unwrap_or(0)
}

/// Prints a line and flushes it, because the command writes to the same output.
fn print_line(line: &str) {
    println!("{line}");
    let _ = std::io::stdout().flush();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Option<Plan>, String> {
        let words: Vec<String> = line.split_whitespace().map(String::from).collect();
        Plan::parse(&words)
    }

    #[test]
    fn arguments_are_versions_and_a_command() {
        let plan = parse("18 14 18 -- cargo test -- --nocapture")
            .unwrap()
            .unwrap();
        assert_eq!(plan.versions, [18, 14]);
        assert_eq!(plan.command, ["cargo", "test", "--", "--nocapture"]);

        let plan = parse("").unwrap().unwrap();
        assert_eq!(plan.versions, VERSIONS);
        assert_eq!(plan.command, ["cargo", "test", "--workspace"]);

        assert_eq!(parse("--help"), Ok(None));
        assert!(parse("14 --").unwrap_err().contains("no command"));
        assert!(parse("cargo test").unwrap_err().contains("`cargo` is not"));
    }
}
