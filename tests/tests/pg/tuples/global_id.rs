//! The id of a document is the same in SQL and in Rust, for keys of all types, in every storage.

use std::fmt::Debug;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fraiseql_runtime::{Capture, GlobalId, ReadModel, TScalar, TView};
use fraiseql_tests::run;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sqlx::PgPool;
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq, TScalar)]
struct Shelf(i16);

macro_rules! item {
    ($module:ident $($attribute:tt)*) => {
        mod $module {
            use super::*;

            #[derive(Debug, TView)]
            #[tview(table = "tb_item", entity = "item", type_name = "Item", $($attribute)*)]
            pub(super) struct Item {
                #[tview(key)]
                shelf: Shelf,
                #[tview(key)]
                code: String,
                #[tview(key)]
                maker: Uuid,
                #[tview(key)]
                no: i64,
                #[tview(global_id)]
                pub(super) id: GlobalId,
                #[tview(column = "no", json = "number")]
                number: i64,
            }
        }
    };
}

item!(jsonb view = "tv_jsonb");
item!(json view = "tv_json", data = "json");
item!(live storage = "live");
item!(matview view = "tv_matview", storage = "matview");

type Key = (Shelf, String, Uuid, i64);

const TABLES: &str = "CREATE TABLE tb_item (shelf int2, code varchar, maker uuid, no int4, PRIMARY KEY (shelf, code, maker, no))";

fn keys() -> Vec<Key> {
    let text = prop_oneof![
        Just(String::new()),
        Just("\u{1}\u{7f}\u{2028}\"\\/\n\t\u{8}\u{c}\r".to_owned()),
        Just("Item:[1, 2]".to_owned()),
        Just("x".repeat(600)),
        any::<String>().prop_map(|text| text.replace('\0', "")),
    ];
    let key = (any::<i16>(), text, any::<u128>(), any::<i32>());
    let key = key.prop_map(|(shelf, code, maker, no)| {
        (Shelf(shelf), code, Uuid::from_u128(maker), i64::from(no))
    });
    let mut runner = TestRunner::new(Config::default());
    let tree = |runner: &mut TestRunner| key.new_tree(runner).unwrap().current();
    use proptest::strategy::ValueTree as _;
    (0..300).map(|_| tree(&mut runner)).collect()
}

async fn compare<V: TView<Key = Key> + Debug>(
    pool: &PgPool,
    keys: &[Key],
    id: fn(&V) -> &GlobalId,
) {
    let found = V::find_many(pool, keys).await.unwrap();
    assert_eq!(found.len(), keys.len());
    for (item, key) in found.iter().zip(keys) {
        let id = id(item);
        assert_eq!(*id, GlobalId::of::<V>(key), "{key:?}");
        assert_eq!(id.key::<V>().as_ref(), Ok(key));
        let is_url_safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        assert!(id.as_str().bytes().all(is_url_safe), "{id}");
    }
}

#[tokio::test]
async fn sql_and_rust_make_the_same_id_of_a_key() -> anyhow::Result<()> {
    let pool = fraiseql_tests::pool().await;
    run(&pool, TABLES).await;
    let keys = keys();
    for (Shelf(shelf), code, maker, no) in &keys {
        sqlx::query("INSERT INTO tb_item VALUES ($1, $2, $3, $4)")
            .bind(shelf)
            .bind(code)
            .bind(maker)
            .bind(no)
            .execute(&pool)
            .await?;
    }
    let model = ReadModel::builder()
        .view::<jsonb::Item>()
        .view::<json::Item>()
        .view::<live::Item>()
        .view::<matview::Item>()
        .capture(Capture::AtCommit)
        .build()?;
    model.migrate(&pool).await?;
    model.sync_all(&pool).await?;
    model.refresh::<matview::Item>(&pool).await?;
    model.check(&pool).await?.into_result()?;
    compare::<jsonb::Item>(&pool, &keys, |item| &item.id).await;
    compare::<json::Item>(&pool, &keys, |item| &item.id).await;
    compare::<live::Item>(&pool, &keys, |item| &item.id).await;
    compare::<matview::Item>(&pool, &keys, |item| &item.id).await;
    // A key that changes is another document, with another id.
    sqlx::query("UPDATE tb_item SET no = no + 1 WHERE no < 0")
        .execute(&pool)
        .await?;
    let report = model.verify(&pool).await?;
    assert!(report.is_clean(), "{report}");
    Ok(())
}

/// The id of a view with a key of one column of each type.
macro_rules! single {
    ($($module:ident $ty:ty, $value:expr, $text:literal;)*) => {$(
        mod $module {
            use super::*;

            #[derive(Debug, TView)]
            #[tview(storage = "live")]
            #[allow(dead_code)]
            pub(super) struct Part {
                #[tview(key)]
                key: $ty,
                #[tview(global_id)]
                id: GlobalId,
            }

            #[test]
            fn a_key_of_one_column_is_an_array_of_one() {
                let key: $ty = $value;
                let id = GlobalId::of::<Part>(&key);
                assert_eq!(id.key::<Part>(), Ok(key));
                assert_eq!(id.as_str(), URL_SAFE_NO_PAD.encode($text));
            }
        }
    )*};
}

single! {
    int2 i16, -7, "Part:[-7]";
    int8 i64, i64::MAX, "Part:[9223372036854775807]";
    text String, "it's \"7\"".to_owned(), r#"Part:["it's \"7\""]"#;
    uuids Uuid, Uuid::nil(), r#"Part:["00000000-0000-0000-0000-000000000000"]"#;
}

#[test]
fn what_is_no_id_of_the_view_is_an_error() {
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let (uuid, text) = (Uuid::nil(), String::new());
    let right = format!("Item:[1, \"\", \"{uuid}\", 7]");
    assert_eq!(
        GlobalId::from(encode(&right)).key::<json::Item>(),
        Ok((Shelf(1), text, uuid, 7))
    );
    for wrong in [
        String::new(),
        "Item:[]".to_owned(),
        format!("{right}]"),
        right.replace("Item", "Items"),
        right.replace("Item", ""),
        right.replace("Item:", "Item"),
        right.replace(", 7", ""),
        right.replace(", 7", ", 7, 8"),
        right.replace("[1", "[40000"),
        right.replace("[1", "[1.5"),
        right.replace("[1", "[\"1\""),
        right.replace("[1", "[null"),
        right.replace("\"\"", "1"),
        right.replace("\"\"", "[\"\"]"),
        right.replace("0000-", "0000"),
        right.replace(&uuid.to_string(), "x"),
        right.replace('7', "99999999999999999999"),
    ] {
        let id = GlobalId::from(encode(&wrong));
        let error = id.key::<json::Item>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "this is not an id of the type Item",
            "{wrong}"
        );
    }
    for wrong in ["", "=", "SXRlbQ==", "é", &"A".repeat(1 << 20)] {
        let id = GlobalId::from(wrong.to_owned());
        assert!(id.key::<json::Item>().is_err(), "{wrong:.20}");
    }
}
