//! Verifications: what they find, in any session and any transaction, and what a repair does.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};
use fraiseql_runtime::{
    BatchEvent, Embed, Error, Keys, Mode, ReadModel, TView, VerifyReport, assert_synced,
};
use fraiseql_tests::{pool, run};
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgConnection, PgPool};

#[derive(Debug, TView)]
#[tview(table = "post", view = "tv_post")]
#[allow(dead_code)]
struct Post {
    id: i64,
    title: String,
    #[tview(sort)]
    written: DateTime<Utc>,
    #[tview(filter)]
    score: Option<f64>,
    #[tview(one(fk = "author_id"))]
    author: Author,
    #[tview(many(fk = "post_id"))]
    comments: Vec<Comment>,
    #[tview(count(table = "comment", fk = "post_id"))]
    comment_count: i64,
}

#[derive(Debug, Embed)]
#[tview(table = "author")]
#[allow(dead_code)]
struct Author {
    id: i32,
    name: String,
}

#[derive(Debug, Embed)]
#[tview(table = "comment")]
#[allow(dead_code)]
struct Comment {
    id: i32,
    text: Option<String>,
    #[tview(one(fk = "author_id"))]
    author: Author,
}

/// Posts that are not drafts, as text.
#[derive(Debug, TView)]
#[tview(
    table = "post",
    view = "tv_published",
    data = "json",
    filter = "NOT draft"
)]
#[allow(dead_code)]
struct Published {
    id: i64,
    title: String,
    score: Option<f64>,
}

/// The same table in partitions.
#[derive(Debug, TView)]
#[tview(table = "post", view = "tv_part", partition(hash = 3))]
#[allow(dead_code)]
struct Part {
    id: i64,
    #[tview(filter)]
    title: String,
}

const TABLES: &str = "
CREATE TABLE author (id int4 PRIMARY KEY, name text);
CREATE TABLE post (id int8 PRIMARY KEY, title text NOT NULL, draft bool NOT NULL DEFAULT false, score float8,
    written timestamptz NOT NULL DEFAULT '2026-07-01 12:00:00.25+00', author_id int4 NOT NULL REFERENCES author,
    divisor int4 NOT NULL DEFAULT 1);
CREATE TABLE comment (id int4 PRIMARY KEY, post_id int8 NOT NULL REFERENCES post, text text,
    author_id int4 NOT NULL REFERENCES author);
CREATE INDEX ON comment (post_id);
INSERT INTO author VALUES (1, 'Ada'), (2, 'Bob');
INSERT INTO post (id, title, score, author_id) SELECT i, 'post ' || i, i + 0.1, 1 + i % 2 FROM generate_series(1, 60) AS i;
INSERT INTO comment SELECT i, 1 + i % 20, 'comment ' || i, 1 + i % 2 FROM generate_series(1, 80) AS i;";

fn model() -> ReadModel {
    ReadModel::builder()
        .view::<Post>()
        .view::<Published>()
        .view::<Part>()
        .build()
        .unwrap()
}

/// 60 posts and their documents, all as they should be.
async fn posts() -> PgPool {
    let pool = pool().await;
    run(&pool, TABLES).await;
    model().migrate(&pool).await.unwrap();
    sync_all_posts(&pool).await.unwrap();
    sync_all_publisheds(&pool).await.unwrap();
    sync_all_parts(&pool).await.unwrap();
    pool
}

/// Drifted, missing and orphaned keys.
fn found(report: &VerifyReport) -> (Vec<i64>, Vec<i64>, Vec<i64>) {
    (
        report.drifted.of::<Post>(),
        report.missing.of::<Post>(),
        report.orphaned.of::<Post>(),
    )
}

/// One document of each kind: 7 drifts, 8 is missing, 9 is orphaned.
const HARM: &str = "
UPDATE post SET title = 'new' WHERE id = 7;
DELETE FROM tv_post WHERE id = 8;
DELETE FROM comment WHERE post_id = 9;
DELETE FROM post WHERE id = 9;";

/// Every row of the view tables as it is stored, with its version and the row's own.
async fn stored(pool: &PgPool) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT xmin || tv_post::text FROM tv_post UNION ALL SELECT xmin || tv_published::text FROM tv_published
         UNION ALL SELECT xmin || tv_part::text FROM tv_part",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

