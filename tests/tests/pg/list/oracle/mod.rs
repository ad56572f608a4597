//! Tests that random filters, orders and pages give the rows that a plain implementation in Rust
//! gives: with every operator on every type, with nulls and ties, and during concurrent writes.

mod columns;
mod counts;
mod filters;
pub(super) mod things;

use std::collections::HashMap;

use fraiseql_runtime::list::{
    Cursor, Direction, DocumentPage, Documents, List, Nulls, OrderBy, Page,
};
use fraiseql_runtime::{ReadModel, TView};
use serde_json::Value;
use sqlx::PgPool;

use self::filters::{Tree, comparisons, given};
use self::things::{Chance, LiveThing, MatThing, Thing, insert, row, sync_thing, values};

pub(super) const TABLES: &str = "
CREATE TABLE tb_thing (
    id int8 PRIMARY KEY,
    flag boolean NOT NULL, small int2 NOT NULL, medium int4 NOT NULL, large int8 NOT NULL,
    single float4 NOT NULL, double float8 NOT NULL, amount numeric NOT NULL, name text NOT NULL,
    token uuid NOT NULL, day date NOT NULL, at time NOT NULL, local timestamp NOT NULL,
    seen timestamptz NOT NULL, status text NOT NULL, tags text[] NOT NULL,
    flag_or boolean, small_or int2, medium_or int4, large_or int8, single_or float4, double_or float8,
    amount_or numeric, name_or text, token_or uuid, day_or date, at_or time, local_or timestamp,
    seen_or timestamptz, status_or text, tags_or int4[]);
";

struct World {
    pool: PgPool,
    oracle: Oracle,
    chance: Chance,
}

/// The documents, and the order in which the server sorts texts.
struct Oracle {
    documents: Vec<Value>,
    ranks: HashMap<String, usize>,
}

impl World {
    async fn new(seed: u64) -> Self {
        let pool = fraiseql_tests::pool().await;
        fraiseql_tests::run(&pool, TABLES).await;
        let model = ReadModel::builder()
            .view::<Thing>()
            .view::<LiveThing>()
            .view::<MatThing>()
            .build()
            .unwrap();
        model.migrate(&pool).await.unwrap();
        let mut chance = Chance(seed);
        let rows: Vec<Value> = (1..=60).map(|id| row(id, &mut chance)).collect();
        insert(&pool, &rows).await;
        model.refresh::<MatThing>(&pool).await.unwrap();
        let documents: Vec<String> =
            sqlx::query_scalar("SELECT data::text FROM tv_thing ORDER BY id")
                .fetch_all(&pool)
                .await
                .unwrap();
        let texts: Vec<Value> = values("name").into_iter().chain(values("status")).collect();
        let texts: Vec<String> = sqlx::query_scalar(
            "SELECT value FROM jsonb_array_elements_text($1) AS value ORDER BY value",
        )
        .bind(Value::Array(texts))
        .fetch_all(&pool)
        .await
        .unwrap();
        Self {
            oracle: Oracle {
                documents: documents
                    .iter()
                    .map(|document| serde_json::from_str(document).unwrap())
                    .collect(),
                ranks: texts.into_iter().zip(0..).collect(),
            },
            pool,
            chance,
        }
    }
}

fn keys_of(documents: &[(Cursor, i64)]) -> Vec<i64> {
    documents.iter().map(|(_, key)| *key).collect()
}

fn items(page: &DocumentPage) -> Vec<(Cursor, i64)> {
    page.items()
        .map(|(cursor, document)| {
            let document: Value = serde_json::from_slice(document.json()).unwrap();
            // A client keeps cursors as text.
            (
                cursor.to_string().parse().unwrap(),
                document["id"].as_i64().unwrap(),
            )
        })
        .collect()
}

/// The lists of all documents, in each storage.
fn lists() -> [List; 3] {
    [
        Thing::list().of_any_view(),
        LiveThing::list().of_any_view(),
        MatThing::list().of_any_view(),
    ]
}

/// The keys of a list, whose documents are the same bytes in each storage.
async fn read(apply: impl Fn(List) -> List, pool: &PgPool) -> Vec<i64> {
    let [stored, live, refreshed] = lists().map(apply);
    let documents = stored.read(pool).await.unwrap();
    let bytes = |documents: &Documents| -> Vec<Vec<u8>> {
        documents.iter().map(|it| it.json().to_vec()).collect()
    };
    for other in [&live, &refreshed] {
        let others = other.read(pool).await.unwrap();
        assert_eq!(bytes(&others), bytes(&documents), "{other:?}");
    }
    documents
        .iter()
        .map(|document| {
            let document: Value = serde_json::from_slice(document.json()).unwrap();
            document["id"].as_i64().unwrap()
        })
        .collect()
}

