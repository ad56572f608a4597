//! One type in every position of a document, and the test that runs through them.

use std::fmt::Debug;
use std::future::Future;

use fraiseql_runtime::{ReadModel, SyncReport, TView};
use fraiseql_tests::world::ODD_SESSION;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::Value;
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool};

/// The values of one row of the base tables.
#[derive(Clone, Debug)]
pub(crate) struct Values<T> {
    pub(crate) value: T,
    pub(crate) maybe: Option<T>,
    pub(crate) list: Vec<T>,
    pub(crate) gaps: Vec<Option<T>>,
    pub(crate) no_list: Option<Vec<T>>,
    /// In the rows that refer to it. The first is also the row that it refers to.
    pub(crate) leaves: Vec<T>,
}

/// Rows of arbitrary values.
fn values<T: Clone + Debug + 'static>(
    any: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Values<T>> {
    use proptest::collection::vec;
    use proptest::option::of;
    let any = any.boxed();
    (
        any.clone(),
        of(any.clone()),
        vec(any.clone(), 0..4),
        vec(of(any.clone()), 0..4),
        of(vec(any.clone(), 0..3)),
        vec(any, 0..3),
    )
        .prop_map(|(value, maybe, list, gaps, no_list, leaves)| Values {
            value,
            maybe,
            list,
            gaps,
            no_list,
            leaves,
        })
        .boxed()
}

/// A row that has a value in every position.
fn everywhere<T: Clone>(value: &T) -> Values<T> {
    Values {
        value: value.clone(),
        maybe: Some(value.clone()),
        list: vec![value.clone(), value.clone()],
        gaps: vec![None, Some(value.clone()), None],
        no_list: Some(vec![value.clone()]),
        leaves: vec![value.clone()],
    }
}

/// A row without any optional value.
fn nowhere<T: Clone>(value: &T) -> Values<T> {
    Values {
        value: value.clone(),
        maybe: None,
        list: Vec::new(),
        gaps: Vec::new(),
        no_list: None,
        leaves: Vec::new(),
    }
}

/// A view whose rows are made of such values.
pub(crate) trait Thing<T>: TView<Key = i32> + Clone + Debug + PartialEq {
    /// The expected document. The key of the leaf at `n` is `10 * id + n`.
    fn expected(id: i32, values: &Values<T>) -> Self;
    /// The greatest value of the leaves.
    fn greatest(&self) -> &Option<T>;
    /// Sets it, because PostgreSQL decides which one is the greatest.
    fn set_greatest(&mut self, greatest: Option<T>);
    /// Whether a field has the greatest value.
    const HAS_GREATEST: bool;
}

/// A type of the type map, and its values.
pub(crate) struct Row<T> {
    /// The type in PostgreSQL.
    pub(crate) sql: &'static str,
    /// Statements to run before the tables are created.
    pub(crate) before: &'static str,
    /// A value as PostgreSQL reads it.
    pub(crate) text: fn(&T) -> String,
    /// The SQL condition that the promoted column of `v` is correct, for the base row `t`.
    pub(crate) promoted: &'static str,
    /// Whether two numbers with different digits are the same value. Some floats have two shortest
    /// texts, such as 1e23 and 9.999999999999999e22.
    pub(crate) same: fn(f64, f64) -> bool,
    /// The number of random batches, after the edge values.
    pub(crate) cases: u32,
    pub(crate) edges: Vec<T>,
    pub(crate) any: BoxedStrategy<T>,
}

/// Whether two documents differ only in the digits of numbers.
fn same_json(a: &Value, b: &Value, same: fn(f64, f64) -> bool) -> bool {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_json(a, b, same))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, a)| b.get(key).is_some_and(|b| same_json(a, b, same)))
        }
        (Value::Number(a), Value::Number(b)) => {
            a == b || a.as_f64().zip(b.as_f64()).is_some_and(|(a, b)| same(a, b))
        }
        (a, b) => a == b,
    }
}

/// Tests all positions of a type, with edge values and random ones.
#[expect(clippy::needless_pass_by_value, reason = "it is made for one call")]
pub(crate) fn check<T, A, B>(row: Row<T>)
where
    T: Clone + Debug + PartialEq + 'static,
    A: Thing<T>,
    B: Thing<T>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let base = runtime.block_on(Base::new::<A, B>(row.sql, row.before));
    let edges: Vec<Values<T>> = row
        .edges
        .iter()
        .flat_map(|edge| [everywhere(edge), nowhere(edge)])
        .collect();
    let batch = |rows: &[Values<T>]| runtime.block_on(base.check::<T, A, B>(&row, rows));
    if let Err(error) = batch(&edges) {
        panic!("{} at the edges: {error}", row.sql);
    }
    let mut runner = TestRunner::new(Config {
        cases: row.cases,
        max_shrink_iters: 200,
        failure_persistence: None,
        ..Config::default()
    });
    let some = prop_oneof![3 => row.any.clone(), 1 => proptest::sample::select(row.edges.clone())];
    runner
        .run(&proptest::collection::vec(values(some), 1..12), |rows| {
            batch(&rows).map_err(|error| TestCaseError::fail(error.to_string()))
        })
        .unwrap_or_else(|error| panic!("{}: {error}", row.sql));
    runtime.block_on(async {
        base.unusual.close().await;
        base.pool.close().await;
    });
}