#[tokio::test]
async fn documents_that_are_right_are_left_alone() -> anyhow::Result<()> {
    let pool = posts().await;
    let before = stored(&pool).await;
    let report = verify_post(&pool).await?;
    assert!(report.is_clean(), "{report}");
    assert_eq!((report.checked, report.wrong()), (60, 0));
    assert_eq!(report.repaired, None);
    assert!(report.duration > std::time::Duration::ZERO);
    let line = report.to_string();
    assert!(
        line.starts_with("\"public\".\"tv_post\": 60 checked in ")
            && line.ends_with("s: 0 drifted, 0 missing, 0 orphaned"),
        "{line}"
    );
    // A repair has nothing to do.
    let report = verify_post(&pool).repair().await?;
    assert_eq!(report.repaired.map(|repaired| repaired.total()), Some(0));
    assert_eq!(stored(&pool).await, before);
    Ok(())
}

#[tokio::test]
async fn each_kind_of_fault_is_found_and_nothing_is_written() -> anyhow::Result<()> {
    let pool = posts().await;
    run(&pool, HARM).await;
    let before = stored(&pool).await;
    let report = verify_post(&pool).await?;
    assert_eq!(found(&report), (vec![7], vec![8], vec![9]));
    assert_eq!((report.checked, report.wrong()), (60, 3));
    assert!(!report.is_clean());
    let text = report.to_string();
    assert!(
        text.ends_with(
            ": 1 drifted, 1 missing, 1 orphaned\n  drifted: 7\n  missing: 8\n  orphaned: 9"
        ),
        "{text}"
    );
    assert_eq!(stored(&pool).await, before);
    // Of another type, there are none.
    assert_eq!(report.drifted.of::<Word>(), Vec::<String>::new());
    Ok(())
}

#[tokio::test]
async fn data_and_promoted_columns_are_compared_alike() -> anyhow::Result<()> {
    let pool = posts().await;
    for (change, key) in [
        (
            "UPDATE tv_post SET data = data || '{\"title\": \"x\"}' WHERE id = 3",
            3,
        ),
        ("UPDATE tv_post SET data = data - 'score' WHERE id = 4", 4),
        (
            "UPDATE tv_post SET data = jsonb_set(data, '{comments,0,author,name}', '\"x\"') WHERE id = 5",
            5,
        ),
        (
            "UPDATE tv_post SET written = written + '1us' WHERE id = 6",
            6,
        ),
        ("UPDATE tv_post SET score = NULL WHERE id = 7", 7),
        ("UPDATE comment SET text = NULL WHERE post_id = 8", 8),
    ] {
        sqlx::raw_sql(change).execute(&pool).await?;
        let report = verify_post(&pool).await?;
        assert_eq!(found(&report), (vec![key], vec![], vec![]), "{change}");
        assert_eq!(sync_all_posts(&pool).await?.updated, 1);
    }
    // What is bookkeeping is not.
    run(
        &pool,
        "UPDATE tv_post SET version = 9, updated_at = 'epoch'",
    )
    .await;
    assert!(verify_post(&pool).await?.is_clean());
    Ok(())
}

#[tokio::test]
async fn a_row_that_the_filter_leaves_out_has_no_document() -> anyhow::Result<()> {
    let pool = posts().await;
    run(&pool, "UPDATE post SET draft = true WHERE id IN (3, 4)").await;
    let report = verify_published(&pool).await?;
    assert_eq!(found(&report), (vec![], vec![], vec![3, 4]));
    assert_eq!(report.checked, 60);
    sync_published(&pool, &[3, 4]).await?;
    let report = verify_published(&pool).await?;
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.checked, 58);
    run(&pool, "UPDATE post SET draft = false WHERE id = 3").await;
    let report = verify_published(&pool).await?;
    assert_eq!(found(&report), (vec![], vec![3], vec![]));
    Ok(())
}

