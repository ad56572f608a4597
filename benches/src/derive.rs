//! Compile time of the derives: `cargo check` of a crate of views, compared with the same structs
//! with serde's derives only.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::measure::{Times, millis};

/// Options of `derive`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Number of structs.
    #[arg(long, default_value_t = 60)]
    structs: usize,
    /// Number of fields of each struct, besides its key.
    #[arg(long, default_value_t = 11)]
    fields: usize,
    /// Measured rounds.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
}

const DERIVES: [(&str, &str); 2] = [
    ("serde alone", "serde::Serialize, serde::Deserialize"),
    ("TView", "fraiseql_runtime::TView"),
];

/// Not `async`, because all the work is done by child processes.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let dir = std::env::temp_dir().join(format!("fraiseql-derive-{}", std::process::id()));
    let crates = DERIVES
        .iter()
        .enumerate()
        .map(|(index, (_, derive))| {
            write_crate(&dir.join(format!("way{index}")), index, derive, options)
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    let target = dir.join("target");
    let mut times = vec![Times::default(); DERIVES.len()];
    // The first two rounds build the dependencies and warm the caches.
    for round in 0..options.rounds + 2 {
        for place in 0..DERIVES.len() {
            let index = (place + round) % DERIVES.len();
            let time = check(&crates[index], &target)?;
            if round >= 2 {
                times[index].push(time);
            }
        }
    }
    std::fs::remove_dir_all(&dir).with_context(|| format!("removing {}", dir.display()))?;
    println!(
        "cargo check of {} structs of {} fields; medians of {} rounds\n",
        options.structs,
        options.fields + 1,
        options.rounds
    );
    println!("| derive | time |\n|---|---:|");
    for ((name, _), times) in DERIVES.iter().zip(&times) {
        println!("| {name} | {} |", millis(times.median()));
    }
    println!(
        "\nTView costs {} more",
        millis(times[1].median() - times[0].median())
    );
    Ok(())
}

fn write_crate(
    dir: &Path,
    index: usize,
    derive: &str,
    options: &Options,
) -> anyhow::Result<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("the workspace")?;
    std::fs::create_dir_all(dir.join("src"))?;
    std::fs::write(
        dir.join("Cargo.toml"),
        format!(
            "[package]\nname = \"way{index}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
             [dependencies]\nfraiseql-runtime = {{ path = {:?} }}\n\
             serde = {{ version = \"1\", features = [\"derive\"] }}\n\
             uuid = {{ version = \"1\", features = [\"serde\"] }}\n[workspace]\n",
            workspace.join("fraiseql-runtime")
        ),
    )?;
    // The same versions of dependencies, so that cargo resolves nothing.
    std::fs::copy(workspace.join("Cargo.lock"), dir.join("Cargo.lock"))?;
    let mut source = String::new();
    for number in 0..options.structs {
        writeln!(source, "#[derive({derive})]\npub struct View{number} {{")?;
        writeln!(source, "    pub id: uuid::Uuid,")?;
        for field in 0..options.fields {
            let ty = ["String", "Option<i64>", "bool"][field % 3];
            writeln!(source, "    pub some_field_{field}: {ty},")?;
        }
        writeln!(source, "}}")?;
    }
    std::fs::write(dir.join("src/lib.rs"), source)?;
    Ok(dir.to_owned())
}

fn check(dir: &Path, target: &Path) -> anyhow::Result<Duration> {
    let source = dir.join("src/lib.rs");
    // A new modification time makes cargo check the crate again.
    let file = std::fs::OpenOptions::new().append(true).open(&source)?;
    file.set_modified(std::time::SystemTime::now())?;
    let start = Instant::now();
    let status = Command::new("cargo")
        .args(["check", "--quiet", "--offline", "--manifest-path"])
        .arg(dir.join("Cargo.toml"))
        .env("CARGO_TARGET_DIR", target)
        // Without incremental compilation, as in CI.
        .env("CARGO_INCREMENTAL", "0")
        .status()
        .context("running cargo")?;
    ensure!(status.success(), "cargo check of {} failed", dir.display());
    Ok(start.elapsed())
}
