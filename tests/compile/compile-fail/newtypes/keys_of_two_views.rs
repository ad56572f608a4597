use fraiseql_runtime::{TScalar, TView};

#[derive(TScalar)]
pub struct PostId(i64);

#[derive(TScalar)]
pub struct UserId(i64);

#[derive(TView)]
pub struct Post {
    pub id: PostId,
}

async fn save(pool: sqlx::PgPool, user: UserId) {
    let _ = sync_post(&pool, &[user]).await;
}

fn main() {}
