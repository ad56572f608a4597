//! The feed of documents: which documents change, whoever writes them.
//!
//! A read model with [`feed`](crate::model::ReadModelBuilder::feed) has triggers on its view tables, which note the keys of
//! the documents that each statement writes. A [`Feed`] reads these notes, once for a whole process, and tells those who
//! asked for them:
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
//! use fraiseql_runtime::feed::DocumentChange;
//! use futures_util::StreamExt as _;
//!
//! #[derive(TView)]
//! pub struct Post {
//!     pub id: i64,
//!     pub title: String,
//! }
//! # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL);
//! #     INSERT INTO tb_post VALUES (7, 'Notes')", async |pool| {
//! let blog = ReadModel::builder().view::<Post>().feed().build()?;
//! blog.migrate(&pool).await?;
//! # sync_all_posts(&pool).await?;
//! let feed = blog.feed(&pool).start().await?;
//!
//! // A document as it is, and whenever it has changed.
//! let mut post = feed.document::<Post>(7);
//! assert_eq!(post.next().await.unwrap()?.unwrap().title, "Notes");
//!
//! sqlx::query("UPDATE tb_post SET title = 'News'").execute(&pool).await?;
//! sync_post(&pool, &[7]).await?;
//! assert_eq!(post.next().await.unwrap()?.unwrap().title, "News");
//!
//! // A list, likewise; and the keys of the documents that change.
//! let mut posts = feed.list::<Post>(Post::list().limit(10));
//! assert_eq!(posts.next().await.unwrap()?.len(), 1);
//! let mut changes = feed.changes::<Post>();
//! assert_eq!(changes.next().await, Some(DocumentChange::Reset));
//! # sqlx::query("UPDATE tb_post SET title = 'Notes'").execute(&pool).await?;
//! # sync_post(&pool, &[7]).await?;
//! assert_eq!(changes.next().await, Some(DocumentChange::Changed(vec![7])));
//! # Ok(()) }) }
//! ```
//!
//! # What is promised
//!
//! A stream begins before its first picture is read, so nothing falls between them. Each change of a document that is
//! committed leads to a new picture, unless later changes came first: pictures may be skipped, the last one is not. A
//! picture that is equal to the one before is not sent. If the connection is lost, the feed goes on where it was. Where it
//! cannot, because the server is another one or was restarted, because changes were [deleted](FeedBuilder::keep)
//! meanwhile, or because there were too many at once, all pictures are read again, and
//! [`changes`](Feed::changes) says [`Reset`](DocumentChange::Reset).
//!
//! Documents are read on the pool of the feed, and so from the primary, with the rights of its role.
//!
//! A copy of documents elsewhere, such as a search index, is kept by a [`sink`], which goes on where it was after a
//! restart.
//!
//! # What it costs
//!
//! A statement that writes documents writes one row more. A feed is one task, and one statement for each look. With nothing
//! to do it sleeps, and writers wake it by notifications: then it sends two statements in 30 seconds, however many streams there
//! are. While documents change more than twenty times a second, it looks every 10 milliseconds or so, and writers need not
//! notify. For notifications it keeps one
//! connection of the pool; behind a pooler in transaction mode, which has none, and with a pool of fewer than three
//! connections, it looks once a [second](FeedBuilder::max_wait) instead.

mod builder;
mod changes;
mod cursor;
mod handle;
mod health;
mod hub;
mod inbox;
mod interest;
mod listener;
mod reader;
mod settings;
mod shared;
pub mod sink;
mod subscription;
mod watch;

pub use self::builder::FeedBuilder;
pub use self::changes::DocumentChange;
pub use self::handle::Feed;
pub use self::health::FeedHealth;
#[doc(hidden)]
pub use self::interest::{Interest, Notice};
#[doc(hidden)]
pub use self::subscription::Subscription;
#[doc(hidden)]
pub use self::watch::LastPicture;
