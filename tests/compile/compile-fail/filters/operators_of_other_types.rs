//! A field has the operators of its type.

use fraiseql_runtime::{TEnum, TScalar, TView};

#[derive(TEnum)]
enum Status {
    Draft,
    Published,
}

#[derive(TScalar)]
struct Cents(i64);

#[derive(TView)]
struct Post {
    id: i64,
    #[tview(sort)]
    rating: i32,
    #[tview(filter)]
    published: bool,
    #[tview(filter)]
    status: Status,
    #[tview(filter)]
    price: Cents,
    #[tview(sort)]
    tags: Vec<String>,
}

fn main() {
    let _ = Post::RATING.like("3%");
    let _ = Post::PRICE.ilike("3%");
    let _ = Post::PUBLISHED.lt(true);
    let _ = Post::STATUS.gte(Status::Draft);
    let _ = Post::TAGS.is_in(["rust"]);
    let _ = Post::TAGS.asc();
    let _ = Post::RATING.contains([3]);
    let _ = Post::STATUS.has_any([Status::Draft]);
    let _ = Post::RATING.is_null();
}
