//! Newtypes and enums need no other derives, and are compatible with the usual ones.

use fraiseql_runtime::{Embed, Key, TEnum, TScalar, TView};
use serde::{Deserialize, Serialize};

// Without other derives.
#[derive(TScalar)]
pub struct PostId(uuid::Uuid);

// With all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, TScalar)]
pub struct Rank {
    value: i64,
}

#[derive(Serialize, Deserialize, TScalar)]
#[serde(transparent)]
#[tview(serde = false)]
pub struct Slug(String);

// A newtype of a private type that is not a key.
#[derive(TScalar)]
struct Weight(f64);

#[derive(TScalar)]
pub struct Mass(Weight);

#[derive(TScalar)]
pub struct Labels(Vec<String>);

#[derive(TScalar)]
pub struct Maybe(Option<i64>);

#[derive(TEnum)]
pub enum Plain {
    One,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, TEnum)]
#[tview(rename_all = "kebab-case")]
pub enum Status {
    #[default]
    Draft,
    InReview = 7,
}

#[derive(Serialize, Deserialize, TEnum)]
#[serde(rename_all = "lowercase")]
#[tview(serde = false)]
pub enum Own {
    A,
    B,
}

// Inherent methods of the same names take precedence over those of the trait.
impl Status {
    pub fn as_str(&self) -> &'static str {
        "mine"
    }
}

#[derive(TScalar)]
pub struct Wrapped(Status);

#[derive(TView)]
pub struct Post {
    pub id: PostId,
    #[tview(filter)]
    pub rank: Rank,
    pub slug: Option<Slug>,
    pub mass: Mass,
    pub labels: Labels,
    pub maybe: Maybe,
    pub plain: Plain,
    #[tview(filter, sort)]
    pub status: Status,
    pub statuses: Vec<Option<Status>>,
    pub own: Own,
    pub wrapped: Vec<Wrapped>,
    #[tview(max(table = "tb_comment", fk = "post_id", expr = "{}.status"))]
    pub highest: Option<Status>,
    #[tview(count(table = "tb_comment", fk = "post_id"))]
    pub comments: Rank,
    #[tview(one(fk = "author_id"))]
    pub author: Author,
}

#[derive(Embed)]
pub struct Author {
    #[tview(key)]
    pub slug: Slug,
    pub status: Status,
}

fn is_key<K: Key>() {}

fn main() {
    is_key::<PostId>();
    is_key::<Rank>();
    is_key::<Slug>();
    assert_eq!(Status::InReview.as_str(), "mine");
    assert_eq!(TEnum::as_str(&Status::InReview), "IN_REVIEW");
    assert_eq!(Status::InReview.label(), "in-review");
    assert_eq!(Status::from_label("in_review"), None);
    assert_eq!(
        serde_json::to_string(&Wrapped(Status::Draft)).unwrap(),
        r#""DRAFT""#
    );
    assert_eq!(serde_json::to_string(&Own::A).unwrap(), r#""a""#);
    assert_eq!(serde_json::to_string(&Mass(Weight(2.0))).unwrap(), "2");
}
