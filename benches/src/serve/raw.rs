//! The contenders `raw-json` and `raw-jsonb`: `pgbench` executes the statements of the fraiseql
//! server, as an upper limit.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use fraiseql_runtime::TView;
use fraiseql_runtime::list::{Filter, List};
use fraiseql_runtime::view::WithoutTenant;
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgPool, Row};
use uuid::Uuid;

use super::database::Database;
use super::measure::Measured;
use super::operation::Operation;
use super::views::{json, jsonb};

/// A usable `pgbench`.
pub(crate) struct Pgbench {
    program: PathBuf,
    /// For scripts and logs.
    directory: tempfile::TempDir,
}

/// A list of fraiseql as a script for `pgbench`.
struct Script {
    list: List,
    /// The statement, if it is not that of the list itself.
    sql: Option<String>,
    /// SQL that replaces `$1`, `$2` and so on.
    values: Vec<String>,
    /// Commands of `pgbench` that set variables.
    before: String,
}

impl Pgbench {
    /// Finds `pgbench` beside the server's binary, or on the PATH.
    pub(crate) async fn find(pool: &PgPool) -> anyhow::Result<Self> {
        let backend: i32 = sqlx::query_scalar("SELECT pg_backend_pid()")
            .fetch_one(pool)
            .await?;
        let beside = std::fs::read_link(format!("/proc/{backend}/exe"))
            .ok()
            .map(|server| server.with_file_name("pgbench"))
            .filter(|program| program.is_file());
        let program = beside.unwrap_or_else(|| PathBuf::from("pgbench"));
        Command::new(&program)
            .arg("--version")
            .output()
            .context("pgbench is neither beside the server's binaries nor on the PATH")?;
        Ok(Self {
            program,
            directory: tempfile::tempdir()?,
        })
    }

    /// Runs the statement of fraiseql for this number of seconds.
    pub(crate) fn run(
        &self,
        database: &Database,
        is_json: bool,
        operation: Operation,
        clients: usize,
        seconds: u64,
    ) -> anyhow::Result<Measured> {
        let script = Script::of(is_json, operation, database.posts.len()).text()?;
        let path = self.directory.path().join("script.sql");
        std::fs::write(&path, script)?;
        let logs = self.directory.path().join("log");
        std::fs::create_dir(&logs)?;
        let output = Command::new(&self.program)
            .envs(Database::environment(&database.options, "pgbench")?)
            .current_dir(self.directory.path())
            .args(["-n", "-M", "prepared", "-f"])
            .arg(&path)
            .args(["-c", &clients.to_string()])
            .args(["-j", &clients.min(2).to_string()])
            .args(["-T", &seconds.to_string()])
            // pgbench reports only means, so the median is that of one in ten logged transactions.
            .args(["-l", "--sampling-rate=0.1", "--log-prefix=log/transactions"])
            .output()?;
        let stdout = String::from_utf8_lossy(&output.stdout);
        let stderr = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "pgbench: {stdout}{stderr}");
        let number = |name: &str| {
            let mut lines = stdout.lines();
            let rest = lines.find_map(|line| line.strip_prefix(name))?;
            rest.split_whitespace().next()?.parse::<f64>().ok()
        };
        let latencies = latencies(&logs)?;
        std::fs::remove_dir_all(&logs)?;
        let at = |part: f64| {
            let index = (latencies.len() as f64 * part) as usize;
            latencies.get(index).copied().unwrap_or(f64::NAN)
        };
        Ok(Measured {
            per_second: number("tps = ").with_context(|| format!("no tps in {stdout}"))?,
            median: at(0.5),
            p99: at(0.99),
            ..Measured::default()
        })
    }

    /// Checks that the script for `pgbench` reads the same documents as the list, for one key.
    pub(crate) async fn check(
        &self,
        pool: &PgPool,
        is_json: bool,
        operation: Operation,
        posts: usize,
    ) -> anyhow::Result<()> {
        let script = Script::of(is_json, operation, posts);
        let ours = script.list.read(pool).await?;
        let ours: Vec<Value> = ours
            .iter()
            .map(|document| serde_json::from_slice(document.json()))
            .collect::<Result<_, _>>()?;
        let mut statement = script.statement()?.replace(":post", "1");
        if script.sql.is_some() {
            statement = format!("SELECT to_jsonb(r)::text FROM ({statement}) AS r");
        }
        let rows = sqlx::raw_sql(AssertSqlSafe(statement))
            .fetch_all(pool)
            .await?;
        let raw = rows.iter().map(|row| {
            let text = row
                .try_get_raw(0)?
                .as_str()
                .map_err(anyhow::Error::from_boxed);
            Ok(serde_json::from_str(text?)?)
        });
        let raw: Vec<Value> = raw.collect::<anyhow::Result<_>>()?;
        ensure!(
            !raw.is_empty() && ours == raw,
            "pgbench reads other documents than the fraiseql server"
        );
        Ok(())
    }
}

