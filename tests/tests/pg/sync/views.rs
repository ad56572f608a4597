//! Tests of base relations that are views of the database: what cannot be locked is not locked, and
//! documents are right.

use fraiseql_runtime::check::FindingKind;
use fraiseql_runtime::{Embed, ReadModel, TView};
use fraiseql_tests::run;
use sqlx::PgPool;

const TABLES: &str = "
CREATE TABLE tb_user (id int4 PRIMARY KEY, name text NOT NULL);
CREATE TABLE tb_post (id int4 PRIMARY KEY, user_id int4 NOT NULL REFERENCES tb_user, size int4 NOT NULL);
CREATE INDEX ON tb_post (user_id);
INSERT INTO tb_user VALUES (1, 'Ada'), (2, 'Bob');
INSERT INTO tb_post VALUES (1, 1, 10), (2, 1, 20), (3, 2, 5);
CREATE VIEW grouped AS SELECT user_id, count(*) AS posts, sum(size)::int8 AS size FROM tb_post GROUP BY user_id;
CREATE VIEW over_grouped AS SELECT user_id, posts * 2 AS twice FROM grouped;
CREATE VIEW distinct_sizes AS SELECT DISTINCT user_id, 'some' AS label FROM tb_post;
CREATE VIEW windowed AS SELECT user_id, max(size) OVER (PARTITION BY user_id) AS most, id FROM tb_post;
CREATE VIEW united AS SELECT id AS user_id, name FROM tb_user UNION ALL SELECT -id, name FROM tb_user;
CREATE VIEW outer_joined AS SELECT u.id AS user_id, p.id AS post FROM tb_user AS u
    LEFT JOIN tb_post AS p ON p.user_id = u.id AND p.id = 1;
CREATE VIEW with_rows AS SELECT id AS user_id, generate_series(1, 1) AS n FROM tb_user;
CREATE MATERIALIZED VIEW materialized AS SELECT id AS user_id, upper(name) AS loud FROM tb_user;
CREATE VIEW over_materialized AS SELECT user_id, loud FROM materialized;
CREATE VIEW plain WITH (security_barrier) AS SELECT id AS user_id, lower(name) AS quiet FROM tb_user;
";

macro_rules! parts {
    ($($name:ident $table:literal { $($field:ident: $ty:ty),* })*) => {$(
        #[derive(Debug, PartialEq, Embed)]
        #[tview(table = $table)]
        struct $name {
            $($field: $ty,)*
        }
    )*};
}

parts! {
    Grouped "grouped" { posts: i64, size: i64 }
    OverGrouped "over_grouped" { twice: i64 }
    DistinctSizes "distinct_sizes" { label: String }
    Windowed "windowed" { most: i32 }
    United "united" { name: String }
    OuterJoined "outer_joined" { post: Option<i32> }
    WithRows "with_rows" { n: i32 }
    Materialized "materialized" { loud: String }
    OverMaterialized "over_materialized" { loud: String }
    Plain "plain" { quiet: String }
}

#[derive(Debug, PartialEq, TView)]
struct User {
    id: i32,
    name: String,
    #[tview(one(fk = "id", key = "user_id"))]
    grouped: Option<Grouped>,
    #[tview(one(fk = "id", key = "user_id"))]
    over_grouped: Option<OverGrouped>,
    #[tview(one(fk = "id", key = "user_id"))]
    distinct_sizes: Option<DistinctSizes>,
    #[tview(many(fk = "user_id", order_by = "id"))]
    windowed: Vec<Windowed>,
    #[tview(one(fk = "id", key = "user_id"))]
    united: United,
    #[tview(one(fk = "id", key = "user_id"))]
    outer_joined: OuterJoined,
    #[tview(one(fk = "id", key = "user_id"))]
    with_rows: WithRows,
    #[tview(one(fk = "id", key = "user_id"))]
    materialized: Option<Materialized>,
    #[tview(one(fk = "id", key = "user_id"))]
    over_materialized: Option<OverMaterialized>,
    #[tview(one(fk = "id", key = "user_id"))]
    plain: Plain,
}

/// A view whose own base relation has no rows that can be locked.
#[derive(Debug, PartialEq, TView)]
#[tview(table = "grouped", entity = "statistic")]
struct Statistic {
    #[tview(key)]
    user_id: i32,
    posts: i64,
    #[tview(one(fk = "user_id"))]
    user: Named,
}

#[derive(Debug, PartialEq, Embed)]
#[tview(table = "tb_user")]
struct Named {
    id: i32,
    name: String,
}

fn model() -> ReadModel {
    ReadModel::builder()
        .view::<User>()
        .view::<Statistic>()
        .build()
        .unwrap()
}

async fn world() -> PgPool {
    let pool = fraiseql_tests::pool().await;
    run(&pool, TABLES).await;
    model().migrate(&pool).await.unwrap();
    pool
}

