//! The tenant has the type of its field, and so has the key.

use fraiseql_runtime::{TScalar, TView};
use sqlx::PgPool;

#[derive(TScalar)]
struct OrgId(i64);

#[derive(TView)]
struct Post {
    id: i64,
    #[tview(tenant)]
    org_id: OrgId,
}

async fn reads(pool: &PgPool) -> fraiseql_runtime::Result<()> {
    Post::of(7).find(pool, 7).await?;
    Post::of(OrgId(7)).find(pool, OrgId(7)).await?;
    Ok(())
}

fn main() {}
