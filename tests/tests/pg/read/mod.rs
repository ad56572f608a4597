//! Tests of reading documents: by key, on shared connections, and with selected fields.

mod coalesced;
mod conditional;
mod readers;
mod stored;
