//! Takes a server for a read, and another one if that fails.

use std::future::Future;
use std::sync::Arc;

use sqlx::PgConnection;
use sqlx::postgres::PgRow;

use crate::db::scope::TransactionScope;
use crate::db::wal_position::WalPosition;
use crate::error::{Error, Result};
use crate::mutex::lock;
use crate::read::by_key::{self, KeyRead};
use crate::read::list_rows::{self, ListRead, ListRow};
use crate::read::readers::ReaderConnection;
use crate::read::replicas::replica::{Counters, Replica};
use crate::read::replicas::set::ReplicaSet;
use crate::read::replicas::telemetry;
use crate::read::target::ReadTarget as _;

/// A read that can be sent to several servers, one after the other.
pub(super) trait Repeatable: Sync {
    type Rows: Send;

    fn run(&self, connection: &mut PgConnection)
    -> impl Future<Output = Result<Self::Rows>> + Send;

    fn on_primary(&self, set: &ReplicaSet) -> impl Future<Output = Result<Self::Rows>> + Send;
}

impl Repeatable for KeyRead {
    type Rows = Vec<PgRow>;

    async fn run(&self, connection: &mut PgConnection) -> Result<Vec<PgRow>> {
        by_key::rows(connection, self, TransactionScope::Own).await
    }

    async fn on_primary(&self, set: &ReplicaSet) -> Result<Vec<PgRow>> {
        set.primary.readers.read(self.clone()).await
    }
}

impl Repeatable for ListRead {
    type Rows = Vec<ListRow>;

    async fn run(&self, connection: &mut PgConnection) -> Result<Vec<ListRow>> {
        list_rows::rows(connection, self.clone(), TransactionScope::Own).await
    }

    async fn on_primary(&self, set: &ReplicaSet) -> Result<Vec<ListRow>> {
        set.primary.readers.list(self.clone()).await
    }
}

/// Why a read was not answered by a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// No replica is in the set.
    None,
    /// None had replayed the position in time.
    Behind,
    /// A replica could not be reached, or was not what it was before.
    Lost,
    /// The read failed on a replica that is there.
    Failed,
}

impl Reason {
    /// Its name in metrics.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Behind => "behind",
            Self::Lost => "lost",
            Self::Failed => "failed",
        }
    }
}

/// What came of a read on one replica.
enum Outcome<T> {
    Answered(T),
    /// To be answered elsewhere.
    Refused(Reason),
    /// Not to be repeated.
    Final(Error),
}

impl ReplicaSet {
    /// Reads on a replica that has replayed the position, or else on the primary.
    pub(super) async fn read<R: Repeatable>(
        self: &Arc<Self>,
        read: &R,
        position: Option<WalPosition>,
    ) -> Result<R::Rows> {
        if self.replicas.is_empty() {
            Counters::add(&self.primary.counters.reads);
            return read.on_primary(self).await;
        }
        self.refresh().await;
        let mut reason = Reason::None;
        for replica in self.candidates(position) {
            match replica.answer(self, read, position).await {
                Outcome::Answered(rows) => {
                    Counters::add(&replica.counters.reads);
                    telemetry::answered(&replica.name);
                    return Ok(rows);
                }
                Outcome::Final(error) => return Err(error),
                Outcome::Refused(why) => reason = why,
            }
            // Another one is as far behind, and an error of the statement is the same everywhere but on
            // the primary, which has the tables that a migration has just created.
            if matches!(reason, Reason::Behind | Reason::Failed) {
                break;
            }
        }
        if position.is_some() && lock(&self.primary.seen).is_standby {
            return Err(Error::PrimaryIsReplica);
        }
        Counters::add(&self.primary.counters.reads);
        telemetry::on_primary(reason.as_str());
        read.on_primary(self).await
    }
}

impl Replica {
    /// Reads here, unless the server is not suitable, or does not have the position in time.
    async fn answer<R: Repeatable>(
        self: &Arc<Self>,
        set: &Arc<ReplicaSet>,
        read: &R,
        position: Option<WalPosition>,
    ) -> Outcome<R::Rows> {
        let Some((mut connection, server)) = self.connect().await else {
            return Outcome::Refused(Reason::Lost);
        };
        let look = server.last();
        if !set.may_answer(&look) {
            connection.give_back();
            return Outcome::Refused(Reason::Lost);
        }
        if let Some(wanted) = position
            && !set.has(&look, wanted)
        {
            // Others can read on the connection meanwhile.
            connection.give_back();
            let waited = set.may_arrive(&look, wanted) && self.wait(set, wanted).await;
            telemetry::waited(&self.name, waited);
            if !waited {
                return Outcome::Refused(Reason::Behind);
            }
            Counters::add(&self.counters.waits);
            let Some(again) = self.connect().await else {
                return Outcome::Refused(Reason::Lost);
            };
            let look = again.1.last();
            if !(set.may_answer(&look) && set.has(&look, wanted)) {
                // The pool leads to several servers, and this is another one.
                again.0.give_back();
                return Outcome::Refused(Reason::Behind);
            }
            connection = again.0;
        }
        self.run(connection, read).await
    }

    async fn run<R: Repeatable>(
        &self,
        mut connection: ReaderConnection,
        read: &R,
    ) -> Outcome<R::Rows> {
        match read.run(&mut connection).await {
            Ok(rows) => {
                connection.give_back();
                Outcome::Answered(rows)
            }
            Err(error @ Error::TooManyBytes { .. }) => {
                connection.close();
                Outcome::Final(error)
            }
            // Dropped, the connection returns to the pool, which tests it.
            Err(error) => {
                Counters::add(&self.counters.failures);
                match error.is_lost_connection() {
                    true => {
                        self.lost();
                        Outcome::Refused(Reason::Lost)
                    }
                    false => Outcome::Refused(Reason::Failed),
                }
            }
        }
    }
}
