//! Installation from Debian's packages, by `apt-get` and `dpkg-deb`, without root.
//!
//! The packages are not installed on the system. They are fetched into the cache by an `apt-get` with
//! lists of its own, which verifies them by Debian's signatures, and unpacked there with the C library
//! that they were built for. So a release of Debian other than the present one can be used, and a
//! version is replaced by its security updates, which a hash of the file would exclude.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::binary::{Binary, PgBouncerVersion, Wanted};
use crate::account::Account;
use crate::install;

/// A release of Debian, its PgBouncer, and the packages of the libraries.
struct Suite {
    name: &'static str,
    version: PgBouncerVersion,
    packages: &'static str,
}

/// Newest first.
const SUITES: [Suite; 2] = [
    Suite {
        name: "trixie",
        version: PgBouncerVersion::new(1, 24),
        packages: "pgbouncer libc6 libaudit1 libcap-ng0 libcap2 libcares2 libevent-2.1-7t64 \
                   libpam0g libssl3t64 libsystemd0 libzstd1 zlib1g",
    },
    Suite {
        name: "bookworm",
        version: PgBouncerVersion::new(1, 18),
        packages: "pgbouncer libc6 libaudit1 libc-ares2 libcap-ng0 libcap2 libevent-2.1-7 \
                   libgcrypt20 libgpg-error0 liblz4-1 liblzma5 libpam0g libssl3 libsystemd0 libzstd1",
    },
];

/// The keys that sign Debian's releases, of the package `debian-archive-keyring`.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Runs PgBouncer with the libraries beside it. `/lib64` and its like would be those of the system.
const LAUNCHER: &str = r#"#!/bin/sh
root=$(dirname "$(dirname "$(readlink -f "$0")")")
for loader in "$root"/usr/lib*/ld-linux*.so.* "$root"/lib*/ld-linux*.so.* \
    "$root"/usr/lib/*/ld-linux*.so.* "$root"/lib/*/ld-linux*.so.*; do
    [ -f "$loader" ] && break
done
libraries=
for directory in "$root"/usr/lib/*-linux-gnu* "$root"/lib/*-linux-gnu*; do
    libraries=$libraries$directory:
done
exec "$loader" --library-path "$libraries" "$root/usr/sbin/pgbouncer" "$@"
"#;

/// The PgBouncer of the newest suite with a wanted version, installed into the cache if necessary.
pub(super) fn install(account: Account, wanted: Wanted) -> Result<Binary, String> {
    let suite = SUITES.iter().find(|suite| wanted.fits(suite.version));
    let Some(suite) = suite else {
        let versions = SUITES.map(|suite| suite.version.to_string());
        return Err(format!("it has {} only", versions.join(" and ")));
    };
    let name = format!("pgbouncer-{}", suite.version);
    let find = |home: &Path| Binary::at(&home.join("bin/pgbouncer"));
    install::once(account, &name, find, |staging| suite.fetch(staging))
}

impl Suite {
    fn fetch(&self, staging: &Path) -> Result<PathBuf, String> {
        if !Path::new(KEYRING).exists() {
            return Err(format!(
                "{KEYRING} is missing, with which `apt-get` verifies packages"
            ));
        }
        eprintln!(
            "dev-postgres: installing PgBouncer {} (18 MB) with `apt-get download`",
            self.version
        );
        let failed = |error: std::io::Error| format!("writing into {}: {error}", staging.display());
        let apt = staging.join("apt");
        for directory in ["lists/partial", "archives/partial"] {
            std::fs::create_dir_all(apt.join(directory)).map_err(failed)?;
        }
        // No package counts as installed.
        std::fs::write(apt.join("status"), "").map_err(failed)?;
        std::fs::write(apt.join("sources.list"), self.sources()).map_err(failed)?;
        std::fs::write(apt.join("apt.conf"), configuration(&apt)).map_err(failed)?;
        let apt_get = |arguments: &[&str]| {
            install::run(
                Command::new("apt-get")
                    .arg("-qq")
                    .args(arguments)
                    .env("APT_CONFIG", apt.join("apt.conf"))
                    .current_dir(&apt),
            )
            .map_err(|problem| format!("`apt-get {}`: {problem}", arguments[0]))
        };
        apt_get(&["update"])?;
        let mut download = vec!["download"];
        download.extend(self.packages.split(' '));
        apt_get(&download)?;
        let root = staging.join("root");
        for entry in std::fs::read_dir(&apt).map_err(failed)? {
            let file = entry.map_err(failed)?.path();
            if file.extension().is_some_and(|extension| extension == "deb") {
                install::run(Command::new("dpkg-deb").arg("-x").arg(file).arg(&root))
                    .map_err(|problem| format!("`dpkg-deb -x`: {problem}"))?;
            }
        }
        let bin = root.join("bin");
        std::fs::create_dir_all(&bin).map_err(failed)?;
        write_executable(&bin.join("pgbouncer"), LAUNCHER)?;
        Ok(root)
    }

    fn sources(&self) -> String {
        let Self { name, .. } = self;
        format!("deb [signed-by={KEYRING}] http://deb.debian.org/debian {name} main\n")
    }
}

/// Replaces the directories of the system. The settings of the user's proxy stay.
fn configuration(apt: &Path) -> String {
    let apt = apt.display();
    let mut lines = String::new();
    for (name, value) in [
        ("Dir::Etc::sourcelist", format!("{apt}/sources.list")),
        ("Dir::Etc::sourceparts", "/dev/null".into()),
        ("Dir::Etc::preferences", "/dev/null".into()),
        ("Dir::Etc::preferencesparts", "/dev/null".into()),
        ("Dir::State", apt.to_string()),
        ("Dir::State::lists", format!("{apt}/lists")),
        ("Dir::State::status", format!("{apt}/status")),
        ("Dir::Cache", apt.to_string()),
        ("Dir::Cache::archives", format!("{apt}/archives")),
        // The account of `apt-get` for downloads may not be able to write here.
        ("APT::Sandbox::User", "root".into()),
        // Descriptions for graphical programs are not needed.
        (
            "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled",
            "false".into(),
        ),
        ("Acquire::Languages", "none".into()),
        ("Acquire::Retries", "1".into()),
        ("Acquire::http::Timeout", "20".into()),
    ] {
        let _ = writeln!(lines, "{name} \"{value}\";");
    }
    lines
}

/// Writes a script by a shell. If this process did, a child that another thread forks meanwhile could
/// inherit the open file, and running the script would fail with ETXTBSY.
fn write_executable(path: &Path, text: &str) -> Result<(), String> {
    install::run(
        Command::new("sh")
            .args(["-c", r#"printf '%s' "$1" >"$0" && chmod 755 "$0""#])
            .arg(path)
            .arg(text),
    )
}
