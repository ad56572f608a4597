//! The derives of [fraiseql-runtime](https://docs.rs/fraiseql-runtime), which re-exports
//! them: depend on that crate, not on this one.
//!
//! A derive is a pipeline, and imports run along it: `attr` reads the attributes, `check` validates
//! them and builds a `model`, `emit` writes one constant table and thin wrappers. If there are
//! errors, `fallback` writes stubs instead, so that a mistake is not reported a second time where
//! the struct is used.
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
mod identifiers;
mod model;
mod nearest;
mod text;
mod type_syntax;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

use crate::check::Mistakes;
use crate::model::DeriveKind;

/// Makes a struct a view: a base table as root, and a view table with one JSON document for each
/// of its rows.
///
/// For `struct Post` it emits implementations of `Embed`, `Serialize`, `Deserialize` and the trait
/// behind `TView`, and four functions with the visibility of the struct:
///
/// - `async fn sync_post(target, keys) -> Result<SyncReport>` makes the documents of these keys equal
///   to the base tables.
/// - `fn sync_all_posts(target) -> FullSync` does so for all keys, when awaited.
/// - `fn verify_post(target) -> Verify` compares documents with the base tables, when awaited.
/// - `async fn delete_post(target, keys) -> Result<SyncReport>` deletes documents.
///
/// [The reference] has an example of each attribute, with the document that it produces. An example
/// of a whole view is at the trait `TView`.
///
/// [The reference]: https://docs.rs/fraiseql-runtime/latest/fraiseql_runtime/guide/attributes/
///
/// # On the struct: `#[tview(..)]`
///
/// | attribute | meaning | default |
/// |---|---|---|
/// | `table = "tb_post"` | the base table, or `"schema.table"` | `tb_` and the entity, in the schema `public` |
/// | `view = "tv_post"` | the view table, or `"schema.table"` | `tv_` and the entity, in the schema `public` |
/// | `entity = "post"` | the end of the names of functions | the name of the struct in snake_case |
/// | `plural = "posts"` | the plural of the entity, in `sync_all_posts` | by the regular rules of English |
/// | `type_name = "Post"` | the name of the GraphQL type | the name of the struct |
/// | `data = "jsonb"` | the type of the column of documents. `"json"` is faster to read, but cannot be searched | `"jsonb"` |
/// | `storage = "table"` | where documents are: `"table"`, a view table that is synced; `"live"`, nowhere, they are built when they are read; `"matview"`, a materialized view. See [Storage](#storage) | `"table"` |
/// | `refresh = "5m"` | how often a worker refreshes a materialized view: a number, and `s`, `m`, `h` or `d` | never |
/// | `sync = "commit"` | when the documents that a mutation affects are synced: `"commit"`, just before it commits, or `"eventual"`, after it, by the worker | `"commit"` |
/// | `filter = "deleted_at IS NULL"` | which rows have a document, as SQL | all rows |
/// | `index(..)` | an index of the view table, any number of times: see [Indexes](#indexes) | none beside those of the key and of promoted fields |
/// | `unlogged`, `fillfactor = 70`, `partition(..)` | the storage parameters of the view table: see [Storage parameters](#storage-parameters) | logged, 85 percent, not partitioned |
/// | `serde = false` | do not implement `Serialize` and `Deserialize`: you do | `true` |
/// | `crate = ::path` | the path of `fraiseql_runtime`, if it is renamed or re-exported | `::fraiseql_runtime` |
///
/// # On a field: `#[tview(..)]`
///
/// Without an attribute, a field is the column of the same name.
///
/// | attribute | meaning |
/// |---|---|
/// | `key` | the field identifies a row and its document. On several fields: the key is a tuple of them, in their order. The default is the field `id` |
/// | `tenant` | the field names the owner of the document, and reads of the view must name one: `Post::of(tenant)`. It is a column of the view table, and the first one of its indexes. Unique values are unique within it |
/// | `column = "title"` | the column. The default is the name of the field |
/// | `json = "title"` | the key in the document. The default is the name of the field in camelCase |
/// | `skip` | the field is not in the document. When one is read, it is set to its `Default` |
/// | `filter`, `sort`, `unique` | the field is promoted: it is also a typed, indexed column of the view table. Of a `Vec` the index is GIN, of the values in it. With `unique`, no two documents have the same value |
/// | `index = false` | with `filter` or `sort`: the column of the view table has no index |
/// | `hidden` | with `filter`, `sort`, `unique` or `tenant`: the field is a column of the view table, and not in the document. When the view is read as its struct, the field has its value |
/// | `expr = "lower({}.title)"` | an SQL expression over the row, whose alias is `{}` |
/// | `global_id` | the name of the type and the key of the document, as one opaque text. The type is `GlobalId`, and `ID` in GraphQL, where the root field finds a document by it |
/// | `through = "position"` | in a part: the column of the join table, in `many(through(..))`, `first(through(..))` only |
/// | `one(fk = "author_id")` | the row that this column refers to, as an object. The field is a part `T`, `Box<T>` or `Arc<T>`, and an `Option` of it if the column can be null or the row missing. See [`one`](#arguments-of-one) |
/// | `many(fk = "post_id")` | the rows whose column refers to this row, as a list. The field is a `Vec<T>`, `Box<[T]>` or `Arc<[T]>`. See [`many`](#arguments-of-many) |
/// | `first(fk = "post_id", order_by = "created_at DESC")` | the first of those rows, as an object, or null. The field is an `Option<T>`. See [`many`](#arguments-of-many) |
/// | `values(table = "tb_tag", fk = "post_id", column = "name")` | a value of each of those rows, as a list of scalars. The field is a `Vec`. See [`values`](#arguments-of-values) |
/// | `count(table = "tb_comment", fk = "post_id")` | the number of rows that refer to this row. See [aggregates](#arguments-of-aggregates) |
/// | `sum(..)`, `avg(..)`, `min(..)`, `max(..)` | the aggregate of an `expr` of those rows. Without rows, `avg`, `min` and `max` are null; `sum` is 0, or null if the field is an `Option` |
/// | `exists(table = "tb_comment", fk = "post_id")` | whether a row refers to this row |
///
/// ## Arguments of `one`
///
/// | argument | meaning | default |
/// |---|---|---|
/// | `fk = "author_id"` | the column of this row that refers to the other row | required |
/// | `key = "code"` | the column of the other row that it refers to | the key of the part, or `id` if it has none |
///
/// A foreign key of several columns is written `fk = "org_id, project_id"`, and so is what it refers to: `key = "org_id,
/// id"`. They are compared one by one. The same holds for every `fk`, `key` and `to` below.
///
/// ## Arguments of `many`
///
/// Those of `first` are the same, without `limit`, and `order_by` is required.
///
/// | argument | meaning | default |
/// |---|---|---|
/// | `fk = "post_id"` | the column of the other rows that refers to this row | `fk` or `through` is required |
/// | `through(table = "tb_post_tag", fk = "post_id", to = "tag_id")` | a join table, its column that refers to this row, and its column that refers to the other row. `key = ".."` in it is the column of the other row, and `order_by = "position"` the order by columns of the join table, before that of the list | `key`: the key of the part |
/// | `key = "slug"` | the column of this row that is referred to | the key of this struct |
/// | `order_by = "created_at DESC NULLS LAST, id"` | the order of the list. The key of the part is always added at the end | the key of the part |
/// | `limit = 50` | the maximum length of the list | none |
/// | `filter = "NOT hidden"` | which of the rows are in the list, as SQL. `{}` is the alias of the row | all |
///
/// ## Arguments of `values`
///
/// | argument | meaning | default |
/// |---|---|---|
/// | `table = "tb_tag"` | the table of the values | required |
/// | `column = "name"`, `expr = "lower({}.name)"` | the value of a row | one of them is required |
/// | `fk`, `through`, `key`, `filter`, `limit` | as in [`many`](#arguments-of-many) | the `key` in `through` is `id` |
/// | `order_by = "position"` | the order of the rows. The value is always added at the end | the order of the values |
/// | `distinct` | equal values are one. The order is then that of the value | each row has its value |
///
/// ## Groups
///
/// A part with `group_by` on its struct is a group of rows: its fields are columns of `group_by`, and aggregates of the
/// rows of the group, `count` alone or with arguments, without `table` and `fk`. It can only be in `many`, whose
/// `order_by` names columns of `group_by` and fields that are aggregates.
///
/// ## Arguments of aggregates
///
/// | argument | meaning | default |
/// |---|---|---|
/// | `table = "tb_line"` | the table of the rows | required |
/// | `fk = "order_id"` | their column that refers to this row | required |
/// | `expr = "{}.price * {}.quantity"` | the value to aggregate, as SQL. `{}` is the alias of the row. `count` counts the rows for which it is not null | required for `sum`, `avg`, `min` and `max`; not allowed for `exists` |
/// | `distinct` | equal values of `expr` count once, in `count`, `sum` and `avg` | each row counts |
/// | `filter = "NOT hidden"` | which of the rows count, as SQL | all |
/// | `through(table = "tb_order", fk = "buyer_id")` | the rows between: `fk` of the aggregate refers to them, to their `key`, and they refer to this row. A `filter` in it says which of them count | `key`: `id` |
/// | `key = "slug"` | the column of this row that is referred to | the key of this struct |
///
/// # Indexes
///
/// The key and each promoted field have an index. Declare others on the struct, and `migrate`
/// creates them:
///
/// | index | for queries such as |
/// |---|---|
/// | `index(on = "author_id, created_at DESC")` | `WHERE author_id = $1 ORDER BY created_at DESC LIMIT 20` |
/// | `index(expr = "lower(title)")` | `WHERE lower(title) = $1` |
/// | `index(gin)` | `WHERE data @> '{"author": {"username": "ada"}}'` |
/// | `index(gin = "author.tags")` | `WHERE data -> 'author' -> 'tags' @> '["rust"]'`, with a smaller index than that of the whole document |
/// | `index(fulltext = "title, body", language = "english")` | `WHERE <expression> @@ websearch_to_tsquery('english', $1)`, see below |
///
/// - Columns (in `on`, `expr`, `filter` and `include`) are those of the view table: the key, promoted
///   fields, `updated_at` and `version`. In `on` and `include`, the name of a promoted field in
///   Rust stands for its column, and takes precedence over a column of that name.
/// - Paths (in `gin` and `fulltext`) are keys of the document, in camelCase, separated by dots. They
///   can lead through parts and fields of type `serde_json::Value`, but not into lists: index the
///   whole list, and search it with `data -> 'comments' @> '[{"authorId": 7}]'`.
/// - Lists use these indexes by `Filter::some`, `is`, `at` and `search` of the runtime.
/// - `gin` uses the operator class `jsonb_path_ops`, which supports `@>`, `@?` and `@@`, but not `?`.
///   It is not possible with `data = "json"`.
/// - Texts in `fulltext` are promoted columns or paths. A null text is empty. `language` is one of
///   the server's text search configurations, or `"schema.name"` for one of your own;
///   `ReadModel::check` finds one that the server does not have. The default is `simple`, which takes
///   words as they are.
/// - A full-text index is used by queries with exactly its expression. Take it from
///   `Post::statements().ddl.index(name)`, field `expression`. If `title` is promoted and `body` is
///   not, it is
///   `pg_catalog.to_tsvector('pg_catalog.english'::pg_catalog.regconfig, coalesce("title", '') ||
///   ' ' || coalesce(data ->> 'body', ''))`; `coalesce(title, '')` and `to_tsvector('english', ..)`
///   mean the same to PostgreSQL.
///
/// | option | meaning | allowed with |
/// |---|---|---|
/// | `unique` | no two documents have the same values. A sync that would write the second one fails | `on`, `expr` |
/// | `global` | the index does not begin with the tenant, as those of a view with a `tenant` do: for queries across tenants, or values that are unique across them | `on` without `using`, `expr` |
/// | `filter = "published"` | only these rows are in the index. It is used by queries with the same condition | all |
/// | `include = "title"` | columns that are read from the index, but not searched | `on`, `expr` |
/// | `using = "brin"` | the method: `brin` for values that grow with time, `hash` for equality of one column. The default is `btree` | `on` |
/// | `language = "english"` | the text search configuration | `fulltext` |
/// | `name = "post_search"` | the name. The default consists of the table and the columns: `tv_post_author_id_created_at_idx` | all |
///
/// If two indexes have an equal option, such as `unique`, clippy reports a "duplicated attribute".
/// It is not one: put `#[allow(clippy::duplicated_attributes)]` on the struct.
///
/// # Storage
///
/// The struct, the calls that read and the bytes of the documents are the same with each:
///
/// | `storage` | documents | not possible with it |
/// |---|---|---|
/// | `"table"` | in a view table. `sync_post`, mutations and captured changes keep them up to date | |
/// | `"live"` | built from the base tables when they are read: `migrate` and `sync_post` have nothing to do | `view`, `index(..)`, `unique`, `sync = "eventual"`, storage parameters |
/// | `"matview"` | in a materialized view, which `migrate` fills, and `ReadModel::refresh` or a worker refreshes | `sync = "eventual"`, storage parameters |
///
/// # Storage parameters
///
/// - `unlogged`: the view table has no write-ahead log. Syncs are faster, but **after a crash of the
///   server the table is empty** until `sync_all_posts` has run, and on replicas it is always empty.
/// - `fillfactor = 70`, from 10 to 100: how full inserts fill a page, in percent. The rest is used
///   for updates: less of it makes the table smaller, more of it makes updates cheaper.
/// - `partition(hash = 8)`: the view table has this number of partitions, from 2 to 1024, by a hash
///   of the key.
/// - `partition(range = "1000000, 2000000")`: a partition begins at each of these keys, and there is
///   one more before the first. Bounds must ascend. Texts are compared by their bytes, and
///   `migrate` refuses bounds that the collation of the database orders otherwise.
///
/// - `partition(hash = 8, tenant)`: by a hash of the `tenant`, which must be one of several columns of the
///   key. All documents of a tenant are in one partition.
///
/// A view table can only be partitioned by its key, or by a tenant in it: in PostgreSQL, a unique index must
/// contain the partition key, and sync needs unique keys. For the same reason a view that is partitioned by its
/// key has no `unique` fields, and its unique indexes contain the key.
///
/// Storage parameters apply to tables that `migrate` creates. Of an existing table, `migrate` reports
/// the difference, with the statement that changes it.
///
/// # Checks at compile time
///
/// Mistakes in attributes are reported at the attribute, all of a struct at once. The types of
/// fields are checked as well, and the columns in `fk`, `key` and `order_by`, as far as fields tell
/// what a column is (a table can have columns without a field):
///
/// - The name of a field, in Rust or in JSON, is refused if its column has another name.
/// - A foreign key must have a type that can be compared with the column that it refers to.
/// - If the foreign key of a `one` can be null, the `one` must be an `Option`.
#[proc_macro_derive(TView, attributes(tview))]
pub fn derive_tview(input: TokenStream) -> TokenStream {
    derive(&parse_macro_input!(input as DeriveInput), DeriveKind::View)
}

