//! Clients with caches poll while documents are changed, deleted and made again: what they have is always what is stored.

use std::collections::HashMap;

use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

use super::{Site, get};

/// The number of rounds; in each, some documents are written, and then every request is sent.
const ROUNDS: usize = 100;
const KEYS: i64 = 4;

/// A client that keeps each response with its tag.
#[derive(Default)]
struct Cache(HashMap<usize, (String, String)>);

/// The counts of a run.
#[derive(Debug, Default)]
struct Counts {
    unchanged: usize,
    changed: usize,
}

fn requests() -> Vec<(String, String)> {
    let by_variable = "query ($id: BigInt!) { post(id: $id) { id title content } }";
    let mut requests = Vec::new();
    for key in 1..=KEYS {
        let variables = format!("{{\"id\": {key}}}");
        requests.push((by_variable.to_owned(), variables));
        requests.push((format!("{{ post(id: {key}) {{ title }} }}"), String::new()));
        let two = format!(
            "{{ a: post(id: {key}) {{ content }} b: post(id: {}) {{ content }} ticket(no: 1) {{ title }} }}",
            key % KEYS + 1
        );
        requests.push((two, String::new()));
    }
    requests.push(("{ posts { id content } }".to_owned(), String::new()));
    requests.push(("{ draft(id: 1) { title } }".to_owned(), String::new()));
    requests
}

/// One write, some of which change nothing.
fn write(rng: &mut SmallRng) -> String {
    let key = rng.random_range(1..=KEYS);
    // Few values, so that a content comes back after another one.
    let value = rng.random_range(0..2);
    match rng.random_range(0..8) {
        0 | 1 => format!("UPDATE tb_post SET content = 'c{value}' WHERE id = {key}"),
        2 => format!("UPDATE tb_post SET title = 't{value}' WHERE id = {key}"),
        3 | 4 => format!("DELETE FROM tb_post WHERE id = {key}"),
        5 | 6 => format!(
            "INSERT INTO tb_post VALUES ({key}, 't{value}', 'c{value}') ON CONFLICT DO NOTHING"
        ),
        _ => format!("UPDATE tb_ticket SET title = 'x{value}' WHERE org_id = 1"),
    }
}

#[tokio::test]
async fn what_a_client_keeps_is_what_is_stored() {
    let site = Site::start().await;
    let requests = requests();
    let mut rng = SmallRng::seed_from_u64(7);
    let mut caches = [Cache::default(), Cache::default()];
    let mut counts = Counts::default();
    for round in 0..ROUNDS {
        for _ in 0..rng.random_range(0..3) {
            let sql = write(&mut rng);
            site.change(&sql).await;
        }
        for (number, (query, variables)) in requests.iter().enumerate() {
            let parameters = [("query", &**query), ("variables", variables)];
            let plain = get(&site.server, &parameters, &[]).await;
            for cache in &mut caches {
                // One of the clients may sleep for some rounds.
                if rng.random_range(0..4) == 0 {
                    continue;
                }
                let kept = cache.0.get(&number).cloned();
                let header = kept
                    .as_ref()
                    .map(|(tag, _)| format!("If-None-Match: {tag}"));
                let headers: Vec<&str> = header.iter().map(String::as_str).collect();
                let answer = get(&site.server, &parameters, &headers).await;
                let body = match (answer.status, kept) {
                    (304, Some((tag, body))) => {
                        assert_eq!(answer.header("etag"), tag);
                        counts.unchanged += 1;
                        body
                    }
                    (200, _) => {
                        counts.changed += 1;
                        answer.text()
                    }
                    (status, _) => panic!("{status}: {}", answer.text()),
                };
                assert_eq!(body, plain.text(), "round {round}: {query} {variables}");
                cache.0.insert(number, (answer.header("etag"), body));
            }
        }
    }
    println!("{counts:?}");
    assert!(
        counts.unchanged > 1_000 && counts.changed > 250,
        "{counts:?}"
    );
}
