//! One name at a time, in every place at once: as key of the base table and of a part, as foreign key,
//! in a filter, an order, a join table, an aggregate and an expression.

use std::collections::HashSet;
use std::future::Future;
use std::pin::Pin;

use fraiseql_runtime::__graphql::Handle;
use fraiseql_runtime::list::{List, Nulls, OrderBy, Page};
use fraiseql_runtime::sync::sync;
use fraiseql_runtime::view::ViewDef as _;
use fraiseql_runtime::{Capture, ReadModel, SyncReport};
use sqlx::{AssertSqlSafe, PgConnection, PgPool};

use super::tables::{of_data, rows, tables};

/// The views of one name.
macro_rules! views {
    (catalog $name:ident $column:tt $filter:tt $expr:tt) => {};
    (data $name:ident $column:tt $filter:tt $expr:tt) => {
            #[allow(dead_code, non_snake_case)]
            mod $name {
                /// Documents whose key has the name.
                #[derive(fraiseql_runtime::TView)]
                #[tview(table = "tb_all", entity = "own", view = "tv_own", filter = $filter, type_name = "Own")]
                pub(super) struct Own {
                    #[tview(key, column = $column)]
                    pub id: i64,
                    #[tview(one(fk = $column, key = $column))]
                    pub one: Option<Part>,
                    #[tview(many(fk = $column, key = $column, order_by = $column, filter = $filter, limit = 9))]
                    pub few: Vec<Part>,
                    #[tview(many(through(table = "tb_link", fk = $column, to = $column), order_by = $column))]
                    pub linked: Vec<Part>,
                    #[tview(count(table = "tb_all", fk = $column, filter = $filter))]
                    pub number: i64,
                    #[tview(max(table = "tb_all", fk = $column, expr = $expr), filter, sort)]
                    pub largest: Option<i64>,
                    #[tview(exists(table = "tb_all", fk = $column, filter = $filter))]
                    pub is_any: bool,
                    #[tview(expr = $expr, filter, sort)]
                    pub next: i64,
                }

                #[derive(fraiseql_runtime::Embed)]
                #[tview(table = "tb_all", filter = $filter, type_name = "Part")]
                pub(super) struct Part {
                    #[tview(key, column = $column)]
                    pub id: i64,
                    #[tview(column = "the note")]
                    pub note: String,
                    #[tview(expr = $expr)]
                    pub next: i64,
                }

                /// Documents that refer to a row by a foreign key of the name, which is promoted.
                #[derive(fraiseql_runtime::TView)]
                #[tview(
                    table = "tb_doc", entity = "doc", view = "tv_doc", type_name = "Doc",
                    index(on = "value DESC, id")
                )]
                pub(super) struct Doc {
                    #[tview(column = "doc id")]
                    pub id: i64,
                    #[tview(column = $column, filter, sort)]
                    pub value: i64,
                    #[tview(one(fk = $column))]
                    pub part: Part,
                }
            }
    };
}

macro_rules! case {
    (catalog $name:ident $column:tt) => {
        None
    };
    (data $name:ident $column:tt) => {
        Some(|| {
            use $name::{Doc, Own};
            Case {
                column: $column,
                own: Own::handle(),
                doc: Doc::handle(),
                model: |capture| {
                    let builder = ReadModel::builder().view::<Own>().view::<Doc>();
                    builder.capture(capture).build().unwrap()
                },
                sync: |pool| Box::pin(sync::<Own>(pool, &[1, 2, 99])),
                sync_in: |tx| Box::pin(sync::<Own>(tx, &[1, 2, 99])),
            }
        })
    };
}

macro_rules! everywhere {
    ($($kind:ident $name:ident $column:tt $filter:tt $expr:tt;)*) => {
        $(views! { $kind $name $column $filter $expr })*

        #[tokio::test]
        async fn a_column_of_any_name_can_be_used_everywhere() {
            // Functions, and not the values: those of all names would fill the stack.
            let cases: Vec<Option<fn() -> Case>> = vec![$(case!($kind $name $column)),*];
            let cases: Vec<fn() -> Case> = cases.into_iter().flatten().collect();
            // In two databases at once: a server has more to do than this test.
            let (some, others) = cases.split_at(cases.len() / 2);
            tokio::join!(run_all(some), run_all(others));
        }
    };
}

columns!(everywhere);

async fn run_all(cases: &[fn() -> Case]) {
    let pool = tables(&of_data(), "").await;
    // A name that no function contains cannot be misread by one. The first column is in all of them.
    let first = cases[0]();
    let in_functions = words_of(&(first.model)(Capture::AtCommit), &pool).await;
    for case in cases {
        let case = case();
        let captured = in_functions.contains(case.column);
        let done = Box::pin(case.run(&pool, captured)).await;
        done.unwrap_or_else(|error| panic!("`{}`: {error}", case.column));
    }
}

