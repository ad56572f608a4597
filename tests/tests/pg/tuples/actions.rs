//! Actions of foreign keys of several columns: rows that are deleted or changed with marked ones.

use fraiseql_runtime::ReadModel;
use sqlx::{AssertSqlSafe, PgPool};

use super::{assert_right, synced};

/// The foreign key from projects to their owners, with other actions.
async fn owned(actions: &str) -> anyhow::Result<(PgPool, ReadModel)> {
    let (pool, model) = synced(None).await?;
    let sql = format!(
        "ALTER TABLE tb_project DROP CONSTRAINT tb_project_org_id_owner_no_fkey;
         ALTER TABLE tb_project ALTER owner_no SET DEFAULT 4, ALTER org_id SET DEFAULT 1;
         ALTER TABLE tb_project ADD FOREIGN KEY (org_id, owner_no) REFERENCES tb_person {actions};
         UPDATE tb_ticket SET assignee_no = 4 WHERE assignee_no IS NOT NULL"
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&pool).await?;
    model.sync_all(&pool).await?;
    Ok((pool, model))
}

#[tokio::test]
async fn rows_that_fall_to_their_defaults_are_found_there() -> anyhow::Result<()> {
    let (pool, model) = owned("ON DELETE SET DEFAULT").await?;
    for early in [false, true] {
        let no = if early { 2 } else { 1 };
        let mut m = model.mutation(&pool).await?;
        m.strict();
        if early {
            m.changing_rows("tb_person", "org_id, no", &[(1_i64, no)])
                .await?;
        }
        sqlx::query("DELETE FROM tb_person WHERE org_id = 1 AND no = $1")
            .bind(no)
            .execute(&mut *m)
            .await?;
        m.changed_rows("tb_person", "org_id, no", &[(1_i64, no)])?;
        m.commit().await?;
        assert_right(&pool, &format!("the deletion of {no}")).await;
    }
    Ok(())
}

#[tokio::test]
async fn rows_whose_keys_change_with_others_are_found() -> anyhow::Result<()> {
    let (pool, model) = owned("ON UPDATE CASCADE").await?;
    for early in [false, true] {
        let keys = if early {
            [(2_i64, 2), (2, 22)]
        } else {
            [(2, 1), (2, 11)]
        };
        let mut m = model.mutation(&pool).await?;
        m.strict();
        if early {
            m.changing_rows("tb_person", "org_id, no", &keys).await?;
        }
        sqlx::query("UPDATE tb_person SET no = $2 WHERE org_id = 2 AND no = $1")
            .bind(keys[0].1)
            .bind(keys[1].1)
            .execute(&mut *m)
            .await?;
        m.changed_rows("tb_person", "org_id, no", &keys)?;
        m.commit().await?;
        assert_right(&pool, &format!("{keys:?}")).await;
    }
    Ok(())
}

/// A project is deleted, its tickets by CASCADE, and the links of these.
#[tokio::test]
async fn rows_that_are_deleted_with_others_are_found() -> anyhow::Result<()> {
    let (pool, model) = synced(None).await?;
    let mut m = model.mutation(&pool).await?;
    m.strict();
    let key = (1_i64, "plain".to_owned());
    sqlx::query("DELETE FROM tb_project WHERE org_id = 1 AND code = 'plain'")
        .execute(&mut *m)
        .await?;
    m.changed_rows("tb_project", "org_id, code", &[key])?;
    m.commit().await?;
    assert_right(&pool, "the deletion").await;
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM tv_ticket WHERE org_id = 1")
        .fetch_one(&pool)
        .await?;
    assert_eq!(left, 6);
    Ok(())
}