#[tokio::test]
async fn every_operator_on_every_type_matches_the_oracle() {
    let World { pool, oracle, .. } = World::new(7).await;
    let (mut compared, mut found) = (0, 0);
    for (field, operators) in comparisons() {
        for operator in operators {
            for value in given(field, *operator) {
                let tree = Tree::Compare(field, *operator, value);
                let expected = oracle.keys(&tree);
                let read = read(|list| list.filter(tree.filter()), &pool).await;
                assert_eq!(read, expected, "{tree:?}");
                let not = Tree::Not(Box::new(tree));
                let read = self::read(|list| list.filter(not.filter()), &pool).await;
                assert_eq!(read, oracle.keys(&not), "{not:?}");
                compared += 1;
                found += usize::from(!expected.is_empty() && expected.len() < 60);
            }
        }
    }
    // Most filters match some documents and not others.
    assert!(
        compared > 1000 && found > compared / 2,
        "{found} of {compared}"
    );
}

#[tokio::test]
async fn random_filters_match_the_oracle() {
    let World {
        pool,
        oracle,
        mut chance,
    } = World::new(11).await;
    let mut found = 0;
    for _ in 0..400 {
        let trees: Vec<Tree> = (0..chance.below(3) + 1)
            .map(|_| Tree::random(&mut chance, 3))
            .collect();
        let found_keys = read(
            |list| {
                let trees = trees.iter();
                trees.fold(list, |list, tree| list.filter(tree.filter()))
            },
            &pool,
        )
        .await;
        let tree = Tree::All(trees);
        let expected = oracle.keys(&tree);
        assert_eq!(found_keys, expected, "{tree:?}");
        found += usize::from(!expected.is_empty() && expected.len() < 60);
    }
    assert!(found > 100, "{found}");
}

/// A term of an order.
#[derive(Clone, Debug)]
struct By {
    field: &'static str,
    direction: Direction,
    nulls: Option<Nulls>,
}

impl By {
    fn random(chance: &mut Chance) -> Self {
        let fields: Vec<&'static str> = fraiseql_runtime::list::sortable(Thing::VIEW)
            .iter()
            .map(|field| field.json)
            .collect();
        Self {
            field: chance.one(&fields),
            direction: chance.one(&[Direction::Asc, Direction::Desc]),
            nulls: chance.one(&[None, Some(Nulls::First), Some(Nulls::Last)]),
        }
    }

    fn order(&self) -> OrderBy {
        let order = OrderBy::new(self.field, self.direction);
        match self.nulls {
            Some(nulls) => order.nulls(nulls),
            None => order,
        }
    }

    /// An order of zero to three terms.
    fn some(chance: &mut Chance) -> Vec<Self> {
        let mut order: Vec<Self> = Vec::new();
        for _ in 0..chance.below(4) {
            let by = Self::random(chance);
            if order.iter().all(|other| other.field != by.field) {
                order.push(by);
            }
        }
        order
    }

    fn list(list: List, order: &[Self]) -> List {
        let terms = order.iter();
        terms.fold(list, |list, by| list.order_by(by.order()))
    }
}

#[tokio::test]
async fn random_orders_limits_and_offsets_match_the_oracle() {
    let World {
        pool,
        oracle,
        mut chance,
    } = World::new(13).await;
    let everything = Tree::All(Vec::new());
    for _ in 0..300 {
        let order = By::some(&mut chance);
        let mut expected = oracle.ordered(&everything, &order);
        let offset = (chance.below(3) > 0).then(|| chance.below(70));
        let limit = (chance.below(3) > 0).then(|| chance.below(30));
        expected.drain(..offset.unwrap_or(0).min(expected.len()));
        expected.truncate(limit.unwrap_or(usize::MAX));
        let page = |list: List| {
            let list = offset
                .into_iter()
                .fold(list, |list, n| list.offset(n as u64));
            limit.into_iter().fold(list, |list, n| list.limit(n as u64))
        };
        let found = read(|list| page(By::list(list, &order)), &pool).await;
        assert_eq!(found, expected, "{order:?} {offset:?} {limit:?}");
    }
}

