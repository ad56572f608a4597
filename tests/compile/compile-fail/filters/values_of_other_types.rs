//! A field is compared with values of its own type.

use fraiseql_runtime::{TEnum, TScalar, TView};
use uuid::Uuid;

#[derive(TEnum)]
enum Status {
    Draft,
    Published,
}

#[derive(TScalar)]
struct Email(String);

#[derive(TView)]
struct Post {
    id: Uuid,
    #[tview(sort)]
    rating: i32,
    #[tview(filter)]
    status: Status,
    #[tview(filter)]
    email: Email,
    #[tview(filter)]
    editor_id: Option<i64>,
    #[tview(filter)]
    tags: Vec<String>,
}

fn main() {
    let _ = Post::ID.eq("0190b0a0-0000-7000-8000-000000000000");
    let _ = Post::RATING.gt("3");
    let _ = Post::RATING.is_in([1_i64, 2]);
    let _ = Post::STATUS.eq("DRAFT");
    let _ = Post::EMAIL.eq("ada@example.org");
    let _ = Post::EDITOR_ID.eq(None);
    let _ = Post::EDITOR_ID.eq(Some(7));
    let _ = Post::TAGS.eq("rust");
    let _ = Post::TAGS.contains("rust");
    let _ = Post::TAGS.has_any([1, 2]);
}
