//! Reads by key and lists, of one tenant and across tenants.

use fraiseql_runtime::list::{Filter, Operator, OrderBy, Page};
use fraiseql_runtime::{Readers, TView};

use super::{Ticket, ids, sync_ticket, tickets};

#[tokio::test]
async fn a_tenant_finds_its_documents_by_key_and_no_others() -> anyhow::Result<()> {
    let pool = tickets().await;
    for id in 1..=60 {
        for org in 1..=3 {
            let is_its = ids(org).contains(&id);
            let found = Ticket::of(org).find(&pool, id).await?;
            assert_eq!(found.is_some(), is_its, "{org} {id}");
            assert!(found.is_none_or(|ticket| ticket.org_id == org && ticket.id == id));
            let json = Ticket::of(org).find_json(&pool, id).await?;
            assert_eq!(json.is_some(), is_its, "{org} {id}");
        }
    }
    assert!(Ticket::of(4).find(&pool, 1).await?.is_none());
    Ok(())
}

#[tokio::test]
async fn many_keys_yield_those_of_the_tenant_in_their_order() -> anyhow::Result<()> {
    let pool = tickets().await;
    let keys: Vec<i64> = (1..=60).rev().chain([3, 3]).collect();
    for org in 1..=3 {
        let found = Ticket::of(org).find_many(&pool, &keys).await?;
        let its = |id: &&i64| ids(org).contains(id);
        let expected: Vec<i64> = keys.iter().filter(its).copied().collect();
        let found: Vec<i64> = found.iter().map(|ticket| ticket.id).collect();
        assert_eq!(found, expected);
    }
    Ok(())
}

#[tokio::test]
async fn across_tenants_reads_all_of_them() -> anyhow::Result<()> {
    let pool = tickets().await;
    let all = Ticket::across_tenants();
    assert_eq!(all.find(&pool, 7).await?.unwrap().org_id, 2);
    assert_eq!(all.find_many(&pool, &[1, 2, 3]).await?.len(), 3);
    assert_eq!(all.list().fetch::<Ticket>(&pool).await?.len(), 60);
    assert_eq!(all.list().read(&Readers::lending(pool)).await?.len(), 60);
    Ok(())
}

#[tokio::test]
async fn no_filter_leads_out_of_the_tenant() -> anyhow::Result<()> {
    let pool = tickets().await;
    let all_keys: Vec<i64> = (1..=60).collect();
    for filter in [
        Filter::compare("id", Operator::In, all_keys),
        Filter::any([
            Filter::compare("id", Operator::Gt, 0),
            Filter::compare("priority", Operator::IsNull, true),
        ]),
        Filter::not(Filter::any([])),
        Filter::not(Filter::eq("slug", "none")),
        Filter::all([]),
    ] {
        let list = Ticket::of(2).list().filter(filter.clone());
        let found: Vec<i64> = list
            .fetch::<Ticket>(&pool)
            .await?
            .iter()
            .map(|ticket| ticket.id)
            .collect();
        assert_eq!(found, ids(2), "{filter:?}");
    }
    // All documents of a read have one tenant, so it is no filter unless it is marked.
    let error = Ticket::of(2)
        .list()
        .filter(Filter::eq("orgId", 1))
        .fetch::<Ticket>(&pool)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "documents cannot be filtered by `orgId`: it has no #[tview(filter)]. Filterable fields: id, \
         priority, slug"
    );
    Ok(())
}