/// Makes a struct a part of documents: an object made of a base table's row, without a view table
/// of its own.
///
/// For a part it emits implementations of `Embed`, `Serialize` and `Deserialize`. An example is at
/// the trait `Embed`.
///
/// # On the struct: `#[tview(..)]`
///
/// | attribute | meaning | default |
/// |---|---|---|
/// | `table = "tb_user"` | the base table, or `"schema.table"` | `tb_` and the name of the struct in snake_case, in the schema `public` |
/// | `type_name = "User"` | the name of the GraphQL type | the name of the struct |
/// | `filter = "deleted_at IS NULL"` | which rows are embedded, as SQL | all rows |
/// | `shape_of = User` | the part has some of the fields of this struct: see [below](#some-fields-of-another-struct-shape_of) | |
/// | `serde = false` | do not implement `Serialize` and `Deserialize`: you do | `true` |
/// | `crate = ::path` | the path of `fraiseql_runtime`, if it is renamed or re-exported | `::fraiseql_runtime` |
///
/// # On a field: `#[tview(..)]`
///
/// As in [`TView`](macro@TView#on-a-field-tview), without `filter`, `sort` and `unique`, which make
/// columns of a view table. The key is optional. Relations to a part without a key use its column
/// `id` by default, and lists of it are ordered by all its columns.
///
/// # Some fields of another struct: `shape_of`
///
/// With `shape_of = User`, the compiler checks that every field of the part is also a field of
/// `User`: with the same name, the same type and the same source. These may differ: the key in
/// JSON, and the order and the limit of a list. An object or a list may be another part of the
/// same table. Fields that either struct skips are not compared.
///
/// The part takes the table, the key and the filter of `User`, so a row that has no document as a
/// `User` is not embedded either. A `filter` of the part replaces that of `User`, and
/// `filter = "true"` embeds every row. `User` can be any struct with `TView` or `Embed`, in any
/// module, with private fields or not.
#[proc_macro_derive(Embed, attributes(tview))]
pub fn derive_embed(input: TokenStream) -> TokenStream {
    derive(&parse_macro_input!(input as DeriveInput), DeriveKind::Part)
}

