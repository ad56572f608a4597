//! A running server: its directory, its process, and the shell that ends it.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use sqlx::postgres::PgConnectOptions;

use crate::account::Account;
use crate::cache;
use crate::choice::Choice;
use crate::error::{Doing, Error, Result};
use crate::locate::{Binaries, locate};
use crate::shared::Place;

/// Long enough for crash recovery on a slow disk.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// Starts the server, waits until its standard input closes (which the kernel does however
/// the parent ends), stops the server and removes its run directory.
/// `$1` postgres, `$2` data directory, `$3` run directory, `$4` signal, `$5..` options.
const WATCHDOG: &str = r#"
trap '' HUP INT TERM
postgres=$1 data=$2 run=$3 signal=$4
shift 4
{ "$postgres" -D "$data" "$@" </dev/null >"$run/log" 2>&1; echo $? >"$run/exited"; } &
read -r _ignored
if [ -f "$data/postmaster.pid" ]; then
    read -r pid <"$data/postmaster.pid"
    kill "-$signal" "$pid" 2>/dev/null
fi
wait
rm -rf "$run"
"#;

/// A PostgreSQL server. When it was started here, it stops when this is dropped or the
/// process ends.
#[derive(Debug)]
pub struct Server {
    options: PgConnectOptions,
    description: String,
    /// Dropping its standard input is the signal to stop.
    watchdog: Option<Mutex<Child>>,
    /// Held as long as a persistent directory is in use.
    _lock: Option<File>,
}

/// Settings of a [`Server`]; see [`Server::builder`].
#[derive(Clone, Debug, Default)]
pub struct Builder {
    directory: Option<PathBuf>,
    join: bool,
    shared: bool,
    ignore_database_url: bool,
    version: Option<u32>,
    settings: Vec<(String, String)>,
}

impl Server {
    /// Settings for a server: by default temporary, fast and not durable.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// A server for tests: a new empty directory, no fsync.
    ///
    /// # Errors
    /// When there is no PostgreSQL, or it does not start.
    pub fn temporary() -> Result<Self> {
        Self::builder().start()
    }

    /// A server for tests that are processes, such as the examples of documentation: the
    /// first starts it, the others use it too. It stops when the parent of this process ends.
    ///
    /// # Errors
    /// When there is no PostgreSQL, or it does not start.
    pub fn shared() -> Result<Self> {
        Self::builder().shared().start()
    }

