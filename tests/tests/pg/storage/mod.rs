//! Tests of where documents are stored: view tables with their indexes, partitions and storage parameters,
//! materialized views, and live views.

mod advice;
mod indexes;
mod live;
mod matview;
mod tables;
