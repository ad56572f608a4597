//! A proxy between the program and the database that records executed statements.
//!
//! It reads the messages of PostgreSQL's protocol, and so does not depend on what a client library
//! reports about itself.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy};
use tokio::net::{TcpListener, TcpStream, UnixStream};

/// A running proxy.
pub(crate) struct StatementProxy {
    /// Options to connect to the database through the proxy.
    pub(crate) options: PgConnectOptions,
    executed: Statements,
}

type Statements = Arc<Mutex<Vec<String>>>;

impl StatementProxy {
    pub(crate) async fn start(database: &PgConnectOptions) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = database.to_url_lossy();
        let mut options = PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(listener.local_addr().unwrap().port())
            .username(database.get_username())
            .database(database.get_database().unwrap())
            .ssl_mode(PgSslMode::Disable);
        if let Some(password) = url.password() {
            options = options.password(password);
        }
        let executed = Statements::default();
        tokio::spawn(accept(listener, database.clone(), Arc::clone(&executed)));
        Self { options, executed }
    }

    /// The statements since the last call, without those by which the worker looks for changes.
    pub(crate) fn take(&self) -> Vec<String> {
        let mut statements = std::mem::take(&mut *self.executed.lock().unwrap());
        statements.retain(|sql| !sql.contains("fraiseql_change"));
        statements
    }
}

async fn accept(listener: TcpListener, database: PgConnectOptions, executed: Statements) {
    while let Ok((client, _)) = listener.accept().await {
        let (database, executed) = (database.clone(), Arc::clone(&executed));
        tokio::spawn(async move {
            let host = database.get_host().to_owned();
            let socket = database.get_socket().map(|path| path.display().to_string());
            let directory = socket.or_else(|| host.starts_with('/').then(|| host.clone()));
            let port = database.get_port();
            let _ = match directory {
                Some(directory) => {
                    let path = format!("{directory}/.s.PGSQL.{port}");
                    let server = UnixStream::connect(path).await.unwrap();
                    forward(client, server, executed).await
                }
                None => {
                    let server = TcpStream::connect((host, port)).await.unwrap();
                    forward(client, server, executed).await
                }
            };
        });
    }
}

/// Forwards both directions until either side closes the connection.
async fn forward(
    client: TcpStream,
    server: impl AsyncRead + AsyncWrite,
    executed: Statements,
) -> std::io::Result<()> {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = tokio::io::split(server);
    let requests = async {
        // The startup message has no type byte.
        let startup = read_body(&mut from_client).await?;
        assert_eq!(startup[..4], [0, 3, 0, 0], "not version 3 of the protocol");
        write_message(&mut to_server, None, &startup).await?;
        let (mut prepared, mut bound) = (HashMap::new(), String::new());
        loop {
            let kind = from_client.read_u8().await?;
            let message = read_body(&mut from_client).await?;
            let mut texts = message
                .split(|byte| *byte == 0)
                .map(String::from_utf8_lossy);
            let mut text = || texts.next().unwrap_or_default().into_owned();
            match kind {
                // Parse: name of the statement, its text.
                b'P' => drop(prepared.insert(text(), text())),
                // Bind: name of the portal, name of the statement. sqlx uses the unnamed portal.
                b'B' => bound = (text(), text()).1,
                // Execute: runs what was bound last.
                b'E' => {
                    let statement = prepared.get(&bound).cloned().unwrap_or_default();
                    executed.lock().unwrap().push(statement);
                }
                // Query: the text, without preparing it.
                b'Q' => executed.lock().unwrap().push(text()),
                _ => {}
            }
            write_message(&mut to_server, Some(kind), &message).await?;
        }
    };
    let responses = copy(&mut from_server, &mut to_client);
    tokio::select! {
        done = requests => done,
        done = responses => done.map(drop),
    }
}

/// Reads the length and the body of a message.
async fn read_body(from: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Vec<u8>> {
    let length = from.read_u32().await? as usize;
    let mut message = vec![0; length - 4];
    from.read_exact(&mut message).await?;
    Ok(message)
}

async fn write_message(
    to: &mut (impl AsyncWrite + Unpin),
    kind: Option<u8>,
    message: &[u8],
) -> std::io::Result<()> {
    let mut bytes = Vec::from_iter(kind);
    let length = u32::try_from(message.len() + 4).unwrap();
    bytes.extend(length.to_be_bytes());
    bytes.extend(message);
    to.write_all(&bytes).await
}
