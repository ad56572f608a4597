//! The derives of [fraiseql-runtime](https://docs.rs/fraiseql-runtime), which re-exports
//! them: depend on that crate, not on this one.
//!
//! From attributes to code in the order of the modules: `attr` reads them, `check` says
//! everything that is wrong with them and makes a `model` of what is meant, `emit` writes
//! one constant table and thin wrappers, `fallback` writes stubs where there were errors,
//! so that one mistake is one message.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod attr;
mod case;
mod check;
mod docs;
mod emit;
mod fallback;
#[cfg(test)]
mod guides;
mod model;
mod spelling;
mod text;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

use crate::model::Kind;

/// Makes a struct a view: a base table as root, a view table of JSON documents, and the
/// functions that keep the second equal to the first.
///
/// For `struct Post` it emits, beside the trait implementations and the struct's
/// `Serialize` and `Deserialize`:
///
/// - `async fn sync_post(target, keys) -> Result<SyncReport>`
/// - `fn sync_all_posts(target) -> FullSync`, to be awaited
/// - `fn verify_post(target) -> Verify`, to be awaited
/// - `async fn delete_post(target, keys) -> Result<SyncReport>`
///
/// Each attribute is shown at work in [the reference].
///
/// [the reference]: https://docs.rs/fraiseql-runtime/latest/fraiseql_runtime/guide/attributes/
///
/// # On the struct: `#[tview(..)]`
///
/// | attribute | meaning | default |
/// |---|---|---|
/// | `table = "tb_post"` | the base table; `"schema.table"` is allowed | `tb_` and the entity, in `public` |
/// | `view = "tv_post"` | the view table | `tv_` and the entity, in `public` |
/// | `entity = "post"` | the name that the functions end with | the struct's name in snake_case |
/// | `plural = "posts"` | its plural, in `sync_all_posts` | by the rules of English |
/// | `type_name = "Post"` | the name in GraphQL | the struct's name |
/// | `data = "jsonb"` | how documents are stored; `"json"` is faster to read, and cannot be searched | `"jsonb"` |
/// | `filter = "deleted_at IS NULL"` | which rows have a document, as SQL | all |
/// | `index(..)` | an index of the view table; as many as you like, see [below](#indexes) | those of promoted fields |
/// | `unlogged`, `fillfactor = 70`, `partition(..)` | how the view table is stored, see [below](#storage) | logged, 85 percent, one table |
/// | `serde = false` | you implement `Serialize` and `Deserialize` yourself | `true` |
/// | `crate = ::path` | where `fraiseql_runtime` is | `::fraiseql_runtime` |
///
/// # On a field
///
/// | attribute | meaning |
/// |---|---|
/// | `key` | the key of the documents; the default is the field `id` |
/// | `column = "title"` | the column; the default is the field's name |
/// | `json = "title"` | the key in the document; the default is the name in camelCase |
/// | `skip` | not in the document; `Default` when read |
/// | `filter`, `sort`, `unique` | also a typed, indexed column of the view table |
/// | `one(fk = "author_id")` | the row that the column refers to, as a part `T`, `Box<T>` or `Arc<T>`; in an `Option` where it may be null. `key = ".."` where it refers to another column than the other table's key |
/// | `many(fk = "post_id")` | the rows whose column refers to this row, as a `Vec<T>`, `Box<[T]>` or `Arc<[T]>`; also `key`, `order_by = "created_at DESC, id"`, `limit = 50`, `filter = "NOT hidden"`, and `through(table = "tb_post_tag", fk = "post_id", to = "tag_id")`, with a `key` of its own, in place of `fk` |
/// | `count(table = "tb_comment", fk = "post_id")` | how many rows refer to this row; also `expr`, `filter`, `key` |
/// | `sum`, `avg`, `min`, `max` | the same with `expr = "{}.price * {}.quantity"`, where `{}` is the row; without rows, `avg`, `min` and `max` are null, and so is `sum` in an `Option` |
/// | `exists(table = .., fk = ..)` | whether a row refers to this row |
/// | `expr = "lower({}.title)"` | an SQL expression over the row `{}` |
///
/// # Indexes
///
/// The key, and each field marked with `filter`, `sort` or `unique`, has an index by itself.
/// Others are declared on the struct, as often as needed, and created by `migrate`:
///
/// | index | for queries like |
/// |---|---|
/// | `index(on = "author_id, created_at DESC")` | `WHERE author_id = $1 ORDER BY created_at DESC LIMIT 20` |
/// | `index(expr = "lower(title)")` | `WHERE lower(title) = $1` |
/// | `index(gin)` | `WHERE data @> '{"author": {"username": "ada"}}'` |
/// | `index(gin = "author.tags")` | `WHERE data -> 'author' -> 'tags' @> '["rust"]'`; a smaller index than that of the whole document |
/// | `index(fulltext = "title, body", language = "english")` | `WHERE <expression> @@ websearch_to_tsquery('english', $1)`, see below |
///
/// - Columns (`on`, `expr`, `filter`, `include`) are those of the view table: the key, promoted
///   fields, `updated_at` and `version`. In `on` and `include` a promoted field may also be
///   called by its name in Rust, and then comes before a column of that name.
/// - Paths (`gin`, `fulltext`) are keys of the document as they are there, in camelCase, with
///   dots between them. They lead through parts and `serde_json::Value`s, not into lists: index
///   the list, and search with `data -> 'comments' @> '[{"authorId": 7}]'`. `gin` is by
///   `jsonb_path_ops`: it answers `@>`, `@?` and `@@`, and not the `?` of keys. Documents with
///   `data = "json"` have no `gin`.
/// - Texts of `fulltext` are promoted columns, or paths; a text that is null is empty.
///   `language` is one of PostgreSQL's text search configurations, or `"schema.name"` for your
///   own; without it, `simple` takes words as they are. The index serves a query that
///   has the very same expression: take it from `Post::statements().ddl.index(name)`, whose
///   `expression` it is. For `title` promoted and `body` not, it is
///   `pg_catalog.to_tsvector('pg_catalog.english'::pg_catalog.regconfig, coalesce("title", '') ||
///   ' ' || coalesce(data ->> 'body', ''))`; `coalesce(title, '')` and `to_tsvector('english', ..)`
///   mean the same to PostgreSQL.
///
/// | option | meaning | goes with |
/// |---|---|---|
/// | `unique` | no two documents have the same; a sync that would write the second one fails | `on`, `expr` |
/// | `filter = "published"` | only these rows are in the index; a query that has the same condition can use it | all |
/// | `include = "title"` | columns that are read from the index and not searched | `on`, `expr` |
/// | `using = "brin"` | another method: `brin` for what grows with time, `hash` for equality of one column; the default is `btree` | `on` |
/// | `name = "post_search"` | its name; the default is made of table and columns, `tv_post_author_id_created_at_idx` | all |
///
/// Two indexes with an equal option, such as `unique`, are to clippy a "duplicated attribute",
/// which is wrong here: put `#[allow(clippy::duplicated_attributes)]` on the struct.
///
/// # Storage
///
/// - `unlogged`: the view table has no write-ahead log, so syncing is faster, and **after a
///   crash of the server the table is empty** until `sync_all_posts` has run; it is empty on
///   replicas, too. For documents that can be built anew before anyone asks for them.
/// - `fillfactor = 70`, from 10 to 100: how full inserts leave a page, in percent. The rest is
///   room for updated rows: less of it makes the table smaller, more of it makes updates cheaper.
/// - `partition(hash = 8)`: the view table is divided into that many tables (2 to 1024), by a
///   hash of the key.
/// - `partition(range = "1000000, 2000000")`: it is divided at these keys. There is one table
///   more than there are bounds: before the first and after the last there is one each, so every
///   key has its place. Texts ascend by their bytes here; `migrate` refuses bounds that the
///   database's collation orders otherwise.
///
/// A view table is partitioned by the key of its documents, and by nothing else: in PostgreSQL
/// only what contains the partition key can be unique, and sync needs unique keys. For the same
/// reason such a view has no `unique` fields, and its unique indexes contain the key.
///
/// All of this is for tables that `migrate` creates. It changes no existing table, but says
/// what differs, and the statement that changes it.
///
/// # What is proved when compiling
///
/// A table may have columns that no struct has a field for, so a column's name is not proved to
/// be right. But where a field tells what a column is, `fk`, `key` and `order_by` are held
/// against it: a foreign key has a type that can be compared with what it refers to, it is not
/// an `Option` beside a `one` that is none, and no name is that of a field, in Rust or in JSON,
/// whose column has another.
#[proc_macro_derive(TView, attributes(tview))]
pub fn derive_tview(input: TokenStream) -> TokenStream {
    derive(&parse_macro_input!(input as DeriveInput), Kind::View)
}