/// The base tables of a type, and two pools on them.
struct Base {
    pool: PgPool,
    unusual: PgPool,
    sql: &'static str,
}

/// A pool whose sessions have unusual settings.
pub(crate) async fn unusual_pool(pool: &PgPool) -> PgPool {
    PgPoolOptions::new()
        .max_connections(2)
        .after_connect(|connection, _| {
            Box::pin(async move {
                sqlx::raw_sql(ODD_SESSION).execute(connection).await?;
                Ok(())
            })
        })
        .connect_with((*pool.connect_options()).clone())
        .await
        .unwrap()
}

impl Base {
    async fn new<A: TView, B: TView>(sql: &'static str, before: &'static str) -> Self {
        fraiseql_tests::needs_sessions();
        let pool = fraiseql_tests::pool().await;
        let tables = format!(
            "{before};
            CREATE TABLE leaf (id int4 PRIMARY KEY, thing_id int4 NOT NULL, value {sql} NOT NULL);
            CREATE TABLE thing (id int4 PRIMARY KEY, value {sql} NOT NULL, maybe {sql},
                list {sql}[] NOT NULL, gaps {sql}[] NOT NULL, no_list {sql}[], leaf_id int4)"
        );
        sqlx::raw_sql(AssertSqlSafe(tables))
            .execute(&pool)
            .await
            .unwrap();
        let model = ReadModel::builder().view::<A>().view::<B>();
        model.build().unwrap().migrate(&pool).await.unwrap();
        let unusual = unusual_pool(&pool).await;
        Self { pool, unusual, sql }
    }

    async fn fill<T>(&self, text: fn(&T) -> String, rows: &[Values<T>]) -> anyhow::Result<()> {
        sqlx::raw_sql("TRUNCATE leaf, thing, thing_jsonb, thing_json")
            .execute(&self.pool)
            .await?;
        let sql = self.sql;
        for (id, row) in (1..).zip(rows) {
            let list = |list: &[T]| list.iter().map(text).collect::<Vec<_>>();
            for (n, leaf) in (0..).zip(&row.leaves) {
                let insert = format!("INSERT INTO leaf VALUES ($1, $2, $3::text::{sql})");
                sqlx::query(AssertSqlSafe(insert))
                    .bind(10 * id + n)
                    .bind(id)
                    .bind(text(leaf))
                    .execute(&self.pool)
                    .await?;
            }
            let insert = format!(
                "INSERT INTO thing VALUES ($1, $2::text::{sql}, $3::text::{sql},
                    $4::text[]::{sql}[], $5::text[]::{sql}[], $6::text[]::{sql}[], $7)"
            );
            sqlx::query(AssertSqlSafe(insert))
                .bind(id)
                .bind(text(&row.value))
                .bind(row.maybe.as_ref().map(text))
                .bind(list(&row.list))
                .bind(
                    row.gaps
                        .iter()
                        .map(|value| value.as_ref().map(text))
                        .collect::<Vec<_>>(),
                )
                .bind(row.no_list.as_deref().map(list))
                .bind(row.leaves.first().map(|_| 10 * id))
                .execute(&self.pool)
                .await?;
        }
        Ok(())
    }

    async fn check<T, A, B>(&self, row: &Row<T>, rows: &[Values<T>]) -> anyhow::Result<()>
    where
        T: Clone + Debug + PartialEq,
        A: Thing<T>,
        B: Thing<T>,
    {
        self.fill(row.text, rows).await?;
        self.check_view::<T, A>(row, rows).await?;
        self.check_view::<T, B>(row, rows).await
    }

    async fn check_view<T, V>(&self, row: &Row<T>, rows: &[Values<T>]) -> anyhow::Result<()>
    where
        T: Clone + Debug + PartialEq,
        V: Thing<T>,
    {
        let keys: Vec<i32> = (1..).zip(rows).map(|(id, _)| id).collect();
        let n = keys.len() as u64;
        let report = sync::<V>(&self.unusual, &keys).await?;
        anyhow::ensure!(report.inserted == n, "{report}");

        // SQL writes and serde reads.
        let found = V::find_many(&self.unusual, &keys).await?;
        anyhow::ensure!(found.len() == rows.len());
        let mut texts = Vec::new();
        for ((&id, row), found) in keys.iter().zip(rows).zip(found) {
            let mut expected = V::expected(id, row);
            let greatest = found.greatest();
            anyhow::ensure!(
                greatest.is_some() == (V::HAS_GREATEST && !row.leaves.is_empty())
                    && greatest
                        .iter()
                        .all(|greatest| row.leaves.contains(greatest)),
                "{greatest:?} is not the greatest of {:?}",
                row.leaves
            );
            expected.set_greatest(greatest.clone());
            anyhow::ensure!(found == expected, "found {found:#?}\nnot {expected:#?}");
            texts.push(serde_json::to_string(&expected)?);
        }

        // Serde writes the same JSON.
        let table = V::VIEW.table;
        let different = format!(
            "SELECT v.data::text, e.data FROM {table} AS v
             JOIN unnest($1::int4[], $2::text[]) AS e (id, data) ON e.id = v.id
             WHERE v.data::jsonb IS DISTINCT FROM e.data::jsonb"
        );
        let different: Vec<(String, String)> = sqlx::query_as(AssertSqlSafe(different))
            .bind(&keys)
            .bind(&texts)
            .fetch_all(&self.pool)
            .await?;
        for (sql, serde) in different {
            let (a, b) = (serde_json::from_str(&sql)?, serde_json::from_str(&serde)?);
            anyhow::ensure!(
                same_json(&a, &b, row.same),
                "SQL wrote {sql}\nserde wrote {serde}"
            );
        }

        // The promoted column has the value, too.
        let promoted = format!(
            "SELECT count(*) FROM {table} AS v JOIN thing AS t USING (id) WHERE {}",
            row.promoted
        );
        let promoted: i64 = sqlx::query_scalar(AssertSqlSafe(promoted))
            .fetch_one(&self.pool)
            .await?;
        anyhow::ensure!(promoted == i64::try_from(n)?, "a promoted column differs");

        // The session makes no difference, on a pool or in a transaction.
        let mut transaction = self.unusual.begin().await?;
        let again = sync::<V>(&mut *transaction, &keys).await?;
        transaction.commit().await?;
        anyhow::ensure!(again.unchanged == n, "unusual transaction: {again}");
        let again = sync::<V>(&self.pool, &keys).await?;
        anyhow::ensure!(again.unchanged == n, "plain pool: {again}");
        Ok(())
    }
}

