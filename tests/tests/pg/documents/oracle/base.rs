//! The base rows, and the documents that they result in, computed in Rust.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// The base tables in Rust.
#[derive(Clone, Debug, Default)]
pub(super) struct Base {
    pub(super) people: BTreeMap<String, PersonRow>,
    pub(super) articles: BTreeMap<i64, ArticleRow>,
    pub(super) remarks: BTreeMap<i32, RemarkRow>,
    pub(super) tags: BTreeMap<i16, String>,
    pub(super) article_tags: BTreeSet<(i64, i16)>,
}

#[derive(Clone, Debug)]
pub(super) struct PersonRow {
    pub(super) full_name: String,
    pub(super) rating: Option<f64>,
    pub(super) balance: Decimal,
    pub(super) born: Option<NaiveDate>,
}

#[derive(Clone, Debug)]
pub(super) struct ArticleRow {
    pub(super) author: String,
    pub(super) editor: Option<String>,
    pub(super) title: String,
    pub(super) created_at: DateTime<Utc>,
    pub(super) deleted: bool,
    pub(super) meta: Value,
}

#[derive(Clone, Debug)]
pub(super) struct RemarkRow {
    pub(super) article: i64,
    pub(super) author: String,
    pub(super) content: String,
    pub(super) at: NaiveDateTime,
    pub(super) hidden: bool,
}

impl Base {
    pub(super) fn person(&self, name: &str) -> Value {
        let Some(row) = self.people.get(name) else {
            return Value::Null;
        };
        json!({
            "name": name,
            "fullName": row.full_name,
            "rating": row.rating.map(number),
            "balance": row.balance.to_string(),
            "born": row.born.map(|born| born.to_string()),
        })
    }

    pub(super) fn article(&self, id: i64) -> Option<Value> {
        let row = self.articles.get(&id).filter(|row| !row.deleted)?;
        let remarks = || self.remarks.iter().filter(|(_, r)| r.article == id);
        let mut visible: Vec<_> = remarks().filter(|(_, r)| !r.hidden).collect();
        visible.sort_by_key(|(id, r)| (std::cmp::Reverse(r.at), **id));
        let tags: Vec<Value> = self
            .tags
            .iter()
            .filter(|(tag, _)| self.article_tags.contains(&(id, **tag)))
            .map(|(tag, label)| json!({ "id": tag, "label": label }))
            .collect();
        Some(json!({
            "id": id,
            "title": row.title,
            "createdAt": format!("{}+00:00", timestamp(row.created_at.naive_utc())),
            "meta": row.meta,
            "author": self.person(&row.author),
            "editor": row.editor.as_ref().map_or(Value::Null, |name| self.person(name)),
            "remarks": visible.iter().take(3).map(|(id, r)| json!({
                "id": id,
                "content": r.content,
                "at": timestamp(r.at),
                "author": self.person(&r.author),
            })).collect::<Vec<_>>(),
            "tags": tags,
            "remarkCount": remarks().count(),
            "letters": remarks().map(|(_, r)| r.content.chars().count()).sum::<usize>(),
            "lastAt": remarks().map(|(_, r)| r.at).max().map(timestamp),
            "hasHidden": remarks().any(|(_, r)| r.hidden),
        }))
    }

    pub(super) fn member(&self, name: &str) -> Option<Value> {
        let row = self.people.get(name)?;
        let mut articles: Vec<_> = self
            .articles
            .iter()
            .filter(|(_, a)| a.author == name && !a.deleted)
            .collect();
        articles.sort_by_key(|(id, a)| (a.created_at, std::cmp::Reverse(**id)));
        Some(json!({
            "name": name,
            "balance": row.balance.to_string(),
            "rating": row.rating.map(number),
            "articles": articles.iter()
                .map(|(id, a)| json!({ "id": id, "title": a.title })).collect::<Vec<_>>(),
            "articleCount": articles.len(),
        }))
    }
}

/// 1.0 and 1 are the same number; PostgreSQL writes the latter.
pub(super) fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        #[expect(clippy::cast_possible_truncation, reason = "whole and small")]
        return json!(value as i64);
    }
    json!(value)
}

/// `-0`, which a `json` document keeps, is the number 0, which `jsonb` stores.
pub(super) fn same_zero(mut value: Value) -> Value {
    match &mut value {
        Value::Number(n) if n.as_f64() == Some(0.0) => return json!(0),
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| *item = same_zero(item.take())),
        Value::Object(map) => map
            .values_mut()
            .for_each(|item| *item = same_zero(item.take())),
        _ => {}
    }
    value
}

/// As PostgreSQL writes it: without trailing zeros in the fraction.
pub(super) fn timestamp(at: NaiveDateTime) -> String {
    let text = at.format("%Y-%m-%dT%H:%M:%S%.6f").to_string();
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
