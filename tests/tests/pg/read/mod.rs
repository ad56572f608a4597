//! Tests of reading documents: by key, on shared connections, and with fewer fields.

mod readers;
mod stored;
