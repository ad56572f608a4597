use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Page<T> {
    pub id: i64,
    pub content: T,
}

pub async fn refresh(pool: &sqlx::PgPool) -> fraiseql_runtime::Result<()> {
    sync_page(pool, &[1]).await?;
    Ok(())
}

fn main() {}