#[tokio::test]
async fn text_documents_are_compared_as_text() -> anyhow::Result<()> {
    let pool = posts().await;
    run(
        &pool,
        r#"UPDATE tv_published SET data = '{"title":"post 5","id":5,"score":5.1}' WHERE id = 5;
           UPDATE tv_published SET data = '{"id":6,"title":"x","score":6.1}' WHERE id = 6;
           UPDATE tv_published SET data = '{"id":7,"title":"post 7","score":7.10}' WHERE id = 7"#,
    )
    .await;
    let report = verify_published(&pool).explain(9).await?;
    assert_eq!(found(&report), (vec![5, 6, 7], vec![], vec![]));
    let lines: Vec<String> = report.explained[0]
        .differences
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        lines,
        [
            r#"the document's text: stored {"title":"post 5","id":5,"score":5.1}, should be {"id":5,"title":"post 5","score":5.1}"#
        ]
    );
    assert_eq!(report.explained[1].differences[0].path, "title");
    assert_eq!(
        report.explained[2].differences[0].to_string(),
        r#"the document's text: stored .."post 7","score":7.10}, should be .."post 7","score":7.1}"#
    );
    Ok(())
}

#[tokio::test]
async fn a_view_in_partitions_is_verified() -> anyhow::Result<()> {
    let pool = posts().await;
    run(
        &pool,
        "UPDATE post SET title = 'new' WHERE id IN (2, 3, 5);
         DELETE FROM tv_part WHERE id = 8;
         INSERT INTO tv_part SELECT 99, title, data, 1, '3', now() FROM tv_part WHERE id = 1",
    )
    .await;
    let report = verify_part(&pool).chunk(7).await?;
    assert_eq!(found(&report), (vec![2, 3, 5], vec![8], vec![99]));
    verify_part(&pool).repair().await?;
    assert!(verify_part(&pool).await?.is_clean());
    Ok(())
}

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
        let mut told = Vec::new();
        let report = verify_post(&pool)
            .chunk(chunk)
            .on_progress(|progress| told.push((progress.checked, progress.wrong)))
            .await?;
        assert_eq!(found(&report), expected, "chunks of {chunk}");
        assert_eq!(report.checked, 62);
        assert_eq!(told.len(), 62_usize.div_ceil(chunk), "chunks of {chunk}");
        assert_eq!(told.last(), Some(&(62, report.wrong())));
    }
    Ok(())
}

