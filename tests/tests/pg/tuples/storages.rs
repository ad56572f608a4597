//! Documents of each storage, and view tables in partitions: the same, by the same calls.

use fraiseql_runtime::list::{Filter, OrderBy};
use fraiseql_runtime::{Embed, TView};
use fraiseql_tests::{run, without_server};
use serde_json::value::RawValue;
use sqlx::{AssertSqlSafe, PgPool};

use super::world;

macro_rules! ticket {
    ($storage:ident $($attribute:tt)*) => {
        mod $storage {
            use super::*;

            #[derive(TView)]
            #[tview(table = "tb_ticket", entity = "ticket", data = "json", $($attribute)*)]
            #[allow(dead_code)]
            pub(super) struct Ticket {
                #[tview(key)]
                org_id: i64,
                #[tview(key)]
                project_code: String,
                #[tview(key)]
                no: i16,
                #[tview(filter, sort)]
                title: String,
                #[tview(one(fk = "org_id, assignee_no"))]
                assignee: Option<Assignee>,
                #[tview(many(through(table = "tb_ticket_label", fk = "org_id, project_code, ticket_no", to = "org_id, label_id")))]
                labels: Vec<Label>,
            }
        }
    };
}

ticket!(table view = "tv_table");
ticket!(live storage = "live");
ticket!(matview view = "tv_matview", storage = "matview");
ticket!(partitions view = "tv_partitions", partition(hash = 3));

#[derive(Embed)]
#[tview(table = "tb_person")]
#[allow(dead_code)]
struct Assignee {
    #[tview(key)]
    org_id: i64,
    #[tview(key)]
    no: i32,
    name: String,
}

#[derive(Embed)]
#[tview(table = "tb_label")]
#[allow(dead_code)]
struct Label {
    #[tview(key)]
    org_id: i64,
    #[tview(key)]
    id: uuid::Uuid,
    name: String,
}

async fn reads<V: TView<Key = (i64, String, i16)>>(pool: &PgPool) -> anyhow::Result<Vec<String>> {
    let key = (2, world::CODES[1].to_owned(), 2);
    let found = V::find_json(pool, key).await?;
    let mut read = vec![
        found
            .map(|json: Box<RawValue>| json.get().to_owned())
            .unwrap_or_default(),
    ];
    let lists = [
        V::list(),
        V::list()
            .filter(Filter::eq("orgId", 1))
            .order_by(OrderBy::desc("title")),
        V::list()
            .filter(Filter::eq("projectCode", world::CODES[2]))
            .order_by(OrderBy::desc("no")),
    ];
    for list in lists {
        for document in &list.read(pool).await? {
            read.push(String::from_utf8(document.json().to_vec())?);
        }
    }
    Ok(read)
}

#[tokio::test]
async fn each_storage_has_the_same_documents() -> anyhow::Result<()> {
    let pool = fraiseql_tests::pool().await;
    run(&pool, world::TABLES).await;
    sqlx::raw_sql(AssertSqlSafe(world::rows()))
        .execute(&pool)
        .await?;
    for model in [
        fraiseql_tests::world::model::<table::Ticket>(),
        fraiseql_tests::world::model::<live::Ticket>(),
        fraiseql_tests::world::model::<matview::Ticket>(),
        fraiseql_tests::world::model::<partitions::Ticket>(),
    ] {
        model.migrate(&pool).await?;
        model.sync_all(&pool).await?;
        model.migrate(&pool).await?;
        let report = without_server(model.check(&pool).await?);
        assert!(report.findings().is_empty(), "{report}");
    }
    let expected = reads::<table::Ticket>(&pool).await?;
    assert_eq!(expected.len(), 1 + 18 + 9 + 6);
    assert_eq!(reads::<live::Ticket>(&pool).await?, expected);
    assert_eq!(reads::<matview::Ticket>(&pool).await?, expected);
    assert_eq!(reads::<partitions::Ticket>(&pool).await?, expected);
    let partitioned: i64 = sqlx::query_scalar("SELECT count(DISTINCT tableoid) FROM tv_partitions")
        .fetch_one(&pool)
        .await?;
    assert!(partitioned > 1);
    Ok(())
}
