//! Tests on a server: REST and GraphQL over HTTP, roles, organizations that do not see each other, the worker as a
//! process, and the command line.

mod api;
mod errors;
mod program;
mod roles;
mod support;
mod tenants;
mod worker;
