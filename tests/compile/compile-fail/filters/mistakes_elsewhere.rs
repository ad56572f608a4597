//! A mistake in an attribute is the only error: filters of the struct compile.

use fraiseql_runtime::{TEnum, TScalar, TView};

#[derive(TView)]
struct Post {
    id: i64,
    #[tview(sorted)]
    title: String,
    #[tview(filter)]
    status: Status,
    #[tview(filter)]
    price: Cents,
}

#[derive(TEnum)]
#[tview(rename_al = "snake_case")]
enum Status {
    Draft,
}

#[derive(TScalar)]
#[tview(typename = "Cents")]
struct Cents(i64);

fn main() {
    let _ = Post::list()
        .filter(Post::TITLE.like("No%"))
        .filter(Post::STATUS.eq(Status::Draft))
        .filter(Post::PRICE.gt(Cents(7)))
        .order_by(Post::TITLE.asc());
}