/// Makes a struct with one field a scalar, which is in PostgreSQL, in JSON and as a key what its
/// field is.
///
/// It emits implementations of [`Scalar`], `Serialize` and `Deserialize`, and of `Key` if the type
/// of the field has one. No other derive is needed.
///
/// | attribute on the struct | meaning | default |
/// |---|---|---|
/// | `type_name = "PostId"` | the name of the GraphQL type | that of the field's type |
/// | `serde = false` | do not implement `Serialize` and `Deserialize`: you do, in any form. Documents do not use them | `true` |
/// | `crate = ::path` | the path of `fraiseql_runtime`, if it is renamed or re-exported | `::fraiseql_runtime` |
///
/// No attribute is allowed on the field.
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

/// Makes an enum without data a scalar: in PostgreSQL a text or a value of an enum type, in JSON
/// and GraphQL a name in SCREAMING_SNAKE_CASE.
///
/// It emits implementations of [`TEnum`], `Scalar`, `Serialize` and `Deserialize`.
///
/// | attribute on the enum | meaning | default |
/// |---|---|---|
/// | `rename_all = "snake_case"` | the case of the labels in the database. Also `"SCREAMING_SNAKE_CASE"`, `"camelCase"`, `"PascalCase"`, `"kebab-case"`, `"lowercase"`, `"UPPERCASE"` | three labels are accepted: for `InReview`, `in_review`, `IN_REVIEW` and `InReview` |
/// | `type_name = "Status"` | the name of the GraphQL type | the name of the enum |
/// | `serde = false` | do not implement `Serialize` and `Deserialize`: you do, in any form. Documents do not use them | `true` |
/// | `crate = ::path` | the path of `fraiseql_runtime`, if it is renamed or re-exported | `::fraiseql_runtime` |
///
/// | attribute on a variant | meaning | default |
/// |---|---|---|
/// | `rename = "in-review"` | the label in the database | by `rename_all` |
/// | `json = "IN_REVIEW"` | the name in JSON and GraphQL | the name of the variant in SCREAMING_SNAKE_CASE |
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

