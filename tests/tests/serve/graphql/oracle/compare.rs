//! Asks both sides, and compares their answers.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use async_graphql::{Executor, PathSegment, Request, Response, Variables};
use fraiseql_tests::node::node;
use rand::SeedableRng as _;
use rand::rngs::SmallRng;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::graphql::oracle::excuse;
use crate::graphql::oracle::generate::{Generator, Pools};
use crate::graphql::oracle::query::Asked;
use crate::graphql::oracle::spoil::MISTAKES;
use crate::graphql::oracle::types::Types;

/// What the oracle says, and what we say.
#[derive(Debug, Deserialize, PartialEq)]
pub(crate) struct Answer {
    /// Whether the request was run; fields of it may have failed.
    pub(crate) valid: bool,
    /// The text of the JSON.
    pub(crate) data: Option<String>,
    #[serde(default)]
    pub(crate) errors: Vec<Told>,
}

#[derive(Debug, Deserialize, PartialEq)]
pub(crate) struct Told {
    pub(crate) message: String,
    pub(crate) path: Option<Value>,
}

/// A query that was asked of both.
pub(crate) struct Case {
    pub(crate) asked: Asked,
    pub(crate) made: String,
}

/// Asks both sides the same, and compares. `served` is what the program in JavaScript is told.
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
    let cases = made(
        sdl,
        pools,
        number("ORACLE_QUERIES", 2_000),
        number("ORACLE_SEED", 1),
    );

    let directory = tempfile::tempdir().unwrap();
    let (questions, answers): (PathBuf, PathBuf) = (
        directory.path().join("questions"),
        directory.path().join("answers"),
    );
    let mut lines = format!("{served}\n");
    for case in &cases {
        let asked = json!({
            "query": case.asked.query,
            "variables": case.asked.variables,
            "operationName": case.asked.operation,
        });
        lines.push_str(&format!("{asked}\n"));
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
    let answers: Vec<Answer> = answers
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(answers.len(), cases.len());

    let mut valid = 0;
    let mut excused: BTreeMap<&str, usize> = BTreeMap::new();
    let mut unlike: Vec<(&Case, Answer, &Answer)> = Vec::new();
    for (case, theirs) in cases.iter().zip(&answers) {
        let ours = ours(schema.execute(request(&case.asked)).await);
        valid += usize::from(theirs.valid);
        if alike(&ours, theirs) {
            continue;
        }
        match excuse::of(case, &ours, theirs) {
            Some(excuse) => *excused.entry(excuse).or_default() += 1,
            None => unlike.push((case, ours, theirs)),
        }
    }
    println!(
        "{name}: {} queries, {valid} of them valid, {} answered otherwise and excused",
        cases.len(),
        excused.values().sum::<usize>()
    );
    for (excuse, count) in &excused {
        println!("  {count} times: {excuse}");
    }
    if unlike.is_empty() {
        // A good part of them shows what is answered.
        assert!(valid * 5 > cases.len() * 2, "{valid} of {}", cases.len());
        return;
    }
    // The smallest of each kind.
    unlike.sort_by_key(|(case, ..)| case.asked.query.len());
    let mut kinds: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for (index, (_, ours, theirs)) in unlike.iter().enumerate() {
        let (_, count) = kinds.entry(kind(ours, theirs)).or_insert((index, 0));
        *count += 1;
    }
    for (kind, (index, count)) in kinds {
        let (case, ours, theirs) = &unlike[index];
        println!(
            "--- {count} times: {kind} ({})\n{}variables: {} operation: {:?}\nours:   {}\ntheirs: {}",
            case.made,
            case.asked.query,
            Value::Object(case.asked.variables.clone()),
            case.asked.operation,
            shown(ours),
            shown(theirs),
        );
    }
    panic!("{} answers are unlike those of graphql-js", unlike.len());
}