/// Makes a struct a part of documents: the shape of a base table's row, without a view
/// table of its own.
///
/// The attributes are those of [`TView`](macro@TView), without `view`, `entity`, `plural`,
/// `data`, indexes and storage, and without `filter`, `sort` and `unique` on fields: a part is not found on
/// its own.
///
/// # A part that is some fields of another struct: `shape_of = User`
///
/// The compiler then proves that every field of the part is a field of `User`: one of the same
/// name, with the same type, from the same source. What may differ is its key in JSON, and the
/// order and the limit of a list. An object or a list may be another part of the same table.
/// Fields that either struct skips are not compared.
///
/// The part has the table and the key of `User`, and its row filter too, so that a row that
/// has no document as a `User` is not embedded either; a `filter` of its own replaces it, and
/// `filter = "true"` embeds every row. `User` is any struct with one of the derives, in any
/// module, with private fields or not. An example is at the trait.
#[proc_macro_derive(Embed, attributes(tview))]
pub fn derive_embed(input: TokenStream) -> TokenStream {
    derive(&parse_macro_input!(input as DeriveInput), Kind::Part)
}

/// Makes a struct with one field a scalar: in PostgreSQL, in JSON and as a key, it is what its
/// field is.
///
/// It implements [`Scalar`], `Serialize` and `Deserialize`, and `Key` where the field's type is
/// one. No other derives are needed.
///
/// | attribute on the struct | meaning | default |
/// |---|---|---|
/// | `type_name = "PostId"` | the name in GraphQL | that of the field's type |
/// | `serde = false` | you derive serde yourself; documents do not use it | `true` |
/// | `crate = ::path` | where `fraiseql_runtime` is | `::fraiseql_runtime` |
///
/// [`Scalar`]: https://docs.rs/fraiseql-runtime/latest/fraiseql_runtime/trait.Scalar.html
#[proc_macro_derive(TScalar, attributes(tview))]
pub fn derive_tscalar(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    match check::check_newtype(&input) {
        Ok(newtype) => emit::newtype::emit(&newtype).into(),
        Err(errors) => fallback::with_errors(errors, fallback::scalar::newtype(&input)),
    }
}

