// `Blog` leads to a cycle and is not on it, so it is not reported.
use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
pub struct Blog {
    pub id: i64,
    #[tview(many(fk = "blog_id"))]
    pub categories: Vec<Category>,
}

#[derive(Embed)]
pub struct Category {
    pub id: i64,
    #[tview(many(fk = "parent_id"))]
    pub children: Vec<Category>,
}

pub async fn refresh(pool: &sqlx::PgPool) -> fraiseql_runtime::Result<()> {
    sync_blog(pool, &[1]).await?;
    Ok(())
}

fn main() {}
