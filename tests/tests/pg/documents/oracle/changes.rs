//! Random changes of base rows, as values.

use proptest::prelude::*;
use serde_json::{Value, json};

#[derive(Clone, Debug)]
pub(super) enum Change {
    Person(u8, Option<(String, Option<f64>, i64, Option<i32>)>),
    Article(u8, ArticleChange),
    Remark(u8, RemarkChange),
    Tag(u8, Option<String>),
    TagArticle(u8, u8, bool),
}

#[derive(Clone, Debug)]
pub(super) enum ArticleChange {
    Put {
        author: u8,
        editor: Option<u8>,
        title: String,
        at: i64,
        meta: Value,
    },
    Move(u8),
    Hide(bool),
    Delete,
}

#[derive(Clone, Debug)]
pub(super) enum RemarkChange {
    Put {
        article: u8,
        author: u8,
        content: String,
        at: i64,
        hidden: bool,
    },
    Move(u8),
    Delete,
}

/// How the sync after a change runs.
#[derive(Clone, Copy, Debug)]
pub(super) enum How {
    Pool,
    Transaction,
    Full,
    /// Not yet: the keys are synced with those of the next change.
    Later,
}

/// Keys that would be confused if quoting, case or order were handled wrongly.
pub(super) const NAMES: [&str; 5] = ["ada", "Ada", "ä'\"\\", "{a,\"b\"}", "\u{1f600} \t\n"];

pub(super) fn name(index: u8) -> String {
    NAMES[usize::from(index) % NAMES.len()].to_owned()
}

pub(super) fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just(r"C:\new\table".to_owned()),
        Just("{\"json\": [1, \"\\u0000\"]}".to_owned()),
        Just("NULL".to_owned()),
        Just("'; DROP TABLE articles; --".to_owned()),
        Just("é\u{301}\u{202e}\u{10ffff}\u{feff}".to_owned()),
        Just("x".repeat(5_000)),
        "[^\u{0}]{0,20}",
    ]
}

pub(super) fn float() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(0.1),
        Just(1.0 / 3.0),
        Just(-0.0),
        Just(1e-300),
        Just(1.797_693_134_862_315_7e308),
        Just(5e-324),
        Just(2.5),
        -1e6..1e6,
    ]
}

pub(super) fn meta() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(null)),
        Just(json!({ "snake_case": { "b": [null, true], "a": "\u{1f600}\\\"" } })),
        Just(json!([1, 2.5, "x"])),
        text().prop_map(Value::String),
    ]
}

/// Microseconds around 2000, and at the limits that the types share.
pub(super) fn micros() -> impl Strategy<Value = i64> {
    prop_oneof![
        Just(0),
        Just(-62_135_596_800_000_000),
        Just(253_402_300_799_999_999),
        900_000_000_000_000..1_000_000_000_000_000_i64,
        (0..20_i64).prop_map(|n| n * 100_000),
    ]
}

pub(super) fn change() -> impl Strategy<Value = Change> {
    let person = (
        text(),
        proptest::option::of(float()),
        any::<i64>(),
        proptest::option::of(-100_000..100_000),
    );
    let article = prop_oneof![
        4 => (0..5_u8, proptest::option::of(0..6_u8), text(), micros(), meta()).prop_map(
            |(author, editor, title, at, meta)| ArticleChange::Put { author, editor, title, at, meta }),
        2 => (0..6_u8).prop_map(ArticleChange::Move),
        2 => any::<bool>().prop_map(ArticleChange::Hide),
        1 => Just(ArticleChange::Delete),
    ];
    let remark = prop_oneof![
        4 => (0..6_u8, 0..5_u8, text(), micros(), any::<bool>()).prop_map(
            |(article, author, content, at, hidden)| RemarkChange::Put { article, author, content, at, hidden }),
        2 => (0..6_u8).prop_map(RemarkChange::Move),
        1 => Just(RemarkChange::Delete),
    ];
    prop_oneof![
        2 => (0..5_u8, proptest::option::weighted(0.8, person)).prop_map(|(n, p)| Change::Person(n, p)),
        4 => (0..6_u8, article).prop_map(|(n, a)| Change::Article(n, a)),
        5 => (0..12_u8, remark).prop_map(|(n, r)| Change::Remark(n, r)),
        1 => (0..4_u8, proptest::option::of(text())).prop_map(|(n, t)| Change::Tag(n, t)),
        2 => (0..6_u8, 0..4_u8, any::<bool>()).prop_map(|(a, t, on)| Change::TagArticle(a, t, on)),
    ]
}

pub(super) fn how() -> impl Strategy<Value = How> {
    prop_oneof![
        4 => Just(How::Pool),
        4 => Just(How::Transaction),
        1 => Just(How::Full),
        2 => Just(How::Later),
    ]
}
