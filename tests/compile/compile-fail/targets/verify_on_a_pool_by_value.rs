use fraiseql_runtime::TView;

#[derive(TView)]
struct Post {
    id: i64,
}

async fn run(pool: sqlx::PgPool) {
    let _ = verify_post(pool).await;
}

fn main() {}
