use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(first(fk = "post_id", order_by = "id", limit = 3))]
    pub limited: Option<Comment>,
    #[tview(first(fk = "post_id", order_by = "id", ordr_by = "id"))]
    pub misspelled: Option<Comment>,
    #[tview(first(
        fk = "post_id",
        order_by = "id",
        through(table = "tb_post_comment", fk = "post_id", to = "comment_id")
    ))]
    pub linked_twice: Option<Comment>,
    #[tview(filter, first(fk = "post_id", order_by = "id"))]
    pub promoted: Option<Comment>,
    #[tview(many(fk = "post_id"), first(fk = "post_id", order_by = "id"))]
    pub two_sources: Option<Comment>,
    #[tview(order_by = "id")]
    pub on_the_field: i64,
}

#[derive(Embed)]
pub struct Comment {
    pub id: i64,
}

fn main() {}