/// Walks a list page by page, from one end to the other.
async fn walk(list: &List, from_end: bool, size: u32, pool: &PgPool) -> Vec<(Cursor, i64)> {
    let mut walked: Vec<(Cursor, i64)> = Vec::new();
    loop {
        let page = if from_end {
            Page::last(size).before(walked.first().map(|(cursor, _)| cursor.clone()))
        } else {
            Page::first(size).after(walked.last().map(|(cursor, _)| cursor.clone()))
        };
        let page = list.page(page, pool).await.unwrap();
        let found = items(&page);
        let begun = !walked.is_empty();
        let more = if from_end {
            walked.splice(0..0, found);
            assert_eq!(page.has_next(), begun);
            page.has_previous()
        } else {
            walked.extend(found);
            assert_eq!(page.has_previous(), begun);
            page.has_next()
        };
        assert!(!more || page.len() == size as usize);
        if !more {
            return walked;
        }
    }
}

#[tokio::test]
async fn random_page_walks_in_both_directions_match_the_oracle() {
    let World {
        pool,
        oracle,
        mut chance,
    } = World::new(17).await;
    for round in 0..90 {
        let order = By::some(&mut chance);
        let list = lists().into_iter().nth(round % 3).unwrap();
        let tree = match chance.below(3) {
            0 => Tree::random(&mut chance, 2),
            _ => Tree::All(Vec::new()),
        };
        let expected = oracle.ordered(&tree, &order);
        let list = By::list(list, &order).filter(tree.filter());
        let size = chance.below(20) as u32 + 1;
        let what = format!("{order:?} {tree:?} {size}");
        let forward = walk(&list, false, size, &pool).await;
        assert_eq!(keys_of(&forward), expected, "{what}");
        let back = walk(&list, true, size, &pool).await;
        assert_eq!(back, forward, "{what}");

        // The documents between two cursors, from both directions.
        for _ in 0..4 {
            if forward.is_empty() {
                continue;
            }
            let (from, to) = (chance.below(forward.len()), chance.below(forward.len()));
            let between = &expected[(from + 1).min(to)..to];
            let size = chance.below(20) as u32;
            let window = |page: Page| {
                let (from, to) = (forward[from].0.clone(), forward[to].0.clone());
                list.page(page.after(from).before(to), &pool)
            };
            let page = window(Page::first(size)).await.unwrap();
            let count = between.len().min(size as usize);
            assert_eq!(
                keys_of(&items(&page)),
                between[..count],
                "{what} {from} {to}"
            );
            assert_eq!(page.has_next(), between.len() > count);
            let page = window(Page::last(size)).await.unwrap();
            assert_eq!(
                keys_of(&items(&page)),
                between[between.len() - count..],
                "{what} {from} {to}"
            );
            assert_eq!(page.has_previous(), between.len() > count);
        }
    }
}

#[tokio::test]
async fn a_page_walk_during_concurrent_writes_returns_each_document_once() {
    let World {
        pool,
        oracle,
        mut chance,
    } = World::new(19).await;
    let mut next = 1000;
    for turn in 0..24 {
        let order = By::some(&mut chance);
        let from_end = turn % 2 == 0;
        let [stored, live, _] = lists();
        let list = By::list(if turn % 4 < 2 { stored } else { live }, &order);
        let mut walked: Vec<i64> = Vec::new();
        let mut cursor = None;
        loop {
            // Other documents are added and removed, before and behind the position of the walk.
            let rows: Vec<Value> = (0..3)
                .map(|_| {
                    next += 1;
                    // Also before all other keys.
                    row(if next % 2 == 0 { next } else { -next }, &mut chance)
                })
                .collect();
            insert(&pool, &rows).await;
            let (gone,): (Vec<i64>,) = sqlx::query_as(
                "WITH gone AS (DELETE FROM tb_thing WHERE id IN (SELECT id FROM tb_thing
                   WHERE id NOT BETWEEN 1 AND 60 ORDER BY hashint8(id) LIMIT 3) RETURNING id)
                 SELECT array_agg(id) FROM gone",
            )
            .fetch_one(&pool)
            .await
            .unwrap();
            sync_thing(&pool, &gone).await.unwrap();
            let page = if from_end {
                Page::last(7).before(cursor)
            } else {
                Page::first(7).after(cursor)
            };
            let page = list.page(page, &pool).await.unwrap();
            let found = items(&page);
            let more = if from_end {
                cursor = found.first().map(|(cursor, _)| cursor.clone());
                walked.splice(0..0, keys_of(&found));
                page.has_previous()
            } else {
                cursor = found.last().map(|(cursor, _)| cursor.clone());
                walked.extend(keys_of(&found));
                page.has_next()
            };
            if !more {
                break;
            }
        }
        let mut all = walked.clone();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), walked.len(), "{order:?}: twice");
        // Documents that existed all the time appear once, and in order.
        walked.retain(|key| (1..=60).contains(key));
        assert_eq!(
            walked,
            oracle.ordered(&Tree::All(Vec::new()), &order),
            "{order:?}"
        );
    }
}
