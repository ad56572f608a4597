//! Tests that all documents that depend on a changed row are found, before or after the change.
//!
//! The oracle: a random row of a random table is changed, and every document is built again and
//! compared.

mod changes;
mod company;

use std::collections::BTreeMap;

use fraiseql_runtime::mutation::Dependents;
use fraiseql_runtime::{Embed, Key, ReadModel};
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgPool, Row};
use uuid::Uuid;

use self::changes::{Dice, change, fill};
use self::company::{Country, CountryView, Project, Staff, StaffId, TABLES};

fn model() -> ReadModel {
    ReadModel::builder()
        .view::<Staff>()
        .view::<Project>()
        .view::<CountryView>()
        .build()
        .unwrap()
}

/// Every document as its query builds it now, without fraiseql's writes.
async fn documents(pool: &PgPool) -> anyhow::Result<BTreeMap<String, Value>> {
    let mut documents = BTreeMap::new();
    for view in model().views() {
        let sql = fraiseql_runtime::sql::document::query(view);
        let keys = format!(
            "SELECT array_agg({}) FROM {}",
            quoted(&view.key.columns.to_string()),
            view.shape.table
        );
        let sql = sql.replace("$1", &format!("({keys})"));
        for row in sqlx::query(AssertSqlSafe(sql)).fetch_all(pool).await? {
            let data: Value = row.try_get("data")?;
            let key = &data[view.shape.fields[0].json];
            let key = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
            documents.insert(format!("{} {key}", view.shape.name), data);
        }
    }
    Ok(documents)
}

fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

/// The keys that were found, in the form of the keys of [`documents`].
fn named(dependents: &Dependents) -> Vec<String> {
    let mut names = Vec::new();
    names.extend(
        dependents
            .keys::<Staff>()
            .iter()
            .map(|key| format!("Staff {}", key.0)),
    );
    names.extend(
        dependents
            .keys::<Project>()
            .iter()
            .map(|key| format!("Project {key}")),
    );
    names.extend(
        dependents
            .keys::<CountryView>()
            .iter()
            .map(|key| format!("CountryView {key}")),
    );
    assert_eq!(names.len(), dependents.len());
    names
}

async fn look_up(
    blog: &ReadModel,
    pool: &PgPool,
    (table, column, key): (&str, &str, &str),
) -> fraiseql_runtime::Result<Dependents> {
    async fn of<K: Key>(
        blog: &ReadModel,
        pool: &PgPool,
        table: &str,
        column: &str,
        key: K,
    ) -> fraiseql_runtime::Result<Dependents> {
        blog.dependents_of_rows(pool, table, column, &[key]).await
    }
    if let Ok(number) = key.parse::<i32>() {
        of(blog, pool, table, column, number).await
    } else if let Ok(id) = key.parse::<Uuid>() {
        of(blog, pool, table, column, id).await
    } else {
        of(blog, pool, table, column, key.to_owned()).await
    }
}

