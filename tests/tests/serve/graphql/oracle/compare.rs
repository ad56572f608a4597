//! Sends each query to both implementations, and compares their responses.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use async_graphql::{Executor, PathSegment, Request, Response, Variables};
use fraiseql_tests::node::node;
use rand::SeedableRng as _;
use rand::rngs::SmallRng;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::graphql::oracle::generate::{Generator, Pools};
use crate::graphql::oracle::noise;
use crate::graphql::oracle::query::GraphQlRequest;
use crate::graphql::oracle::spoil::MISTAKES;
use crate::graphql::oracle::types::Types;

/// The response to a request, of fraiseql or of graphql-js.
#[derive(Debug, Deserialize, PartialEq)]
pub(crate) struct Outcome {
    /// Whether the request was executed; fields of it may have failed.
    pub(crate) valid: bool,
    /// The JSON text of `data`.
    pub(crate) data: Option<String>,
    #[serde(default)]
    pub(crate) errors: Vec<ReportedError>,
}

/// An error of a response.
#[derive(Debug, Deserialize, PartialEq)]
pub(crate) struct ReportedError {
    pub(crate) message: String,
    pub(crate) path: Option<Value>,
}

/// A query that was sent to both.
pub(crate) struct Case {
    pub(crate) request: GraphQlRequest,
    /// The mistake that was made in it, or `valid`.
    pub(crate) origin: String,
}

/// Sends the same queries to both implementations. `served` is the input of the JavaScript program.
pub(crate) async fn compare(
    name: &str,
    schema: &impl Executor,
    sdl: &str,
    pools: &Pools,
    served: Value,
) {
    let Some(node) = node() else {
        return;
    };
    let number = |name: &str, other: u64| {
        std::env::var(name).map_or(other, |number| number.parse().unwrap())
    };
    let cases = generate_cases(
        sdl,
        pools,
        number("ORACLE_QUERIES", 1_500),
        number("ORACLE_SEED", 1),
    );

    let directory = tempfile::tempdir().unwrap();
    let (questions, answers): (PathBuf, PathBuf) = (
        directory.path().join("questions"),
        directory.path().join("answers"),
    );
    let mut lines = format!("{served}\n");
    for case in &cases {
        let request = json!({
            "query": case.request.query,
            "variables": case.request.variables,
            "operationName": case.request.operation,
        });
        lines.push_str(&format!("{request}\n"));
    }
    std::fs::write(&questions, lines).unwrap();
    let program = node
        .program("oracle.mjs")
        .args([&questions, &answers])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&program.stderr);
    assert!(program.status.success(), "{said}");
    let answers = std::fs::read_to_string(&answers).unwrap();
    let answers: Vec<Outcome> = answers
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(answers.len(), cases.len());

    let mut valid = 0;
    let mut different: Vec<(&Case, Outcome, &Outcome)> = Vec::new();
    for (case, expected) in cases.iter().zip(&answers) {
        let actual = outcome(schema.execute(request(&case.request)).await);
        valid += usize::from(expected.valid);
        if !is_equal(&actual, expected) {
            different.push((case, actual, expected));
        }
    }
    println!("{name}: {} queries, {valid} of them valid", cases.len());
    if different.is_empty() {
        // A good part of the queries is valid, so that responses are compared and not only
        // refusals.
        assert!(valid * 3 > cases.len(), "{valid} of {}", cases.len());
        return;
    }
    // Prints the smallest query of each kind.
    different.sort_by_key(|(case, ..)| case.request.query.len());
    let mut kinds: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for (index, (_, actual, expected)) in different.iter().enumerate() {
        let (_, count) = kinds.entry(kind(actual, expected)).or_insert((index, 0));
        *count += 1;
    }
    for (kind, (index, count)) in kinds {
        let (case, actual, expected) = &different[index];
        println!(
            "--- {count} times: {kind} ({})\n{}\nvariables: {} operation: {:?}\nfraiseql:   {}\ngraphql-js: {}",
            case.origin,
            noise::tokens(&case.request.query).join(" "),
            Value::Object(case.request.variables.clone()),
            case.request.operation,
            shown(actual),
            shown(expected),
        );
    }
    panic!(
        "{} outcomes differ from those of graphql-js",
        different.len()
    );
}

/// The kind of a difference: the message of the side that refuses, without the names in it.
fn kind(actual: &Outcome, expected: &Outcome) -> String {
    let message = |answer: &Outcome| {
        let text = answer.errors.first().map_or("", |error| &error.message);
        let parts = text.split(['"', '`']).step_by(2).collect::<Vec<_>>();
        parts.join("_").chars().take(90).collect::<String>()
    };
    match (actual.valid, expected.valid) {
        (true, true) if actual.data != expected.data => format!("other data: {}", message(actual)),
        (true, true) => format!("other errors: {}", message(actual)),
        (false, false) => "data of an invalid request".to_owned(),
        (true, false) => format!("should be refused: {}", message(expected)),
        (false, true) => format!("should be run: {}", message(actual)),
    }
}