fn ada(posts: i64, size: i64, most: i32) -> User {
    User {
        id: 1,
        name: "Ada".to_owned(),
        grouped: Some(Grouped { posts, size }),
        over_grouped: Some(OverGrouped { twice: posts * 2 }),
        distinct_sizes: Some(DistinctSizes {
            label: "some".to_owned(),
        }),
        windowed: (0..posts).map(|_| Windowed { most }).collect(),
        united: United {
            name: "Ada".to_owned(),
        },
        outer_joined: OuterJoined { post: Some(1) },
        with_rows: WithRows { n: 1 },
        materialized: Some(Materialized {
            loud: "ADA".to_owned(),
        }),
        over_materialized: Some(OverMaterialized {
            loud: "ADA".to_owned(),
        }),
        plain: Plain {
            quiet: "ada".to_owned(),
        },
    }
}

#[tokio::test]
async fn documents_of_views_that_cannot_be_locked_are_written_in_transactions() -> anyhow::Result<()>
{
    let pool = world().await;
    for round in 0..3 {
        let mut transaction = pool.begin().await?;
        sqlx::query("INSERT INTO tb_post VALUES ($1, 1, $1)")
            .bind(100 + round)
            .execute(&mut *transaction)
            .await?;
        let report = sync_user(&mut transaction, &[1, 2]).await?;
        assert_eq!(report.invalid.len(), 0, "{report}");
        let report = sync_statistic(&mut transaction, &[1, 2]).await?;
        assert_eq!(report.invalid.len(), 0, "{report}");
        transaction.commit().await?;
        let posts = 3 + i64::from(round);
        let size = 30 + (0..=i64::from(round)).map(|n| 100 + n).sum::<i64>();
        let found = User::find(&pool, 1).await?;
        assert_eq!(found, Some(ada(posts, size, 100 + round)));
        assert_eq!(Statistic::find(&pool, 1).await?.unwrap().posts, posts);
    }
    Ok(())
}

#[tokio::test]
async fn a_mutation_syncs_documents_of_views_that_cannot_be_locked() -> anyhow::Result<()> {
    let pool = world().await;
    sync_all_users(&pool).await?;
    sync_all_statistics(&pool).await?;
    let mut mutation = model().mutation(&pool).await?;
    sqlx::query("UPDATE tb_post SET size = 40 WHERE id = 2")
        .execute(&mut *mutation)
        .await?;
    mutation.changed::<User>(&[1]);
    mutation.resync::<Statistic>(&[1]);
    let report = mutation.commit().await?;
    assert_eq!(report.invalid().count(), 0, "{report}");
    assert_eq!(User::find(&pool, 1).await?, Some(ada(2, 50, 40)));
    Ok(())
}

#[tokio::test]
async fn a_sync_on_a_pool_waits_for_an_open_transaction_that_changed_what_is_not_locked()
-> anyhow::Result<()> {
    let pool = world().await;
    sync_all_users(&pool).await?;
    let mut open = pool.begin().await?;
    sqlx::query("UPDATE tb_post SET size = 40 WHERE id = 2")
        .execute(&mut *open)
        .await?;
    sync_user(&mut open, &[2]).await?;
    let report = tokio::spawn({
        let pool = pool.clone();
        async move { sync_user(&pool, &[1]).await }
    });
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    open.commit().await?;
    let report = report.await??;
    assert_eq!((report.updated, report.invalid.len()), (1, 0), "{report}");
    assert_eq!(User::find(&pool, 1).await?, Some(ada(2, 50, 40)));
    Ok(())
}

#[tokio::test]
async fn a_table_in_place_of_such_a_view_is_locked() -> anyhow::Result<()> {
    let pool = world().await;
    let mut transaction = pool.begin().await?;
    sync_statistic(&mut transaction, &[1]).await?;
    transaction.rollback().await?;
    run(
        &pool,
        "ALTER VIEW grouped RENAME TO former;
         CREATE TABLE grouped (user_id int4 PRIMARY KEY, posts int8 NOT NULL);
         INSERT INTO grouped VALUES (1, 7)",
    )
    .await;
    let mut transaction = pool.begin().await?;
    sync_statistic(&mut transaction, &[1]).await?;
    let locked: bool = sqlx::query_scalar("SELECT xmax::text <> '0' FROM grouped")
        .fetch_one(&pool)
        .await?;
    assert!(locked);
    transaction.commit().await?;
    assert_eq!(Statistic::find(&pool, 1).await?.unwrap().posts, 7);
    Ok(())
}

#[tokio::test]
async fn check_says_which_relations_cannot_be_locked() -> anyhow::Result<()> {
    let pool = world().await;
    let report = model().check(&pool).await?;
    let not_tables: Vec<&str> = report
        .findings()
        .iter()
        .filter(|finding| finding.kind == FindingKind::NotATable)
        .map(|finding| finding.message.as_str())
        .collect();
    assert_eq!(not_tables.len(), 10, "{report}");
    for message in not_tables {
        let name = message.split_once(' ').unwrap().0;
        let lock = format!("SELECT FROM {name} AS locked FOR SHARE OF locked");
        let is_lockable = sqlx::raw_sql(sqlx::AssertSqlSafe(lock))
            .execute(&pool)
            .await
            .is_ok();
        assert_eq!(
            message.contains("cannot be locked"),
            !is_lockable,
            "{message}"
        );
    }
    Ok(())
}
