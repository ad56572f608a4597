//! Tests of the worker: what was left for later is synced, whatever fails, and whoever writes meanwhile.

mod at_commit;
mod basics;
mod failures;
mod locks;
mod stress;
mod world;
