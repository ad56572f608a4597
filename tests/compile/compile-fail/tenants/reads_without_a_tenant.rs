//! A view with a tenant is read by `of(tenant)` or `across_tenants()`.

use fraiseql_runtime::TView;
use fraiseql_runtime::list::List;
use sqlx::PgPool;

#[derive(TView)]
struct Post {
    id: i64,
    #[tview(tenant)]
    org_id: i64,
    title: String,
}

async fn reads(pool: &PgPool) -> fraiseql_runtime::Result<()> {
    Post::find(pool, 7).await?;
    Post::find_json(pool, 7).await?;
    Post::find_many(pool, &[7, 8]).await?;
    let _ = Post::list();
    let _ = List::of::<Post>();
    Ok(())
}

fn main() {}
