//! Tests of reading documents: by key, on shared connections, and with selected fields.

mod conditional;
mod readers;
mod stored;
