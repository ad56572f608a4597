//! `assert_synced`: asserts in a test that no sync is missing.

use std::fmt::Write as _;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;

use crate::model::ReadModel;
use crate::ops::verify::report::{VerifyReport, VerifyReports};
use crate::ops::verify::target::VerifyTarget;

/// The number of documents of each view whose differences are printed.
const MAX_EXPLAINED: usize = 3;

/// Asserts that every document of a read model is equal to the base tables, so that a test fails if
/// a sync was forgotten. It builds all documents, and changes nothing.
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
/// In a test that rolls its transaction back, `assert_synced(&blog, &mut tx).await` sees what the
/// transaction sees.
///
/// # Panics
/// If a document is drifted, missing, orphaned or invalid. The message names the views and the keys,
/// and the differences of the first three documents of each view. Also if a query fails.
///
/// ```text
/// 2 documents differ from the base tables, at tests/rename.rs:12:5
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
    // `#[track_caller]` has no effect on an `async fn`. The box keeps the type of the future simple:
    // otherwise a wrong target would be a second error, at the `.await`.
    let location = Location::caller();
    let verify = model.verify(target).explain(MAX_EXPLAINED);
    Box::pin(async move {
        match verify.await {
            Ok(reports) if reports.is_clean() => {}
            Ok(reports) => panic!("{}", failure_message(&reports, location)),
            Err(error) => panic!("documents cannot be verified, at {location}: {error}"),
        }
    })
}

fn failure_message(reports: &VerifyReports, location: &Location<'_>) -> String {
    let wrong: Vec<&VerifyReport> = reports.iter().filter(|report| !report.is_clean()).collect();
    let count: u64 = wrong.iter().map(|report| report.wrong()).sum();
    let documents = if count == 1 {
        "document differs"
    } else {
        "documents differ"
    };
    let mut text = format!("{count} {documents} from the base tables, at {location}");
    for report in &wrong {
        // Writing to a `String` cannot fail.
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
