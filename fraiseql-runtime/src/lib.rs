//! Structs in, documents out: typed, explicit sync from normalized PostgreSQL tables to JSON
//! documents.
//!
//! A struct with [`#[derive(TView)]`](derive@TView) is a *view*: one base table as root, and one
//! view table with a JSON document for each row. Structs with [`#[derive(Embed)]`](derive@Embed) are
//! the *parts* of its documents. *Sync* makes the documents of given keys equal to the base tables;
//! the application's code calls it.
//!
//! ```
//! use fraiseql_runtime::{Embed, ReadModel, TView};
//!
//! #[derive(Debug, TView)]
//! pub struct Post {
//!     pub id: i64,
//!     pub title: String,
//!     #[tview(one(fk = "author_id"))]
//!     pub author: Author,
//! }
//!
//! #[derive(Debug, Embed)]
//! #[tview(table = "tb_user")]
//! pub struct Author {
//!     pub id: i64,
//!     pub full_name: String,
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = dev_postgres::Server::shared()?;
//! # let pool = sqlx::PgPool::connect_with(server.create_database().await?).await?;
//! sqlx::raw_sql(
//!     "CREATE TABLE tb_user (id int8 PRIMARY KEY, full_name text NOT NULL);
//!      CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL, author_id int8 NOT NULL);
//!      INSERT INTO tb_user VALUES (1, 'Ada Lovelace');
//!      INSERT INTO tb_post VALUES (7, 'Notes', 1)",
//! )
//! .execute(&pool)
//! .await?;
//!
//! let blog = ReadModel::builder().view::<Post>().build()?;
//! blog.migrate(&pool).await?; // creates tv_post
//!
//! let report = sync_post(&pool, &[7]).await?;
//! assert_eq!(report.inserted, 1);
//!
//! let post = Post::find(&pool, 7).await?.expect("it was synced");
//! assert_eq!(post.author.full_name, "Ada Lovelace");
//! assert_eq!(
//!     serde_json::to_string(&post)?,
//!     r#"{"id":7,"title":"Notes","author":{"id":1,"fullName":"Ada Lovelace"}}"#
//! );
//! # pool.close().await;
//! # Ok(()) }
//! ```
//!
//! | task | see |
//! |---|---|
//! | describe documents | [`TView`](derive@TView), [`Embed`](derive@Embed); [`guide::attributes`] for an example of each attribute; [`scalar`] for the types |
//! | describe what is a document of one of several structs | [`TUnion`](derive@TUnion) |
//! | begin with existing tables | [`guide::existing_database`] |
//! | replace triggers, materialized views, caches or projections | [`guide::moving_over`] |
//! | choose between view tables, live views and materialized views | [`guide::storage`], [`ReadModel::advise`], [`ReadModel::refresh`] |
//! | create view tables | [`ReadModel::migrate`] |
//! | compare the structs with a database | [`ReadModel::check`] |
//! | sync | [`SyncTarget`] for the targets, [`FullSync`](sync::FullSync) for a whole view, [`SyncReport`] for the result |
//! | change rows, and sync every document that depends on them | [`Mutation`], [`ReadModel::mutate`] |
//! | find the documents that depend on rows | [`ReadModel::dependents`] |
//! | learn what holds under concurrent writes | [`guide::concurrency`] |
//! | compare documents with the base tables | [`Verify`] in operation, [`assert_synced()`] in a test |
//! | test a service without a database | [`guide::testing`], [`Recorder`] |
//! | observe syncs | [`ReadModel::on`], [`SyncLog`], [`SyncObserver`](sync::SyncObserver); the features `tracing` and `metrics` |
//! | read documents | [`TView::find`], [`TView::find_json`], [`TView::find_many`]; filtered and ordered, [`mod@list`] |
//! | select fields of documents | [`Projection`], [`select`] |
//! | serve documents | [`guide::serving`]; the crate `fraiseql-graphql` |
//! | read on streaming replicas | [`Replicas`], [`WalPosition`], [`guide::replicas`] |
//! | change a struct that has documents | [`guide::evolution`], [`ReadModel::rebuild`] |
//! | see the SQL | [`guide::expanded`], [`sql::document::query`], [`TView::statements`] |
//! | operate an application | [`guide::operations`] |
//!
//! # Guarantees
//!
//! - **A document reflects one snapshot.** It is built by one statement. The exception is a mutation
//!   that changes one embedded row of many documents: it replaces that object in the stored
//!   documents, which are locked.
//! - **A sync never replaces a document by an older state of it.** On a pool, a document that another
//!   transaction wrote after the statement's snapshot, or is about to write, is locked and built
//!   again. In a transaction, the rows that a document embeds by foreign key or through a join table
//!   are locked before it is built, and syncs on a pool wait for transactions that have synced and
//!   have not ended.
//! - **Keys are always locked in order.**
//! - **Equal documents are not written**: no new row version, no WAL, no new `version`. Only if
//!   another writer may have an older state of such a document, its `synced_xid` is written.
//!
//! When every writer has synced what it changed, every document is equal to the base tables. A
//! [`Mutation`] finds the dependents of its marked rows; a caller of `sync_post` must pass all keys.
//! [`guide::concurrency`] explains each case, and names those without a guarantee. [`Verify`] finds
//! forgotten syncs.

