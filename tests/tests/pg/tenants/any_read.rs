//! Random documents of random tenants: no read returns a document of another tenant, and each returns
//! all of its own.

use std::collections::BTreeMap;

use fraiseql_runtime::list::{Cursor, Filter, Operator, OrderBy, Page};
use fraiseql_runtime::{Readers, TView};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};
use sqlx::PgPool;

#[derive(Debug, TView)]
#[allow(dead_code)]
struct Note {
    id: i64,
    #[tview(tenant, hidden)]
    org: String,
    owner: String,
    #[tview(filter, sort)]
    rank: Option<i32>,
    #[tview(unique)]
    code: String,
}

const ORGS: [&str; 5] = ["a", "A", "a ", "", "'; DROP TABLE tb_note; --"];
const KEYS: std::ops::Range<i64> = 1..60;

/// What should be stored: the tenant of each key.
type Model = BTreeMap<i64, &'static str>;

/// Writes some rows, and syncs all or some of them. The document of a row that was not synced is where
/// it was.
async fn change(pool: &PgPool, random: &mut StdRng, model: &mut Model) -> anyhow::Result<()> {
    let mut keys = Vec::new();
    for _ in 0..random.random_range(1..20) {
        let id = random.random_range(KEYS);
        let org = ORGS[random.random_range(0..ORGS.len())];
        let rank = random.random_bool(0.7).then(|| random.random_range(0..5));
        if random.random_bool(0.2) {
            sqlx::query("DELETE FROM tb_note WHERE id = $1")
                .bind(id)
                .execute(pool)
                .await?;
            model.remove(&id);
        } else {
            sqlx::query(
                "INSERT INTO tb_note VALUES ($1, $2, $2, $3, 'c' || $1 / 4)
                 ON CONFLICT (id) DO UPDATE SET org = $2, owner = $2, rank = $3, code = 'c' || $1",
            )
            .bind(id)
            .bind(org)
            .bind(rank)
            .execute(pool)
            .await?;
            sqlx::query("UPDATE tb_note SET code = 'c' || id WHERE id = $1")
                .bind(id)
                .execute(pool)
                .await?;
            model.insert(id, org);
        }
        keys.push(id);
    }
    sync_note(pool, &keys).await?;
    if random.random_bool(0.3) {
        sqlx::query("UPDATE tv_note SET shape = 1 WHERE id % 3 = 0")
            .execute(pool)
            .await?;
    }
    Ok(())
}

fn random_filter(random: &mut StdRng, depth: usize) -> Filter {
    let ids = || (KEYS).collect::<Vec<_>>();
    match random.random_range(0..if depth > 0 { 8 } else { 5 }) {
        0 => Filter::compare("id", Operator::Gt, random.random_range(KEYS)),
        1 => Filter::compare("id", Operator::In, ids()),
        2 => Filter::compare("rank", Operator::IsNull, random.random_bool(0.5)),
        3 => Filter::compare("rank", Operator::Lte, random.random_range(0..5)),
        4 => Filter::compare("code", Operator::Like, "%"),
        5 => Filter::not(random_filter(random, depth - 1)),
        6 => Filter::any([
            random_filter(random, depth - 1),
            random_filter(random, depth - 1),
        ]),
        _ => Filter::all([
            random_filter(random, depth - 1),
            random_filter(random, depth - 1),
        ]),
    }
}

fn random_order(random: &mut StdRng) -> OrderBy {
    let field = ["id", "rank"][random.random_range(0..2)];
    match random.random_bool(0.5) {
        true => OrderBy::asc(field),
        false => OrderBy::desc(field),
    }
}

#[track_caller]
fn assert_its(document: &[u8], org: &str) -> i64 {
    let document: Value = serde_json::from_slice(document).unwrap();
    assert_eq!(document["owner"], json!(org), "{document}");
    document["id"].as_i64().unwrap()
}

#[tokio::test]
async fn no_read_returns_a_document_of_another_tenant() -> anyhow::Result<()> {
    let pool = fraiseql_tests::pool().await;
    fraiseql_tests::run(
        &pool,
        "CREATE TABLE tb_note (id int8 PRIMARY KEY, org text NOT NULL, owner text NOT NULL, rank int4, code text NOT NULL)",
    )
    .await;
    fraiseql_tests::world::model::<Note>()
        .migrate(&pool)
        .await?;
    let readers = Readers::lending(pool.clone());
    let mut random = StdRng::seed_from_u64(17);
    let mut model = Model::new();
    let mut cursors: Vec<(String, Cursor)> = Vec::new();
    let keys: Vec<i64> = KEYS.collect();
    let mut reads = 0_u32;
    for _ in 0..60 {
        change(&pool, &mut random, &mut model).await?;
        for org in ORGS.into_iter().chain(["nobody"]) {
            let own = Note::of(org.to_owned());
            let expected: Vec<i64> = model
                .iter()
                .filter(|(_, its)| **its == org)
                .map(|(id, _)| *id)
                .collect();
            // By key.
            let found = own.find_many(&readers, &keys).await?;
            assert!(
                found
                    .iter()
                    .all(|note| note.org == org && note.owner == org)
            );
            assert_eq!(
                found.iter().map(|note| note.id).collect::<Vec<_>>(),
                expected
            );
            let id = random.random_range(KEYS);
            let one = own.find(&pool, id).await?;
            assert_eq!(one.is_some(), expected.contains(&id));
            assert!(one.is_none_or(|note| note.org == org));
            let json = own.find_json(&readers, id).await?;
            assert_eq!(json.is_some(), expected.contains(&id));
            json.map(|json| assert_its(json.get().as_bytes(), org));
            // Lists.
            let all = own.list().read(&readers).await?;
            let ids: Vec<i64> = all
                .iter()
                .map(|document| assert_its(document.json(), org))
                .collect();
            assert_eq!(ids, expected);
            let count = own.list().count(&readers).await?;
            assert_eq!(count, expected.len() as u64);
            let order = random_order(&mut random);
            let list = own
                .list()
                .filter(random_filter(&mut random, 3))
                .order_by(order.clone());
            let count = list.count(&readers).await?;
            assert_eq!(count, list.read(&pool).await?.len() as u64);
            let limited = list
                .clone()
                .limit(random.random_range(0..9))
                .offset(random.random_range(0..5));
            for note in limited.fetch::<Note>(&pool).await? {
                assert!(note.org == org && note.owner == org);
            }
            // Pages, from the positions of any tenant.
            let size = random.random_range(1..9);
            let name = format!("{order:?}");
            let mut of_order: Vec<_> = cursors.iter().filter(|(of, _)| *of == name).collect();
            of_order.truncate(40);
            let bound = match of_order.is_empty() {
                true => None,
                false => Some(of_order[random.random_range(0..of_order.len())].1.clone()),
            };
            for page in [
                Page::first(size).after(bound.clone()),
                Page::last(size).before(bound.clone()),
                Page::last(size).after(bound),
            ] {
                let page = list.page(page, &readers).await?;
                for (_, document) in page.items() {
                    assert_its(document.json(), org);
                }
                cursors.extend(page.end().map(|end| (name.clone(), end.clone())));
                reads += 1;
            }
        }
        // Only the last: positions of documents that have moved or are gone are among them.
        let drop = cursors.len().saturating_sub(200);
        cursors.drain(..drop);
    }
    assert_eq!(reads, 60 * 6 * 3);
    Ok(())
}