/// Makes an enum whose variants are names a scalar: a text or a value of an enum type in
/// PostgreSQL, a SCREAMING_SNAKE name in JSON and GraphQL.
///
/// It implements [`TEnum`], `Scalar`, `Serialize` and `Deserialize`.
///
/// | attribute on the enum | meaning | default |
/// |---|---|---|
/// | `rename_all = "snake_case"` | how the labels are written in the database; also `"SCREAMING_SNAKE_CASE"`, `"camelCase"`, `"PascalCase"`, `"kebab-case"`, `"lowercase"`, `"UPPERCASE"` | `InReview` is `in_review`, `IN_REVIEW` or `InReview` |
/// | `type_name = "Status"` | the name in GraphQL | the enum's name |
/// | `serde = false` | you derive serde yourself; documents do not use it | `true` |
/// | `crate = ::path` | where `fraiseql_runtime` is | `::fraiseql_runtime` |
///
/// | attribute on a variant | meaning | default |
/// |---|---|---|
/// | `rename = "in-review"` | its label in the database | by `rename_all` |
/// | `json = "IN_REVIEW"` | its name in JSON and GraphQL | SCREAMING_SNAKE |
///
/// [`TEnum`]: https://docs.rs/fraiseql-runtime/latest/fraiseql_runtime/trait.TEnum.html
#[proc_macro_derive(TEnum, attributes(tview))]
pub fn derive_tenum(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    match check::check_enumeration(&input) {
        Ok(enumeration) => emit::enumeration::emit(&enumeration).into(),
        Err(errors) => fallback::with_errors(errors, fallback::scalar::enumeration(&input)),
    }
}

fn derive(input: &DeriveInput, kind: Kind) -> TokenStream {
    match check::check(input, kind) {
        Ok(model) => emit::emit(&model).into(),
        Err(errors) => fallback::with_errors(errors, fallback::stubs(input, kind)),
    }
}
