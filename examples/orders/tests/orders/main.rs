//! Tests on a server: the functions by SQL, the API over HTTP, concurrent clients, and other programs.

mod api;
mod clients;
mod direct;
mod errors;
mod functions;
mod headers;
mod program;
mod support;
