//! The work of a verification: chunks of keys are read, their documents built and compared, in
//! a transaction that writes nothing.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Instant;

use sqlx::postgres::PgRow;
use sqlx::{Connection as _, Executor as _, PgConnection, Row as _};

use super::difference::{Document, Explained, explain};
use super::report::{VerifyProgress, VerifyReport};
use super::{Request, Settings};
use crate::db::scope::TransactionScope;
use crate::db::scope::{begin_savepoint, undo_savepoint};
use crate::db::telemetry::statement as trace_statement;
use crate::error::invalid_document::InvalidDocument;
use crate::error::{Error, Operation, Result};
use crate::schema::key::Keys;
use crate::sql::session::SET_LOCAL;
use crate::sql::verify::{answer, both, promoted};
use crate::sync::full::chunk_size;
use crate::sync::invalid;
use crate::sync::invalid::Work;
use crate::sync::report::SyncReport;
use crate::sync::request::Mode;
use crate::sync::session::{BATCH, Session};
use crate::sync::watch::Watch;
use crate::view::Handle;

/// Verifies the views of a request, one after the other.
pub(super) async fn all(
    connection: &mut PgConnection,
    scope: TransactionScope,
    request: Request<'_>,
    watch: &Watch<'_>,
) -> Result<Vec<VerifyReport>> {
    let mut settings = request.settings;
    let sample = Sample::new(&settings)?;
    let mut reports = Vec::new();
    for view in request.views {
        let mut run = Run {
            reader: Reader {
                connection: &mut *connection,
                scope,
                view,
                explain: settings.explain,
            },
            watch,
            sample,
            start: Instant::now(),
            report: VerifyReport::new(view),
            expected: 0,
        };
        run.whole(&mut settings).await?;
        let mut report = run.report;
        report.duration = run.start.elapsed();
        super::telemetry::verified(&report);
        reports.push(report);
    }
    Ok(reports)
}

/// Which keys are looked at.
#[derive(Clone, Copy)]
enum Sample {
    All,
    None,
    /// Those whose hash with the seed is less than the bound.
    Some {
        share: f64,
        seed: i64,
        bound: i64,
    },
}

impl Sample {
    fn new(settings: &Settings<'_>) -> Result<Self> {
        let Some(share) = settings.sample else {
            return Ok(Self::All);
        };
        if !(0.0..=1.0).contains(&share) {
            return Err(Error::Sample { share });
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "less than 2^63, and no more exact"
        )]
        let bound = (share * 2_f64.powi(63)) as i64;
        Ok(match bound {
            0 => Self::None,
            i64::MAX => Self::All,
            bound => Self::Some {
                share,
                seed: settings.seed.unwrap_or_else(any_seed),
                bound,
            },
        })
    }

    /// How many of so many keys are in it, about.
    fn of(self, keys: u64) -> u64 {
        match self {
            Self::All => keys,
            Self::None => 0,
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_precision_loss,
                clippy::cast_sign_loss,
                reason = "an estimate"
            )]
            Self::Some { share, .. } => (keys as f64 * share).round() as u64,
        }
    }
}

/// A seed of chance: the standard library has one for its hash maps.
fn any_seed() -> i64 {
    RandomState::new().build_hasher().finish().cast_signed()
}

/// A verification of one view.
struct Run<'r, 'w> {
    reader: Reader<'r>,
    watch: &'r Watch<'w>,
    sample: Sample,
    start: Instant,
    report: VerifyReport,
    expected: u64,
}

/// What a comparison of some keys found.
struct Compared {
    found: u64,
    drifted: Keys,
    missing: Keys,
    orphaned: Keys,
    bytes: u64,
    explained: Vec<Explained>,
}

impl Run<'_, '_> {
    async fn whole(&mut self, settings: &mut Settings<'_>) -> Result<()> {
        if settings.repair {
            self.report.repaired = Some(SyncReport::default());
        }
        if matches!(self.sample, Sample::None) {
            return Ok(());
        }
        if settings.progress.is_some() {
            let expected = self.reader.expected().await?;
            self.expected = self.sample.of(expected);
        }
        let mut after = self.reader.view.no_keys();
        let (mut built, mut bytes) = (0, 0);
        loop {
            let size = settings.chunk.unwrap_or_else(|| chunk_size(built, bytes));
            let chunk = self.reader.chunk(&after, size, self.sample).await?;
            let keys = chunk.keys;
            if keys.is_empty() {
                return Ok(());
            }
            self.report.add_invalid(chunk.invalid);
            let mut wrong = keys.none();
            for part in chunk.compared {
                built += part.found;
                bytes += part.bytes;
                self.add(part, &mut wrong);
            }
            if settings.repair {
                self.repair(wrong.sorted()).await?;
            }
            self.tell(settings);
            if keys.len() < size {
                return Ok(());
            }
            after = keys.last();
        }
    }