#[tokio::test]
async fn progress_says_how_far_it_is() -> anyhow::Result<()> {
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
struct Word {
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

/// 3,000 words, of which every third has no document, and 1,500 documents without a word.
async fn words() -> PgPool {
    let pool = pool().await;
    run(
        &pool,
        "CREATE TABLE word (word text PRIMARY KEY);
         INSERT INTO word SELECT 'w' || i FROM generate_series(1, 3000) AS i",
    )
    .await;
    let model = ReadModel::builder().view::<Word>().build().unwrap();
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

/// In 10,000 years of running it every second, a right share is not outside of these bounds.
#[tokio::test]
async fn a_sample_is_a_share_of_every_kind_of_key() -> anyhow::Result<()> {
    let pool = words().await;
    let about = |count: u64, of: u64| (of * 3 / 20..=of * 7 / 20).contains(&count);
    let quarter = verify_word(&pool).sample(0.25).chunk(100).await?;
    assert!(about(quarter.checked, 4500), "{quarter}");
    assert!(about(quarter.missing.total(), 1000), "{quarter}");
    assert!(about(quarter.orphaned.total(), 1500), "{quarter}");
    // Another one by chance, the same one by seed, and another by another seed.
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
async fn a_sample_of_all_is_all_and_one_of_nothing_is_nothing() -> anyhow::Result<()> {
    let pool = words().await;
    let all = verify_word(&pool).sample(1.0).await?;
    assert_eq!((all.checked, all.wrong()), (4500, 2500));
    let nothing = verify_word(&pool).sample(0.0).await?;
    assert_eq!((nothing.checked, nothing.is_clean()), (0, true));
    Ok(())
}

#[tokio::test]
async fn a_share_that_is_none_is_an_error() -> anyhow::Result<()> {
    let pool = words().await;
    for share in [-0.1, 1.01, 5.0, f64::NAN, f64::INFINITY] {
        let error = verify_word(&pool).sample(share).await.unwrap_err();
        assert!(matches!(error, Error::Sample { .. }), "{error}");
    }
    let error = verify_word(&pool).sample(5.0).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "sample(5) is no share of the documents: it is a number from 0 to 1, such as 0.01 for one of a hundred"
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

#[tokio::test]
async fn a_repair_syncs_what_is_wrong_and_nothing_else() -> anyhow::Result<()> {
    let pool = posts().await;
    run(&pool, HARM).await;
    // Drifted, missing and orphaned keys are synced in one order.
    run(
        &pool,
        "DELETE FROM tv_post WHERE id = 2; UPDATE post SET title = 'new' WHERE id = 55",
    )
    .await;
    let batches: Arc<Mutex<Vec<(Mode, Keys)>>> = Arc::default();
    let told = Arc::clone(&batches);
    let model = ReadModel::builder()
        .view::<Post>()
        .observe(move |batch: &BatchEvent<'_>| {
            told.lock().unwrap().push((batch.mode, batch.keys.clone()));
        })
        .build()?;
    let reports = model.verify(&pool).repair().await?;
    let report = reports.of::<Post>().expect("it is of the model");
    assert_eq!(found(report), (vec![7, 55], vec![2, 8], vec![9]));
    assert!(!report.is_clean(), "it was not");
    let repaired = report.repaired.clone().expect("it was repaired");
    assert_eq!(
        (repaired.inserted, repaired.updated, repaired.deleted),
        (2, 2, 1)
    );
    assert!(
        report
            .to_string()
            .contains("\n  repaired: 2 inserted, 2 updated, 0 unchanged, 1 deleted in "),
        "{report}"
    );
    assert_eq!(
        *batches.lock().unwrap(),
        [
            (Mode::Sync, Keys::I64(vec![2, 7, 8, 9])),
            (Mode::Sync, Keys::I64(vec![55]))
        ],
        "observers of the read model are told"
    );
    assert!(verify_post(&pool).await?.is_clean());
    let versions: Vec<i64> =
        sqlx::query_scalar("SELECT version FROM tv_post WHERE id IN (6, 7, 8) ORDER BY id")
            .fetch_all(&pool)
            .await?;
    assert_eq!(versions, [1, 2, 1]);
    Ok(())
}

#[tokio::test]
async fn a_repair_in_a_transaction_is_the_transactions() -> anyhow::Result<()> {
    let pool = posts().await;
    let mut transaction = pool.begin().await?;
    sqlx::raw_sql(HARM).execute(&mut *transaction).await?;
    let report = verify_post(&mut transaction).repair().await?;
    assert_eq!(found(&report), (vec![7], vec![8], vec![9]));
    assert!(verify_post(&mut transaction).await?.is_clean());
    transaction.rollback().await?;
    assert!(verify_post(&pool).await?.is_clean());
    Ok(())
}

/// A writer commits, and syncs afterwards; repairs meet what is not synced yet.
#[tokio::test]
async fn repairs_beside_a_writer_lose_nothing() -> anyhow::Result<()> {
    let pool = posts().await;
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..2_i64)
        .map(|writer| {
            let (pool, stop) = (pool.clone(), Arc::clone(&stop));
            tokio::spawn(async move {
                let mut round = 0_i64;
                while !stop.load(Ordering::Relaxed) {
                    round += 1;
                    let key = 1 + (round * 7 + writer) % 60;
                    let mut transaction = pool.begin().await?;
                    sqlx::query("UPDATE post SET title = 'round ' || $1, score = $1 WHERE id = $2")
                        .bind(round)
                        .bind(key)
                        .execute(&mut *transaction)
                        .await?;
                    if round % 2 == 0 {
                        sync_post(&mut transaction, &[key]).await?;
                        transaction.commit().await?;
                    } else {
                        transaction.commit().await?;
                        sync_post(&pool, &[key]).await?;
                    }
                }
                anyhow::Ok(round)
            })
        })
        .collect();
    let mut repaired = 0;
    let mut rounds = 0;
    while rounds < 40 || (repaired == 0 && rounds < 2000) {
        rounds += 1;
        let report = verify_post(&pool).chunk(20).repair().await?;
        repaired += report.drifted.total();
    }
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        assert!(writer.await?? > 0);
    }
    assert!(repaired > 0, "a document was met before its sync");
    assert!(verify_post(&pool).await?.is_clean());
    Ok(())
}

#[tokio::test]
async fn documents_that_cannot_be_built_are_listed_and_the_others_compared() -> anyhow::Result<()> {
    let pool = posts().await;
    run(&pool, HARM).await;
    run(
        &pool,
        "UPDATE post SET score = 'NaN' WHERE id IN (3, 58);
         INSERT INTO author VALUES (3, NULL);
         UPDATE comment SET author_id = 3 WHERE id = 20",
    )
    .await;
    let expect = |report: &VerifyReport| {
        assert_eq!(found(report), (vec![7], vec![8], vec![9]));
        let invalid: Vec<_> = report
            .invalid
            .iter()
            .map(|document| (document.key.as_str(), document.reason.as_str()))
            .collect();
        assert_eq!(
            invalid,
            [
                ("1", "comments[0].author.name: is null"),
                ("3", "score: NaN cannot be represented"),
                ("58", "score: NaN cannot be represented"),
            ]
        );
        assert_eq!((report.checked, report.more_invalid), (60, 0));
        assert!(
            report.to_string().contains(
                "1 orphaned, 3 invalid\n  drifted: 7\n  missing: 8\n  orphaned: 9\n  1: comments[0].author.name: is null\n"
            ),
            "{report}"
        );
    };
    for chunk in [5, 1000] {
        expect(&verify_post(&pool).chunk(chunk).await?);
    }
    let mut transaction = pool.begin().await?;
    sqlx::raw_sql("SET TRANSACTION READ ONLY")
        .execute(&mut *transaction)
        .await?;
    expect(&verify_post(&mut transaction).await?);
    transaction.commit().await?;
    // What cannot be built cannot be repaired.
    let report = verify_post(&pool).repair().await?;
    assert_eq!(report.repaired.as_ref().map(|r| r.changed()), Some(3));
    let report = verify_post(&pool).await?;
    assert_eq!(report.invalid.len(), 3);
    assert_eq!(report.wrong(), 3);
    Ok(())
}

#[derive(Debug, TView)]
#[tview(table = "post", view = "tv_quotient")]
#[allow(dead_code)]
struct Quotient {
    id: i64,
    score: Option<f64>,
    #[tview(expr = "100 / {}.divisor")]
    quotient: i32,
}

#[tokio::test]
async fn an_expression_that_fails_is_found_by_halving() -> anyhow::Result<()> {
    let pool = posts().await;
    let model = ReadModel::builder().view::<Quotient>().build()?;
    model.migrate(&pool).await?;
    sync_all_quotients(&pool).await?;
    run(
        &pool,
        "UPDATE post SET divisor = 0 WHERE id IN (17, 40); UPDATE post SET divisor = 5 WHERE id = 41;
         UPDATE post SET score = 'NaN' WHERE id = 42; DELETE FROM tv_quotient WHERE id = 16",
    )
    .await;
    let report = verify_quotient(&pool).explain(5).await?;
    assert_eq!(found(&report), (vec![41], vec![16], vec![]));
    let invalid: Vec<_> = report
        .invalid
        .iter()
        .map(|document| (document.key.as_str(), document.reason.as_str()))
        .collect();
    assert_eq!(
        invalid,
        [
            ("17", "division by zero"),
            ("40", "division by zero"),
            ("42", "score: NaN cannot be represented")
        ]
    );
    assert_eq!(
        report.explained[0].differences[0].to_string(),
        "quotient: stored 100, should be 20"
    );
    Ok(())
}

#[tokio::test]
async fn of_many_invalid_documents_the_first_are_kept_and_all_are_counted() -> anyhow::Result<()> {
    let pool = posts().await;
    run(
        &pool,
        "INSERT INTO post (id, title, author_id, score) SELECT i, '', 1, 'NaN' FROM generate_series(101, 1300) AS i",
    )
    .await;
    let report = verify_published(&pool).await?;
    assert_eq!((report.invalid.len(), report.more_invalid), (1000, 200));
    assert_eq!((report.checked, report.wrong()), (1260, 1200));
    assert!(report.to_string().ends_with("\n  and 1195 more invalid"));
    Ok(())
}

/// What else fails is an error, and leaves the caller's transaction as it was.
#[tokio::test]
async fn what_the_database_refuses_is_an_error() -> anyhow::Result<()> {
    let pool = posts().await;
    run(&pool, "DROP TABLE comment CASCADE").await;
    let error = verify_post(&pool).await.unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("verifying \"public\".\"tv_post\": "),
        "{error}"
    );
    let mut transaction = pool.begin().await?;
    assert!(verify_post(&mut transaction).await.is_err());
    assert!(verify_published(&mut transaction).await?.is_clean());
    // Where rows are counted, too.
    sqlx::raw_sql("ALTER TABLE post RENAME TO other")
        .execute(&mut *transaction)
        .await?;
    let told = verify_published(&mut transaction).on_progress(|_| {}).await;
    assert!(told.is_err());
    sqlx::raw_sql("ALTER TABLE other RENAME TO post")
        .execute(&mut *transaction)
        .await?;
    assert!(verify_published(&mut transaction).await?.is_clean());
    transaction.commit().await?;
    Ok(())
}

const ODD: &str = "SET TimeZone = 'Asia/Kathmandu'; SET DateStyle = 'German, DMY';
    SET IntervalStyle = 'sql_standard'; SET extra_float_digits = -10; SET search_path = ''";

async fn settings(connection: &mut PgConnection) -> String {
    sqlx::query_scalar(
        "SELECT concat_ws(' ', current_setting('TimeZone'), current_setting('DateStyle'),
             current_setting('extra_float_digits'), current_setting('search_path'))",
    )
    .fetch_one(connection)
    .await
    .unwrap()
}