impl Script {
    /// The list that the root field of the fraiseql schema reads.
    fn of(is_json: bool, operation: Operation, posts: usize) -> Self {
        if is_json {
            Self::of_view::<json::Post>(operation, posts)
        } else {
            Self::of_view::<jsonb::Post>(operation, posts)
        }
    }

    fn of_view<T: TView + WithoutTenant>(operation: Operation, posts: usize) -> Self {
        let list = List::of::<T>().of_any_view();
        let limit = operation.limit().unwrap_or(1);
        match operation {
            Operation::PostConstant => Self {
                list: list.filter(Filter::eq("id", first().to_string())).limit(1),
                sql: None,
                values: vec![format!("'{}'::uuid", first())],
                before: String::new(),
            },
            Operation::Post | Operation::Rename => Self {
                list: list.filter(Filter::eq("id", first().to_string())).limit(1),
                sql: None,
                // The server computes the random key, because `pgbench` has only numbers.
                values: vec!["md5('p' || :post)::uuid".to_owned()],
                before: format!("\\set post random(1, {posts})\n"),
            },
            Operation::Query => Self {
                list: list.limit(limit.into()),
                sql: None,
                values: Vec::new(),
                before: String::new(),
            },
            // The first statement of a server tests the types of columns, those after it are this one. It returns its
            // columns as JSON in the check only.
            Operation::List => Self {
                list: list.limit(limit.into()).only(LISTED),
                sql: Some(format!(
                    "SELECT {} FROM {} ORDER BY id LIMIT {limit}",
                    LISTED.join(", "),
                    T::VIEW.table
                )),
                values: Vec::new(),
                before: String::new(),
            },
        }
    }

    fn statement(&self) -> anyhow::Result<String> {
        if let Some(sql) = &self.sql {
            return Ok(sql.clone());
        }
        let mut statement = self.list.sql()?;
        for (index, value) in self.values.iter().enumerate().rev() {
            let parameter = format!("${}", index + 1);
            ensure!(
                statement.contains(&parameter),
                "no {parameter} in {statement}"
            );
            statement = statement.replace(&parameter, value);
        }
        ensure!(!statement.contains('$'), "{statement}");
        Ok(statement)
    }

    fn text(&self) -> anyhow::Result<String> {
        Ok(format!("{}{};\n", self.before, self.statement()?))
    }
}

/// The fields of a list, each of which is a column.
const LISTED: [&str; 3] = ["id", "title", "published"];

/// The key of the first post, as SQL computes it: `md5('p1')`.
fn first() -> Uuid {
    Uuid::from_u128(0xec6e_f230_f182_8039_ee79_4566_b9c5_8adc)
}

/// Latencies in microseconds, sorted: the third word of each line of the logs.
fn latencies(logs: &Path) -> anyhow::Result<Vec<f64>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(logs)? {
        let text = std::fs::read_to_string(entry?.path())?;
        all.extend(
            text.lines()
                .filter_map(|line| line.split(' ').nth(2)?.parse::<f64>().ok()),
        );
    }
    all.sort_by(f64::total_cmp);
    Ok(all)
}
