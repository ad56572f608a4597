//! Tests that chunks of any size and samples of keys find what a complete verification finds.

use std::collections::BTreeSet;

use fraiseql_runtime::{Error, Keys, ReadModel, TView};
use fraiseql_tests::{pool, run, world};
use sqlx::{AssertSqlSafe, PgPool};

use super::{found, model, posts, verify_post};

#[tokio::test]
async fn chunks_of_any_size_find_the_same() -> anyhow::Result<()> {
    let pool = posts().await;
    run(
        &pool,
        "DELETE FROM comment; DELETE FROM post WHERE id IN (1, 20, 21, 60);
         INSERT INTO post (id, title, author_id) VALUES (-1, 'first', 1), (61, 'last', 1);
         UPDATE tv_post SET score = 0 WHERE id IN (2, 19, 40, 59);
         DELETE FROM tv_post WHERE id IN (30, 31)",
    )
    .await;
    let expected = found(&verify_post(&pool).await?);
    assert_eq!(expected.1, [-1, 30, 31, 61]);
    assert_eq!(expected.2, [1, 20, 21, 60]);
    for chunk in [1, 2, 3, 10, 20, 31, 61, 62, 63, 1000] {
        let mut progress_seen = Vec::new();
        let report = verify_post(&pool)
            .chunk(chunk)
            .on_progress(|progress| progress_seen.push((progress.checked, progress.wrong)))
            .await?;
        assert_eq!(found(&report), expected, "chunks of {chunk}");
        assert_eq!(report.checked, 62);
        assert_eq!(
            progress_seen.len(),
            62_usize.div_ceil(chunk),
            "chunks of {chunk}"
        );
        assert_eq!(progress_seen.last(), Some(&(62, report.wrong())));
    }
    Ok(())
}

#[tokio::test]
async fn progress_reports_the_checked_documents() -> anyhow::Result<()> {
    let pool = posts().await;
    run(&pool, "DELETE FROM tv_post WHERE id = 5; ANALYZE post").await;
    let mut lines = Vec::new();
    model()
        .verify(&pool)
        .chunk(40)
        .on_progress(|progress| lines.push(format!("{} {progress}", progress.entity)))
        .await?;
    assert_eq!(
        lines,
        [
            "post 40 of 60, 1 wrong",
            "post 60 of 60, 1 wrong",
            "published 40 of 60, 0 wrong",
            "published 60 of 60, 0 wrong",
            "part 40 of 60, 0 wrong",
            "part 60 of 60, 0 wrong",
        ]
    );
    Ok(())
}

#[derive(Debug, TView)]
#[tview(table = "word")]
#[allow(dead_code)]
pub(super) struct Word {
    #[tview(key)]
    word: String,
}