fn shown(answer: &Outcome) -> String {
    let errors: Vec<_> = answer
        .errors
        .iter()
        .map(|one| match &one.path {
            Some(path) => format!("{path} {}", one.message),
            None => one.message.clone(),
        })
        .collect();
    format!(
        "{} {} {errors:?}",
        if answer.valid { "valid" } else { "INVALID" },
        answer.data.as_deref().unwrap_or("")
    )
}

fn generate_cases(sdl: &str, pools: &Pools, count: u64, seed: u64) -> Vec<Case> {
    let types = Types::of(sdl);
    (0..count)
        .map(|number| {
            let rng = SmallRng::seed_from_u64(seed.wrapping_mul(1_000_003).wrapping_add(number));
            let mut generator = Generator::new(&types, pools, rng);
            let (mut doc, mut request) = generator.document();
            let mut origin = "valid".to_owned();
            if generator.chance(40) {
                let (name, make) = generator.one_of(MISTAKES);
                let before = request.query.clone();
                if make(&mut generator, &mut doc, &mut request) {
                    origin = name.to_owned();
                    if request.query == before {
                        request.query = doc.to_string();
                    }
                }
            }
            if generator.chance(50) {
                request.query = noise::spaced(&mut generator.rng, &request.query);
            } else if generator.chance(20) {
                request.query = noise::mutated(&mut generator.rng, &request.query);
                origin.push_str(", tokens");
            }
            Case { request, origin }
        })
        .collect()
}

fn request(sent: &GraphQlRequest) -> Request {
    let request = Request::new(&sent.query)
        .variables(Variables::from_json(Value::Object(sent.variables.clone())));
    match &sent.operation {
        Some(name) => request.operation_name(name),
        None => request,
    }
}

fn outcome(response: Response) -> Outcome {
    // An error of a field has a path; all others are about the request.
    let valid = response.errors.iter().all(|error| !error.path.is_empty());
    let errors = response
        .errors
        .into_iter()
        .map(|error| {
            let path = error.path.iter().map(|segment| match segment {
                PathSegment::Field(name) => json!(name),
                PathSegment::Index(index) => json!(index),
            });
            ReportedError {
                message: error.message,
                path: (!error.path.is_empty()).then(|| path.collect()),
            }
        })
        .collect();
    let data = serde_json::to_string(&response.data).unwrap();
    Outcome {
        valid,
        data: Some(without_space(&data)),
        errors,
    }
}

fn is_equal(actual: &Outcome, expected: &Outcome) -> bool {
    if actual.valid != expected.valid {
        return false;
    }
    if !expected.valid {
        // `data` is null, and nothing else is known.
        return actual.data.as_deref() == Some("null");
    }
    actual.data == expected.data && same_errors(actual, expected)
}

/// Whether the errors match those of the oracle: they cause the same nulls, and each is reported once.
/// If several required fields of one object fail, the object is null once, and which of their errors
/// are reported is left to the server: graphql-js stops at the first, others collect them.
fn same_errors(actual: &Outcome, expected: &Outcome) -> bool {
    let (in_actual, in_expected) = (paths(&actual.errors), paths(&expected.errors));
    let once: BTreeSet<_> = in_actual
        .iter()
        .map(|path| json!(path).to_string())
        .collect();
    let data: Value = serde_json::from_str(actual.data.as_deref().unwrap_or("null")).unwrap();
    once.len() == in_actual.len() && nulls(&data, &in_actual) == nulls(&data, &in_expected)
}

fn paths(errors: &[ReportedError]) -> Vec<Vec<Value>> {
    let paths = errors.iter().map(|error| match &error.path {
        Some(Value::Array(path)) => path.clone(),
        _ => Vec::new(),
    });
    paths.collect()
}

/// The nulls that the errors caused, each as the path that leads to it.
fn nulls(data: &Value, paths: &[Vec<Value>]) -> BTreeSet<String> {
    let null = |path: &Vec<Value>| {
        let mut at = data;
        let mut length = 0;
        for segment in path {
            if at.is_null() {
                break;
            }
            at = match segment {
                Value::String(name) => &at[name.as_str()],
                other => &at[usize::try_from(other.as_u64().unwrap()).unwrap()],
            };
            length += 1;
        }
        // An error whose path leads to no null is a difference.
        json!([path[..length], at.is_null()]).to_string()
    };
    paths.iter().map(null).collect()
}

/// JSON without whitespace between tokens. PostgreSQL prints `jsonb` with a space after each `:`
/// and `,`, and values in a document are copied as stored: the tags of `["a", "b"]`.
fn without_space(json: &str) -> String {
    let mut bare = String::with_capacity(json.len());
    let (mut in_string, mut escaped) = (false, false);
    for char in json.chars() {
        if in_string {
            match char {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => in_string = false,
                _ => {}
            }
        } else if char.is_whitespace() {
            continue;
        } else {
            in_string = char == '"';
        }
        bare.push(char);
    }
    bare
}

#[test]
fn whitespace_within_strings_is_kept() {
    let json = "{\"a\": [1, \"b \\\" c\", \"\\\\\"], \"d\":  null}";
    assert_eq!(
        without_space(json),
        "{\"a\":[1,\"b \\\" c\",\"\\\\\"],\"d\":null}"
    );
}
