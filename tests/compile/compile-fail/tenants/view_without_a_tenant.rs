//! Only a view with a tenant is read by one.

use fraiseql_runtime::TView;
use sqlx::PgPool;

#[derive(TView)]
struct Post {
    id: i64,
    org_id: i64,
}

async fn reads(pool: &PgPool) -> fraiseql_runtime::Result<()> {
    Post::of(7).find(pool, 7).await?;
    Post::across_tenants().find(pool, 7).await?;
    Ok(())
}

fn main() {}
