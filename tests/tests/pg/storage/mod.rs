//! Tests of indexes, partitions and storage parameters of view tables.

mod indexes;
mod tables;
