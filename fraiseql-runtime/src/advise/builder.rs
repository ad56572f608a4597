//! `Advise`: what is asked for, then `.await`.

use std::collections::HashMap;
use std::future::IntoFuture;
use std::pin::Pin;
use std::time::Duration;

use sqlx::{Connection as _, PgConnection, PgPool};

use crate::advise::report::{Advice, ViewAdvice};
use crate::advise::rules::{Demand, advise};
use crate::advise::{measure, paths};
use crate::db::lease::Lease;
use crate::error::{Error, Operation, Result};
use crate::view::Handle;

/// Advice that has not been taken yet: of [`ReadModel::advise`](crate::ReadModel::advise). Awaiting it
/// measures.
#[derive(Debug)]
#[must_use = "nothing is measured until it is awaited"]
pub struct Advise<'a> {
    views: &'a [Handle],
    pool: &'a PgPool,
    demand: Demand,
    writes: HashMap<String, f64>,
}

impl<'a> Advise<'a> {
    pub(crate) fn new(views: &'a [Handle], pool: &'a PgPool) -> Self {
        Self {
            views,
            pool,
            demand: Demand::default(),
            writes: HashMap::new(),
        }
    }

    /// Sets how many documents of each view are read in a day. The database does not know it. By default
    /// ten for each row that is written to the base tables of the view, and at least 1,000.
    pub fn reads_per_day(mut self, documents: f64) -> Self {
        self.demand.reads_per_day = Some(documents.max(0.0));
        self
    }

    /// Sets how old documents may be. By default they must show every commit, and a
    /// materialized view is no choice.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.demand.max_age = Some(age);
        self
    }

    /// Sets how many rows of a base table are written in a day, instead of what the server has counted: for a
    /// load that is still to come. A table in another schema than `public` is written `schema.table`.
    pub fn writes_per_day(mut self, table: &str, rows: f64) -> Self {
        self.writes.insert(table.to_owned(), rows.max(0.0));
        self
    }

    async fn run(self) -> Result<Advice> {
        let mut connection = Lease::acquire(self.pool, "advise").await?;
        let result = self.views_advice(&mut connection).await;
        connection.release();
        result.map(|views| Advice { views })
    }

    async fn views_advice(&self, connection: &mut PgConnection) -> Result<Vec<ViewAdvice>> {
        let mut views = Vec::new();
        for view in self.views {
            views.push(view_advice(connection, *view, self.demand, &self.writes).await?);
        }
        Ok(views)
    }
}

async fn view_advice(
    connection: &mut PgConnection,
    view: Handle,
    demand: Demand,
    writes: &HashMap<String, f64>,
) -> Result<ViewAdvice> {
    let failed = || Error::on_table(Operation::Advise, view.view.relation());
    // Rolled back: the copies of documents are never committed.
    let mut transaction = connection.begin().await.map_err(failed())?;
    let sample = measure::sample(&mut transaction, view).await?;
    let paths = paths::loads(&mut transaction, view, writes).await?;
    transaction.rollback().await.map_err(failed())?;
    Ok(advise(view.view, sample, paths, demand))
}

impl<'a> IntoFuture for Advise<'a> {
    type Output = Result<Advice>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<Advice>> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
