//! Tests that documents with each key type, and with newtypes of them, are found, synced and
//! deleted.

use std::fmt::Debug;

use fraiseql_runtime::{Key, ReadModel, TScalar, TView};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::types::row::unusual_pool;
use crate::types::texts::any_text;

#[derive(Clone, Debug, PartialEq, TScalar)]
struct PostId(Uuid);

#[derive(Clone, Debug, PartialEq, TScalar)]
struct Number {
    value: i64,
}

#[derive(Clone, Debug, PartialEq, TScalar)]
#[tview(type_name = "Path")]
struct Slug(String);

#[derive(Clone, Debug, PartialEq, TScalar)]
struct Outer(Slug);

/// A view of a table `keyed`, and its functions.
macro_rules! keyed {
    ($($test:ident, $view:ident: $ty:ty, $sql:literal, $text:expr, $any:expr, $edges:expr;)*) => {$(
        #[allow(dead_code)]
        mod $view {
            use super::*;
            use fraiseql_runtime::Embed;

            #[derive(Clone, Debug, PartialEq, TView)]
            #[tview(table = "keyed", view = "tv_keyed")]
            pub(super) struct Keyed {
                #[tview(key)]
                pub(super) code: $ty,
                pub(super) title: String,
                #[tview(one(fk = "parent"))]
                pub(super) parent: Option<Parent>,
                #[tview(many(fk = "parent"))]
                pub(super) children: Vec<Child>,
            }

            #[derive(Clone, Debug, PartialEq, Embed)]
            #[tview(table = "keyed")]
            pub(super) struct Parent {
                #[tview(key)]
                pub(super) code: $ty,
            }

            #[derive(Clone, Debug, PartialEq, Embed)]
            #[tview(table = "keyed")]
            pub(super) struct Child {
                #[tview(key)]
                pub(super) code: $ty,
                pub(super) title: String,
            }
        }

        #[tokio::test]
        async fn $test() -> anyhow::Result<()> {
            let text: fn(&$ty) -> String = $text;
            let tables = tables($sql, $edges.into(), $any.boxed(), text).await?;
            let Tables { pool, unusual, keys } = &tables;
            let model = ReadModel::builder().view::<$view::Keyed>().build()?;
            model.migrate(pool).await?;
            let n = keys.len() as u64;

            let report = $view::sync_keyed(unusual, keys).await?;
            assert_eq!(report.inserted, n, "{report}");
            for (place, key) in keys.iter().enumerate() {
                let found = $view::Keyed::find(unusual, key.clone()).await?.expect("synced");
                assert_eq!(found.code, *key);
                assert_eq!(found.title, place.to_string());
                // Each row refers to the one before it.
                let parent = place.checked_sub(1).map(|before| keys[before].clone());
                assert_eq!(found.parent.map(|parent| parent.code), parent);
                let children: Vec<_> = found.children.into_iter().map(|c| c.code).collect();
                assert_eq!(children.as_slice(), keys.get(place + 1..=place + 1).unwrap_or(&[]));
            }
            let mut backwards = keys.clone();
            backwards.reverse();
            let found = $view::Keyed::find_many(pool, &backwards).await?;
            let found: Vec<_> = found.into_iter().map(|keyed| keyed.code).collect();
            assert_eq!(found, backwards);

            let mut transaction = unusual.begin().await?;
            let again = $view::sync_keyed(&mut transaction, &backwards).await?;
            transaction.commit().await?;
            assert_eq!(again.unchanged, n, "{again}");
            assert_eq!($view::sync_all_keyeds(unusual).chunk(3).await?.unchanged, n);
            assert_eq!($view::delete_keyed(unusual, &keys[..1]).await?.deleted, 1);
            assert_eq!($view::Keyed::find(pool, keys[0].clone()).await?, None);
            assert_eq!($view::sync_all_keyeds(pool).await?.inserted, 1);
            Ok(())
        }
    )*};
}

struct Tables<T> {
    pool: sqlx::PgPool,
    unusual: sqlx::PgPool,
    keys: Vec<T>,
}

/// A table with these keys and some random ones.
async fn tables<T: Key + Clone + Debug + PartialEq>(
    sql: &str,
    edges: Vec<T>,
    any: BoxedStrategy<T>,
    text: fn(&T) -> String,
) -> anyhow::Result<Tables<T>> {
    let mut keys = edges;
    let mut runner = TestRunner::default();
    while keys.len() < 60 {
        let key = any
            .new_tree(&mut runner)
            .map_err(anyhow::Error::msg)?
            .current();
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let pool = fraiseql_tests::pool().await;
    let create =
        format!("CREATE TABLE keyed (code {sql} PRIMARY KEY, title text NOT NULL, parent {sql})");
    sqlx::raw_sql(AssertSqlSafe(create)).execute(&pool).await?;
    let insert = format!(
        "INSERT INTO keyed SELECT k.key::{sql}, (k.place - 1)::text, lag(k.key) OVER (ORDER BY k.place)::{sql}
         FROM unnest($1::text[]) WITH ORDINALITY AS k (key, place)"
    );
    sqlx::query(AssertSqlSafe(insert))
        .bind(keys.iter().map(text).collect::<Vec<_>>())
        .execute(&pool)
        .await?;
    let unusual = unusual_pool(&pool).await;
    Ok(Tables {
        pool,
        unusual,
        keys,
    })
}

fn uuids() -> BoxedStrategy<Uuid> {
    any::<u128>().prop_map(Uuid::from_u128).boxed()
}

fn texts() -> Vec<String> {
    [
        "",
        "a'b",
        "a\"b",
        "a\\b",
        "{a,b}",
        "👩‍👩‍👧‍👦",
        "A",
        "a",
        "é",
        "line\nline",
        "NULL",
    ]
    .map(str::to_owned)
    .to_vec()
}

keyed! {
    int2_keys, int2: i16, "int2", i16::to_string, any::<i16>(), [i16::MIN, 0, i16::MAX];
    int4_keys, int4: i32, "int4", i32::to_string, any::<i32>(), [i32::MIN, 0, i32::MAX];
    int8_keys, int8: i64, "int8", i64::to_string, any::<i64>(), [i64::MIN, 1 << 53, i64::MAX];
    text_keys, text: String, "text", String::clone, any_text(), texts();
    varchar_keys, varchar: String, "varchar", String::clone, any_text(), texts();
    uuid_keys, uuid_key: Uuid, "uuid", Uuid::to_string, uuids(), [Uuid::nil(), Uuid::max()];
    newtype_of_uuid_keys, post_id: PostId, "uuid", |id| id.0.to_string(),
        uuids().prop_map(PostId), [PostId(Uuid::nil())];
    newtype_of_int8_keys, number: Number, "int8", |number| number.value.to_string(),
        any::<i64>().prop_map(|value| Number { value }), [Number { value: i64::MAX }];
    newtype_of_text_keys, slug: Slug, "text", |slug| slug.0.clone(),
        any_text().prop_map(Slug), texts().into_iter().map(Slug).collect::<Vec<_>>();
    newtype_of_a_newtype_keys, outer: Outer, "text", |outer| outer.0.0.clone(),
        any_text().prop_map(|text| Outer(Slug(text))), [Outer(Slug("x".to_owned()))];
}