    fn add(&mut self, part: Compared, wrong: &mut Keys) {
        let report = &mut self.report;
        report.checked += part.found + part.orphaned.len() as u64;
        for (list, keys) in [
            (&mut report.drifted, part.drifted),
            (&mut report.missing, part.missing),
            (&mut report.orphaned, part.orphaned),
        ] {
            list.add(&keys);
            wrong.append(keys);
        }
        report.explained.extend(part.explained);
    }

    /// Syncs what is wrong, as any other sync.
    async fn repair(&mut self, wrong: Keys) -> Result<()> {
        let Reader {
            connection,
            scope,
            view,
            ..
        } = &mut self.reader;
        let mut session = match scope {
            TransactionScope::Own => Session::own(connection, Mode::Sync, self.watch),
            TransactionScope::Caller => {
                Session::in_caller_transaction(connection, Mode::Sync, self.watch)
            }
        };
        for batch in wrong.chunks(BATCH) {
            let done = session.batch(*view, &batch).await?;
            if let Some(repaired) = &mut self.report.repaired {
                *repaired += done;
            }
        }
        Ok(())
    }

    fn tell(&self, settings: &mut Settings<'_>) {
        if let Some(on_progress) = &mut settings.progress {
            on_progress(&VerifyProgress {
                entity: self.report.entity,
                checked: self.report.checked,
                wrong: self.report.wrong(),
                expected: self.expected,
                duration: self.start.elapsed(),
            });
        }
    }
}

/// A chunk that was looked at.
struct Chunk {
    keys: Keys,
    /// In one part, unless documents that cannot be built were left out.
    compared: Vec<Compared>,
    invalid: Vec<InvalidDocument>,
}

/// Reads, in transactions that write nothing.
struct Reader<'r> {
    connection: &'r mut PgConnection,
    scope: TransactionScope,
    view: Handle,
    /// How many documents are still to be explained.
    explain: usize,
}

impl Work for Reader<'_> {
    type Done = Compared;

    async fn attempt(&mut self, keys: &Keys) -> Result<Compared> {
        let (view, explain) = (self.view, self.explain);
        let compared = self
            .reading(async |connection| compare(connection, view, keys, explain).await)
            .await?;
        self.explain -= compared.explained.len();
        Ok(compared)
    }

    async fn flaws(&mut self, keys: &Keys) -> Result<Vec<PgRow>> {
        let view = self.view;
        self.reading(async |connection| invalid::ask(connection, view, keys).await)
            .await
    }
}

impl Reader<'_> {
    /// Reads the next keys, and compares their documents.
    async fn chunk(&mut self, after: &Keys, size: usize, sample: Sample) -> Result<Chunk> {
        let (view, explain) = (self.view, self.explain);
        let (keys, result) = self
            .reading(async |connection| {
                let keys = next_keys(connection, view, after, size, sample).await?;
                if keys.is_empty() {
                    return Ok((keys, None));
                }
                let compared = compare(connection, view, &keys, explain).await;
                Ok((keys, Some(compared)))
            })
            .await?;
        let (compared, invalid) = match result {
            None => (Vec::new(), Vec::new()),
            Some(Err(error)) if error.is_about_values() => {
                invalid::without_invalid(self, view, &keys, error).await?
            }
            Some(result) => {
                let compared = result?;
                self.explain -= compared.explained.len();
                (vec![compared], Vec::new())
            }
        };
        Ok(Chunk {
            keys,
            compared,
            invalid,
        })
    }

    /// How many documents there are, about.
    async fn expected(&mut self) -> Result<u64> {
        let view = self.view;
        let sql: &'static str = &view.statements().sync.expected;
        let expected: i64 = self
            .reading(async |connection| {
                trace_statement(sql);
                let expected = sqlx::query_scalar(sql).fetch_one(connection).await;
                expected.map_err(keys_failed(view))
            })
            .await?;
        Ok(u64::try_from(expected).unwrap_or(0))
    }

    /// Runs something in a session that is set as documents need it, and leaves nothing of it.
    async fn reading<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T>,
    ) -> Result<T> {
        if self.scope == TransactionScope::Caller && !begin_savepoint(self.connection).await? {
            // The connection is in no transaction.
            self.scope = TransactionScope::Own;
        }
        let view = self.view;
        let (result, left) = match self.scope {
            TransactionScope::Caller => {
                let result = prepared(self.connection, view, work).await;
                (result, undo_savepoint(self.connection).await)
            }
            TransactionScope::Own => {
                let mut transaction = self
                    .connection
                    .begin_with("BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY")
                    .await
                    .map_err(failed(view, Operation::BeginTransaction))?;
                let result = prepared(&mut transaction, view, work).await;
                let left = transaction.rollback().await;
                (
                    result,
                    left.map_err(failed(view, Operation::CommitTransaction)),
                )
            }
        };
        // Where both fail, the reason is the first error.
        let value = result?;
        left?;
        Ok(value)
    }
}

