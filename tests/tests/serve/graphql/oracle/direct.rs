//! Tests that random queries, with many values of their variables, get the same response from an endpoint
//! that answers directly as from one that does not.

use axum::Router;
use axum::body::to_bytes;
use axum::http::{Request, StatusCode};
use fraiseql_graphql::Prepared;
use fraiseql_graphql::http::GraphQl;
use fraiseql_tests::executed::Executed;
use rand::SeedableRng as _;
use rand::rngs::SmallRng;
use serde_json::{Value, json};
use tower_service::Service as _;

use crate::graphql::oracle::generate::Generator;
use crate::graphql::oracle::query::{Item, Op};
use crate::graphql::oracle::types::Types;
use crate::graphql::oracle::views::{Blog, schema};

/// The number of values that are tried for the variables of a query.
const VALUES: usize = 8;

/// What some of the queries exceed, by the number of documents that a variable asks for.
const COMPLEXITY: usize = 400;

struct Endpoints {
    direct: Router,
    plain: Router,
    executed: Executed,
}

/// The counts of a comparison.
#[derive(Debug, Default)]
struct Counts {
    sent: usize,
    direct: usize,
    failed: usize,
    too_complex: usize,
}

impl Endpoints {
    fn new(blog: &Blog) -> Self {
        let executed = Executed::default();
        let router = |prepared, executed| {
            let schema = schema(&blog.pool, prepared)
                .extension(executed)
                .limit_complexity(COMPLEXITY)
                .finish();
            Router::new().route_service("/", GraphQl::new(schema))
        };
        let direct = Prepared::default().validate_once(true).direct(true);
        Self {
            direct: router(direct, executed.clone()),
            plain: router(Prepared::default(), Executed::default()),
            executed,
        }
    }

    /// Sends a request to both, and compares.
    async fn compare(&mut self, body: &Value, counts: &mut Counts) {
        let before = self.executed.count();
        let (status, text) = send(&mut self.direct, body).await;
        let was_direct = text.starts_with("{\"data\":") && self.executed.count() == before;
        let (expected_status, expected) = send(&mut self.plain, body).await;
        let is_equal = text == expected || !was_direct && sorted(&text) == sorted(&expected);
        assert!(
            is_equal && status == expected_status,
            "direct: {was_direct}\n{body:#}\n{status} {text}\n{expected_status} {expected}"
        );
        counts.sent += 1;
        counts.direct += usize::from(was_direct);
        counts.failed += usize::from(text.starts_with("{\"errors\":"));
        counts.too_complex += usize::from(text.contains("too complex"));
    }
}

/// Removes what is no document from an operation, unless it has nothing else.
fn without_type_name(op: &mut Op) {
    let is_type_name = |item: &Item| matches!(item, Item::Field(one) if one.name == "__typename");
    if !op.set.iter().all(is_type_name) {
        op.set.retain(|item| !is_type_name(item));
    }
}

/// A response with its errors sorted: root fields fail in any order.
fn sorted(text: &str) -> Value {
    let mut answer: Value = serde_json::from_str(text).unwrap();
    if let Some(errors) = answer.get_mut("errors").and_then(Value::as_array_mut) {
        errors.sort_by_key(Value::to_string);
    }
    answer
}

async fn send(app: &mut Router, body: &Value) -> (StatusCode, String) {
    let request = Request::post("/").header("content-type", "application/json");
    let request = request.body(body.to_string()).unwrap();
    let answer = app.call(request).await.unwrap();
    let status = answer.status();
    let bytes = to_bytes(answer.into_body(), 1 << 24).await.unwrap();
    (status, String::from_utf8(bytes.into()).unwrap())
}

#[tokio::test]
async fn direct_answers_are_those_of_the_schema() {
    let number = |name: &str, other: u64| {
        std::env::var(name).map_or(other, |number| number.parse().unwrap())
    };
    let (queries, seed) = (number("ORACLE_QUERIES", 400), number("ORACLE_SEED", 1));
    let blog = Blog::new().await;
    let mut endpoints = Endpoints::new(&blog);
    let types = Types::of(&schema(&blog.pool, Prepared::default()).finish().sdl());
    let mut counts = Counts::default();
    for number in 0..queries {
        let rng = SmallRng::seed_from_u64(seed.wrapping_mul(1_000_033).wrapping_add(number));
        let mut generator = Generator::new(&types, &blog.pools, rng);
        let (mut doc, mut request) = generator.document();
        if generator.chance(80) {
            doc.ops.iter_mut().for_each(without_type_name);
            request.query = doc.to_string();
        }
        let definitions: Vec<_> = doc.ops.iter().flat_map(|op| op.vars.clone()).collect();
        let mut body = json!({
            "query": request.query,
            "variables": request.variables,
            "operationName": request.operation,
        });
        endpoints.compare(&body, &mut counts).await;
        let times = if definitions.is_empty() { 1 } else { VALUES };
        for _ in 0..times {
            body["variables"] = Value::Object(generator.variables(&definitions));
            endpoints.compare(&body, &mut counts).await;
        }
    }
    println!("{counts:?}");
    blog.pool.close().await;
    // A good part of each, so that all of it is compared.
    let Counts {
        sent,
        direct,
        failed,
        too_complex,
    } = counts;
    assert!(direct * 5 > sent && failed * 10 > sent && too_complex * 100 > sent);
}
