//! A stand-in for PgBouncer in transaction mode, for machines without one: any number of clients, and a
//! few that can be in a transaction at once. The others wait, and no time limit ends that.
//!
//! Each client has a server connection of its own, so that prepared statements need no rewriting; only
//! the waiting is that of a pooler.

use std::io;
use std::sync::Arc;

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, UnixStream};
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};

/// The place in a transaction that a client has, if it is in one.
type Place = Arc<Mutex<Option<OwnedSemaphorePermit>>>;

/// Options for a connection through a pooler that serves this many clients at once. It runs until the
/// runtime ends.
///
/// # Panics
/// If no socket can be opened.
pub async fn stand_in(server: &PgConnectOptions, places: usize) -> PgConnectOptions {
    let Some(directory) = server.get_socket() else {
        panic!("the server has a socket");
    };
    let socket = directory.join(format!(".s.PGSQL.{}", server.get_port()));
    let listener = TcpListener::bind("127.0.0.1:0").await;
    let (Ok(listener), places) = (listener, Arc::new(Semaphore::new(places))) else {
        panic!("no port is free");
    };
    let Ok(address) = listener.local_addr() else {
        panic!("the port has no address");
    };
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (socket, places) = (socket.clone(), Arc::clone(&places));
            tokio::spawn(async move {
                let server = UnixStream::connect(socket).await?;
                // Otherwise each answer of several messages takes 40 ms.
                client.set_nodelay(true)?;
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                let place = Place::default();
                // If the client goes while it waits, it must not take a place later.
                tokio::select! {
                    done = requests(from_client, to_server, &places, &place) => done,
                    done = answers(from_server, to_client, &place) => done,
                }
            });
        }
    });
    // Not a clone of the server's options: a socket would be preferred to the host.
    PgConnectOptions::new_without_pgpass()
        .host("127.0.0.1")
        .port(address.port())
        .username(server.get_username())
        .database(server.get_database().unwrap_or_default())
        .ssl_mode(PgSslMode::Disable)
}

/// Passes on what the client sends, once it has a place.
async fn requests(
    mut client: impl AsyncRead + Unpin,
    mut server: impl AsyncWrite + Unpin,
    places: &Arc<Semaphore>,
    place: &Place,
) -> io::Result<()> {
    let mut buffer = [0; 65_536];
    let mut started = false;
    loop {
        let length = client.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        // The first message opens the session, which takes no place.
        if started && place.lock().await.is_none() {
            let taken = Arc::clone(places).acquire_owned().await;
            *place.lock().await = taken.ok();
        }
        started = true;
        server.write_all(&buffer[..length]).await?;
    }
}

/// Passes on what the server answers, and gives the place back when it is idle: the message
/// `ReadyForQuery` with the status `I`.
async fn answers(
    mut server: impl AsyncRead + Unpin,
    mut client: impl AsyncWrite + Unpin,
    place: &Place,
) -> io::Result<()> {
    loop {
        let mut message = vec![0; 5];
        server.read_exact(&mut message).await?;
        let length = u32::from_be_bytes([message[1], message[2], message[3], message[4]]);
        message.resize(1 + length as usize, 0);
        server.read_exact(&mut message[5..]).await?;
        if message[0] == b'Z' && message[5] == b'I' {
            place.lock().await.take();
        }
        client.write_all(&message).await?;
    }
}
