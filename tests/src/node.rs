//! JavaScript programs in `tests/node`: other implementations to compare results with.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The programs and their dependencies, in the versions of the lockfile.
pub struct Node {
    directory: PathBuf,
}

/// Node with the packages of `tests/node`. `None` if Node or npm is not installed, which is
/// printed: a test that needs them has then not run.
///
/// The packages are installed once, below the target directory, and again when the lockfile
/// changes.
///
/// # Panics
/// If Node is installed, and its packages cannot be installed.
pub fn node() -> Option<&'static Node> {
    static NODE: OnceLock<Option<Node>> = OnceLock::new();
    NODE.get_or_init(|| {
        for program in ["node", "npm"] {
            let found = Command::new(program)
                .arg("--version")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            if !found.is_ok_and(|status| status.success()) {
                eprintln!("\nSKIPPED: {program} is not installed, and this test needs it\n");
                return None;
            }
        }
        Some(install())
    })
    .as_ref()
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("node")
}

fn install() -> Node {
    // target/debug/deps/a_test
    let test = std::env::current_exe().unwrap();
    let directory = test.ancestors().nth(3).unwrap().join("tmp/node");
    std::fs::create_dir_all(&directory).unwrap();
    // Test binaries may run at the same time.
    let lock = std::fs::File::create(directory.join("lock")).unwrap();
    lock.lock().unwrap();
    let lockfile = std::fs::read(sources().join("package-lock.json")).unwrap();
    let done = directory.join("installed.json");
    if std::fs::read(&done).is_ok_and(|installed| installed == lockfile) {
        return Node { directory };
    }
    for file in ["package.json", "package-lock.json"] {
        std::fs::copy(sources().join(file), directory.join(file)).unwrap();
    }
    let output = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(&directory)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "npm ci failed:\n{said}");
    std::fs::write(done, lockfile).unwrap();
    Node { directory }
}

impl Node {
    /// A command for a program of `tests/node`; the caller adds the arguments.
    ///
    /// # Panics
    /// If there is no program of this name.
    #[must_use]
    pub fn program(&self, name: &str) -> Command {
        // Node looks for packages from the directory of the program.
        let program = self.directory.join(name);
        std::fs::copy(sources().join(name), &program).unwrap();
        let mut command = Command::new("node");
        command.arg(program);
        command
    }
}
