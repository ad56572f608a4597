//! All names at once: as promoted columns, as JSON keys, and in parts.

use fraiseql_runtime::list::{OrderBy, Page};
use fraiseql_runtime::{Embed, ReadModel, TView};

use super::tables::{NAMES, tables};

macro_rules! together {
    ($($kind:ident $name:ident $column:tt $filter:tt $expr:tt;)*) => {
        /// Every name is a promoted, unique column, and a key in the document.
        #[derive(TView)]
        #[tview(table = "tb_all")]
        #[allow(dead_code, non_snake_case)]
        struct Promoted {
            #[tview(key, column = "the row", json = "theRow")]
            the_row: i64,
            #[tview(one(fk = "the row"), json = "thePart")]
            the_part: Part,
            #[tview(many(fk = "the row", limit = 2), json = "theFew")]
            the_few: Vec<Part>,
            #[tview(many(fk = "the row"), json = "theMany")]
            the_many: Vec<Part>,
            $(#[tview(column = $column, json = $column, filter, sort, unique)] $name: i64,)*
        }

        /// The same in the text of `json`, and not promoted.
        #[derive(TView)]
        #[tview(table = "tb_all", data = "json")]
        #[allow(dead_code, non_snake_case)]
        struct Plain {
            #[tview(key, column = "the row", json = "theRow")]
            the_row: i64,
            #[tview(one(fk = "the row"), json = "thePart")]
            the_part: Option<Part>,
            #[tview(many(fk = "the row"), json = "theMany")]
            the_many: Vec<Part>,
            $(#[tview(column = $column, json = $column)] $name: i64,)*
        }

        /// A part whose keys have all names.
        #[derive(Embed)]
        #[tview(table = "tb_all")]
        #[allow(dead_code, non_snake_case)]
        struct Part {
            #[tview(key, column = "the row", json = "theRow")]
            the_row: i64,
            $(#[tview(column = $column, json = $column)] $name: i64,)*
        }
    };
}

columns!(together);

#[tokio::test]
async fn promoted_columns_and_keys_in_the_document_can_have_any_name() -> anyhow::Result<()> {
    let pool = tables(NAMES, " UNIQUE").await;
    let model = ReadModel::builder()
        .view::<Promoted>()
        .view::<Plain>()
        .build()?;
    model.migrate(&pool).await?;
    let report = fraiseql_tests::without_server(model.check(&pool).await?);
    assert!(report.is_ok(), "{report}");
    assert_eq!(model.rebuild(&pool).await?.views[0].report.inserted, 3);

    let stored = Promoted::find_json(&pool, 2).await?.unwrap();
    let stored: serde_json::Value = serde_json::from_str(stored.get())?;
    for object in [
        &stored,
        &stored["thePart"],
        &stored["theMany"][0],
        &stored["theFew"][0],
    ] {
        for name in NAMES {
            assert_eq!(object[name], 2, "{name}: {stored}");
        }
    }

    // Unique values are exchanged, in both protocols.
    let first = format!("\"{}\"", NAMES[0]);
    let swap = format!(
        "UPDATE tb_all SET {first} = 10 - {first}; UPDATE tb_all SET {first} = 10 - {first} + (CASE {first} WHEN 9 THEN 1 WHEN 8 THEN -1 ELSE 0 END)"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(swap.clone()))
        .execute(&pool)
        .await?;
    assert_eq!(sync_promoted(&pool, &[1, 2, 3]).await?.updated, 2);
    sqlx::raw_sql(sqlx::AssertSqlSafe(swap))
        .execute(&pool)
        .await?;
    let mut tx = pool.begin().await?;
    assert_eq!(sync_promoted(&mut tx, &[1, 2, 3]).await?.updated, 2);
    tx.commit().await?;

    let mut m = model.mutation(&pool).await?;
    sqlx::raw_sql("UPDATE tb_all SET \"the note\" = 'x'")
        .execute(&mut *m)
        .await?;
    m.changed::<Part>(&[1, 2, 3]);
    assert_eq!(m.commit().await?.total(), 6);
    sqlx::raw_sql("UPDATE tv_promoted SET version = version, data = data - 'theMany'")
        .execute(&pool)
        .await?;
    let verified = model.verify(&pool).explain(2).repair().await?;
    assert_eq!(
        verified.of::<Promoted>().unwrap().drifted.total(),
        3,
        "{verified}"
    );
    for name in NAMES {
        for order in [OrderBy::asc(*name), OrderBy::desc(*name)] {
            let list = Promoted::list().order_by(order);
            let first = list.page(Page::first(1), &pool).await?;
            let rest = list
                .page(Page::first(9).after(first.end().cloned()), &pool)
                .await?;
            assert_eq!(rest.len(), 2, "{name}");
        }
    }
    Ok(())
}
