//! Deployment files: the dashboard, the alerts and the Compose file match the program.

mod compose;
#[path = "../exposition/mod.rs"]
mod exposition;
mod promql;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::path::Path;

use exposition::Metrics;
use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::{self, Expr, VectorSelector};
use promql_parser::util::{ExprVisitor, walk_expr};
use serde_json::{Value, json};
use support::Blog;

fn text(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn yaml(path: &str) -> Value {
    serde_saphyr::from_str(&text(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value
        .as_array()
        .unwrap_or_else(|| panic!("not a list: {value}"))
        .iter()
}

fn string(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("not a string: {value}"))
}

fn dashboard() -> Value {
    serde_json::from_str(&text("deploy/grafana/dashboards/blog.json")).unwrap()
}

#[test]
fn panels_do_not_overlap() {
    let dashboard = dashboard();
    let mut cells = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for panel in array(&dashboard["panels"]) {
        assert!(ids.insert(panel["id"].as_u64()), "{} twice", panel["id"]);
        let at = |key: &str| panel["gridPos"][key].as_u64().unwrap();
        for x in at("x")..at("x") + at("w") {
            assert!(x < 24, "{} is too wide", panel["title"]);
            for y in at("y")..at("y") + at("h") {
                assert!(cells.insert((x, y)), "{} overlaps another", panel["title"]);
            }
        }
    }
}
