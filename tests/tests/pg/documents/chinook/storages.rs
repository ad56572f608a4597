//! Tests that one attribute changes where documents are, and not what they are: the same bytes from a
//! view table, from the base tables, and from a materialized view.

use std::collections::BTreeMap;

use fraiseql_runtime::{ReadModel, TView};
use sqlx::PgPool;

use super::expected::ALL;
use super::{chinook, chinook_tables, structs, sync_everything};

mod live {
    use chrono::NaiveDateTime;
    use fraiseql_runtime::TView;
    use rust_decimal::Decimal;

    use super::super::structs::*;

    views!(, storage = "live");
}

mod matview {
    use chrono::NaiveDateTime;
    use fraiseql_runtime::TView;
    use rust_decimal::Decimal;

    use super::super::structs::*;

    views!(, storage = "matview");
}

/// The documents of each view in the order of their keys: as a list, and each by its key.
type Documents = BTreeMap<&'static str, Vec<String>>;

async fn read<V: TView<Key = i32>>(pool: &PgPool, into: &mut Documents) -> anyhow::Result<()> {
    let documents = V::list().read(pool).await?;
    let (mut list, mut by_key) = (Vec::new(), Vec::new());
    let key = V::VIEW.shape.fields[0].json;
    for document in documents.iter() {
        list.push(String::from_utf8(document.json().to_vec())?);
        let value: serde_json::Value = serde_json::from_slice(document.json())?;
        let key = i32::try_from(value[key].as_i64().expect("an integer"))?;
        let found = V::find_json(pool, key).await?.expect("it is in the list");
        by_key.push(found.get().to_owned());
    }
    assert_eq!(list, by_key, "{}", V::VIEW.entity);
    into.insert(V::VIEW.entity, list);
    Ok(())
}

/// The documents of the five views of a module, and their read model.
macro_rules! documents {
    ($module:ident, $pool:expr) => {{
        let mut documents = Documents::new();
        read::<$module::Album>($pool, &mut documents).await?;
        read::<$module::Playlist>($pool, &mut documents).await?;
        read::<$module::Customer>($pool, &mut documents).await?;
        read::<$module::CustomerText>($pool, &mut documents).await?;
        read::<$module::Employee>($pool, &mut documents).await?;
        documents
    }};
}

/// Whether the documents of the five views of a module are equal to the base tables.
macro_rules! is_clean {
    ($module:ident, $pool:expr) => {
        $module::verify_album($pool).await?.is_clean()
            && $module::verify_playlist($pool).await?.is_clean()
            && $module::verify_customer($pool).await?.is_clean()
            && $module::verify_customer_text($pool).await?.is_clean()
            && $module::verify_employee($pool).await?.is_clean()
    };
}

macro_rules! model {
    ($module:ident) => {
        ReadModel::builder()
            .view::<$module::Album>()
            .view::<$module::Playlist>()
            .view::<$module::Customer>()
            .view::<$module::CustomerText>()
            .view::<$module::Employee>()
            .build()?
    };
}

#[tokio::test]
async fn all_three_storages_have_the_same_bytes() -> anyhow::Result<()> {
    let test = "all_three_storages_have_the_same_bytes";
    let Some(pool) = chinook(test).await? else {
        return Ok(());
    };
    sync_everything(&pool).await?;
    let stored = documents!(structs, &pool);
    let expected: Vec<usize> = ALL.iter().map(|view| view.rows).collect();
    let mut found: Vec<usize> = stored.values().map(Vec::len).collect();
    found.sort_unstable();
    let mut sorted = expected;
    sorted.sort_unstable();
    assert_eq!(found, sorted);
    assert_eq!(documents!(live, &pool), stored);

    // In a database of its own: the names are those of the view tables.
    let Some(pool) = chinook_tables(test).await? else {
        return Ok(());
    };
    let model = model!(matview);
    let migration = model.migrate(&pool).await?;
    assert!(!migration.needs_rebuild(), "{migration}");
    assert_eq!(documents!(matview, &pool), stored);
    assert!(is_clean!(matview, &pool));

    // A live view needs nothing in the database.
    let Some(pool) = chinook_tables(test).await? else {
        return Ok(());
    };
    let model = model!(live);
    let migration = model.migrate(&pool).await?;
    assert_eq!(migration.created, [""; 0]);
    assert_eq!(documents!(live, &pool), stored);
    let report = fraiseql_tests::without_server(model.check(&pool).await?);
    assert_eq!(report.to_string(), "check: 0 errors, 0 warnings");
    Ok(())
}

/// The changes of a day: what each storage shows afterwards.
#[tokio::test]
async fn changes_show_at_once_live_and_after_a_refresh_in_a_materialized_view() -> anyhow::Result<()>
{
    let test = "changes_show_at_once_live_and_after_a_refresh_in_a_materialized_view";
    let Some(pool) = chinook_tables(test).await? else {
        return Ok(());
    };
    let model = model!(matview);
    model.migrate(&pool).await?;
    let before = documents!(matview, &pool);
    fraiseql_tests::run(&pool, super::changes::CHANGES).await;
    assert_eq!(documents!(matview, &pool), before);
    let now = documents!(live, &pool);
    assert_ne!(now, before);
    assert!(!is_clean!(matview, &pool));
    // It may be old: that is no fault of the read model.
    assert!(model.verify(&pool).await?.is_clean());
    for report in [
        model.refresh::<matview::Album>(&pool).await?,
        model.refresh::<matview::Playlist>(&pool).await?,
        model.refresh::<matview::Customer>(&pool).await?,
        model.refresh::<matview::CustomerText>(&pool).await?,
        model.refresh::<matview::Employee>(&pool).await?,
    ] {
        assert!(report.refreshed, "{report}");
    }
    assert_eq!(documents!(matview, &pool), now);
    assert!(is_clean!(matview, &pool));
    Ok(())
}