/// Runs something in a transaction whose settings are made to be what documents need.
async fn prepared<T>(
    connection: &mut PgConnection,
    view: Handle,
    work: impl AsyncFnOnce(&mut PgConnection) -> Result<T>,
) -> Result<T> {
    if view.statements().sync.needs.any() {
        let set = connection.execute(SET_LOCAL).await;
        set.map_err(failed(view, Operation::SessionSettings))?;
    }
    work(connection).await
}

/// The next keys of the sample.
async fn next_keys(
    connection: &mut PgConnection,
    view: Handle,
    after: &Keys,
    size: usize,
    sample: Sample,
) -> Result<Keys> {
    let (sync, verify) = (&view.statements().sync, &view.statements().verify);
    let sql: &'static str = match (sample, after.is_empty()) {
        (Sample::Some { .. }, true) => &verify.first_sampled,
        (Sample::Some { .. }, false) => &verify.next_sampled,
        (_, true) => &sync.first_keys,
        (_, false) => &sync.next_keys,
    };
    trace_statement(sql);
    let mut query = sqlx::query(sql);
    if !after.is_empty() {
        query = after.bind(query);
    }
    query = query.bind(i64::try_from(size).unwrap_or(i64::MAX));
    if let Sample::Some { seed, bound, .. } = sample {
        query = query.bind(seed).bind(bound);
    }
    query
        .fetch_one(connection)
        .await
        .and_then(|row| after.read(&row, 0))
        .map_err(keys_failed(view))
}

/// Builds and compares the documents of `keys`, and explains at most so many.
async fn compare(
    connection: &mut PgConnection,
    view: Handle,
    keys: &Keys,
    explain: usize,
) -> Result<Compared> {
    let sql: &'static str = &view.statements().verify.compare;
    trace_statement(sql);
    let row = keys
        .bind(sqlx::query(sql))
        .fetch_one(&mut *connection)
        .await
        .map_err(failed(view, Operation::Verify))?;
    let read = || -> sqlx::Result<Compared> {
        let count = |column| -> sqlx::Result<u64> {
            Ok(u64::try_from(row.try_get::<i64, _>(column)?).unwrap_or(0))
        };
        Ok(Compared {
            found: count(answer::FOUND)?,
            drifted: keys.read(&row, answer::DRIFTED)?,
            missing: keys.read(&row, answer::MISSING)?,
            orphaned: keys.read(&row, answer::ORPHANED)?,
            bytes: count(answer::BYTES)?,
            explained: Vec::new(),
        })
    };
    let mut compared = read().map_err(failed(view, Operation::Verify))?;
    let drifted = compared.drifted.first(explain);
    if !drifted.is_empty() {
        compared.explained = explained(connection, view, &drifted).await?;
    }
    Ok(compared)
}

/// Where the documents of `keys` differ. One that was synced meanwhile does not any more.
async fn explained(
    connection: &mut PgConnection,
    view: Handle,
    keys: &Keys,
) -> Result<Vec<Explained>> {
    let sql: &'static str = &view.statements().verify.both;
    trace_statement(sql);
    let failed = || failed(view, Operation::Verify);
    let rows = keys
        .bind(sqlx::query(sql))
        .fetch_all(connection)
        .await
        .map_err(failed())?;
    let explained = |row: &PgRow| -> sqlx::Result<Explained> {
        let differ: Vec<bool> = row.try_get(both::COLUMNS_DIFFER)?;
        let columns: Vec<_> = promoted(view.view).zip(differ).collect();
        let stored = Document {
            text: row.try_get(both::STORED)?,
            columns: row.try_get(both::STORED_COLUMNS)?,
        };
        let right = Document {
            text: row.try_get(both::RIGHT)?,
            columns: row.try_get(both::RIGHT_COLUMNS)?,
        };
        let key = keys.read(row, both::KEY)?.to_string();
        Ok(explain(key, &stored, &right, &columns))
    };
    let mut all: Vec<Explained> = rows
        .iter()
        .map(explained)
        .collect::<sqlx::Result<_>>()
        .map_err(failed())?;
    all.retain(|explained| !explained.differences.is_empty());
    Ok(all)
}

/// These statements are about the base table first.
fn keys_failed(view: Handle) -> impl FnOnce(sqlx::Error) -> Error {
    Error::on_table(Operation::ReadKeys, view.view.shape.table)
}

fn failed(view: Handle, operation: Operation) -> impl FnOnce(sqlx::Error) -> Error {
    Error::on_table(operation, view.view.table)
}