/// Views of one table with keys of every type, and what each finds.
macro_rules! keys {
    ($($test:ident: $module:ident($ty:ty, $sql:literal, $insert:literal, $key:expr);)*) => {$(
        #[allow(dead_code)]
        mod $module {
            #[derive(Debug, super::TView)]
            #[tview(table = "keyed", view = "tv_keyed")]
            pub(super) struct Keyed {
                #[tview(key)]
                code: $ty,
                title: String,
            }
        }

        #[tokio::test]
        async fn $test() -> anyhow::Result<()> {
            let pool = pool().await;
            let create = format!("CREATE TABLE keyed (code {} PRIMARY KEY, title text NOT NULL)", $sql);
            sqlx::raw_sql(AssertSqlSafe(create)).execute(&pool).await?;
            sqlx::raw_sql(AssertSqlSafe(format!(
                "INSERT INTO keyed SELECT {}, 'title ' || i FROM generate_series(1, 50) AS i", $insert
            ))).execute(&pool).await?;
            ReadModel::builder().view::<$module::Keyed>().build()?.migrate(&pool).await?;
            $module::sync_all_keyeds(&pool).await?;
            let key = |i: i32| -> $ty { $key(i) };
            run(&pool, "UPDATE keyed SET title = 'x' WHERE title = 'title 5';
                DELETE FROM tv_keyed WHERE data ->> 'title' = 'title 7';
                DELETE FROM keyed WHERE title = 'title 11'").await;
            for chunk in [1, 3, 100] {
                let report = $module::verify_keyed(&pool).chunk(chunk).explain(1).await?;
                assert_eq!(report.checked, 50);
                assert_eq!(report.drifted.of::<$module::Keyed>(), [key(5)]);
                assert_eq!(report.missing.of::<$module::Keyed>(), [key(7)]);
                assert_eq!(report.orphaned.of::<$module::Keyed>(), [key(11)]);
                assert_eq!(report.explained[0].key, key(5).to_string());
            }
            let half = $module::verify_keyed(&pool).sample(0.5).chunk(4).await?;
            assert!((5..=45).contains(&half.checked), "{half}");
            let report = $module::verify_keyed(&pool).repair().await?;
            assert_eq!(report.repaired.map(|repaired| repaired.changed()), Some(3));
            assert!($module::verify_keyed(&pool).await?.is_clean());
            Ok(())
        }
    )*};
}

keys! {
    int2_keys: int2(i16, "int2", "-25 + i", |i: i32| i16::try_from(i - 25).unwrap());
    int4_keys: int4(i32, "int4", "-25 + i", |i: i32| i - 25);
    int8_keys: int8(i64, "int8", "5000000000 - i", |i: i32| 5_000_000_000 - i64::from(i));
    text_keys: text_key(String, "text", "chr(60 + i) || 'x' || i",
        |i: i32| format!("{}x{i}", char::from(u8::try_from(60 + i).unwrap())));
    varchar_keys: varchar(String, "varchar(9)", "chr(60 + i) || 'x' || i",
        |i: i32| format!("{}x{i}", char::from(u8::try_from(60 + i).unwrap())));
    uuid_keys: uuid_key(uuid::Uuid, "uuid", "md5('' || i)::uuid",
        |i: i32| uuid::Uuid::parse_str(match i {
            5 => "e4da3b7f-bbce-2345-d777-2b0674a318d5",
            7 => "8f14e45f-ceea-167a-5a36-dedd4bea2543",
            _ => "6512bd43-d9ca-a6e0-2c99-0b0a82652dca",
        }).unwrap());
}

/// 3,000 words, of which every third has no document, and 1,500 orphaned documents.
async fn words() -> PgPool {
    let pool = pool().await;
    run(
        &pool,
        "CREATE TABLE word (word text PRIMARY KEY);
         INSERT INTO word SELECT 'w' || i FROM generate_series(1, 3000) AS i",
    )
    .await;
    let model = world::model::<Word>();
    model.migrate(&pool).await.unwrap();
    sync_all_words(&pool).await.unwrap();
    run(
        &pool,
        "DELETE FROM tv_word WHERE substr(word, 2)::int4 % 3 = 0;
         INSERT INTO tv_word SELECT 'x' || i, '{}', 1, '3', now() FROM generate_series(1, 1500) AS i",
    )
    .await;
    pool
}

#[tokio::test]
async fn of_many_keys_the_first_are_kept_and_all_are_counted() -> anyhow::Result<()> {
    let pool = words().await;
    let report = verify_word(&pool).await?;
    assert_eq!(report.checked, 4500);
    assert_eq!(
        (report.missing.total(), report.orphaned.total()),
        (1000, 1500)
    );
    assert_eq!(report.orphaned.keys().len(), 1000);
    assert_eq!(report.orphaned.of::<Word>().len(), 1000);
    let expected = Keys::Text(
        ["x1", "x10", "x100", "x1000", "x1001"]
            .map(str::to_owned)
            .to_vec(),
    );
    let (Keys::Text(kept), Keys::Text(expected)) = (report.orphaned.keys(), &expected) else {
        panic!("they are texts");
    };
    assert_eq!(&kept[..5], expected);
    assert!(report.orphaned.to_string().ends_with(" and 1490 more"));
    Ok(())
}

/// If it ran every second for 10,000 years, a correct share would not leave these bounds.
#[tokio::test]
async fn a_sample_is_a_share_of_every_kind_of_key() -> anyhow::Result<()> {
    let pool = words().await;
    let about = |count: u64, of: u64| (of * 3 / 20..=of * 7 / 20).contains(&count);
    let quarter = verify_word(&pool).sample(0.25).chunk(100).await?;
    assert!(about(quarter.checked, 4500), "{quarter}");
    assert!(about(quarter.missing.total(), 1000), "{quarter}");
    assert!(about(quarter.orphaned.total(), 1500), "{quarter}");
    // A random sample differs, the same seed gives the same sample, and another seed another.
    let keys = async |seed: Option<i64>| {
        let verify = verify_word(&pool).sample(0.25).chunk(700);
        let verify = match seed {
            Some(seed) => verify.seed(seed),
            None => verify,
        };
        verify
            .await
            .map(|report| (report.missing.of::<Word>(), report.orphaned.of::<Word>()))
    };
    assert_ne!(keys(None).await?, keys(None).await?);
    assert_eq!(keys(Some(7)).await?, keys(Some(7)).await?);
    assert_ne!(keys(Some(7)).await?, keys(Some(8)).await?);
    Ok(())
}

#[tokio::test]
async fn a_sample_of_1_is_complete_and_a_sample_of_0_is_empty() -> anyhow::Result<()> {
    let pool = words().await;
    let all = verify_word(&pool).sample(1.0).await?;
    assert_eq!((all.checked, all.wrong()), (4500, 2500));
    let nothing = verify_word(&pool).sample(0.0).await?;
    assert_eq!((nothing.checked, nothing.is_clean()), (0, true));
    Ok(())
}

#[tokio::test]
async fn a_share_outside_of_0_to_1_is_an_error() -> anyhow::Result<()> {
    let pool = words().await;
    for share in [-0.1, 1.01, 5.0, f64::NAN, f64::INFINITY] {
        let error = verify_word(&pool).sample(share).await.unwrap_err();
        assert!(matches!(error, Error::Sample { .. }), "{error}");
    }
    let error = verify_word(&pool).sample(5.0).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "sample(5) is not a share of the documents: pass a number from 0 to 1, such as 0.01 for one document in a hundred"
    );
    Ok(())
}

#[tokio::test]
async fn a_sample_estimates_its_own_size() -> anyhow::Result<()> {
    let pool = words().await;
    run(&pool, "ANALYZE word").await;
    let mut expected = BTreeSet::new();
    verify_word(&pool)
        .sample(0.1)
        .on_progress(|progress| {
            expected.insert(progress.expected);
        })
        .await?;
    assert_eq!(expected, BTreeSet::from([300]));
    Ok(())
}
