//! Sinks: copies of documents elsewhere, such as a search index, that are kept up to date.
//!
//! A [`Sink`] is the code that writes to the other system. [`SinkRunner`] brings it every document first, and then those that
//! change, whoever writes them:
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
//! use std::collections::BTreeMap;
//! use std::convert::Infallible;
//! use fraiseql_runtime::feed::sink::{Sink, SinkDocument};
//!
//! #[derive(TView)]
//! pub struct Post {
//!     pub id: i64,
//!     pub title: String,
//! }
//!
//! /// Documents by their keys.
//! #[derive(Default)]
//! struct Copies(BTreeMap<String, (u64, String)>);
//!
//! impl Sink for Copies {
//!     type Error = Infallible;
//!
//!     async fn write(&mut self, documents: &[SinkDocument]) -> Result<(), Infallible> {
//!         for document in documents {
//!             match document.text() {
//!                 Some(json) => {
//!                     let copy = (document.version, json.to_owned());
//!                     self.0.insert(document.key.clone(), copy)
//!                 }
//!                 None => self.0.remove(&document.key),
//!             };
//!         }
//!         Ok(())
//!     }
//!
//!     async fn remove_older(&mut self, _view: &'static str, version: u64) -> Result<(), Infallible> {
//!         self.0.retain(|_, (written, _)| *written >= version);
//!         Ok(())
//!     }
//! }
//! # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL);
//! #     INSERT INTO tb_post VALUES (7, 'Notes')", async |pool| {
//! let blog = ReadModel::builder().view::<Post>().feed().build()?;
//! blog.migrate(&pool).await?;
//! # sync_all_posts(&pool).await?;
//! let mut copies = Copies::default();
//! // A service calls `run`, which goes on until it is told to stop.
//! blog.sink(&pool, "copies").drain(&mut copies).await?;
//! assert!(copies.0["7"].1.contains("Notes"));
//!
//! sqlx::query("DELETE FROM tb_post").execute(&pool).await?;
//! sync_post(&pool, &[7]).await?;
//! blog.sink(&pool, "copies").drain(&mut copies).await?;
//! assert!(copies.0.is_empty());
//! # Ok(()) }) }
//! ```
//!
//! # What is promised
//!
//! Every change arrives at least once, and the last one of a document last. Where a sink is, is stored in the database
//! under its name: after a restart it goes on from there. A batch whose [`write`](Sink::write) has failed, or whose process was
//! killed, comes again. One process at a time runs a sink of one name; others wait, and take over when it ends.
//!
//! A process that was taken for dead may write late, after its successor. So each document has a
//! [`version`](SinkDocument::version), and the other system keeps the greater one: what Elasticsearch and OpenSearch
//! call an external version.
//!
//! All documents are passed again if changes may have been missed: after a restart or a failover of the server, if changes were
//! deleted because the sink did not run for seven days, or if more than 100,000 documents have changed since the last look. What
//! is not among them any more is removed by [`remove_older`](Sink::remove_older).

mod document;
mod pass;
mod run;
mod runner;
mod state;

pub use self::document::{Sink, SinkDocument};
pub use self::runner::{SinkReport, SinkRunner};
pub(super) use self::state::SinkState;