/// The words of the functions of a read model.
async fn words_of(model: &ReadModel, pool: &PgPool) -> HashSet<String> {
    let plan = model.migration_plan(pool).await.unwrap();
    let functions = plan.iter().filter(|sql| sql.contains(" FUNCTION "));
    let words = functions.flat_map(|sql| sql.split(|c: char| !c.is_alphanumeric() && c != '_'));
    words.map(ToOwned::to_owned).collect()
}

type Syncing<'a> = Pin<Box<dyn Future<Output = fraiseql_runtime::Result<SyncReport>> + 'a>>;

/// The views of one name, without their types: one function for all of them compiles faster.
struct Case {
    column: &'static str,
    own: Handle,
    doc: Handle,
    model: fn(Capture) -> ReadModel,
    sync: for<'a> fn(&'a PgPool) -> Syncing<'a>,
    sync_in: for<'a> fn(&'a mut PgConnection) -> Syncing<'a>,
}

/// Drops everything that `migrate` creates.
const DROP: &str = "
DROP INDEX of_rows, of_links;
DROP TABLE tv_own, tv_doc, fraiseql_view, fraiseql_change;
DO $$
DECLARE
  function regprocedure;
BEGIN
  FOR function IN SELECT oid FROM pg_proc WHERE proname LIKE 'fraiseql\\_%' LOOP
    EXECUTE 'DROP FUNCTION ' || function || ' CASCADE';
  END LOOP;
END $$;
";

async fn execute(executor: impl sqlx::PgExecutor<'_>, sql: &'static str) -> anyhow::Result<()> {
    sqlx::query(sql).execute(executor).await?;
    Ok(())
}

impl Case {
    /// Runs everything that has a statement. With `captured`, also what only functions do.
    async fn run(&self, pool: &PgPool, captured: bool) -> anyhow::Result<()> {
        let (column, model) = (self.column, &(self.model)(Capture::Off));
        let indexes = format!(
            "CREATE UNIQUE INDEX of_rows ON tb_all (\"{column}\"); CREATE INDEX of_links ON tb_link (\"{column}\")"
        );
        sqlx::raw_sql(AssertSqlSafe(indexes)).execute(pool).await?;
        model.migrate(pool).await?;
        let report = fraiseql_tests::without_server(model.check(pool).await?);
        assert!(report.is_ok(), "`{column}`: {report}");
        let all = model.rebuild(pool).await?;
        assert_eq!(all.views[0].report.inserted, 3, "`{column}`: {all}");
        let documents = List::of_view(self.own).read(pool).await?;
        let first = documents.iter().next().unwrap().json().to_vec();
        assert_eq!(
            serde_json::from_slice::<serde_json::Value>(&first)?,
            serde_json::json!({
                "id": 1, "one": {"id": 1, "note": "n1", "next": 2},
                "few": [{"id": 1, "note": "n1", "next": 2}], "linked": [{"id": 1, "note": "n1", "next": 2}],
                "number": 1, "largest": 2, "isAny": true, "next": 2,
            }),
            "`{column}`"
        );
        self.syncs(pool).await?;
        self.mutation(model, pool).await?;
        self.verifies(model, pool).await?;
        self.lists(pool).await?;
        // A row is deleted, and its document with it.
        execute(pool, "DELETE FROM tb_all WHERE \"the row\" = 3").await?;
        let all = model.sync_all(pool).await?;
        assert_eq!(all.views[0].report.deleted, 1, "`{column}`: {all}");
        if captured {
            self.captured(pool).await?;
        }
        sqlx::raw_sql(DROP).execute(pool).await?;
        rows(pool, of_data().len()).await;
        Ok(())
    }

    async fn syncs(&self, pool: &PgPool) -> anyhow::Result<()> {
        const CHANGE: &str =
            "UPDATE tb_all SET \"the note\" = \"the note\" || '!' WHERE \"the row\" = 1";
        execute(pool, CHANGE).await?;
        let report = (self.sync)(pool).await?;
        assert_eq!(
            (report.updated, report.unchanged),
            (1, 1),
            "`{}`",
            self.column
        );
        let mut tx = pool.begin().await?;
        execute(&mut *tx, CHANGE).await?;
        let report = (self.sync_in)(&mut tx).await?;
        assert_eq!(
            (report.updated, report.unchanged),
            (1, 1),
            "`{}`",
            self.column
        );
        tx.commit().await?;
        Ok(())
    }

