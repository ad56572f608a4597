//! Snapshots of the SQL of view tables: their indexes, partitions and storage.

use chrono::{DateTime, Utc};
use fraiseql_runtime::TView;
use serde_json::Value;
use uuid::Uuid;

use super::Person;

snapshots! {
    indexes_of_columns => IndexedColumns,
    indexes_of_documents => IndexedDocuments,
    indexes_of_json_text => IndexedText,
    partitions_by_hash => Hashed,
    partitions_by_range => Ranged,
    partitions_by_ranges_of_uuids => RangedUuids,
    an_unlogged_table => Unlogged,
}

/// `updated_at` is the field, whose column has another name.
#[derive(TView)]
#[tview(
    table = "tb_order",
    index(on = "buyer_id, placed_at DESC NULLS LAST"),
    index(on = "updated_at, version DESC"),
    index(on = "number", include = "placed_at, buyer_id", unique),
    index(on = "placed_at", using = "brin", name = "Order \"days\""),
    index(on = "buyer_id", using = "hash", name = "buyer_hash"),
    index(expr = "lower(note)"),
    index(expr = "doc_updated_at - placed_at", filter = "note IS NOT NULL"),
    index(
        on = "placed_at, id",
        unique,
        filter = "note <> '{}' AND version > 0",
        name = "noted"
    )
)]
#[allow(clippy::duplicated_attributes)]
struct IndexedColumns {
    #[tview(key, column = "id")]
    number: i64,
    #[tview(filter)]
    buyer_id: Uuid,
    #[tview(sort)]
    placed_at: DateTime<Utc>,
    #[tview(sort)]
    updated_at: DateTime<Utc>,
    #[tview(filter)]
    note: Option<String>,
}

#[derive(TView)]
#[tview(
    table = "tb_product",
    filter = "NOT hidden",
    index(gin),
    index(gin = "tags"),
    index(gin = "meta.snake_key", filter = "listed"),
    index(fulltext = "title, meta.it's", language = "english"),
    index(fulltext = "sku", name = "product_skus")
)]
struct IndexedDocuments {
    #[tview(key)]
    sku: String,
    #[tview(sort)]
    title: String,
    tags: Vec<Option<String>>,
    meta: Value,
    #[tview(filter)]
    listed: bool,
}

/// Full-text search also works on text; only GIN on the document itself does not.
#[derive(TView)]
#[tview(
    table = "tb_order",
    data = "json",
    index(fulltext = "note, buyer.name", language = "pg_catalog.german")
)]
struct IndexedText {
    id: i64,
    note: Option<String>,
    #[tview(one(fk = "buyer_id"))]
    buyer: Person,
}

#[derive(TView)]
#[tview(
    table = "tb_label",
    partition(hash = 3),
    index(on = "name, id", unique)
)]
struct Hashed {
    id: i32,
    #[tview(filter)]
    name: String,
}

#[derive(TView)]
#[tview(
    table = "tb_product",
    filter = "NOT hidden",
    partition(range = "A, it's"),
    unlogged,
    fillfactor = 100
)]
struct Ranged {
    #[tview(key)]
    sku: String,
    title: String,
}

#[derive(TView)]
#[tview(
    table = "tb_person",
    partition(
        range = "00000000-0000-0000-0000-000000000002, 80000000-0000-0000-0000-00000000000F"
    )
)]
struct RangedUuids {
    id: Uuid,
    name: String,
}

#[derive(TView)]
#[tview(table = "tb_label", unlogged, fillfactor = 10)]
struct Unlogged {
    id: i32,
    name: String,
}
