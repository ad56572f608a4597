//! Tests that `migrate` creates, replaces and reports what captures changes.

use std::time::Duration;

use fraiseql_runtime::migrate::{Drift, Migration};
use fraiseql_runtime::{Capture, TView};
use fraiseql_tests::{assert_up_to_date, run};
use sqlx::{AssertSqlSafe, Connection as _, PgPool};

use super::{Post, TABLES, blog, captured, changes_of, execute, model};

/// The same view in an older release.
mod older {
    #[derive(fraiseql_runtime::TView)]
    #[allow(dead_code)]
    pub(super) struct Post {
        pub(super) id: i64,
        pub(super) title: String,
    }
}

/// A view of another application in the same schema.
#[derive(TView)]
#[tview(table = "tb_user")]
#[allow(dead_code)]
struct Person {
    id: i64,
}

async fn repair(pool: &PgPool, drift: &[Drift]) {
    for left in drift {
        sqlx::raw_sql(AssertSqlSafe(left.remedy.clone()))
            .execute(pool)
            .await
            .unwrap_or_else(|error| panic!("{error}: {left}"));
    }
}

fn whats(list: &[Drift]) -> Vec<&str> {
    list.iter().map(|left| left.what.as_str()).collect()
}

#[tokio::test]
async fn a_second_migration_finds_nothing_to_do() {
    let pool = fraiseql_tests::pool().await;
    run(&pool, TABLES).await;
    let model = captured::<Post>();
    let plan = model.migration_plan(&pool).await.unwrap();
    let migration = model.migrate(&pool).await.unwrap();
    let count = |what: &str| {
        migration
            .created
            .iter()
            .filter(|it| it.starts_with(what))
            .count()
    };
    // The functions that sync, and one for each base table; a step for the triggers of each table.
    assert_eq!(
        (count("function"), count("triggers of")),
        (3 + 5 + 6, 6),
        "{migration}"
    );
    assert!(
        migration
            .created
            .contains(&r#"table "public"."fraiseql_change""#.to_owned())
    );
    assert_up_to_date(&model.migrate(&pool).await.unwrap());
    assert_eq!(
        model.migration_plan(&pool).await.unwrap(),
        Vec::<String>::new()
    );

    // The plan in a file does the same, also twice.
    let other = fraiseql_tests::pool().await;
    run(&other, TABLES).await;
    for _ in 0..2 {
        for sql in &plan {
            execute(&other, sql).await;
        }
    }
    assert_up_to_date(&model.migrate(&other).await.unwrap());
    assert_eq!(
        changes_of(&other, "DELETE FROM tb_tag WHERE id = 1").await[0],
        r#"DELETE tb_tag {"id":[1]} null"#
    );
}

#[tokio::test]
async fn instances_may_migrate_at_once() {
    let pool = fraiseql_tests::pool().await;
    run(&pool, TABLES).await;
    let all = (0..3).map(|_| {
        let pool = pool.clone();
        tokio::spawn(async move { captured::<Post>().migrate(&pool).await })
    });
    for done in all.collect::<Vec<_>>() {
        done.await.unwrap().unwrap();
    }
    assert_up_to_date(&captured::<Post>().migrate(&pool).await.unwrap());
}

#[tokio::test]
async fn a_migration_in_a_transaction_of_the_caller_is_rolled_back_with_it() {
    let pool = fraiseql_tests::pool().await;
    run(&pool, TABLES).await;
    let mut connection = pool.acquire().await.unwrap();
    let mut tx = connection.begin().await.unwrap();
    let migration = captured::<Post>().migrate(&mut *tx).await.unwrap();
    assert!(
        migration
            .created
            .iter()
            .any(|what| what.starts_with("triggers of")),
        "{migration}"
    );
    tx.rollback().await.unwrap();
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn what_was_changed_by_hand_is_replaced() {
    let pool = blog().await;
    let model = model(Capture::Queue);
    let name: String = sqlx::query_scalar(
        "SELECT oid::regproc::text FROM pg_proc WHERE proname LIKE 'fraiseql_capture_tb_tag_%'",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    let suffix = &name[name.len() - 16..];
    for (fault, repaired) in [
        (
            format!(
                "CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
            ),
            format!("function \"public\".\"{name}\""),
        ),
        (
            format!("ALTER FUNCTION {name}() SECURITY INVOKER"),
            format!("function \"public\".\"{name}\""),
        ),
        (
            format!("ALTER FUNCTION {name}() RESET search_path"),
            format!("function \"public\".\"{name}\""),
        ),
        (
            format!("DROP FUNCTION {name}() CASCADE"),
            format!("function \"public\".\"{name}\", triggers of \"public\".\"tb_tag\""),
        ),
        (
            format!("DROP TRIGGER fraiseql_update_{suffix} ON tb_tag"),
            "triggers of \"public\".\"tb_tag\"".to_owned(),
        ),
        (
            format!(
                "CREATE OR REPLACE TRIGGER fraiseql_update_{suffix} AFTER INSERT ON tb_tag
                 REFERENCING NEW TABLE AS fraiseql_new FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
            ),
            "triggers of \"public\".\"tb_tag\"".to_owned(),
        ),
        (
            "DROP TABLE fraiseql_change".to_owned(),
            "table \"public\".\"fraiseql_change\"".to_owned(),
        ),
    ] {
        execute(&pool, &fault).await;
        let migration = model.migrate(&pool).await.unwrap();
        assert_eq!(migration.created.join(", "), repaired, "{fault}");
        assert_up_to_date(&model.migrate(&pool).await.unwrap());
        assert_eq!(
            changes_of(&pool, "UPDATE tb_tag SET name = name || '.' WHERE id = 1").await,
            [r#"UPDATE tb_tag {"id":[1]} {"id":[1]}"#],
            "{fault}"
        );
    }
    // Somebody may have disabled a trigger on purpose.
    execute(
        &pool,
        &format!("ALTER TABLE tb_tag DISABLE TRIGGER fraiseql_update_{suffix}"),
    )
    .await;
    let migration = model.migrate(&pool).await.unwrap();
    assert_eq!(migration.created, Vec::<String>::new());
    assert_eq!(
        whats(&migration.drift),
        [format!(
            "trigger \"fraiseql_update_{suffix}\" of \"public\".\"tb_tag\""
        )]
    );
    repair(&pool, &migration.drift).await;
    assert_up_to_date(&model.migrate(&pool).await.unwrap());
}

fn left_over(migration: &Migration) -> [usize; 3] {
    ["trigger", "changes", "function"].map(|what| {
        whats(&migration.left_over)
            .iter()
            .filter(|it| it.starts_with(what))
            .count()
    })
}

#[tokio::test]
async fn what_an_older_release_has_left_is_reported_and_nothing_pending_is_lost() {
    let pool = fraiseql_tests::pool().await;
    run(&pool, TABLES).await;
    let (old, new, person) = (
        captured::<older::Post>(),
        captured::<Post>(),
        captured::<Person>(),
    );
    old.migrate(&pool).await.unwrap();
    person.migrate(&pool).await.unwrap();
    assert_eq!(old.migrate(&pool).await.unwrap().left_over, []);
    execute(&pool, "UPDATE tb_post SET title = 'pending' WHERE id = 2; UPDATE tb_user SET id = 30 WHERE id = 3").await;
    let models = "SELECT count(DISTINCT model) FROM fraiseql_change";
    let count = async || {
        sqlx::query_scalar::<_, i64>(models)
            .fetch_one(&pool)
            .await
            .unwrap()
    };
    assert_eq!(count().await, 2);

    // Both releases run: each has its own change of each statement.
    let migration = new.migrate(&pool).await.unwrap();
    assert_eq!(left_over(&migration), [4, 1, 3 + 5 + 1], "{migration}");
    execute(&pool, "UPDATE tb_post SET title = 'twice' WHERE id = 1").await;
    assert_eq!(count().await, 3);

    // The older one is gone.
    let migration = new.migrate(&pool).await.unwrap();
    assert!(
        migration.to_string().contains("\nleft over trigger"),
        "{migration}"
    );
    repair(&pool, &migration.left_over).await;
    assert_eq!(count().await, 2);
    let migration = new.migrate(&pool).await.unwrap();
    assert_up_to_date(&migration);
    assert_eq!(migration.left_over, []);
    let mut done = changes_of(&pool, "SELECT").await;
    done.sort();
    assert_eq!(
        done,
        [
            r#"UPDATE tb_post {"author_id":[1],"id":[1]} {"author_id":[1],"id":[1]}"#,
            r#"UPDATE tb_post {"id":[1]} {"id":[1]}"#,
            r#"UPDATE tb_post {"id":[2]} {"id":[2]}"#,
            r#"UPDATE tb_user {"id":[3]} {"id":[30]}"#,
        ]
    );
    // The other read model is another one, and not another release.
    assert_eq!(person.migrate(&pool).await.unwrap().left_over, []);
    assert_up_to_date(&person.migrate(&pool).await.unwrap());
}

#[tokio::test]
async fn capture_that_is_switched_off_again_leaves_triggers_that_are_reported() {
    let pool = blog().await;
    execute(&pool, "UPDATE tb_post SET title = 'pending' WHERE id = 2").await;
    let off = model(Capture::Off);
    let migration = off.migrate(&pool).await.unwrap();
    // The functions of the views are the same.
    assert_eq!(left_over(&migration), [6 * 4, 1, 6 + 5], "{migration}");
    repair(&pool, &migration.left_over).await;
    let migration = off.migrate(&pool).await.unwrap();
    assert_up_to_date(&migration);
    assert_eq!(migration.left_over, []);
    let pending: i64 = sqlx::query_scalar("SELECT count(*) FROM fraiseql_change")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(pending, 1);
    assert_eq!(
        changes_of(&pool, "DELETE FROM fraiseql_change; DELETE FROM tb_post")
            .await
            .len(),
        0
    );
}

/// CREATE TRIGGER waits for those who write, and makes others wait.
#[tokio::test]
async fn triggers_are_created_beside_a_transaction_that_writes() {
    let pool = fraiseql_tests::pool().await;
    run(&pool, TABLES).await;
    let mut writer = pool.begin().await.unwrap();
    sqlx::raw_sql("UPDATE tb_comment SET likes = 1")
        .execute(&mut *writer)
        .await
        .unwrap();
    let migrating = {
        let pool = pool.clone();
        tokio::spawn(async move { captured::<Post>().migrate(&pool).await })
    };
    fraiseql_tests::world::wait_for_a_lock(&pool).await;
    // The migration holds no lock of another table, and gives way.
    tokio::time::timeout(Duration::from_secs(20), async {
        sqlx::raw_sql("INSERT INTO tb_comment VALUES (77, 'new', 0, 1, NULL); UPDATE tb_user SET name = 'x' WHERE id = 1")
            .execute(&pool)
            .await
            .unwrap();
    })
    .await
    .unwrap();
    writer.commit().await.unwrap();
    migrating.await.unwrap().unwrap();
    assert_up_to_date(&captured::<Post>().migrate(&pool).await.unwrap());
    assert_eq!(
        changes_of(&pool, "UPDATE tb_comment SET content = 'x' WHERE id = 77")
            .await
            .len(),
        1
    );
}

#[tokio::test]
async fn documents_are_synced_at_commit_by_a_trigger_that_comes_and_goes() {
    let pool = blog().await;
    let (queue, at_commit) = (model(Capture::Queue), model(Capture::AtCommit));
    let migration = at_commit.migrate(&pool).await.unwrap();
    let [function, trigger] = migration.created.as_slice() else {
        panic!("{migration}")
    };
    assert!(
        function.starts_with("function \"public\".\"fraiseql_at_commit_"),
        "{migration}"
    );
    assert!(
        trigger.starts_with("trigger \"fraiseql_at_commit_"),
        "{migration}"
    );
    assert_up_to_date(&at_commit.migrate(&pool).await.unwrap());
    let name = trigger.split('"').nth(1).unwrap();

    execute(
        &pool,
        &format!("ALTER TABLE fraiseql_change DISABLE TRIGGER {name}"),
    )
    .await;
    let migration = at_commit.migrate(&pool).await.unwrap();
    assert_eq!(whats(&migration.drift), [trigger.as_str()]);
    repair(&pool, &migration.drift).await;
    execute(&pool, &format!("DROP TRIGGER {name} ON fraiseql_change")).await;
    let report = fraiseql_tests::without_server(at_commit.check(&pool).await.unwrap());
    assert!(
        report
            .to_string()
            .contains("triggers of \"public\".\"fraiseql_change\""),
        "{report}"
    );
    assert_eq!(
        at_commit.migrate(&pool).await.unwrap().created,
        [trigger.as_str()]
    );

    let migration = queue.migrate(&pool).await.unwrap();
    assert_eq!(
        whats(&migration.left_over),
        [trigger.as_str(), function.as_str()]
    );
    repair(&pool, &migration.left_over).await;
    let migration = queue.migrate(&pool).await.unwrap();
    assert_up_to_date(&migration);
    assert_eq!(migration.left_over, []);
}
