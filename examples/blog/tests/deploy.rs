//! The files that deploy the blog fit the program, and each other.

mod exposition;
mod support;

use std::collections::BTreeSet;
use std::path::Path;

use exposition::Metrics;
use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::{self, Expr, VectorSelector};
use promql_parser::util::{ExprVisitor, walk_expr};
use serde_json::{Value, json};
use support::Blog;

/// What Prometheus adds to each sample.
const TARGET: [&str; 2] = ["instance", "job"];
/// What Prometheus says of a target by itself.
const UP: &str = "up";

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
        .unwrap_or_else(|| panic!("no list: {value}"))
        .iter()
}

fn string(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

/// A query of a panel or an alert, and the texts that its labels are put in.
struct Query {
    of: String,
    promql: String,
    texts: Vec<String>,
}

fn dashboard() -> Value {
    serde_json::from_str(&text("deploy/grafana/dashboards/blog.json")).unwrap()
}

fn queries() -> Vec<Query> {
    let dashboard = dashboard();
    let mut queries = Vec::new();
    for panel in array(&dashboard["panels"]).filter(|panel| panel["type"] != "row") {
        for target in array(&panel["targets"]) {
            queries.push(Query {
                of: format!("the panel {}", panel["title"]),
                promql: string(&target["expr"])
                    // What Grafana puts there.
                    .replace("$__rate_interval", "1m")
                    .replace("$instance", ".*"),
                texts: vec![string(&target["legendFormat"]).to_owned()],
            });
        }
    }
    for group in array(&yaml("deploy/alerts.yml")["groups"]) {
        for rule in array(&group["rules"]) {
            queries.push(Query {
                of: format!("the alert {}", rule["alert"]),
                promql: string(&rule["expr"]).to_owned(),
                texts: vec![string(&rule["annotations"]["summary"]).replace("$labels.", "")],
            });
        }
    }
    queries
}

/// What an expression reads, and the labels that it names.
#[derive(Default)]
struct Named {
    selectors: Vec<VectorSelector>,
    /// By `by`, `without`, `on` and `ignoring`, with the series that they are of.
    labels: Vec<(String, Vec<VectorSelector>)>,
}

impl ExprVisitor for Named {
    type Error = std::convert::Infallible;

    fn pre_visit(&mut self, expr: &Expr) -> Result<bool, Self::Error> {
        let labels = match expr {
            Expr::VectorSelector(selector) => {
                self.selectors.push(selector.clone());
                None
            }
            Expr::MatrixSelector(matrix) => {
                self.selectors.push(matrix.vs.clone());
                None
            }
            Expr::Aggregate(aggregate) => {
                let labels = aggregate.modifier.as_ref();
                labels.map(|modifier| (modifier.labels(), read(&aggregate.expr)))
            }
            Expr::Binary(binary) => {
                let labels = binary.modifier.as_ref().and_then(|m| m.matching.as_ref());
                labels.map(|modifier| (modifier.labels(), read(&binary.lhs)))
            }
            _ => None,
        };
        if let Some((labels, of)) = labels {
            let labels = labels.labels.iter();
            self.labels
                .extend(labels.map(|label| (label.clone(), of.clone())));
        }
        Ok(true)
    }
}

fn named(expr: &Expr) -> Named {
    let mut named = Named::default();
    let Ok(_) = walk_expr(&mut named, expr);
    named
}

fn read(expr: &Expr) -> Vec<VectorSelector> {
    named(expr).selectors
}

/// The labels that the results of an expression have.
fn result_labels(expr: &Expr, metrics: &Metrics) -> BTreeSet<String> {
    match expr {
        Expr::Aggregate(aggregate) => {
            let by = aggregate
                .modifier
                .as_ref()
                .map(|by| by.labels().labels.clone());
            by.unwrap_or_default().into_iter().collect()
        }
        Expr::Binary(binary) => result_labels(&binary.lhs, metrics),
        Expr::Paren(paren) => result_labels(&paren.expr, metrics),
        Expr::Call(call) if call.func.name == "histogram_quantile" => {
            let mut labels = result_labels(call.args.last().as_ref().unwrap(), metrics);
            assert!(labels.remove("le"), "a quantile is of buckets: {expr}");
            labels
        }
        Expr::VectorSelector(selector) => {
            let samples = metrics.named(selector.name.as_ref().unwrap());
            let labels = samples.flat_map(|sample| sample.labels.keys().cloned());
            labels.chain(TARGET.map(str::to_owned)).collect()
        }
        _ => panic!("what labels has {expr}?"),
    }
}

/// Whether the program exports what is asked for.
fn check_selector(selector: &VectorSelector, metrics: &Metrics) -> Result<(), String> {
    let name = selector.name.as_deref().ok_or("it has no name")?;
    if name == UP {
        return Ok(());
    }
    if metrics.named(name).next().is_none() {
        return Err(format!("`{name}` is not exported"));
    }
    let matchers = selector.matchers.matchers.iter();
    for Matcher {
        op,
        name: label,
        value,
    } in matchers
    {
        if TARGET.contains(&label.as_str()) {
            continue;
        }
        check_label(name, label, metrics)?;
        let values = metrics.labels(name, label);
        let asked: Vec<&str> = match op {
            // A class of values, which need not be there.
            MatchOp::Re(_) | MatchOp::NotRe(_) if value.contains(['.', '*', '+']) => continue,
            MatchOp::Re(_) | MatchOp::NotRe(_) => value.split('|').collect(),
            MatchOp::Equal | MatchOp::NotEqual => vec![value],
        };
        if let Some(unknown) = asked.iter().find(|value| !values.contains(*value)) {
            return Err(format!(
                "`{label}` of `{name}` is never `{unknown}`: {values:?}"
            ));
        }
    }
    Ok(())
}

fn check_label(name: &str, label: &str, metrics: &Metrics) -> Result<(), String> {
    let known = name == UP
        || TARGET.contains(&label)
        || metrics
            .named(name)
            .all(|sample| sample.labels.contains_key(label));
    known
        .then_some(())
        .ok_or_else(|| format!("`{name}` has no label `{label}`"))
}

/// What is wrong with a query.
fn check(promql: &str, texts: &[String], metrics: &Metrics) -> Result<(), String> {
    let expr = parser::parse(promql)?;
    let named = named(&expr);
    for selector in &named.selectors {
        check_selector(selector, metrics)?;
    }
    for (label, of) in &named.labels {
        for selector in of {
            check_label(selector.name.as_deref().unwrap_or_default(), label, metrics)?;
        }
    }
    let labels = result_labels(&expr, metrics);
    for text in texts {
        for part in text.split("{{").skip(1) {
            let label = part.split("}}").next().unwrap_or_default().trim();
            if !labels.contains(label) {
                return Err(format!(
                    "`{text}` has a label that the result has not: {labels:?}"
                ));
            }
        }
    }
    Ok(())
}

/// A blog that has done a little of everything.
async fn metrics() -> Metrics {
    let blog = Blog::start(20).await;
    let create = "mutation { createUser(username: \"ada\", fullName: \"Ada\") { id } }";
    let user = blog.data(create, json!({})).await;
    let create = "mutation ($author: ID!) {
        createPost(authorId: $author, title: \"Notes\", content: \"On the engine\") { id } }";
    let author = &user["createUser"]["id"];
    blog.data(create, json!({"author": author})).await;
    let answer = blog
        .client
        .get(format!("{}/metrics", blog.url))
        .send()
        .await;
    Metrics::parse(&answer.unwrap().text().await.unwrap())
}

#[tokio::test]
async fn dashboards_and_alerts_ask_for_what_is_exported() {
    let metrics = metrics().await;
    let queries = queries();
    assert!(queries.len() > 30, "{}", queries.len());
    let wrong: Vec<String> = queries
        .iter()
        .filter_map(|query| {
            let error = check(&query.promql, &query.texts, &metrics).err()?;
            Some(format!("{}: {}: {error}", query.of, query.promql))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");

    // And each metric that is exported is on the dashboard.
    let mut shown = BTreeSet::new();
    for query in queries
        .iter()
        .filter(|query| query.of.starts_with("the panel"))
    {
        let selectors = read(&parser::parse(&query.promql).unwrap());
        shown.extend(selectors.into_iter().filter_map(|selector| selector.name));
    }
    let is_shown = |name: &str| {
        let series = ["", "_bucket", "_sum", "_count"].map(|end| format!("{name}{end}"));
        series.iter().any(|series| shown.contains(series))
    };
    let names = metrics.names();
    let missing: Vec<&&str> = names.iter().filter(|name| !is_shown(name)).collect();
    assert!(missing.is_empty(), "not on the dashboard: {missing:?}");

    // What the check above finds.
    for (promql, text, error) in [
        (
            "rate(blog_requests_total[1m])",
            "",
            "`blog_requests_total` is not exported",
        ),
        (
            "sum(rate(blog_http_requests_total[1m])",
            "",
            "unclosed left parenthesis",
        ),
        (
            "blog_ready{view=\"post\"}",
            "",
            "`blog_ready` has no label `view`",
        ),
        (
            "fraiseql_sync_documents_total{outcome=\"written\"}",
            "",
            "`outcome` of `fraiseql_sync_documents_total` is never `written`: \
             {\"deleted\", \"inserted\", \"invalid\", \"unchanged\", \"updated\"}",
        ),
        (
            "sum by (view) (blog_ready)",
            "",
            "`blog_ready` has no label `view`",
        ),
        (
            "blog_ready / ignoring (mode) blog_ready",
            "",
            "`blog_ready` has no label `mode`",
        ),
        (
            "sum(blog_ready)",
            "{{ instance }}",
            "`{{ instance }}` has a label that the result has not: {}",
        ),
    ] {
        let found = check(promql, &[text.to_owned()], &metrics);
        assert_eq!(found, Err(error.to_owned()), "{promql}");
    }
}

#[test]
fn panels_do_not_cover_each_other() {
    let dashboard = dashboard();
    let mut cells = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for panel in array(&dashboard["panels"]) {
        assert!(ids.insert(panel["id"].as_u64()), "{} twice", panel["id"]);
        let at = |key: &str| panel["gridPos"][key].as_u64().unwrap();
        for x in at("x")..at("x") + at("w") {
            assert!(x < 24, "{} is too wide", panel["title"]);
            for y in at("y")..at("y") + at("h") {
                assert!(cells.insert((x, y)), "{} is on another", panel["title"]);
            }
        }
    }
}

#[test]
fn the_compose_file_fits_the_program() {
    let compose = yaml("docker-compose.yml");
    let services = compose["services"].as_object().unwrap();
    let dockerfile = text("Dockerfile");

    // What waits for another to be healthy can know that it is.
    for (name, service) in services {
        let image = service["image"].as_str();
        let pinned = image.is_none_or(|image| image.contains(':') && !image.ends_with(":latest"));
        assert!(pinned, "{name}: {image:?}");
        for (on, how) in service["depends_on"].as_object().into_iter().flatten() {
            assert_eq!(how["condition"], "service_healthy");
            let is_checked = services[on]["healthcheck"].is_object()
                || (on == "blog" && dockerfile.contains("HEALTHCHECK"));
            assert!(is_checked, "{on} has no health check");
        }
        // What is mounted is there.
        for volume in service["volumes"].as_array().into_iter().flatten() {
            let (from, _) = string(volume).split_once(':').unwrap();
            let is_there = match from.strip_prefix("./") {
                Some(path) => Path::new(env!("CARGO_MANIFEST_DIR")).join(path).exists(),
                None => compose["volumes"].as_object().unwrap().contains_key(from),
            };
            assert!(is_there, "{name} mounts {from}");
        }
    }
    let build = &services["blog"]["build"];
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(string(&build["context"]));
    assert!(
        root.join("Cargo.lock").exists(),
        "the whole workspace is built"
    );
    assert!(root.join(string(&build["dockerfile"])).exists());

    // Each variable is one that the program reads.
    let help = std::process::Command::new(env!("CARGO_BIN_EXE_blog"))
        .arg("--help")
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let of_image = dockerfile.split_whitespace().filter_map(|word| {
        let (name, _) = word.split_once('=')?;
        name.starts_with("BLOG_").then_some(name)
    });
    let of_service = services["blog"]["environment"].as_object().unwrap();
    let variables: Vec<&str> = of_image
        .chain(of_service.keys().map(String::as_str))
        .collect();
    assert!(variables.contains(&"DATABASE_URL") && variables.contains(&"BLOG_PORT"));
    for variable in variables {
        // With its value, or without where that is hidden.
        let is_read = ["=", "]"].map(|end| format!("[env: {variable}{end}"));
        let is_read = is_read.iter().any(|text| help.contains(text));
        assert!(is_read, "{variable} is not read");
    }

    // The database's account is the one that the program uses.
    let database = services["postgres"]["environment"].as_object().unwrap();
    let url = format!(
        "postgres://{}:{}@postgres:5432/{}",
        string(&database["POSTGRES_USER"]),
        string(&database["POSTGRES_PASSWORD"]),
        string(&database["POSTGRES_DB"])
    );
    assert_eq!(of_service["DATABASE_URL"], url);
}

#[tokio::test]
async fn who_asks_knows_the_ports_and_paths() {
    let compose = yaml("docker-compose.yml");
    let services = &compose["services"];
    let published = |service: &str| -> Vec<String> {
        let ports = array(&services[service]["ports"]).map(string);
        ports
            .map(|port| {
                // Only this machine may ask.
                let port = port.strip_prefix("127.0.0.1:").unwrap();
                port.split_once(':').unwrap().1.to_owned()
            })
            .collect()
    };
    let dockerfile = text("Dockerfile");
    assert!(dockerfile.contains("BLOG_PORT=8000"));
    assert!(dockerfile.contains("\nEXPOSE 8000\n"));
    assert_eq!(published("blog"), ["8000"]);

    let blog = Blog::start(0).await;
    let answers = async |path: &str| {
        let answer = blog.client.get(format!("{}{path}", blog.url)).send().await;
        answer.unwrap().status() == 200
    };
    let check = dockerfile.split("http://127.0.0.1:8000").nth(1).unwrap();
    let path = check.split('"').next().unwrap();
    assert_eq!(path, "/health");
    assert!(answers(path).await);

    let prometheus = yaml("deploy/prometheus.yml");
    let jobs: Vec<&Value> = array(&prometheus["scrape_configs"]).collect();
    assert_eq!(jobs.len(), 1);
    assert_eq!(jobs[0]["job_name"], "blog");
    assert_eq!(
        jobs[0]["static_configs"],
        json!([{"targets": ["blog:8000"]}])
    );
    assert!(answers(string(&jobs[0]["metrics_path"])).await);
    // The files that Prometheus and Grafana look for are where they are mounted.
    let mounts = |service: &str| -> Vec<String> {
        let volumes = array(&services[service]["volumes"]).map(string);
        volumes
            .map(|volume| volume.split(':').nth(1).unwrap().to_owned())
            .collect()
    };
    for file in array(&prometheus["rule_files"]).map(string) {
        assert!(mounts("prometheus").contains(&file.to_owned()), "{file}");
    }
    let dashboards = yaml("deploy/grafana/provisioning/dashboards/blog.yml");
    let path = string(&dashboards["providers"][0]["options"]["path"]);
    assert!(mounts("grafana").contains(&path.to_owned()), "{path}");
    let home = &services["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"];
    assert_eq!(home, &format!("{path}/blog.json"));

    let sources = yaml("deploy/grafana/provisioning/datasources/prometheus.yml");
    let source = &sources["datasources"][0];
    assert_eq!(published("prometheus"), ["9090"]);
    assert_eq!(source["url"], "http://prometheus:9090");
    assert_eq!(
        source["jsonData"]["timeInterval"],
        prometheus["global"]["scrape_interval"]
    );
    let dashboard = dashboard();
    for panel in array(&dashboard["panels"]).filter(|panel| panel["type"] != "row") {
        assert_eq!(panel["datasource"]["uid"], source["uid"]);
        assert!(
            array(&panel["targets"]).all(|target| target["datasource"]["uid"] == source["uid"])
        );
    }
}