#[tokio::test]
async fn a_cursor_of_another_tenant_is_a_position_among_the_own_documents() -> anyhow::Result<()> {
    let pool = tickets().await;
    for order in [
        OrderBy::asc("id"),
        OrderBy::desc("priority"),
        OrderBy::asc("priority"),
    ] {
        let list = |org| Ticket::of(org).list().order_by(order.clone());
        let foreign = list(1).page(Page::first(9), &pool).await?;
        for page in [
            Page::first(50).after(foreign.end().cloned()),
            Page::last(50).before(foreign.end().cloned()),
        ] {
            let own = list(2).page(page, &pool).await?;
            assert!(!own.is_empty());
            for (_, document) in own.items() {
                let ticket: Ticket = serde_json::from_slice(document.json())?;
                assert_eq!(ticket.org_id, 2);
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn pages_of_a_tenant_have_each_of_its_documents_once() -> anyhow::Result<()> {
    let pool = tickets().await;
    for order in [OrderBy::asc("priority"), OrderBy::desc("priority")] {
        let list = Ticket::of(3).list().order_by(order);
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = list.page(Page::first(7).after(after), &pool).await?;
            for (_, document) in page.items() {
                let ticket: Ticket = serde_json::from_slice(document.json())?;
                seen.push(ticket.id);
            }
            if !page.has_next() {
                break;
            }
            after = page.end().cloned();
        }
        seen.sort_unstable();
        assert_eq!(seen, ids(3));
    }
    Ok(())
}

/// The number of the shape of an older release.
const STALE: &str = "UPDATE tv_ticket SET shape = 1";

#[tokio::test]
async fn stale_documents_are_built_within_the_tenant() -> anyhow::Result<()> {
    let pool = tickets().await;
    fraiseql_tests::run(&pool, STALE).await;
    let own = Ticket::of(1);
    assert_eq!(own.find(&pool, 3).await?.unwrap().org_id, 1);
    assert!(own.find(&pool, 4).await?.is_none());
    assert_eq!(own.find_many(&pool, &[3, 4, 6]).await?.len(), 2);
    assert_eq!(own.list().fetch::<Ticket>(&pool).await?.len(), 20);
    // The row has moved, and its stale document has not been synced: nobody sees it there.
    fraiseql_tests::run(
        &pool,
        "UPDATE tb_ticket SET org_id = 3, slug = 'moved' WHERE id = 3",
    )
    .await;
    assert!(own.find(&pool, 3).await?.is_none());
    assert_eq!(own.find_many(&pool, &[3, 6]).await?.len(), 1);
    assert_eq!(own.list().fetch::<Ticket>(&pool).await?.len(), 19);
    // Across tenants it is built as it is now.
    let all = Ticket::across_tenants();
    assert_eq!(all.find(&pool, 3).await?.unwrap().org_id, 3);
    sync_ticket(&pool, &[3]).await?;
    assert!(Ticket::of(3).find(&pool, 3).await?.is_some());
    Ok(())
}

#[tokio::test]
async fn a_transaction_is_a_target_too() -> anyhow::Result<()> {
    let pool = tickets().await;
    let mut tx = pool.begin().await?;
    sqlx::query("UPDATE tb_ticket SET org_id = 3, slug = 'moved' WHERE id = 3")
        .execute(&mut *tx)
        .await?;
    sync_ticket(&mut tx, &[3]).await?;
    assert!(Ticket::of(3).find(&mut tx, 3).await?.is_some());
    assert!(Ticket::of(1).find(&mut tx, 3).await?.is_none());
    assert!(Ticket::of(1).find(&pool, 3).await?.is_some());
    tx.rollback().await?;
    Ok(())
}

mod types {
    //! Each type of key can be a tenant.

    use fraiseql_runtime::{ReadModel, TScalar, TView};
    use uuid::Uuid;

    #[derive(TScalar)]
    pub(super) struct OrgId(pub(super) Uuid);

    #[derive(TView)]
    pub(super) struct Small {
        id: i32,
        #[tview(tenant)]
        pub(super) org: i16,
    }

    #[derive(TView)]
    pub(super) struct Text {
        id: i32,
        #[tview(tenant)]
        pub(super) org: String,
    }

    #[derive(TView)]
    pub(super) struct Unique {
        id: i32,
        #[tview(tenant)]
        pub(super) org: OrgId,
    }

    /// The tenant is the key: an organization is its own.
    #[derive(TView)]
    pub(super) struct Org {
        #[tview(key, tenant)]
        id: i32,
        #[tview(unique, sort)]
        pub(super) name: String,
    }

    #[tokio::test]
    async fn each_type_of_key_can_be_a_tenant() -> anyhow::Result<()> {
        let pool = fraiseql_tests::pool().await;
        fraiseql_tests::run(
            &pool,
            "CREATE TABLE tb_small (id int4 PRIMARY KEY, org int2 NOT NULL);
             CREATE TABLE tb_text (id int4 PRIMARY KEY, org text NOT NULL);
             CREATE TABLE tb_unique (id int4 PRIMARY KEY, org uuid NOT NULL);
             CREATE TABLE tb_org (id int4 PRIMARY KEY, name text NOT NULL);
             INSERT INTO tb_small VALUES (1, 7), (2, 8);
             INSERT INTO tb_text VALUES (1, 'a'), (2, 'b');
             INSERT INTO tb_unique VALUES (1, '00000000-0000-0000-0000-000000000001'),
                 (2, '00000000-0000-0000-0000-000000000002');
             INSERT INTO tb_org VALUES (1, 'one'), (2, 'two')",
        )
        .await;
        let model = ReadModel::builder().view::<Small>().view::<Text>();
        let model = model.view::<Unique>().view::<Org>().build()?;
        model.migrate(&pool).await?;
        model.sync_all(&pool).await?;
        model.check(&pool).await?.into_result()?;
        assert_eq!(Small::of(7).list().fetch::<Small>(&pool).await?[0].org, 7);
        assert!(Small::of(7).find(&pool, 2).await?.is_none());
        let of_a = Text::of("a".to_owned());
        assert_eq!(of_a.list().fetch::<Text>(&pool).await?.len(), 1);
        assert_eq!(of_a.find(&pool, 1).await?.unwrap().org, "a");
        assert!(of_a.find(&pool, 2).await?.is_none());
        let of_two = Unique::of(OrgId(Uuid::from_u128(2)));
        assert_eq!(
            of_two.find_many(&pool, &[1, 2]).await?[0].org.0,
            Uuid::from_u128(2)
        );
        assert_eq!(of_two.list().read(&pool).await?.len(), 1);
        assert_eq!(Org::of(2).find(&pool, 2).await?.unwrap().name, "two");
        assert!(Org::of(2).find(&pool, 1).await?.is_none());
        assert_eq!(Org::of(2).list().fetch::<Org>(&pool).await?[0].id, 2);
        // Two of them may have one name.
        fraiseql_tests::run(&pool, "UPDATE tb_org SET name = 'one'").await;
        sync_org(&pool, &[1, 2]).await?;
        assert!(model.verify(&pool).await?.is_clean());
        Ok(())
    }

    #[allow(dead_code)]
    fn all_fields(one: &Small, two: &Text, three: &Unique, four: &Org) -> [i32; 4] {
        [one.id, two.id, three.id, four.id]
    }
}
