//! Starts a PostgreSQL, says how to reach it with `psql`, and keeps it until its input ends.
//!
//! `cargo run -p dev-postgres -- [directory]`: with a directory, the data stays there.

use std::io::{Read, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), dev_postgres::Error> {
    let builder = dev_postgres::Server::builder();
    let server = match std::env::args_os().nth(1) {
        Some(directory) => builder.persistent(directory).start()?,
        None => builder.start()?,
    };
    println!("{}", server.description());
    if let Some(socket) = server.options().get_socket() {
        println!("psql -h {} -U postgres", socket.display());
    }
    // Someone may be waiting for the lines at the end of a pipe; their loss is not ours.
    let _ = std::io::stdout().flush();
    // A pipe or a terminal; its end is the signal to stop.
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    Ok(())
}
