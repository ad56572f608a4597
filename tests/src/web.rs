//! What the tests over HTTP share: a server that listens, a client that sends the bytes it is
//! told to, and a schema.

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

/// A schema that a test can ask everything of.
pub type Shop = Schema<Query, Mutation, EmptySubscription>;

/// What is put into the request by the tests of `with_data`.
#[derive(Clone)]
pub struct User(pub String);

/// The root of queries.
pub struct Query;

/// A type that holds itself.
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

    /// The same without a scalar of its own: what the client sent comes back as it is.
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

    /// An error that was made for clients.
    async fn sold_out(&self) -> Result<Option<i32>> {
        let error = Error::new("sold out");
        Err(async_graphql::ErrorExtensions::extend_with(
            error,
            |_, e| {
                e.set("code", "SOLD_OUT");
            },
        ))
    }

    /// The same of a field that cannot be null.
    async fn must(&self) -> Result<i32> {
        Err(Error::new("it must be"))
    }

    /// An error that was not.
    async fn secret(&self) -> Result<Option<i32>> {
        Err(std::io::Error::other("password of tb_user is hunter2"))?
    }

    /// An error of the database with one of sqlx in it.
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

    /// Comes to no end. Says that it began, and counts when it is dropped.
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

    /// Sets a header, and tries to set two that are not its to set.
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

/// A scalar that is whatever was sent.
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
    /// Counts how many were bought.
    async fn buy(&self, ctx: &Context<'_>, #[graphql(default = 1)] many: u8) -> Result<usize> {
        let many = usize::from(many);
        let watch = ctx.data::<Arc<Watch>>()?;
        Ok(watch.bought.fetch_add(many, Ordering::SeqCst) + many)
    }
}

/// What has happened in the schema.
#[derive(Default)]
pub struct Watch {
    /// A field without end has begun.
    pub began: Notify,
    /// How many of these were dropped.
    pub dropped: AtomicUsize,
    /// How often something was bought.
    pub bought: AtomicUsize,
}

/// The schema, and what happens in it.
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

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The values of each header, its name in lower case.
    pub headers: HashMap<String, Vec<String>>,
    /// The body.
    pub body: Vec<u8>,
}

impl Server {
    /// Starts it.
    ///
    /// # Panics
    /// When it cannot listen.
    pub async fn start<E: async_graphql::Executor>(endpoint: GraphQl<E>) -> Self {
        Self::of(Router::new().route_service("/graphql", endpoint)).await
    }

    /// Starts one with routes of the test's.
    ///
    /// # Panics
    /// When it cannot listen.
    pub async fn of(app: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { address, task }
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/graphql", self.address)
    }

    /// A connection.
    ///
    /// # Panics
    /// When there is none to be had.
    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends bytes, and reads while it does. The server may answer before it has all.
    ///
    /// # Panics
    /// When it does not answer within a minute, or with something that is no HTTP.
    pub async fn send(&self, bytes: &[u8]) -> Answer {
        let stream = self.connect().await;
        let (mut reader, mut writer) = stream.into_split();
        let mut answer = Vec::new();
        let exchange = async {
            let sent = async {
                // It may close before it has heard all.
                let _ = writer.write_all(bytes).await;
            };
            let received = async {
                if let Err(error) = reader.read_to_end(&mut answer).await {
                    // What it said before it hung up is there.
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

    /// POSTs JSON, and accepts the media type in which the status tells.
    pub async fn post(&self, body: &str) -> Answer {
        self.request("POST /graphql", &[JSON, ACCEPT], body.as_bytes())
            .await
    }

    /// POSTs a query.
    pub async fn query(&self, query: &str) -> Answer {
        self.post(&serde_json::json!({ "query": query }).to_string())
            .await
    }

    /// GETs a query string, and accepts the media type in which the status tells.
    pub async fn get(&self, query: &str) -> Answer {
        self.request(&format!("GET /graphql?{query}"), &[ACCEPT], b"")
            .await
    }
}

/// The header of a body.
pub const JSON: &str = "Content-Type: application/json";
/// The header of a client that reads the status.
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
    /// When it is none.
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

    /// The values of a header, one after the other.
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

    /// Sees that it failed as a whole: no data, one error at least.
    ///
    /// # Panics
    /// When it did not.
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
