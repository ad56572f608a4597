//! The log: warnings about slow syncs.

use super::*;

/// A blog whose log is captured.
struct LoggedBlog {
    url: String,
    /// The lines until the verification at start has ended.
    started: Vec<String>,
    lines: mpsc::Receiver<String>,
    child: Child,
}

impl LoggedBlog {
    async fn start(arguments: &[&str]) -> Self {
        let database = support::database().await;
        let mut child = support::command(&database)
            .env("RUST_LOG", "warn,sqlx=error,blog::service::upkeep=info")
            // With capture, the worker syncs a new user as well.
            .args(["--posts", "0", "--capture", "off"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let events = BufReader::new(child.stderr.take().unwrap()).lines();
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            let _ = events
                .map_while(Result::ok)
                .try_for_each(|line| sender.send(line));
        });
        let url = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok)
            .find_map(|line| Some(line.split_once("The blog is at ")?.1.to_owned()))
            .expect("the program prints its URL");
        // At start, the program verifies all documents in the background, and syncs those that are
        // missing: also one whose row a request has just committed. That sync would be logged, too.
        let mut started = Vec::new();
        while !started
            .last()
            .is_some_and(|line: &String| line.contains("all documents are up to date"))
        {
            let line = lines.recv_timeout(Duration::from_secs(10));
            started.push(line.expect("the verification at start ends"));
        }
        Self {
            url,
            started,
            lines,
            child,
        }
    }

    /// Creates a user, and returns the request's ID.
    async fn create_user(&self) -> String {
        let response = reqwest::Client::new()
            .post(format!("{}/graphql", self.url))
            .json(&json!({"query": CREATE_USER, "variables": {"name": "ada"}}))
            .send()
            .await
            .unwrap();
        response.headers()["x-request-id"]
            .to_str()
            .unwrap()
            .to_owned()
    }

    /// Kills the program, and returns the lines of its log.
    fn end(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let mut lines = std::mem::take(&mut self.started);
        lines.extend(self.lines.iter());
        lines
    }
}

impl Drop for LoggedBlog {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn slow_syncs_are_logged_with_their_request() {
    let blog = LoggedBlog::start(&["--slow-sync", "0ms", "--log-format", "json"]).await;
    let request = blog.create_user().await;
    let url = format!("{}/metrics", blog.url);
    let text = reqwest::get(url).await.unwrap().text().await.unwrap();
    let slow = Metrics::parse(&text).value("blog_slow_syncs_total", &[("entity", "user")]);
    assert_eq!(slow, 1.0);

    let lines = blog.end();
    let events = lines.iter().map(|line| -> Value {
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
    });
    let warning = events
        .into_iter()
        .find(|event| event["message"] == "slow sync")
        .unwrap_or_else(|| panic!("no warning in {lines:#?}"));
    assert_eq!(warning["level"], "WARN");
    assert_eq!(
        [&warning["entity"], &warning["mode"], &warning["documents"]],
        [&json!("user"), &json!("sync"), &json!(1)]
    );
    assert_eq!(warning["keys"].as_str().unwrap().len(), 36, "{warning}");
    assert!(warning["duration_ms"].as_f64().unwrap() > 0.0);
    let span = &warning["spans"][0];
    assert_eq!(span["id"], request.as_str());
    assert_eq!(
        (&span["method"], &span["path"]),
        (&json!("POST"), &json!("/graphql"))
    );
}

#[tokio::test]
async fn fast_syncs_are_not_logged() {
    let blog = LoggedBlog::start(&["--slow-sync", "1h"]).await;
    blog.create_user().await;
    let lines = blog.end();
    assert!(
        !lines.iter().any(|line| line.contains("slow sync")),
        "{lines:#?}"
    );
    // The same in the text format.
    let blog = LoggedBlog::start(&["--slow-sync", "0ms"]).await;
    let request = blog.create_user().await;
    let lines = blog.end();
    let is_warning = |line: &&String| line.contains("slow sync") && line.contains(&request);
    assert_eq!(lines.iter().filter(is_warning).count(), 1, "{lines:#?}");
}
