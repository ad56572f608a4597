//! Shared by the tests over HTTP: a server that listens, a client that sends given bytes, and a
//! schema.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_graphql::{
    Context, EmptySubscription, Error, Json, Object, Result, Schema, SimpleObject,
};
use axum::Router;
use fraiseql_graphql::http::GraphQl;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// A schema with a field for each behaviour that the tests need.
pub type Shop = Schema<Query, Mutation, EmptySubscription>;

/// What the tests of `with_data` attach to the request.
#[derive(Clone)]
pub struct User(pub String);

/// The root of queries.
pub struct Query;

/// A type that contains itself.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Item {
    /// Its name.
    pub name: String,
}

#[async_graphql::ComplexObject]
impl Item {
    async fn next(&self) -> Self {
        Self {
            name: format!("{}'", self.name),
        }
    }

    async fn broken(&self) -> Result<String> {
        Err(Error::new("out of stock"))
    }
}

#[Object]
impl Query {
    async fn hello(&self) -> &'static str {
        "world"
    }

    async fn twice(&self, number: i32) -> i32 {
        number.saturating_mul(2)
    }

    async fn echo(&self, value: Json<Value>) -> Json<Value> {
        value
    }

    /// Like `echo`, with the scalar [`AnyValue`]: returns the value as the client sent it.
    async fn any(&self, value: AnyValue) -> AnyValue {
        value
    }

    async fn item(&self) -> Item {
        Item {
            name: "pen".to_owned(),
        }
    }

    async fn user(&self, ctx: &Context<'_>) -> Result<String> {
        Ok(ctx.data::<User>()?.0.clone())
    }

    /// An error whose message is meant for clients.
    async fn sold_out(&self) -> Result<Option<i32>> {
        let error = Error::new("sold out");
        Err(async_graphql::ErrorExtensions::extend_with(
            error,
            |_, e| {
                e.set("code", "SOLD_OUT");
            },
        ))
    }

    /// The same for a field that is not nullable.
    async fn must(&self) -> Result<i32> {
        Err(Error::new("it must be"))
    }

    /// An error that is not meant for clients.
    async fn secret(&self) -> Result<Option<i32>> {
        Err(std::io::Error::other("password of tb_user is hunter2"))?
    }

    /// A database error with an error of sqlx as its source.
    async fn database(&self) -> Result<Option<i32>> {
        let error = sqlx::Error::Configuration("host=10.0.0.7".into());
        Err(Arc::new(error))?
    }

    async fn text(&self) -> Result<Option<i32>> {
        Err("a text with ?")?
    }

    async fn panics(&self) -> i32 {
        out_of_order()
    }

    /// Never completes. Reports that it began, and counts when it is dropped.
    async fn forever(&self, ctx: &Context<'_>) -> Result<i32> {
        struct Dropped(Arc<Watch>);
        impl Drop for Dropped {
            fn drop(&mut self) {
                self.0.dropped.fetch_add(1, Ordering::SeqCst);
            }
        }
        let watch = ctx.data::<Arc<Watch>>()?.clone();
        watch.began.notify_one();
        let _dropped = Dropped(watch);
        std::future::pending().await
    }

    /// Sets a header, and tries to set two that a resolver must not set.
    async fn header(&self, ctx: &Context<'_>) -> bool {
        ctx.append_http_header("set-cookie", "a=1");
        ctx.append_http_header("set-cookie", "b=2");
        ctx.insert_http_header("content-type", "text/html");
        ctx.insert_http_header("content-length", "1");
        true
    }

    #[graphql(cache_control(max_age = 60, private))]
    async fn cached(&self) -> i32 {
        1
    }
}

fn out_of_order() -> i32 {
    panic!("hunter2")
}

/// A scalar that accepts any value.
pub struct AnyValue(async_graphql::Value);

#[async_graphql::Scalar(name = "Any")]
impl async_graphql::ScalarType for AnyValue {
    fn parse(value: async_graphql::Value) -> async_graphql::InputValueResult<Self> {
        Ok(Self(value))
    }

    fn to_value(&self) -> async_graphql::Value {
        self.0.clone()
    }
}

/// The root of mutations.
pub struct Mutation;

#[Object]
impl Mutation {
    /// Counts the purchases.
    async fn buy(&self, ctx: &Context<'_>, #[graphql(default = 1)] many: u8) -> Result<usize> {
        let many = usize::from(many);
        let watch = ctx.data::<Arc<Watch>>()?;
        Ok(watch.bought.fetch_add(many, Ordering::SeqCst) + many)
    }
}

/// Events in the schema.
#[derive(Default)]
pub struct Watch {
    /// The field that never completes has begun.
    pub began: Notify,
    /// The number of these fields that were dropped.
    pub dropped: AtomicUsize,
    /// The number of purchases.
    pub bought: AtomicUsize,
}