// On docs.rs, each item shows the feature that it needs.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod advise;
mod const_check;
mod db;
pub mod error;
pub mod feed;
pub mod guide;
pub mod model;
pub mod mutation;
mod mutex;
mod ops;
pub mod read;
pub mod schema;
pub mod sql;
pub mod sync;
pub mod testing;
pub mod view;
pub mod worker;

pub use db::wal_position::{ParsePositionError, WalPosition};
pub use error::{Error, Result};
pub use fraiseql_derive::{Embed, TEnum, TScalar, TUnion, TView};
pub use model::ReadModel;
pub use mutation::{Capture, Changes, Mutation, MutationReport, SyncToken};
pub use ops::verify::Verify;
pub use ops::{check, migrate, rebuild, refresh, verify};
pub use read::select::{Projection, Selection};
pub use read::typed::TView;
pub use read::{GlobalId, ReadTarget, Readers, Replicas, Scoped, list, select};
pub use schema::embed::Embed;
pub use schema::key::{Key, Keys};
pub use schema::key_tuple::KeyTuple;
pub use schema::row_key::Keyed;
pub use schema::scalar::{self, Scalar, TEnum};
pub use schema::union::{MemberOf, TUnion};
pub use sync::{SyncLog, SyncReport, SyncTarget};
pub use testing::{Failure, Recorder, assert_synced};
pub use worker::Worker;

/// Items that the derives refer to in their output. Not part of the public API.
#[doc(hidden)]
pub mod __private {
    pub mod columns {
        pub use crate::const_check::columns::{
            aggregate_key, many_fk, many_key, many_order, many_through, one_fk, one_key, values_key,
        };
    }
    pub use crate::const_check::cycle::check as check_cycle;
    pub mod proof {
        pub use crate::const_check::scalar::{
            aggregate, global_id, json, key, part_has_key, promoted, range, scalar, text, values,
        };
    }
    pub mod relation {
        pub use crate::const_check::autoref::{Many, NoRelation, NoScalar, One, Value};
    }
    pub mod shape_of {
        pub use crate::const_check::shape_of::{
            chain, field, filter, key, key_column, table, written_table,
        };
        pub use crate::schema::embed::Own;
    }
    pub mod union {
        pub use crate::const_check::unions::{common, field, member, type_name};
        pub use crate::schema::union::UnionMember;
    }
    pub use crate::ops::verify::verify;
    pub use crate::schema::embed::{
        Child, Children, End, FirstField, KeyOf, ManyField, NoKey, OneField,
    };
    pub use crate::schema::scalar::read_enum;
    pub use crate::sql::Statements;
    pub use crate::sync::full::sync_all;
    pub use crate::sync::{delete, sync};
    pub use crate::view::{NoTenant, ViewDef};
    pub use serde;
    pub use std;

    /// The result of `find_json`. An alias, so that messages of the compiler about `RawValue` keep its
    /// path.
    pub type RawJson = Box<serde_json::value::RawValue>;
}

/// Items that `fraiseql-graphql` uses besides the public API. Not covered by semver: the two crates
/// are released together.
#[doc(hidden)]
pub mod __graphql {
    pub use sqlx_core::rt::{sleep, spawn};

    pub use crate::db::byte_limit::ByteLimit;
    pub use crate::feed::LastPicture;
    pub use crate::mutex::lock;
    pub use crate::read::by_values::{
        KeyMismatch, document_at, documents_at, each_key, first_keys, key_of_values, keys_of_texts,
        text_of_key,
    };
    pub use crate::read::coalesce::{Coalescer, Limits, Turn};
    pub use crate::read::document::Document;
    pub use crate::read::find::documents;
    pub use crate::read::global_id::{global_id_of, key_values, type_name_of};
    pub use crate::read::list::kept::KeptStatement;
    pub use crate::read::list::unless::DocumentUnless;
    pub use crate::read::scope::Scope;
    pub use crate::read::select::{BigInts, Written};
    pub use crate::schema::key::Keys;
    pub use crate::view::Handle;
}
