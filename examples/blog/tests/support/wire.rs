//! The way from the program to the database, with somebody who counts the statements that pass.
//!
//! What is counted is what the server is asked to execute, by the messages of its protocol: not
//! what a library says that it does.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy};
use tokio::net::{TcpListener, TcpStream, UnixStream};

/// Statements that went to a database.
pub(crate) struct Wire {
    /// How to connect to the database by this way.
    pub(crate) way: PgConnectOptions,
    seen: Seen,
}

type Seen = Arc<Mutex<Vec<String>>>;

impl Wire {
    pub(crate) async fn to(database: &PgConnectOptions) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = database.to_url_lossy();
        let mut way = PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(listener.local_addr().unwrap().port())
            .username(database.get_username())
            .database(database.get_database().unwrap())
            .ssl_mode(PgSslMode::Disable);
        if let Some(password) = url.password() {
            way = way.password(password);
        }
        let seen = Seen::default();
        tokio::spawn(accept(listener, database.clone(), Arc::clone(&seen)));
        Self { way, seen }
    }

    /// The statements since this was last asked.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

async fn accept(listener: TcpListener, database: PgConnectOptions, seen: Seen) {
    while let Ok((client, _)) = listener.accept().await {
        let (database, seen) = (database.clone(), Arc::clone(&seen));
        tokio::spawn(async move {
            let host = database.get_host().to_owned();
            let socket = database.get_socket().map(|path| path.display().to_string());
            let directory = socket.or_else(|| host.starts_with('/').then(|| host.clone()));
            let port = database.get_port();
            let _ = match directory {
                Some(directory) => {
                    let path = format!("{directory}/.s.PGSQL.{port}");
                    pass(client, UnixStream::connect(path).await.unwrap(), seen).await
                }
                None => {
                    let server = TcpStream::connect((host, port)).await.unwrap();
                    pass(client, server, seen).await
                }
            };
        });
    }
}

/// Everything goes both ways. It ends with either side.
async fn pass(
    client: TcpStream,
    server: impl AsyncRead + AsyncWrite,
    seen: Seen,
) -> std::io::Result<()> {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = tokio::io::split(server);
    let requests = async {
        // The first message has no type.
        let start = body(&mut from_client).await?;
        assert_eq!(start[..4], [0, 3, 0, 0], "not version 3 of the protocol");
        send(&mut to_server, None, &start).await?;
        let (mut prepared, mut bound) = (HashMap::new(), String::new());
        loop {
            let kind = from_client.read_u8().await?;
            let message = body(&mut from_client).await?;
            let mut texts = message
                .split(|byte| *byte == 0)
                .map(String::from_utf8_lossy);
            let mut text = || texts.next().unwrap_or_default().into_owned();
            match kind {
                b'P' => drop(prepared.insert(text(), text())),
                b'B' => bound = (text(), text()).1,
                b'E' => {
                    let statement = prepared.get(&bound).cloned().unwrap_or_default();
                    seen.lock().unwrap().push(statement);
                }
                b'Q' => seen.lock().unwrap().push(text()),
                _ => {}
            }
            send(&mut to_server, Some(kind), &message).await?;
        }
    };
    let answers = copy(&mut from_server, &mut to_client);
    tokio::select! {
        done = requests => done,
        done = answers => done.map(drop),
    }
}

/// A message without its type and its length.
async fn body(from: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Vec<u8>> {
    let length = from.read_u32().await? as usize;
    let mut message = vec![0; length - 4];
    from.read_exact(&mut message).await?;
    Ok(message)
}

async fn send(
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
