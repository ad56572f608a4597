//! Installation of PostGraphile and Node from npm, once into the user's cache.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};

/// The oldest Node that PostGraphile 5 supports.
const OLDEST: u32 = 22;

/// The installed packages, in the versions of the lockfile, and a Node to run them.
#[derive(Debug)]
pub(crate) struct Node {
    directory: PathBuf,
    program: PathBuf,
}

impl Node {
    /// Finds the packages, and installs them if they are missing and `may_install` is true.
    pub(crate) fn find(may_install: bool) -> anyhow::Result<Self> {
        let directory = cache()?.join("peers");
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/node");
        let lockfile = std::fs::read(sources.join("package-lock.json"))?;
        let done = directory.join("installed.json");
        let is_done = || std::fs::read(&done).is_ok_and(|installed| installed == lockfile);
        if !is_done() {
            ensure!(
                may_install,
                "it is not installed in {}",
                directory.display()
            );
            std::fs::create_dir_all(&directory)?;
            // Another process may be installing it.
            let lock = std::fs::File::create(directory.join("lock"))?;
            lock.lock()?;
            if !is_done() {
                install(&sources, &directory)?;
                std::fs::write(&done, &lockfile)?;
            }
        }
        // Node resolves packages relative to the program, so it is copied beside them.
        let program = "postgraphile.js";
        std::fs::copy(sources.join(program), directory.join(program))?;
        Ok(Self {
            program: node(&directory)?,
            directory,
        })
    }

    /// The command that starts the server, as a cluster if `processes` is more than 1. Its standard
    /// error goes to a log file in the same directory.
    pub(crate) fn command(&self, processes: u32, connections: u32) -> anyhow::Result<Command> {
        let log = std::fs::File::create(self.directory.join("postgraphile.log"))?;
        let mut command = Command::new(&self.program);
        command
            .arg(self.directory.join("postgraphile.js"))
            .current_dir(&self.directory)
            .env("NODE_ENV", "production")
            .env("GRAPHILE_ENV", "production")
            .env("PROCESSES", processes.to_string())
            .env("CONNECTIONS", connections.to_string())
            .stderr(log);
        Ok(command)
    }
}

fn install(sources: &Path, directory: &Path) -> anyhow::Result<()> {
    eprintln!("installing PostGraphile into {}", directory.display());
    for file in ["package.json", "package-lock.json"] {
        std::fs::copy(sources.join(file), directory.join(file))?;
    }
    let output = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .args(["--no-update-notifier", "--loglevel=error"])
        // Fail early without a network.
        .arg("--fetch-retry-mintimeout=1000")
        .current_dir(directory)
        .stdin(Stdio::null())
        .output()
        .context("`npm` cannot be run")?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "npm ci: {}", stderr.trim());
    Ok(())
}

/// The Node of the npm package, if there is one for this platform, or else that of the system.
fn node(directory: &Path) -> anyhow::Result<PathBuf> {
    let arch = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    };
    let package = format!("node_modules/node-{}-{arch}/bin/node", std::env::consts::OS);
    let own = directory.join(package);
    let program = if own.is_file() {
        own
    } else {
        PathBuf::from("node")
    };
    let output = Command::new(&program)
        .arg("--version")
        .output()
        .context("there is no Node")?;
    let version = String::from_utf8_lossy(&output.stdout);
    let major = version.trim().trim_start_matches('v').split('.').next();
    match major.and_then(|major| major.parse::<u32>().ok()) {
        Some(major) if major >= OLDEST => Ok(program),
        _ => bail!("it needs Node {OLDEST} or newer; found {}", version.trim()),
    }
}

/// The cache directory.
fn cache() -> anyhow::Result<PathBuf> {
    const NAME: &str = "fraiseql-benches";
    if let Some(dir) = std::env::var_os("XDG_CACHE_HOME").filter(|dir| !dir.is_empty()) {
        return Ok(PathBuf::from(dir).join(NAME));
    }
    let home = std::env::var_os("HOME").context("HOME is not set, so there is no cache to use")?;
    let cache = if cfg!(target_os = "macos") {
        "Library/Caches"
    } else {
        ".cache"
    };
    Ok(Path::new(&home).join(cache).join(NAME))
}