#[tokio::test]
async fn every_document_that_changes_is_found() -> anyhow::Result<()> {
    let pool = fraiseql_tests::pool().await;
    fraiseql_tests::run(&pool, TABLES).await;
    let blog = model();
    let mut dice = Dice(7);
    // For each table: the documents that changed, and those that were found needlessly.
    let mut seen: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for round in 0..400 {
        if round % 25 == 0 {
            fill(&pool, &mut dice).await?;
        }
        let (table, column, key, set) = change(&mut dice);
        let target = (table, column, key.as_str());
        let sql = match dice.below(8) {
            0 => format!("DELETE FROM {table} WHERE {column} = '{key}'"),
            _ => format!("UPDATE {table} SET {set} WHERE {column} = '{key}'"),
        };
        let before = documents(&pool).await?;
        let mut found = look_up(&blog, &pool, target).await?;
        sqlx::raw_sql(AssertSqlSafe(sql.clone()))
            .execute(&pool)
            .await?;
        let after = documents(&pool).await?;
        found.extend(look_up(&blog, &pool, target).await?);
        let found = named(&found);
        let changed: Vec<&String> = before
            .keys()
            .chain(after.keys().filter(|key| !before.contains_key(*key)))
            .filter(|key| before.get(*key) != after.get(*key))
            .collect();
        for key in &changed {
            assert!(
                found.contains(key),
                "{sql}\nchanged {key}, found {found:?}\n{blog:?}"
            );
        }
        let seen = seen.entry(table).or_default();
        seen.0 += changed.len();
        seen.1 += found.len() - changed.len();
    }
    assert_eq!(seen.len(), 7, "every table: {seen:?}");
    let (changed, more) = seen
        .values()
        .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    assert!(seen.values().all(|seen| seen.0 > 3), "{seen:?}");
    // Few are found needlessly; otherwise finding every document would pass, too.
    assert!(more < changed * 3, "{seen:?}");
    Ok(())
}

#[tokio::test]
async fn dependents_are_sorted_and_can_be_merged() -> anyhow::Result<()> {
    let pool = fraiseql_tests::pool().await;
    fraiseql_tests::run(&pool, TABLES).await;
    fraiseql_tests::run(
        &pool,
        "INSERT INTO \"H R\".\"tb Staff\" VALUES (1, 'b1', 'Ada', NULL, 'DE'), (2, 'b2', 'Bob', 1, 'FR'), (30, 'b3', 'Cy', 2, 'DE');
         INSERT INTO tb_project VALUES (5, 'title', 'b2');
         INSERT INTO tb_task VALUES (1, 70005, 2, 1, false), (2, 5, 2, 1, false)",
    )
    .await;
    let blog = model();
    let mut connection = pool.acquire().await?;
    let mut dependents = blog
        .dependents::<Staff>(&mut *connection, &[StaffId(2)])
        .await?;
    let listed = |dependents: &Dependents| -> Vec<String> {
        dependents
            .iter()
            .map(|(view, keys)| format!("{} {keys}", view.table))
            .collect()
    };
    assert_eq!(
        listed(&dependents),
        [
            "\"H R\".\"tv Staff\" 1, 2, 30",
            "\"public\".\"tv_country\" DE, FR",
            "\"public\".\"tv_project\" 5",
        ]
    );
    // 70005 is outside of int2, so it is the key of no project.
    assert_eq!(dependents.len(), 6);
    dependents.extend(
        blog.dependents::<Country>(&pool, &["DE".to_owned(), "XX".to_owned()])
            .await?,
    );
    assert_eq!(dependents.keys::<CountryView>(), ["DE", "FR", "XX"]);
    assert!(blog.dependents::<Staff>(&pool, &[]).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_failed_lookup_names_its_operation() {
    let pool = fraiseql_tests::pool().await;
    fraiseql_tests::run(&pool, TABLES).await;
    let blog = model();
    let error = blog
        .dependents_of_rows(&pool, "tb_task", "asignee", &[1])
        .await
        .unwrap_err();
    assert!(
        error.to_string().starts_with(
            "looking for the documents that depend on rows of \"public\".\"tb_task\" by tb_task.asignee: "
        ),
        "{error}"
    );
    let error = blog
        .dependents_of_rows(&pool, "tb_tsak", "id", &[1])
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("`tb_tsak`; did you mean `tb_task`?"),
        "{error}"
    );
}

#[tokio::test]
async fn a_table_that_no_view_uses_has_no_dependents() -> anyhow::Result<()> {
    #[derive(Embed)]
    struct Nowhere {
        id: i64,
    }
    // There is no such table, so it is not queried.
    let pool = fraiseql_tests::pool().await;
    assert!(model().dependents::<Nowhere>(&pool, &[1]).await?.is_empty());
    let _ = |nowhere: Nowhere| nowhere.id;
    Ok(())
}