#[tokio::test]
async fn odd_sessions_find_the_same_and_keep_their_settings() -> anyhow::Result<()> {
    let pool = posts().await;
    let odd = PgPoolOptions::new()
        .max_connections(1)
        .after_connect(|connection, _| {
            Box::pin(async move {
                sqlx::raw_sql(ODD).execute(connection).await?;
                Ok(())
            })
        })
        .connect_with((*pool.connect_options()).clone())
        .await?;
    let before = settings(&mut *odd.acquire().await?).await;
    for harm in ["", HARM] {
        run(&pool, harm).await;
        let expected = found(&verify_post(&pool).await?);
        assert_eq!(expected.0.len(), usize::from(!harm.is_empty()));
        // On the pool, ..
        assert_eq!(found(&verify_post(&odd).await?), expected);
        assert_eq!(settings(&mut *odd.acquire().await?).await, before);
        // .. on a connection that is in no transaction, ..
        let mut connection = odd.acquire().await?;
        assert_eq!(found(&verify_post(&mut connection).await?), expected);
        assert_eq!(settings(&mut connection).await, before);
        assert_eq!(found(&verify_post(&mut *connection).await?), expected);
        drop(connection);
        // .. and in one, with settings of its own.
        let mut transaction = odd.begin().await?;
        sqlx::raw_sql("SET LOCAL TimeZone = 'America/Lima'")
            .execute(&mut *transaction)
            .await?;
        let own = settings(&mut transaction).await;
        assert!(own.starts_with("America/Lima "));
        assert_eq!(found(&verify_post(&mut transaction).await?), expected);
        assert_eq!(settings(&mut transaction).await, own);
        transaction.commit().await?;
        assert_eq!(settings(&mut *odd.acquire().await?).await, before);
    }
    Ok(())
}

