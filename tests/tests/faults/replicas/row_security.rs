//! Row level security on replicas: policies are replicated, and the sessions of a tenant see its documents only,
//! on whichever server, also right after a write.

use fraiseql_runtime::{ReadModel, ReadTarget, Readers, Replicas, TView};
use fraiseql_tests::cluster::Cluster;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, PgPool};

use super::{counts, settled};

#[derive(Debug, TView)]
#[allow(dead_code)]
struct Note {
    id: i64,
    #[tview(tenant)]
    org_id: i64,
    text: String,
}

const TABLES: &str = "
    CREATE TABLE tb_note (id int8 PRIMARY KEY, org_id int8 NOT NULL, text text NOT NULL);
    INSERT INTO tb_note SELECT n, 1 + n % 3, 'note ' || n FROM generate_series(1, 60) AS n";

/// What the guide shows, for the view table.
const POLICY: &str = "
    ALTER TABLE tv_note ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON tv_note USING (org_id = current_setting('app.tenant', true)::bigint)";

/// A pool whose sessions are those of a role and of one tenant.
fn sessions(options: &PgConnectOptions, role: &str, org: i64) -> PgPool {
    PgPoolOptions::new()
        .after_connect(move |connection, _| {
            Box::pin(async move {
                sqlx::query("SELECT set_config('app.tenant', $1, false)")
                    .bind(org.to_string())
                    .execute(connection)
                    .await?;
                Ok(())
            })
        })
        .connect_lazy_with(options.clone().username(role))
}

/// The notes that are read by any way, whosever they are.
async fn read_all(target: impl ReadTarget + Copy) -> Vec<i64> {
    let all = Note::across_tenants();
    let list: Vec<Note> = all.list().fetch(target).await.unwrap();
    let keys: Vec<i64> = (1..=60).collect();
    let many = all.find_many(target, &keys).await.unwrap();
    assert_eq!(list.len(), many.len());
    assert_eq!(all.list().count(target).await.unwrap(), list.len() as u64);
    for note in &list {
        let found = all.find(target, note.id).await.unwrap().unwrap();
        assert_eq!(found.org_id, note.org_id);
    }
    list.iter().map(|note| note.org_id).collect()
}

#[tokio::test]
async fn a_session_of_a_tenant_sees_its_documents_on_every_replica() {
    let cluster = Cluster::start().await;
    let primary = cluster.primary().await;
    sqlx::raw_sql(TABLES).execute(&primary).await.unwrap();
    let model = ReadModel::builder().view::<Note>().build().unwrap();
    model.migrate(&primary).await.unwrap();
    sync_all_notes(&primary).await.unwrap();
    sqlx::raw_sql(POLICY).execute(&primary).await.unwrap();
    let role = "CREATE ROLE app LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO app";
    sqlx::raw_sql(AssertSqlSafe(role))
        .execute(&primary)
        .await
        .unwrap();
    let standby = cluster.replica(&[]).await;

    for org in 1..=3 {
        let own = sessions(&primary.connect_options(), "app", org);
        let replica = sessions(&standby.options(), "app", org);
        let replicas = Replicas::new(own.clone()).replica(replica.clone());
        settled(&replicas).await;
        let read = read_all(&replicas).await;
        assert_eq!(read, vec![org; 20]);
        let (by_replicas, _, by_primary) = counts(&replicas).await;
        assert!(
            by_replicas >= 22 && by_primary == 0,
            "{by_replicas} {by_primary}"
        );
        let other = 1 + org % 3;
        assert!(
            Note::of(other)
                .list()
                .read(&replicas)
                .await
                .unwrap()
                .is_empty()
        );

        // Right after a write, by the owner, who may.
        let mut m = model.mutation(&primary).await.unwrap();
        sqlx::query("UPDATE tb_note SET text = 'new' WHERE org_id = $1 OR id = 1")
            .bind(org)
            .execute(&mut *m)
            .await
            .unwrap();
        let notes: Vec<i64> = (1..=60).collect();
        m.changed::<Note>(&notes);
        let position = m.commit().await.unwrap().position();
        let at_least = replicas.at_least(position);
        let fresh: Vec<Note> = Note::across_tenants()
            .list()
            .fetch(&at_least)
            .await
            .unwrap();
        assert_eq!(fresh.len(), 20);
        assert!(
            fresh
                .iter()
                .all(|note| note.org_id == org && note.text == "new")
        );
        assert_eq!(read_all(&Readers::from(replicas)).await, vec![org; 20]);
        own.close().await;
        replica.close().await;
    }
}
