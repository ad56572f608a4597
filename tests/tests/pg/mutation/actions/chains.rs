//! Chains over several tables.

use super::*;

#[derive(TView)]
#[allow(dead_code)]
struct Account {
    id: i64,
    name: String,
}

#[derive(TView)]
#[allow(dead_code)]
struct Entry {
    id: i64,
    text: String,
}

fn model() -> ReadModel {
    ReadModel::builder()
        .view::<Account>()
        .view::<Entry>()
        .build()
        .unwrap()
}

/// No view reads the tables between, one of which has a key of dates.
#[tokio::test]
async fn a_chain_leads_over_tables_that_no_view_reads() {
    let model = model();
    let pool = filled(
        "CREATE TABLE tb_account (id int8 PRIMARY KEY, name text NOT NULL);
         CREATE TABLE ledger (account int8 REFERENCES tb_account ON DELETE CASCADE,
             opened date UNIQUE, code char(4) UNIQUE);
         CREATE SCHEMA \"Other\";
         CREATE TABLE \"Other\".\"Page\" (no numeric(9, 2) PRIMARY KEY,
             opened date REFERENCES ledger (opened) ON DELETE CASCADE,
             code char(4) REFERENCES ledger (code));
         CREATE TABLE tb_entry (id int8 PRIMARY KEY, text text NOT NULL,
             page numeric REFERENCES \"Other\".\"Page\" ON DELETE CASCADE);
         INSERT INTO tb_account VALUES (1, 'a'), (2, 'b');
         INSERT INTO ledger VALUES (1, '2026-03-04', 'ab'), (2, '2026-04-03', 'cd');
         INSERT INTO \"Other\".\"Page\" VALUES (1.50, '2026-03-04', 'ab'), (2, '2026-04-03', 'cd');
         INSERT INTO tb_entry VALUES (1, 'x', 1.5), (2, 'y', 2), (3, 'z', NULL)",
        &model,
    )
    .await;
    let report = correct_after(
        &model,
        &pool,
        "SET LOCAL DateStyle = 'German, DMY'; DELETE FROM tb_account WHERE id = 1",
        |m| m.changed::<Account>(&[1]),
    )
    .await;
    assert_eq!(report.of::<Entry>().unwrap().deleted, 1, "{report}");
}
