//! Compares a read model with a live database, and says all at once what does not fit.
//!
//! `catalog` reads what there is. `walk` goes through the structs (`tables`, `columns` and
//! `null` are parts of it), `storage` through the view tables, `server` looks at the server
//! itself; `fit` knows which types go together, `labels` which labels an enum has. `ask` is for what only the server can judge,
//! `whole` for its word on every statement. `findings` collects, each fault once; [`report`]
//! is what comes out.

mod ask;
mod catalog;
mod columns;
pub(crate) mod findings;
mod fit;
mod labels;
mod lookups;
mod null;
pub mod report;
mod server;
mod storage;
mod tables;
mod walk;
mod whole;

use std::collections::{BTreeSet, HashSet};

use sqlx::{Acquire, Connection, PgConnection, Postgres};

use crate::check::catalog::{Catalog, command};
use crate::check::findings::Findings;
use crate::check::report::CheckReport;
use crate::error::{Error, Result};
use crate::model::ReadModel;
use crate::schema::{Link, Shape, Source, Table, View};
use crate::sql::catalog as sql;

impl ReadModel {
    /// Compares the structs with the database, and reports everything that does not fit, all
    /// at once: what is missing, types and nulls that a field cannot hold, keys that are not
    /// unique, lookups without an index, SQL that the server refuses, privileges, and the
    /// server's own limits. Each fault is one finding, with what repairs it.
    ///
    /// It belongs in a test, in CI or at start-up. It reads the catalog and PREPAREs the
    /// statements in a read-only transaction that is rolled back: nothing is changed, no row
    /// is read. It checks as the role that is connected, so let that be the one that syncs.
    ///
    /// ```
    /// # use fraiseql_runtime::{ReadModel, TView};
    /// # use fraiseql_runtime::check::report::FindingKind;
    /// #[derive(TView)]
    /// pub struct Post {
    ///     pub id: i64,
    ///     pub title: String,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = dev_postgres::Server::shared()?;
    /// # let pool = sqlx::PgPool::connect_with(server.create_database().await?).await?;
    /// sqlx::raw_sql("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text)")
    ///     .execute(&pool)
    ///     .await?;
    /// let blog = ReadModel::builder().view::<Post>().build()?;
    /// blog.migrate(&pool).await?;
    ///
    /// let report = blog.check(&pool).await?;
    /// assert!(!report.is_ok());
    /// let finding = &report.findings()[0];
    /// assert_eq!(finding.kind, FindingKind::Nullable);
    /// assert_eq!(finding.path, "Post.title");
    /// assert_eq!(
    ///     report.to_string(),
    ///     "check: 1 error, 0 warnings
    ///
    /// Post (public.tv_post)
    ///   error: Post.title: tb_post.title can be null, and the field is no Option: a document with \
    /// a null there cannot be read
    ///     remedy: write `Option<String>`
    ///         or: ALTER TABLE \"public\".\"tb_post\" ALTER COLUMN \"title\" SET NOT NULL;"
    /// );
    /// # pool.close().await;
    /// # Ok(()) }
    /// ```
    ///
    /// At start-up, `blog.check(&pool).await?.into_result()?` stops with everything that is
    /// wrong.
    ///
    /// # Errors
    /// When the database cannot be asked. What it answers is in the report.
    pub async fn check<'a>(
        &self,
        database: impl Acquire<'a, Database = Postgres>,
    ) -> Result<CheckReport> {
        let failed = || Error::database("checking the read model");
        let mut connection = database.acquire().await.map_err(failed())?;
        let mut transaction = Connection::begin(&mut *connection)
            .await
            .map_err(failed())?;
        let report = check(self, &mut transaction).await.map_err(failed())?;
        transaction.rollback().await.map_err(failed())?;
        Ok(report)
    }
}

async fn check(model: &ReadModel, connection: &mut PgConnection) -> sqlx::Result<CheckReport> {
    command(connection, sql::READ_ONLY).await?;
    command(connection, sql::SAVEPOINT).await?;
    let views: Vec<&'static View> = model.views().collect();
    let (tables, names) = needs(&views);
    let server = catalog::server(connection).await?;
    let catalog = Catalog::load(connection, &tables, &names).await?;
    let mut findings = Findings::new(&catalog, &server);
    for fault in server::faults(&server) {
        findings.add(None, "", fault);
    }
    let mut fragments = Vec::new();
    for handle in model.handles() {
        let (questions, own) = walk::view(&mut findings, handle.view);
        storage::bounds(connection, &mut findings, handle.view).await?;
        storage::view(&mut findings, handle.view, handle.statements());
        ask::questions(connection, &mut findings, handle.view, &questions).await?;
        fragments.push(own);
    }
    // The whole statements come last, when every reason why they may fail is known.
    for (handle, own) in model.handles().zip(&fragments) {
        let statements = handle.statements();
        whole::statements(connection, &mut findings, handle.view, statements, own).await?;
    }
    Ok(CheckReport::new(findings.finish(), &views))
}

/// The tables that views need, and the types that their fields name.
fn needs(views: &[&'static View]) -> (Vec<Table>, Vec<&'static str>) {
    let mut tables = BTreeSet::new();
    let mut names = BTreeSet::new();
    let mut seen = HashSet::new();
    for view in views {
        tables.insert(view.table);
        names.extend([view.data.sql(), view.key.ty.sql]);
        shape_needs(view.shape, &mut tables, &mut names, &mut seen);
    }
    let also: Vec<&str> = names.iter().map(|name| fit::canonical(name)).collect();
    names.extend(also);
    (tables.into_iter().collect(), names.into_iter().collect())
}

fn shape_needs(
    shape: &'static Shape,
    tables: &mut BTreeSet<Table>,
    names: &mut BTreeSet<&'static str>,
    seen: &mut HashSet<&'static str>,
) {
    if !seen.insert(shape.id) {
        return;
    }
    tables.insert(shape.table);
    for field in shape.fields {
        match &field.source {
            Source::Column { ty, .. } | Source::Expr { ty, .. } => {
                names.insert(ty.sql);
            }
            Source::Aggregate(aggregate) => {
                tables.insert(aggregate.table);
                names.insert(aggregate.ty.sql);
            }
            Source::One(one) => shape_needs((one.shape)(), tables, names, seen),
            Source::Many(many) => {
                if let Link::Through { table, .. } = many.link {
                    tables.insert(table);
                }
                shape_needs((many.shape)(), tables, names, seen);
            }
        }
    }
}
