//! Starts a server, says how to reach it with `psql`, and keeps it until the input ends.
//!
//! `cargo run -p dev-postgres --example serve [directory]`

use std::io::Read;

fn main() -> Result<(), dev_postgres::Error> {
    let builder = dev_postgres::Server::builder();
    let server = match std::env::args_os().nth(1) {
        Some(directory) => builder.persistent(directory).start()?,
        None => builder.start()?,
    };
    println!("{}", server.description());
    let socket = server.options().get_socket().map(|path| path.display());
    if let Some(socket) = socket {
        println!("psql -h {socket} -U postgres");
    }
    // A pipe or a terminal; its end is the signal to stop.
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    Ok(())
}
