//! A program that starts a PostgreSQL, prints a `psql` command for it, and stops it at the end of
//! standard input.
//!
//! `cargo run -p dev-postgres -- [directory]`: with a directory, the data is kept there.

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
    // A parent process may read these lines from a pipe. If it has closed it, that is no error here.
    let _ = std::io::stdout().flush();
    // The end of the input, a pipe or a terminal, is the signal to stop.
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    Ok(())
}
