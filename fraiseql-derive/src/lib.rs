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
mod emit;
mod fallback;
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
/// - `async fn delete_post(target, keys) -> Result<SyncReport>`
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
/// | `one(fk = "author_id")` | the row that the column refers to; `Option` where it may be null. `key = ".."` where it refers to another column than the other table's key |
/// | `many(fk = "post_id")` | the rows whose column refers to this row, as a `Vec`; also `key`, `order_by = "created_at DESC, id"`, `limit = 50`, `filter = "NOT hidden"`, and `through(table = "tb_post_tag", fk = "post_id", to = "tag_id")` in place of `fk` |
/// | `count(table = "tb_comment", fk = "post_id")` | how many rows refer to this row; also `expr`, `filter`, `key` |
/// | `sum`, `avg`, `min`, `max` | the same with `expr = "{}.price * {}.quantity"`, where `{}` is the row; without rows, `avg`, `min` and `max` are null, and so is `sum` in an `Option` |
/// | `exists(table = .., fk = ..)` | whether a row refers to this row |
/// | `expr = "lower({}.title)"` | an SQL expression over the row `{}` |
#[proc_macro_derive(TView, attributes(tview))]
pub fn derive_tview(input: TokenStream) -> TokenStream {
    derive(&parse_macro_input!(input as DeriveInput), Kind::View)
}

/// Makes a struct a part of documents: the shape of a base table's row, without a view
/// table of its own.
///
/// The attributes are those of [`TView`](macro@TView), without `view`, `entity`, `plural`
/// and `data`, and without `filter`, `sort` and `unique` on fields: a part is not found on
/// its own.
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