/// The generated functions of a view.
fn sync<V: TView>(
    target: impl fraiseql_runtime::SyncTarget,
    keys: &[V::Key],
) -> impl Future<Output = fraiseql_runtime::Result<SyncReport>> {
    fraiseql_runtime::__private::sync::<V>(target, keys)
}

/// A module with the two views of a type: `ordered` ones have promoted columns and a greatest
/// value; `promoted` ones have no `max`, and `plain` ones have no order.
macro_rules! thing {
    ($module:ident: $ty:ty, ordered) => {
        thing!(@module $module, $ty, #[tview(filter, sort)], true,
            #[tview(max(table = "leaf", fk = "thing_id", expr = "{}.value"))]);
    };
    ($module:ident: $ty:ty, promoted) => {
        thing!(@module $module, $ty, #[tview(filter, sort)], false, #[tview(skip)]);
    };
    ($module:ident: $ty:ty, plain) => {
        thing!(@module $module, $ty, #[tview(column = "value")], false, #[tview(skip)]);
    };
    (@module $module:ident, $ty:ty, #[$promote:meta], $has:literal, #[$greatest:meta]) => {
        mod $module {
            #[allow(unused_imports)]
            use super::*;
            use $crate::types::row::{Thing, Values};
            use fraiseql_runtime::{Embed, TView};

            #[derive(Clone, Debug, PartialEq, Embed)]
            #[tview(table = "leaf")]
            pub(super) struct Leaf {
                id: i32,
                value: $ty,
            }

            thing!(@view Jsonb, "thing_jsonb", "jsonb", $ty, #[$promote], $has, #[$greatest]);
            thing!(@view Json, "thing_json", "json", $ty, #[$promote], $has, #[$greatest]);
        }
    };
    (@view $name:ident, $view:literal, $data:literal, $ty:ty, #[$promote:meta], $has:literal,
        #[$greatest:meta]) => {
        #[derive(Clone, Debug, PartialEq, TView)]
        #[tview(table = "thing", view = $view, data = $data)]
        pub(super) struct $name {
            id: i32,
            #[$promote]
            value: $ty,
            maybe: Option<$ty>,
            list: Vec<$ty>,
            gaps: Vec<Option<$ty>>,
            no_list: Option<Vec<$ty>>,
            #[tview(one(fk = "leaf_id"))]
            leaf: Option<Leaf>,
            #[tview(many(fk = "thing_id"))]
            leaves: Vec<Leaf>,
            #[$greatest]
            greatest: Option<$ty>,
        }

        impl Thing<$ty> for $name {
            const HAS_GREATEST: bool = $has;

            fn expected(id: i32, values: &Values<$ty>) -> Self {
                let leaves: Vec<Leaf> = (0..)
                    .zip(&values.leaves)
                    .map(|(n, value)| Leaf { id: 10 * id + n, value: value.clone() })
                    .collect();
                Self {
                    id,
                    value: values.value.clone(),
                    maybe: values.maybe.clone(),
                    list: values.list.clone(),
                    gaps: values.gaps.clone(),
                    no_list: values.no_list.clone(),
                    leaf: leaves.first().cloned(),
                    leaves,
                    greatest: None,
                }
            }

            fn greatest(&self) -> &Option<$ty> {
                &self.greatest
            }

            fn set_greatest(&mut self, greatest: Option<$ty>) {
                self.greatest = greatest;
            }
        }
    };
}

pub(crate) use thing;
