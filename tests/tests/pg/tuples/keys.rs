//! Syncs, reads and deletions by keys of several columns.

use fraiseql_runtime::{Error, Recorder, TView};
use fraiseql_tests::run;

use super::synced;
use super::world::{CODES, Project, Ticket, Worker, delete_ticket, sync_ticket, sync_worker};

#[tokio::test]
async fn a_document_is_found_by_all_columns_of_its_key() -> anyhow::Result<()> {
    let (pool, _) = synced(None).await?;
    for org in [1, 2] {
        for code in &CODES[..3] {
            for no in 1..=3 {
                let key = (org, (*code).to_owned(), no);
                let ticket = Ticket::find(&pool, key.clone()).await?.unwrap();
                assert_eq!((ticket.org_id, ticket.project_code, ticket.no), key);
            }
        }
    }
    assert!(
        Ticket::find(&pool, (3, CODES[0].to_owned(), 1))
            .await?
            .is_none()
    );
    assert!(
        Ticket::find(&pool, (1, CODES[3].to_owned(), 1))
            .await?
            .is_none()
    );
    // The order of the keys, and each as often as it is given.
    let key = |org, no| (org, CODES[1].to_owned(), no);
    let keys = [key(2, 3), key(1, 1), key(9, 9), key(2, 3)];
    let found = Ticket::find_many(&pool, &keys).await?;
    let found: Vec<_> = found
        .iter()
        .map(|ticket| (ticket.org_id, ticket.no))
        .collect();
    assert_eq!(found, [(2, 3), (1, 1), (2, 3)]);
    // The key is in the order of the fields, not of the table.
    let project = Project::find(&pool, (CODES[2].to_owned(), 2))
        .await?
        .unwrap();
    assert_eq!(project.title, "project 23");
    Ok(())
}

#[tokio::test]
async fn a_sync_writes_what_differs_and_deletes_what_is_gone() -> anyhow::Result<()> {
    let (pool, _) = synced(None).await?;
    run(
        &pool,
        "DELETE FROM tb_ticket WHERE org_id = 1 AND project_code = 'plain' AND no = 1;
         UPDATE tb_ticket SET title = 'new' WHERE org_id = 2 AND project_code = 'plain' AND no = 2;
         INSERT INTO tb_ticket VALUES (2, 'plain', 9, 'nine')",
    )
    .await;
    let key = |org, no| (org, "plain".to_owned(), no);
    let keys = [
        key(2, 2),
        key(1, 1),
        key(2, 9),
        key(2, 3),
        key(7, 7),
        key(2, 2),
    ];
    let report = sync_ticket(&pool, &keys).await?;
    let counts = [
        report.inserted,
        report.updated,
        report.unchanged,
        report.deleted,
    ];
    assert_eq!(counts, [1, 1, 1, 1], "{report}");
    let mut tx = pool.begin().await?;
    sqlx::query("DELETE FROM tb_ticket WHERE no = 9")
        .execute(&mut *tx)
        .await?;
    let report = sync_ticket(&mut tx, &keys).await?;
    tx.commit().await?;
    let counts = [
        report.inserted,
        report.updated,
        report.unchanged,
        report.deleted,
    ];
    assert_eq!(counts, [0, 0, 2, 1], "{report}");
    assert_eq!(
        delete_ticket(&pool, &[key(2, 3), key(1, 1)]).await?.deleted,
        1
    );
    assert!(Ticket::find(&pool, key(2, 3)).await?.is_none());
    assert!(Ticket::find(&pool, key(1, 3)).await?.is_some());
    Ok(())
}

/// Hundreds of keys are written by another statement than a few.
#[tokio::test]
async fn many_keys_are_synced_in_batches() -> anyhow::Result<()> {
    let (pool, _) = synced(None).await?;
    run(
        &pool,
        "INSERT INTO tb_person SELECT 7, n, 'person ' || n FROM generate_series(1, 1200) AS n",
    )
    .await;
    let keys: Vec<_> = (1..=1300).map(|no| (7_i64, no)).collect();
    assert_eq!(sync_worker(&pool, &keys).await?.inserted, 1200);
    run(
        &pool,
        "UPDATE tb_person SET name = name || '!' WHERE org_id = 7 AND no <= 700",
    )
    .await;
    let report = sync_worker(&pool, &keys).await?;
    assert_eq!((report.updated, report.unchanged), (700, 500));
    let mut tx = pool.begin().await?;
    sqlx::query("DELETE FROM tb_person WHERE org_id = 7 AND no > 600")
        .execute(&mut *tx)
        .await?;
    let report = sync_worker(&mut tx, &keys).await?;
    tx.commit().await?;
    assert_eq!((report.unchanged, report.deleted), (600, 600));
    assert_eq!(Worker::find_many(&pool, &keys).await?.len(), 600);
    Ok(())
}

#[tokio::test]
async fn rows_are_marked_by_the_names_of_several_columns() -> anyhow::Result<()> {
    let (pool, model) = synced(None).await?;
    let mut m = model.mutation(&pool).await?;
    let error = m
        .changed_rows("tb_ticket_label", "org_id", &[(1_i64, 2_i64)])
        .unwrap_err();
    assert!(
        matches!(error, Error::ColumnCount { values: 2, .. }),
        "{error}"
    );
    insta::assert_snapshot!(error, @"the columns `org_id` of `tb_ticket_label` were given for values of 2 columns: name one for each, separated by commas");
    m.rollback().await?;
    let rows = [(1_i64, super::world::label(2))];
    let dependents = model
        .dependents_of_rows(&pool, "tb_label", "org_id, id", &rows)
        .await?;
    // Tickets with an even sum: of the label 2, those with the number 2.
    assert_eq!(dependents.keys::<Ticket>().len(), 3);
    assert!(
        dependents
            .keys::<Ticket>()
            .iter()
            .all(|(org, _, no)| (*org, *no) == (1, 2))
    );
    Ok(())
}

#[tokio::test]
async fn a_recorder_has_the_keys() -> anyhow::Result<()> {
    let recorder = Recorder::new();
    sync_worker(&recorder, &[(2, 1), (1, 7), (2, 1)]).await?;
    recorder.assert_synced::<Worker>(&[(1, 7), (2, 1)]);
    assert_eq!(recorder.calls()[0].keys.to_string(), "[1, 7], [2, 1]");
    Ok(())
}
