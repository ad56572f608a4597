//! The queries of the dashboard and the alerts, compared with the exported metrics.

use super::*;

/// Labels that Prometheus adds to each sample.
const TARGET_LABELS: [&str; 2] = ["instance", "job"];
/// The metric that Prometheus itself creates for each target.
const UP: &str = "up";

/// A PromQL query of a panel or an alert.
struct Query {
    /// The panel or the alert.
    owner: String,
    promql: String,
    /// Texts with placeholders for labels of the result: legends and summaries.
    texts: Vec<String>,
}

fn queries() -> Vec<Query> {
    let dashboard = dashboard();
    let mut queries = Vec::new();
    for panel in array(&dashboard["panels"]).filter(|panel| panel["type"] != "row") {
        for target in array(&panel["targets"]) {
            queries.push(Query {
                owner: format!("the panel {}", panel["title"]),
                promql: string(&target["expr"])
                    // Variables that Grafana replaces.
                    .replace("$__rate_interval", "1m")
                    .replace("$instance", ".*"),
                texts: vec![string(&target["legendFormat"]).to_owned()],
            });
        }
    }
    for group in array(&yaml("deploy/alerts.yml")["groups"]) {
        for rule in array(&group["rules"]) {
            queries.push(Query {
                owner: format!("the alert {}", rule["alert"]),
                promql: string(&rule["expr"]).to_owned(),
                texts: vec![string(&rule["annotations"]["summary"]).replace("$labels.", "")],
            });
        }
    }
    queries
}

/// The selectors of an expression, and the labels that it refers to.
#[derive(Default)]
struct References {
    selectors: Vec<VectorSelector>,
    /// Labels in `by`, `without`, `on` and `ignoring`, with the selectors that they apply to.
    labels: Vec<(String, Vec<VectorSelector>)>,
}

impl ExprVisitor for References {
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
                labels.map(|modifier| (modifier.labels(), selectors(&aggregate.expr)))
            }
            Expr::Binary(binary) => {
                let labels = binary.modifier.as_ref().and_then(|m| m.matching.as_ref());
                labels.map(|modifier| (modifier.labels(), selectors(&binary.lhs)))
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

fn references(expr: &Expr) -> References {
    let mut references = References::default();
    let Ok(_) = walk_expr(&mut references, expr);
    references
}

fn selectors(expr: &Expr) -> Vec<VectorSelector> {
    references(expr).selectors
}

/// The labels of the result of an expression.
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
            assert!(labels.remove("le"), "a quantile without `le`: {expr}");
            labels
        }
        Expr::VectorSelector(selector) => {
            let samples = metrics.named(selector.name.as_ref().unwrap());
            let labels = samples.flat_map(|sample| sample.labels.keys().cloned());
            labels.chain(TARGET_LABELS.map(str::to_owned)).collect()
        }
        _ => panic!("the labels of {expr} are not known"),
    }
}

/// Checks that the program exports the metric with these labels and values.
fn check_selector(selector: &VectorSelector, metrics: &Metrics) -> Result<(), String> {
    let name = selector
        .name
        .as_deref()
        .ok_or("a selector without a name")?;
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
        if TARGET_LABELS.contains(&label.as_str()) {
            continue;
        }
        check_label(name, label, metrics)?;
        let values = metrics.labels(name, label);
        let required: Vec<&str> = match op {
            // A pattern need not match any value that is exported now.
            MatchOp::Re(_) | MatchOp::NotRe(_) if value.contains(['.', '*', '+']) => continue,
            MatchOp::Re(_) | MatchOp::NotRe(_) => value.split('|').collect(),
            MatchOp::Equal | MatchOp::NotEqual => vec![value],
        };
        if let Some(unknown) = required.iter().find(|value| !values.contains(*value)) {
            return Err(format!(
                "`{label}` of `{name}` is never `{unknown}`: {values:?}"
            ));
        }
    }
    Ok(())
}

fn check_label(name: &str, label: &str, metrics: &Metrics) -> Result<(), String> {
    let known = name == UP
        || TARGET_LABELS.contains(&label)
        || metrics
            .named(name)
            .all(|sample| sample.labels.contains_key(label));
    known
        .then_some(())
        .ok_or_else(|| format!("`{name}` has no label `{label}`"))
}

/// Checks a query, and the placeholders of its texts. The error is the first problem.
fn check(promql: &str, texts: &[String], metrics: &Metrics) -> Result<(), String> {
    let expr = parser::parse(promql)?;
    let references = references(&expr);
    for selector in &references.selectors {
        check_selector(selector, metrics)?;
    }
    for (label, selectors) in &references.labels {
        for selector in selectors {
            check_label(selector.name.as_deref().unwrap_or_default(), label, metrics)?;
        }
    }
    let labels = result_labels(&expr, metrics);
    for text in texts {
        for part in text.split("{{").skip(1) {
            let label = part.split("}}").next().unwrap_or_default().trim();
            if !labels.contains(label) {
                return Err(format!(
                    "`{text}` has a label that the result lacks: {labels:?}"
                ));
            }
        }
    }
    Ok(())
}

/// The metrics of a blog that has run syncs, a mutation and requests.
async fn metrics() -> Metrics {
    let blog = Blog::start(20).await;
    let create = "mutation { createUser(username: \"ada\", fullName: \"Ada\") { id } }";
    let user = blog.data(create, json!({})).await;
    let create = "mutation ($author: ID!) {
        createPost(authorId: $author, title: \"Notes\", content: \"On the engine\") { id } }";
    let author = &user["createUser"]["id"];
    blog.data(create, json!({"author": author})).await;
    let mut text = String::new();
    crate::support::eventually("the worker has drained a change", async || {
        let response = blog.client.get(format!("{}/metrics", blog.url)).send();
        text = response.await.unwrap().text().await.unwrap();
        text.contains("fraiseql_worker_changes_total")
    })
    .await;
    Metrics::parse(&text)
}

#[tokio::test]
async fn dashboards_and_alerts_use_exported_metrics() {
    let metrics = metrics().await;
    let queries = queries();
    assert!(queries.len() > 30, "{}", queries.len());
    let wrong: Vec<String> = queries
        .iter()
        .filter_map(|query| {
            let error = check(&query.promql, &query.texts, &metrics).err()?;
            Some(format!("{}: {}: {error}", query.owner, query.promql))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");

    // Conversely, each exported metric is on the dashboard.
    let mut shown = BTreeSet::new();
    for query in queries
        .iter()
        .filter(|query| query.owner.starts_with("the panel"))
    {
        let selectors = selectors(&parser::parse(&query.promql).unwrap());
        shown.extend(selectors.into_iter().filter_map(|selector| selector.name));
    }
    let is_shown = |name: &str| {
        let series = ["", "_bucket", "_sum", "_count"].map(|end| format!("{name}{end}"));
        series.iter().any(|series| shown.contains(series))
    };
    let names = metrics.names();
    let missing: Vec<&&str> = names.iter().filter(|name| !is_shown(name)).collect();
    assert!(missing.is_empty(), "not on the dashboard: {missing:?}");

    // The check itself finds each kind of error.
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
            "`{{ instance }}` has a label that the result lacks: {}",
        ),
    ] {
        let found = check(promql, &[text.to_owned()], &metrics);
        assert_eq!(found, Err(error.to_owned()), "{promql}");
    }
}
