use fraiseql_runtime::{Embed, ReadModel};

#[derive(Embed)]
#[tview(table = "tb_user")]
struct Author {
    id: uuid::Uuid,
    name: String,
}

#[derive(Embed)]
#[tview(shape_of = Author)]
struct Writer {
    name: String,
}

#[derive(Embed)]
#[tview(table = "tb_user")]
struct Name {
    name: String,
}

async fn lookups(blog: ReadModel, pool: sqlx::PgPool) {
    let _ = blog.dependents::<Author>(&pool, &[7]).await;
    let _ = blog.dependents::<Writer>(&pool, &["seven"]).await;
    let _ = blog.dependents::<Name>(&pool, &[uuid::Uuid::nil()]).await;
}

fn main() {}
