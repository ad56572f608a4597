//! What operators run: check, verify, rebuild, grants, and a second migration.

use fraiseql_runtime::Capture;
use fraiseql_runtime::migrate::Migration;
use fraiseql_tests::{run, without_server};

use super::synced;
use super::world::{Ticket, verify_ticket, verify_worker};

#[tokio::test]
async fn the_check_finds_nothing() -> anyhow::Result<()> {
    for capture in [None, Some(Capture::Queue), Some(Capture::AtCommit)] {
        let (pool, model) = synced(capture).await?;
        let report = without_server(model.check(&pool).await?);
        assert!(report.findings().is_empty(), "{report}");
        let again = model.migrate(&pool).await?;
        assert_eq!(again, Migration::default(), "{again}");
    }
    Ok(())
}

#[tokio::test]
async fn a_verification_names_keys() -> anyhow::Result<()> {
    let (pool, _) = synced(None).await?;
    run(
        &pool,
        "UPDATE tv_ticket SET data = jsonb_set(data, '{title}', '\"wrong\"') WHERE org_id = 2 AND no = 3 AND project_code = 'plain';
         DELETE FROM tv_ticket WHERE org_id = 1 AND no = 1;
         INSERT INTO tv_ticket SELECT 9, project_code, no, title, data, version, synced_xid, updated_at, shape
         FROM tv_ticket WHERE org_id = 2 AND no = 1 AND project_code = 'plain'",
    )
    .await;
    let report = verify_ticket(&pool).await?;
    assert_eq!(report.drifted.of::<Ticket>(), [(2, "plain".to_owned(), 3)]);
    assert_eq!(report.missing.of::<Ticket>().len(), 3);
    assert_eq!(report.orphaned.of::<Ticket>(), [(9, "plain".to_owned(), 1)]);
    let report = verify_ticket(&pool).sample(0.9).await?;
    assert!(!report.is_clean(), "{report}");
    assert!(verify_worker(&pool).await?.is_clean());
    Ok(())
}