/// What kind of difference it is: the message of the side that refuses, without its names.
fn kind(ours: &Answer, theirs: &Answer) -> String {
    let message = |answer: &Answer| {
        let text = answer.errors.first().map_or("", |error| &error.message);
        let parts = text.split(['"', '`']).step_by(2).collect::<Vec<_>>();
        parts.join("_").chars().take(90).collect::<String>()
    };
    match (ours.valid, theirs.valid) {
        (true, true) if ours.data != theirs.data => format!("other data: {}", message(ours)),
        (true, true) => format!("other errors: {}", message(ours)),
        (false, false) => "data of what is invalid".to_owned(),
        (true, false) => format!("should be refused: {}", message(theirs)),
        (false, true) => format!("should be run: {}", message(ours)),
    }
}

fn shown(answer: &Answer) -> String {
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

fn made(sdl: &str, pools: &Pools, count: u64, seed: u64) -> Vec<Case> {
    let types = Types::of(sdl);
    (0..count)
        .map(|number| {
            let rng = SmallRng::seed_from_u64(seed.wrapping_mul(1_000_003).wrapping_add(number));
            let mut generator = Generator::new(&types, pools, rng);
            let (mut doc, mut asked) = generator.document();
            let mut made = "valid".to_owned();
            if generator.chance(40) {
                let (name, make) = generator.one_of(MISTAKES);
                let before = asked.query.clone();
                if make(&mut generator, &mut doc, &mut asked) {
                    made = name.to_owned();
                    if asked.query == before {
                        asked.query = doc.to_string();
                    }
                }
            }
            Case { asked, made }
        })
        .collect()
}

fn request(asked: &Asked) -> Request {
    let request = Request::new(&asked.query)
        .variables(Variables::from_json(Value::Object(asked.variables.clone())));
    match &asked.operation {
        Some(name) => request.operation_name(name),
        None => request,
    }
}

fn ours(response: Response) -> Answer {
    // An error of a field says which; others are of the request.
    let valid = response.errors.iter().all(|error| !error.path.is_empty());
    let errors = response
        .errors
        .into_iter()
        .map(|error| {
            let path = error.path.iter().map(|segment| match segment {
                PathSegment::Field(name) => json!(name),
                PathSegment::Index(index) => json!(index),
            });
            Told {
                message: error.message,
                path: (!error.path.is_empty()).then(|| path.collect()),
            }
        })
        .collect();
    let data = serde_json::to_string(&response.data).unwrap();
    Answer {
        valid,
        data: Some(without_space(&data)),
        errors,
    }
}

fn alike(ours: &Answer, theirs: &Answer) -> bool {
    if ours.valid != theirs.valid {
        return false;
    }
    if !theirs.valid {
        // `data` is null, and no more is said.
        return ours.data.as_deref() == Some("null");
    }
    ours.data == theirs.data && same_errors(ours, theirs)
}

/// Whether the errors are those of the oracle. Where several fields of one object fail that cannot
/// be null, the object is null once, and how many of their errors are told is left to the server:
/// graphql-js stops at the first, and others run together.
fn same_errors(ours: &Answer, theirs: &Answer) -> bool {
    let (mine, others) = (paths(&ours.errors), paths(&theirs.errors));
    let once: BTreeSet<_> = mine.iter().map(|path| json!(path).to_string()).collect();
    let data: Value = serde_json::from_str(ours.data.as_deref().unwrap_or("null")).unwrap();
    once.len() == mine.len()
        && others.iter().all(|path| mine.contains(path))
        && nulls(&data, &mine) == nulls(&data, &others)
}

pub(crate) fn paths(errors: &[Told]) -> Vec<Vec<Value>> {
    let paths = errors.iter().map(|error| match &error.path {
        Some(Value::Array(path)) => path.clone(),
        _ => Vec::new(),
    });
    paths.collect()
}

/// The nulls that the errors are behind, each as so much of a path as leads to it.
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
        // Where an error is, and no null, the answers are not alike.
        json!([path[..length], at.is_null()]).to_string()
    };
    paths.iter().map(null).collect()
}

/// JSON without the space between its tokens. PostgreSQL prints `jsonb` with a space behind each
/// `:` and `,`, and values in a document are copied as they were stored: the tags of `["a", "b"]`.
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
fn space_within_strings_stays() {
    let json = "{\"a\": [1, \"b \\\" c\", \"\\\\\"], \"d\":  null}";
    assert_eq!(
        without_space(json),
        "{\"a\":[1,\"b \\\" c\",\"\\\\\"],\"d\":null}"
    );
}