    /// Replaces the part in 45 documents of `Doc`, and builds one of `Own`.
    async fn mutation(&self, model: &ReadModel, pool: &PgPool) -> anyhow::Result<()> {
        let mut m = model.mutation(pool).await?;
        execute(
            &mut *m,
            "UPDATE tb_all SET \"the note\" = 'new' WHERE \"the row\" = 1",
        )
        .await?;
        m.changed_rows("tb_all", self.column, &[1_i64])?;
        m.changed_rows("tb_link", self.column, &[1_i64])?;
        m.strict();
        let report = m.commit().await?;
        assert_eq!(report.changed(), 46, "`{}`: {report}", self.column);
        Ok(())
    }

    async fn verifies(&self, model: &ReadModel, pool: &PgPool) -> anyhow::Result<()> {
        let column = self.column;
        let verified = model.verify(pool).explain(3).await?;
        assert!(verified.is_clean(), "`{column}`: {verified}");
        execute(
            pool,
            "UPDATE tb_all SET \"the note\" = 'x' WHERE \"the row\" < 3",
        )
        .await?;
        let verified = model.verify(pool).explain(3).sample(1.0).repair().await?;
        let wrong: u64 = verified.iter().map(|report| report.drifted.total()).sum();
        assert_eq!(wrong, 2 + 45, "`{column}`: {verified}");
        Ok(())
    }

    /// The documents are right by triggers: of a writer that syncs nothing, of a mutation without marks, and of what is
    /// left to a worker.
    async fn captured(&self, pool: &PgPool) -> anyhow::Result<()> {
        let (column, model) = (self.column, &(self.model)(Capture::AtCommit));
        model.migrate(pool).await?;
        rows(pool, of_data().len()).await;
        sqlx::raw_sql(AssertSqlSafe(
            self.changes(2, "DELETE FROM tb_doc WHERE \"doc id\" = 41"),
        ))
        .execute(pool)
        .await?;
        self.is_right(model, pool, "at the commit", 3).await?;
        assert_eq!(model.changes(pool).await?.pending, 0, "`{column}`");

        let mut m = model.mutation(pool).await?;
        sqlx::raw_sql(AssertSqlSafe(
            self.changes(3, "DELETE FROM tb_doc WHERE \"doc id\" = 42"),
        ))
        .execute(&mut *m)
        .await?;
        m.strict();
        let report = m.commit().await?;
        assert!(report.changed() > 40, "`{column}`: {report}");
        self.is_right(model, pool, "in a mutation", 3).await?;

        // Its snapshot is too old to sync at the commit.
        let mut tx = pool
            .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ")
            .await?;
        sqlx::raw_sql(AssertSqlSafe(
            self.changes(2, "DELETE FROM tb_all WHERE \"the row\" = 3"),
        ))
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        let report = model.worker(pool).drain().await?;
        assert_eq!(
            (report.changes, report.failed),
            (4, 0),
            "`{column}`: {report}"
        );
        self.is_right(model, pool, "by a worker", 2).await
    }

    /// Statements that change what documents contain, and which rows they embed: from now on the row `to`.
    fn changes(&self, to: i64, delete: &str) -> String {
        let column = self.column;
        format!(
            "UPDATE tb_all SET \"the note\" = \"the note\" || '{to}' WHERE \"the row\" = 1;
             UPDATE tb_link SET \"{column}\" = {to} WHERE \"the row\" = 1;
             UPDATE tb_doc SET \"{column}\" = {to} WHERE \"doc id\" <= 5;
             {delete}"
        )
    }

    async fn is_right(
        &self,
        model: &ReadModel,
        pool: &PgPool,
        when: &str,
        own: usize,
    ) -> anyhow::Result<()> {
        let verified = model.verify(pool).explain(3).await?;
        assert!(verified.is_clean(), "`{}`, {when}: {verified}", self.column);
        assert_eq!(
            List::of_view(self.own).read(pool).await?.len(),
            own,
            "`{}`, {when}",
            self.column
        );
        Ok(())
    }

    async fn lists(&self, pool: &PgPool) -> anyhow::Result<()> {
        for (view, field) in [
            (self.own, "next"),
            (self.own, "largest"),
            (self.doc, "value"),
        ] {
            for order in [OrderBy::asc(field), OrderBy::desc(field).nulls(Nulls::Last)] {
                let page = List::of_view(view)
                    .order_by(order)
                    .page(Page::first(2), pool)
                    .await?;
                assert_eq!(page.len(), 2, "`{}`", self.column);
            }
        }
        Ok(())
    }
}