    /// How to connect to the server's maintenance database.
    #[must_use]
    pub fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    /// The server and where it came from, in words.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    fn external(url: &str) -> Result<Self> {
        Ok(Self {
            options: url.parse()?,
            description: "the server of DATABASE_URL".into(),
            watchdog: None,
            _lock: None,
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(watchdog) = &mut self.watchdog {
            let watchdog = watchdog
                .get_mut()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            drop(watchdog.stdin.take());
            // The shell ends when the server has; nothing can be done if it does not.
            let _ = watchdog.wait();
        }
    }
}

impl Builder {
    /// Keeps the data in `directory`, durably: fsync stays on.
    #[must_use]
    pub fn persistent(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Keeps the data under `name` in the user's cache, durably.
    ///
    /// # Errors
    /// When the user has no cache, or it cannot be created.
    pub fn persistent_in_cache(self, name: &str) -> Result<Self> {
        let cache = cache::directory(Account::detect()?).map_err(Error::NoDirectory)?;
        cache::create(&cache).map_err(Error::NoDirectory)?;
        Ok(self.persistent(cache.join(name)))
    }

    /// When another process already runs a server on the directory, use that one. It stops
    /// when that process ends.
    #[must_use]
    pub fn join(mut self) -> Self {
        self.join = true;
        self
    }

    /// Uses the temporary server of another process with the same parent, or starts one that
    /// stops when that parent ends. See [`Server::shared`].
    #[must_use]
    pub fn shared(mut self) -> Self {
        self.shared = true;
        self
    }

    /// Starts a server even when `DATABASE_URL` is set.
    #[must_use]
    pub fn ignore_database_url(mut self) -> Self {
        self.ignore_database_url = true;
        self
    }

    /// Only this major version, whatever `DEV_POSTGRES` says. `DATABASE_URL` still comes
    /// first.
    #[must_use]
    pub fn version(mut self, major: u32) -> Self {
        self.version = Some(major);
        self
    }

    /// A server setting, such as `("max_connections", "200")`.
    #[must_use]
    pub fn setting(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.push((name.into(), value.into()));
        self
    }

    /// Finds or installs PostgreSQL, and starts it.
    ///
    /// # Errors
    /// When there is no PostgreSQL, or it does not start.
    pub fn start(self) -> Result<Server> {
        if !self.ignore_database_url
            && let Ok(url) = std::env::var("DATABASE_URL")
            && !url.is_empty()
        {
            return Server::external(&url);
        }
        let mut choice = Choice::from_env()?;
        if let Some(version) = self.version {
            choice = choice.only(version);
        }
        let account = Account::detect()?;
        let mut place = self.shared.then(|| Place::lock(account)).transpose()?;
        if let Some(place) = &mut place
            && let Some(socket) = place.running()?
        {
            return Ok(running(&socket, "the server of another process"));
        }
        let lock = match &self.directory {
            None => None,
            Some(directory) => match lock(directory, account)? {
                Some(file) => Some(file),
                None if self.join => return join(directory),
                None => {
                    return Err(Error::InUse {
                        dir: directory.clone(),
                    });
                }
            },
        };
        let binaries = locate(account, choice)?;
        let run = run_dir(account)?;
        // From here on an error removes the run directory: `run` still owns it.
        let data = match &self.directory {
            Some(directory) => {
                let data = directory.join(format!("data-{}", binaries.version()));
                wait_until_stopped(&data)?;
                data
            }
            None => run.path().join("data"),
        };
        if !data.join("PG_VERSION").exists() {
            initdb(&binaries, &data, account)?;
        }
        let watchdog = self.spawn(&binaries, &data, run.path(), account, place.as_ref())?;
        wait_until_ready(&data, run.path())?;
        log(&binaries)?;
        if let Some(place) = &mut place {
            place.write(run.path())?;
        }
        let socket = run.keep();
        if let Some(directory) = &self.directory {
            std::fs::write(
                directory.join("socket"),
                socket.to_string_lossy().as_bytes(),
            )
            .doing(|| format!("writing into {}", directory.display()))?;
        }
        let watchdog = watchdog.disarm();
        Ok(Server {
            options: connect_options(&socket),
            description: format!(
                "PostgreSQL {} from {}",
                binaries.release(),
                binaries.dir().display()
            ),
            // A shared server stays when this process ends.
            watchdog: place.is_none().then(|| Mutex::new(watchdog)),
            _lock: lock,
        })
    }

    fn spawn(
        &self,
        binaries: &Binaries,
        data: &Path,
        run: &Path,
        account: Account,
        place: Option<&Place>,
    ) -> Result<Guard> {
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", WATCHDOG, "dev-postgres"])
            .arg(binaries.tool("postgres"))
            .arg(data)
            .arg(run)
            // Fast shutdown keeps the data clean; immediate is enough for what is thrown away.
            .arg(if self.directory.is_some() {
                "INT"
            } else {
                "QUIT"
            });
        let run = run.to_string_lossy();
        let mut settings = vec![
            ("listen_addresses", ""),
            ("unix_socket_directories", &*run),
            ("unix_socket_permissions", "0700"),
            ("port", "5432"),
            ("max_wal_size", "4GB"),
        ];
        if self.directory.is_none() {
            settings.extend([
                ("fsync", "off"),
                ("synchronous_commit", "off"),
                ("full_page_writes", "off"),
                // Tables without statistics look large: plans for a few rows are compiled, which
                // takes longer than to run them.
                ("jit", "off"),
            ]);
        }
        settings.extend(
            self.settings
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str())),
        );
        for (name, value) in settings {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        account.apply(&mut command);
        let mut parent = place.map(Place::parent).transpose()?;
        let input = parent
            .as_mut()
            .and_then(|parent| parent.stdout.take())
            .map_or_else(Stdio::piped, Stdio::from);
        command
            .stdin(input)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .current_dir("/")
            // A Ctrl-C in the terminal reaches the program; the program's end reaches the shell.
            .process_group(0);
        let child = command
            .spawn()
            .doing(|| "starting /bin/sh to run PostgreSQL".into())?;
        Ok(Guard {
            child: Some(child),
            parent,
        })
    }
}

/// Stops a server whose start went wrong.
struct Guard {
    child: Option<Child>,
    /// What waits for the parent's end, where that is the end of a shared server.
    parent: Option<Child>,
}

impl Guard {
    fn disarm(mut self) -> Child {
        self.child.take().expect("taken once, here")
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.stdin.take());
            if let Some(parent) = &mut self.parent {
                let _ = parent.kill();
                let _ = parent.wait();
            }
            let _ = child.wait();
        }
    }
}

fn connect_options(socket: &Path) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .socket(socket)
        .port(5432)
        .username("postgres")
        .database("postgres")
}

