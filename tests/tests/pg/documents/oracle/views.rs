//! The views that the oracle computes.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use fraiseql_runtime::{Embed, TView};
use rust_decimal::Decimal;
use serde_json::Value;

#[derive(Embed)]
#[tview(table = "people")]
#[allow(dead_code)]
pub(super) struct Person {
    #[tview(key)]
    name: String,
    full_name: String,
    rating: Option<f64>,
    balance: Decimal,
    born: Option<NaiveDate>,
}

#[derive(Embed)]
#[tview(table = "remarks")]
#[allow(dead_code)]
pub(super) struct Remark {
    id: i32,
    content: String,
    at: NaiveDateTime,
    #[tview(one(fk = "author"))]
    author: Option<Person>,
}

#[derive(Embed)]
#[tview(table = "tags")]
#[allow(dead_code)]
pub(super) struct Tag {
    id: i16,
    label: String,
}

#[derive(TView)]
#[tview(table = "articles", filter = "NOT deleted")]
#[allow(dead_code)]
pub(super) struct Article {
    id: i64,
    #[tview(filter)]
    title: String,
    #[tview(sort)]
    created_at: DateTime<Utc>,
    meta: Value,
    #[tview(one(fk = "author"))]
    author: Option<Person>,
    #[tview(one(fk = "editor"))]
    editor: Option<Person>,
    #[tview(many(fk = "article", order_by = "at DESC", limit = 3, filter = "NOT hidden"))]
    remarks: Vec<Remark>,
    #[tview(many(through(table = "article_tags", fk = "article", to = "tag")))]
    tags: Vec<Tag>,
    #[tview(count(table = "remarks", fk = "article"), sort)]
    remark_count: i64,
    #[tview(sum(table = "remarks", fk = "article", expr = "length({}.content)"))]
    letters: i64,
    #[tview(max(table = "remarks", fk = "article", expr = "{}.at"))]
    last_at: Option<NaiveDateTime>,
    #[tview(exists(table = "remarks", fk = "article", filter = "hidden"))]
    has_hidden: bool,
}

#[derive(Embed)]
#[tview(table = "articles", filter = "NOT deleted")]
#[allow(dead_code)]
pub(super) struct ArticleOfPerson {
    id: i64,
    title: String,
}

/// With text keys, and stored as text.
#[derive(TView)]
#[tview(
    table = "people",
    view = "people_documents",
    data = "json",
    plural = "members"
)]
#[allow(dead_code)]
pub(super) struct Member {
    #[tview(key)]
    name: String,
    balance: Decimal,
    rating: Option<f64>,
    #[tview(many(fk = "author", order_by = "created_at, id DESC"))]
    articles: Vec<ArticleOfPerson>,
    #[tview(count(table = "articles", fk = "author", filter = "NOT deleted"))]
    article_count: i64,
}