/// The schema, and the events in it.
#[must_use]
pub fn shop() -> (Shop, Arc<Watch>) {
    let watch = Arc::new(Watch::default());
    let schema = Schema::build(Query, Mutation, EmptySubscription)
        .data(watch.clone())
        .finish();
    (schema, watch)
}

/// A server that listens on a port of its own, at `/graphql`. It ends when it is dropped.
pub struct Server {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A response.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The values of each header; names are in lower case.
    pub headers: HashMap<String, Vec<String>>,
    /// The body.
    pub body: Vec<u8>,
}

impl Server {
    /// Starts a server.
    ///
    /// # Panics
    /// If it cannot listen.
    pub async fn start<E: async_graphql::Executor>(endpoint: GraphQl<E>) -> Self {
        Self::of(Router::new().route_service("/graphql", endpoint)).await
    }

    /// Starts a server with the routes of the test.
    ///
    /// # Panics
    /// If it cannot listen.
    pub async fn of(app: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { address, task }
    }

    /// The URL of the endpoint.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/graphql", self.address)
    }

    /// A connection.
    ///
    /// # Panics
    /// If the server cannot be reached.
    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends bytes while it reads: the server may respond before it has received all of them.
    ///
    /// # Panics
    /// If there is no response within a minute, or it is not HTTP.
    pub async fn send(&self, bytes: &[u8]) -> Answer {
        let stream = self.connect().await;
        let (mut reader, mut writer) = stream.into_split();
        let mut answer = Vec::new();
        let exchange = async {
            let sent = async {
                // The server may close the connection before it has received everything.
                let _ = writer.write_all(bytes).await;
            };
            let received = async {
                if let Err(error) = reader.read_to_end(&mut answer).await {
                    // What it sent before it closed is kept.
                    eprintln!("the connection ended with: {error}");
                }
            };
            tokio::join!(sent, received)
        };
        let in_time = tokio::time::timeout(Duration::from_secs(60), exchange).await;
        assert!(in_time.is_ok(), "no answer within a minute");
        Answer::parse(&answer)
    }

    /// Sends a request with a body, and with headers as lines.
    pub async fn request(&self, start: &str, headers: &[&str], body: &[u8]) -> Answer {
        let mut bytes =
            format!("{start} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n").into_bytes();
        for header in headers {
            bytes.extend_from_slice(header.as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
        if !body.is_empty() {
            bytes.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(body);
        self.send(&bytes).await
    }

    /// POSTs JSON, and accepts the media type whose responses have a meaningful status.
    pub async fn post(&self, body: &str) -> Answer {
        self.request("POST /graphql", &[JSON, ACCEPT], body.as_bytes())
            .await
    }

    /// POSTs a query.
    pub async fn query(&self, query: &str) -> Answer {
        self.post(&serde_json::json!({ "query": query }).to_string())
            .await
    }

    /// GETs a query string, and accepts the media type whose responses have a meaningful status.
    pub async fn get(&self, query: &str) -> Answer {
        self.request(&format!("GET /graphql?{query}"), &[ACCEPT], b"")
            .await
    }
}

/// The header of a JSON body.
pub const JSON: &str = "Content-Type: application/json";
/// The header of a client that relies on the status.
pub const ACCEPT: &str = "Accept: application/graphql-response+json";

impl Answer {
    fn parse(bytes: &[u8]) -> Self {
        let end = bytes
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
            .unwrap_or_else(|| panic!("no HTTP: {:?}", String::from_utf8_lossy(bytes)));
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap();
        let mut headers: HashMap<String, Vec<String>> = HashMap::new();
        for line in lines {
            let (name, value) = line.split_once(':').unwrap();
            let values = headers.entry(name.to_ascii_lowercase()).or_default();
            values.push(value.trim().to_owned());
        }
        Self {
            status: status.parse().unwrap(),
            headers,
            body: bytes[end + 4..].to_vec(),
        }
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// If it is not JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("{error}: {self:?}"),
        }
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// All values of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> String {
        self.headers
            .get(name)
            .map_or_else(String::new, |values| values.join(" | "))
    }

    /// The message of the first error.
    #[must_use]
    pub fn message(&self) -> String {
        let message = &self.json()["errors"][0]["message"];
        message.as_str().unwrap_or_default().to_owned()
    }

    /// Asserts that the request failed as a whole: no data, and at least one error.
    ///
    /// # Panics
    /// If it did not.
    #[track_caller]
    pub fn assert_refused(&self, status: u16, message: &str) {
        let json = self.json();
        assert_eq!(self.status, status, "{json}");
        assert!(json.get("data").is_none(), "{json}");
        assert!(
            self.message().contains(message),
            "{json}\nhas not: {message}"
        );
        let content_type = self.header("content-type");
        assert!(
            content_type.ends_with("json; charset=utf-8"),
            "{content_type}"
        );
    }
}