/// The lock on a persistent directory; `None` when another process has it.
fn lock(directory: &Path, account: Account) -> Result<Option<File>> {
    std::fs::create_dir_all(directory).doing(|| format!("creating {}", directory.display()))?;
    account.own(directory)?;
    let path = directory.join("lock");
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .doing(|| format!("opening {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => {
            // For a person who wonders who it is.
            let _ = writeln!(file, "{}", std::process::id());
            Ok(Some(file))
        }
        Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        Err(std::fs::TryLockError::Error(error)) => {
            Err(error).doing(|| format!("locking {}", path.display()))
        }
    }
}

/// Uses the server that another process runs on `directory`.
fn join(directory: &Path) -> Result<Server> {
    let path = directory.join("socket");
    let socket = std::fs::read_to_string(&path)
        .doing(|| format!("reading {} (is its owner still starting?)", path.display()))?;
    let what = format!("the server that already runs on {}", directory.display());
    Ok(running(Path::new(&socket), &what))
}

/// A server that another process has started.
fn running(socket: &Path, description: &str) -> Server {
    Server {
        options: connect_options(socket),
        description: description.to_owned(),
        watchdog: None,
        _lock: None,
    }
}

/// A short path: a Unix socket's may have 107 bytes at most.
fn run_dir(account: Account) -> Result<tempfile::TempDir> {
    let dir = tempfile::Builder::new()
        .prefix("pg-")
        .permissions(std::fs::Permissions::from_mode(0o700))
        .tempdir_in("/tmp")
        .doing(|| "creating a directory in /tmp".into())?;
    account.own(dir.path())?;
    Ok(dir)
}

/// A process that was killed leaves its server to its watchdog, which needs a moment.
fn wait_until_stopped(data: &Path) -> Result<()> {
    let pid_file = data.join("postmaster.pid");
    let deadline = Instant::now() + Duration::from_secs(10);
    while pid_file.exists() && Instant::now() < deadline {
        let alive = std::fs::read_to_string(&pid_file).is_ok_and(|text| {
            let pid = text.lines().next().unwrap_or_default().trim().to_owned();
            Command::new("kill")
                .args(["-0", &pid])
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success())
        });
        if !alive {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

fn initdb(binaries: &Binaries, data: &Path, account: Account) -> Result<()> {
    // One character type everywhere; not every libc knows it by this name.
    let locales: &[&[&str]] = &[
        &["--locale=C", "--lc-ctype=C.UTF-8"],
        &["--locale=C", "--lc-ctype=en_US.UTF-8"],
        &["--locale=C"],
    ];
    let mut failure = None;
    for locale in locales {
        let mut command = Command::new(binaries.tool("initdb"));
        command
            .args(["-U", "postgres", "--auth=trust", "-E", "UTF8", "--no-sync"])
            .args(*locale)
            .arg("-D")
            .arg(data)
            .env_remove("LC_ALL")
            .current_dir("/")
            .stdin(Stdio::null());
        account.apply(&mut command);
        let output = command
            .output()
            .doing(|| format!("running {}", binaries.tool("initdb").display()))?;
        if output.status.success() {
            return Ok(());
        }
        failure.get_or_insert_with(|| Error::Initdb {
            command: format!("{command:?}"),
            output: format!(
                "{}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            ),
        });
    }
    failure.map_or(Ok(()), Err)
}

/// Adds a server that is running to the list that `DEV_POSTGRES_LOG` names.
fn log(binaries: &Binaries) -> Result<()> {
    let Some(path) = std::env::var_os("DEV_POSTGRES_LOG").map(PathBuf::from) else {
        return Ok(());
    };
    // One write: other processes add theirs.
    let line = format!("{}\t{}\n", binaries.release(), binaries.dir().display());
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .and_then(|mut file| file.write_all(line.as_bytes()))
        .doing(|| format!("writing DEV_POSTGRES_LOG, {}", path.display()))
}

/// The last line of `postmaster.pid` says `ready`, as `pg_ctl` reads it.
fn wait_until_ready(data: &Path, run: &Path) -> Result<()> {
    let deadline = Instant::now() + START_TIMEOUT;
    let reason = loop {
        if std::fs::read_to_string(data.join("postmaster.pid"))
            .is_ok_and(|text| text.lines().nth(7).is_some_and(|l| l.trim() == "ready"))
        {
            return Ok(());
        }
        if let Ok(code) = std::fs::read_to_string(run.join("exited")) {
            break format!("it ended with status {}", code.trim());
        }
        if Instant::now() > deadline {
            break format!("it was not ready after {} s", START_TIMEOUT.as_secs());
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let log = std::fs::read_to_string(run.join("log")).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    Err(Error::Start {
        reason,
        log: lines[lines.len().saturating_sub(20)..].join("\n"),
    })
}
