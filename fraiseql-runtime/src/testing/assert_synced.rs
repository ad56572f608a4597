//! An assertion for tests: that no call of a sync is missing.

use std::fmt::Write as _;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;

use crate::model::ReadModel;
use crate::ops::verify::report::{VerifyReport, VerifyReports};
use crate::ops::verify::target::VerifyTarget;

/// How many documents of each view are told with what differs in them.
const EXPLAINED: usize = 3;

/// Asserts that every document of a read model is what the base tables say, so that a test finds
/// the call of a sync that somebody forgot. It builds all documents, and changes nothing.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
/// # #[derive(TView)]
/// # pub struct Post { pub id: i64, pub title: String }
/// async fn rename(pool: &PgPool, post: i64, title: &str) -> Result<(), Box<dyn std::error::Error>> {
///     let sql = "UPDATE tb_post SET title = $2 WHERE id = $1";
///     sqlx::query(sql).bind(post).bind(title).execute(pool).await?;
///     sync_post(pool, &[post]).await?; // without this line, the test fails
///     Ok(())
/// }
///
/// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL);
/// #     INSERT INTO tb_post VALUES (7, 'Notes')", async |pool| {
/// let blog = ReadModel::builder().view::<Post>().build()?;
/// # blog.migrate(&pool).await?;
/// # sync_all_posts(&pool).await?;
/// rename(&pool, 7, "More notes").await?;
/// assert_synced(&blog, &pool).await;
/// # Ok(()) }) }
/// ```
///
/// In a test whose transaction is rolled back, `assert_synced(&blog, &mut tx).await` sees what the
/// transaction sees.
///
/// # Panics
/// When a document is drifted, missing, orphaned or invalid, with the view, the keys, and for the
/// first three of them where they differ; and when the database cannot be asked.
///
/// ```text
/// 2 documents are not what the base tables say, at tests/rename.rs:12:5
/// "public"."tv_post": 40 checked: 1 drifted, 1 missing, 0 orphaned
///   drifted: 7
///   missing: 8
///   7:
///     title: stored "Notes", should be "More notes"
/// is a call of sync_post missing, or earlier than the last change?
/// ```
#[track_caller]
pub fn assert_synced<'a>(
    model: &ReadModel,
    target: impl VerifyTarget + 'a,
) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
    // An `async fn` would not know who called it, and without a box a wrong target would be an
    // error at the `.await` too.
    let place = Location::caller();
    let verify = model.verify(target).explain(EXPLAINED);
    Box::pin(async move {
        match verify.await {
            Ok(reports) if reports.is_clean() => {}
            Ok(reports) => panic!("{}", told(&reports, place)),
            Err(error) => panic!("whether documents are synced is not known, at {place}: {error}"),
        }
    })
}

fn told(reports: &VerifyReports, place: &Location<'_>) -> String {
    let wrong: Vec<&VerifyReport> = reports.iter().filter(|report| !report.is_clean()).collect();
    let count: u64 = wrong.iter().map(|report| report.wrong()).sum();
    let documents = if count == 1 {
        "document is"
    } else {
        "documents are"
    };
    let mut text = format!("{count} {documents} not what the base tables say, at {place}");
    for report in &wrong {
        // Writing to a String does not fail.
        let _ = write!(text, "\n{}: {} checked: ", report.view, report.checked);
        let _ = report.write_found(&mut text);
        let _ = report.write_details(&mut text);
    }
    let calls: Vec<String> = wrong
        .iter()
        .filter(|report| report.can_be_synced())
        .map(|report| format!("sync_{}", report.entity))
        .collect();
    if !calls.is_empty() {
        let calls = calls.join(" or ");
        let _ = write!(
            text,
            "\nis a call of {calls} missing, or earlier than the last change?"
        );
    }
    text
}
