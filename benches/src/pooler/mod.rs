//! PgBouncer between the clients and the server: `--pooler` of other commands, and what it costs.

mod cost;

pub(crate) use self::cost::{Options, run};

use dev_postgres::{PgBouncer, PgBouncerVersion, Server};
use sqlx::postgres::PgConnectOptions;

/// A PgBouncer in transaction mode, or nothing.
pub(crate) struct Pooler(Option<PgBouncer>);

impl Pooler {
    /// Starts it with this many connections of the server, which clients get in turn.
    pub(crate) fn start(server: &Server, connections: Option<u32>) -> anyhow::Result<Self> {
        let Some(connections) = connections else {
            return Ok(Self(None));
        };
        let pooler = PgBouncer::builder()
            .at_least(PgBouncerVersion::WITH_PREPARED_STATEMENTS)
            .pool_size(connections)
            .setting("min_pool_size", connections.to_string())
            .setting("server_round_robin", "1")
            .start(server)?;
        println!(
            "{}, {connections} connections of the server",
            pooler.description()
        );
        Ok(Self(Some(pooler)))
    }

    /// The options with which clients connect to a database of the server.
    pub(crate) fn through(&self, database: PgConnectOptions) -> PgConnectOptions {
        match &self.0 {
            Some(pooler) => pooler.through(&database),
            None => database,
        }
    }
}