#[tokio::test]
async fn a_verification_assigns_no_transaction_id() -> anyhow::Result<()> {
    let pool = posts().await;
    run(&pool, HARM).await;
    run(&pool, "UPDATE post SET score = 'NaN' WHERE id = 3").await;
    for begin in [
        "BEGIN",
        "BEGIN READ ONLY",
        "BEGIN ISOLATION LEVEL REPEATABLE READ",
        "BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY",
    ] {
        let mut transaction = pool.begin_with(begin).await?;
        let report = verify_post(&mut transaction).explain(9).sample(1.0).await?;
        assert_eq!(found(&report), (vec![7], vec![8], vec![9]), "{begin}");
        assert_eq!((report.invalid.len(), report.explained.len()), (1, 1));
        let sampled = verify_post(&mut transaction).sample(0.999).seed(1).await?;
        assert!(sampled.checked > 40);
        let id: Option<String> =
            sqlx::query_scalar("SELECT pg_current_xact_id_if_assigned()::text")
                .fetch_one(&mut *transaction)
                .await?;
        assert_eq!(id, None, "{begin}");
        transaction.commit().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_pool_whose_transactions_are_read_only_can_verify() -> anyhow::Result<()> {
    let pool = posts().await;
    run(&pool, HARM).await;
    let options = (*pool.connect_options()).clone().options([
        ("default_transaction_read_only", "on"),
        ("default_transaction_isolation", "serializable"),
    ]);
    let replica = PgPoolOptions::new().connect_with(options).await?;
    let report = verify_post(&replica).await?;
    assert_eq!(found(&report), (vec![7], vec![8], vec![9]));
    let error = verify_post(&replica).repair().await.unwrap_err();
    assert!(
        error.to_string().contains("in a read-only transaction"),
        "{error}"
    );
    Ok(())
}

#[tokio::test]
async fn a_repair_in_a_repeatable_read_transaction_is_refused() -> anyhow::Result<()> {
    let pool = posts().await;
    run(&pool, HARM).await;
    let mut transaction = pool
        .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ")
        .await?;
    let error = verify_post(&mut transaction).repair().await.unwrap_err();
    assert!(matches!(error, Error::RepeatableRead), "{error}");
    transaction.rollback().await?;
    Ok(())
}

#[tokio::test]
async fn a_transaction_verifies_what_it_sees() -> anyhow::Result<()> {
    let pool = posts().await;
    let mut transaction = pool.begin().await?;
    sqlx::raw_sql("UPDATE author SET name = 'Ada L' WHERE id = 1")
        .execute(&mut *transaction)
        .await?;
    let report = verify_post(&mut transaction).await?;
    assert!(report.drifted.total() >= 30, "{report}");
    assert!(verify_post(&pool).await?.is_clean());
    transaction.rollback().await?;
    Ok(())
}

#[tokio::test]
async fn a_read_model_has_a_report_of_each_view() -> anyhow::Result<()> {
    let pool = posts().await;
    let model = model();
    assert!(model.verify(&pool).await?.is_clean());
    run(&pool, HARM).await;
    let mut transaction = pool.begin().await?;
    let reports = model.verify(&mut transaction).await?;
    transaction.commit().await?;
    assert!(!reports.is_clean());
    let found: Vec<_> = reports
        .iter()
        .map(|report| (report.entity, found(report)))
        .collect();
    assert_eq!(
        found,
        [
            ("post", (vec![7], vec![8], vec![9])),
            ("published", (vec![7], vec![], vec![9])),
            ("part", (vec![7], vec![], vec![9])),
        ]
    );
    assert!(reports.of::<Word>().is_none());
    assert_eq!(reports.to_string().lines().count(), 4 + 3 + 3);
    // Held by value, and used by reference.
    let held = model.on(pool.clone());
    assert_eq!(verify_post(&held).await?.wrong(), 3);
    Ok(())
}

#[tokio::test]
async fn a_pool_without_a_free_connection_is_an_error() -> anyhow::Result<()> {
    let pool = posts().await;
    let small = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(std::time::Duration::from_millis(100))
        .connect_with((*pool.connect_options()).clone())
        .await?;
    let held = small.acquire().await?;
    let error = verify_post(&small).await.unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("acquiring a connection to verify: "),
        "{error}"
    );
    drop(held);
    assert!(verify_post(&small).await?.is_clean());
    Ok(())
}

/// The text of a panic, with the place of the call that it tells instead of the line.
async fn panics(work: impl Future<Output = ()> + Send + 'static, line: u32) -> String {
    let panic = tokio::spawn(work).await.unwrap_err().into_panic();
    let text = panic.downcast_ref::<String>().expect("it has a text");
    let place = format!("tests/verify.rs:{line}:");
    let (before, after) = text
        .split_once(&place)
        .unwrap_or_else(|| panic!("no {place} in {text}"));
    let before = before.rsplit_once(' ').map_or("", |(before, _)| before);
    let after = after.trim_start_matches(|c: char| c.is_ascii_digit());
    format!("{before} tests/verify.rs{after}")
}

#[tokio::test]
async fn what_is_synced_is_asserted() {
    let pool = posts().await;
    assert_synced(&model(), &pool).await;
    let mut transaction = pool.begin().await.unwrap();
    sqlx::raw_sql("UPDATE post SET title = 'new' WHERE id = 7")
        .execute(&mut *transaction)
        .await
        .unwrap();
    sync_post(&mut transaction, &[7]).await.unwrap();
    sync_published(&mut transaction, &[7]).await.unwrap();
    sync_part(&mut transaction, &[7]).await.unwrap();
    assert_synced(&model(), &mut transaction).await;
    transaction.rollback().await.unwrap();
    assert_synced(&model(), &pool).await;
}

#[tokio::test]
async fn a_forgotten_sync_is_told_with_what_differs() -> anyhow::Result<()> {
    let pool = posts().await;
    run(&pool, HARM).await;
    run(
        &pool,
        "UPDATE comment SET author_id = 1, text = NULL WHERE id = 1;
         INSERT INTO comment VALUES (99, 4, 'new', 2);
         UPDATE post SET written = '2026-08-01 00:00:00+00' WHERE id = 5;
         UPDATE tv_post SET score = 0 WHERE id = 6;
         UPDATE tv_published SET data = '{\"id\": 3}' WHERE id = 3",
    )
    .await;
    let before = stored(&pool).await;
    let line = line!() + 2;
    let target = pool.clone();
    let work = async move { assert_synced(&model(), &target).await };
    insta::assert_snapshot!(panics(work, line).await);
    assert_eq!(stored(&pool).await, before, "nothing is repaired");
    Ok(())
}

#[tokio::test]
async fn what_no_sync_can_write_is_not_called_forgotten() -> anyhow::Result<()> {
    let pool = posts().await;
    run(&pool, "UPDATE post SET score = 'NaN' WHERE id = 7").await;
    let line = line!() + 1;
    let work = async move { assert_synced(&model(), &pool).await };
    assert_eq!(
        panics(work, line).await,
        "2 documents are not what the base tables say, at tests/verify.rs\n\
         \"public\".\"tv_post\": 60 checked: 0 drifted, 0 missing, 0 orphaned, 1 invalid\n  \
           7: score: NaN cannot be represented\n\
         \"public\".\"tv_published\": 60 checked: 0 drifted, 0 missing, 0 orphaned, 1 invalid\n  \
           7: score: NaN cannot be represented"
    );
    Ok(())
}

#[tokio::test]
async fn an_assertion_about_a_database_that_cannot_be_asked_fails() -> anyhow::Result<()> {
    let pool = posts().await;
    run(&pool, "DROP TABLE tv_post").await;
    let line = line!() + 1;
    let work = async move { assert_synced(&model(), &pool).await };
    let text = panics(work, line).await;
    assert!(
        text.starts_with("whether documents are synced is not known, at tests/verify.rs: ")
            && text.contains("migrate"),
        "{text}"
    );
    Ok(())
}

/// The JSON around a value that is not told is not told either.
#[tokio::test]
async fn differences_are_few_and_short() -> anyhow::Result<()> {
    let pool = posts().await;
    run(
        &pool,
        "UPDATE post SET title = repeat('ä', 200) WHERE id = 30;
         UPDATE tv_post SET data = '[]' WHERE id = 31;
         UPDATE tv_post SET data = jsonb_build_object('comments', '{}'::jsonb) || data - 'comments' || '{\"comments\": {}}'
             WHERE id = 32;
         INSERT INTO comment SELECT 1000 + i, 33, 'x', 1 FROM generate_series(1, 15) AS i",
    )
    .await;
    let report = verify_post(&pool).explain(10).await?;
    let explained: Vec<String> = report
        .explained
        .iter()
        .map(|explained| {
            let lines: Vec<String> = explained
                .differences
                .iter()
                .map(ToString::to_string)
                .collect();
            format!(
                "{}: {} and {} more",
                explained.key,
                lines.join("; "),
                explained.more
            )
        })
        .collect();
    insta::assert_snapshot!(explained.join("\n"));
    let one = verify_post(&pool).explain(1).chunk(1).await?;
    assert_eq!((one.explained.len(), one.drifted.total()), (1, 4));
    Ok(())
}

/// The statements, to be reviewed.
#[test]
fn statements() {
    let verify = &Post::statements().verify;
    insta::assert_snapshot!(format!(
        "{}\n\n-- both\n{}\n\n-- next_sampled\n{}",
        verify.compare,
        verify.both,
        Published::statements().verify.next_sampled
    ));
}
