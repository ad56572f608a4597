//! Tests that each sync, batch and failure is traced and counted with its view, mode and keys.

mod capture;
mod metrics;
mod traces;