/// Makes an enum whose variants each hold one struct a union of GraphQL, or an interface.
///
/// It emits an implementation of [`TUnion`], and of `MemberOf` for each struct. The structs have
/// `#[derive(TView)]` or `#[derive(Embed)]`, and may be in a `Box`. The doc comment of the enum is the
/// description of the type.
///
/// | attribute on the enum | meaning | default |
/// |---|---|---|
/// | `interface` | the type is an interface, of all fields that the structs have in common | a union |
/// | `interface = "id, title"` | an interface of these fields, by their keys in documents | |
/// | `type_name = "Found"` | the name of the GraphQL type | the name of the enum |
/// | `crate = ::path` | the path of `fraiseql_runtime`, if it is renamed or re-exported | `::fraiseql_runtime` |
///
/// No attribute is allowed on a variant. A field of an interface has the same GraphQL type in all
/// structs, nulls included; the compiler checks it.
///
/// [`TUnion`]: https://docs.rs/fraiseql-runtime/latest/fraiseql_runtime/trait.TUnion.html
#[proc_macro_derive(TUnion, attributes(tview))]
pub fn derive_tunion(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    match check::check_union(&input) {
        Ok(union) => emit::union::emit(&union).into(),
        Err(errors) => fallback::with_errors(errors, fallback::union::stubs(&input)),
    }
}

fn derive(input: &DeriveInput, kind: DeriveKind) -> TokenStream {
    match check::check(input, kind) {
        Ok(model) => emit::emit(&model).into(),
        Err(Mistakes { errors, rest }) => {
            let mut stubs = fallback::stubs(input, kind);
            stubs.extend(rest.map(|model| emit::type_proofs(&model)));
            fallback::with_errors(errors, stubs)
        }
    }
}
