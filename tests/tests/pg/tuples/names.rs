//! Keys whose columns have names that statements use themselves, or that have to be quoted.

use fraiseql_runtime::{Capture, ReadModel, TView};
use sqlx::{AssertSqlSafe, PgPool};

/// A test of two names, each of a column of the key and of a foreign key to it.
macro_rules! names {
    ($($test:ident $a:literal $b:literal $fk:literal;)*) => {$(
        mod $test {
            use super::*;

            #[derive(TView)]
            #[tview(table = "tb_pair", view = "tv_pair", entity = "pair", data = "json")]
            #[allow(dead_code)]
            pub(super) struct Pair {
                #[tview(key, column = $a, json = "one")]
                pub(super) a: i64,
                #[tview(key, column = $b, json = "two")]
                pub(super) b: String,
                #[tview(column = "the note", filter, sort)]
                pub(super) note: i32,
                #[tview(one(fk = $fk))]
                pub(super) parent: Option<Parent>,
                #[tview(many(fk = $fk, order_by = "\"the note\""))]
                pub(super) children: Vec<Parent>,
                #[tview(count(table = "tb_pair", fk = $fk))]
                pub(super) child_count: i64,
            }

            #[derive(fraiseql_runtime::Embed)]
            #[tview(table = "tb_pair")]
            #[allow(dead_code)]
            pub(super) struct Parent {
                #[tview(key, column = $a, json = "one")]
                pub(super) a: i64,
                #[tview(key, column = $b, json = "two")]
                pub(super) b: String,
                #[tview(column = "the note")]
                pub(super) note: i32,
            }

            #[tokio::test]
            async fn can_be_names_of_columns_of_a_key() -> anyhow::Result<()> {
                for capture in [Capture::Off, Capture::Queue, Capture::AtCommit] {
                    let builder = ReadModel::builder().view::<Pair>();
                    let model = builder.capture(capture).build()?;
                    let pool = tables($a, $b, $fk).await?;
                    model.migrate(&pool).await?;
                    assert_eq!(sync_all_pairs(&pool).await?.inserted, 6);
                    let mut m = model.mutation(&pool).await?;
                    sqlx::query("UPDATE tb_pair SET \"the note\" = 7 + \"the note\" WHERE \"the note\" < 3")
                        .execute(&mut *m)
                        .await?;
                    let keys = [(1, "x".to_owned()), (2, "x".to_owned())];
                    m.changed::<Parent>(&keys);
                    m.commit().await?;
                    let report = verify_pair(&pool).await?;
                    assert!(report.is_clean(), "{report}");
                    let found = Pair::find(&pool, keys[1].clone()).await?.unwrap();
                    assert_eq!((found.a, found.b.as_str(), found.note), (2, "x", 9));
                    assert_eq!(Pair::find_many(&pool, &keys).await?.len(), 2);
                    let mut tx = pool.begin().await?;
                    sqlx::query("DELETE FROM tb_pair WHERE \"the note\" = 9").execute(&mut *tx).await?;
                    assert_eq!(sync_pair(&mut tx, &keys).await?.deleted, 1);
                    tx.commit().await?;
                    if capture != Capture::Off {
                        model.worker(&pool).drain().await?;
                        assert_eq!(model.changes(&pool).await?.dead, 0);
                        let report = verify_pair(&pool).await?;
                        assert!(report.is_clean(), "{report}");
                    }
                    let report = model.check(&pool).await?;
                    assert!(report.is_ok(), "{report}");
                }
                Ok(())
            }
        }
    )*};
}

/// A table with these columns as its key; each row but two refers to another. A column that no
/// document shows is of a domain that refuses null.
async fn tables(a: &str, b: &str, fk: &str) -> anyhow::Result<PgPool> {
    let pool = fraiseql_tests::pool().await;
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let (a, b) = (quoted(a), quoted(b));
    let fk: Vec<String> = match fk.strip_prefix('"') {
        // Names in quotes, with commas in them.
        Some(_) => fk
            .split("\", \"")
            .map(|name| quoted(name.trim_matches('"')))
            .collect(),
        None => fk.split(", ").map(quoted).collect(),
    };
    let (x, y) = (&fk[0], &fk[1]);
    let sql = format!(
        "CREATE DOMAIN never AS text NOT NULL;
         CREATE TABLE tb_pair ({a} int8, gone never, {b} text, {x} int8, {y} text, \"the note\" int4 NOT NULL,
            PRIMARY KEY ({a}, {b}), other never DEFAULT 'o');
         ALTER TABLE tb_pair DROP COLUMN gone;
         INSERT INTO tb_pair SELECT n, 'x', n - 2, 'x', n FROM generate_series(1, 6) AS n;
         UPDATE tb_pair SET {x} = NULL WHERE {x} < 1;
         ALTER TABLE tb_pair ADD FOREIGN KEY ({x}, {y}) REFERENCES tb_pair ON DELETE SET NULL;
         CREATE INDEX ON tb_pair ({x}, {y})"
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&pool).await?;
    Ok(pool)
}

names! {
    key_and_keys "key" "keys" "k, p";
    parts "key_1" "key_2" "given, page";
    values "value" "value_0" "value_1, found";
    aliases "v" "root" "r, t";
    others "b" "locked" "r1, j0";
    variables "pending" "built" "missing_0, keys_0";
    bookkeeping "data" "version" "shape, synced_xid";
    odd "it's" "say \"hi\"" "\"a, b\", \"c,d\"";
    words "order" "select" "user, table";
}
