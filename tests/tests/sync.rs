//! Sync on a real PostgreSQL: what is written, skipped and deleted, on each target.

use fraiseql_runtime::TView;
use fraiseql_tests::blog::{Post, blog, sync_post};
use fraiseql_tests::run;
use uuid::Uuid;

const ADA: Uuid = Uuid::from_u128(0xada);
const POST: Uuid = Uuid::from_u128(1);

const SEED: &str = "
INSERT INTO tb_user VALUES ('00000000-0000-0000-0000-000000000ada', 'ada', 'Ada Lovelace', NULL);
INSERT INTO tb_post VALUES ('00000000-0000-0000-0000-000000000001',
    '00000000-0000-0000-0000-000000000ada', NULL, 'Notes', true, '1843-07-10 12:00:00.5+02');
INSERT INTO tb_comment VALUES (gen_random_uuid(), '00000000-0000-0000-0000-000000000001',
    '00000000-0000-0000-0000-000000000ada', 'First!', '1843-07-11');
";

#[tokio::test]
async fn a_document_is_made_from_its_rows() -> anyhow::Result<()> {
    let pool = blog().await;
    run(&pool, SEED).await;
    println!("{}", Post::statements().sync.write);
    for sql in &Post::statements().sync.lock_rows {
        println!("{sql}");
    }
    println!("{}", Post::statements().sync.delete_orphans);
    println!("{}", Post::statements().sync.next_keys);
    let report = sync_post(&pool, &[POST, POST, ADA]).await?;
    println!("{report}");
    let post = Post::find(&pool, POST).await?.expect("it was synced");
    println!("{}", serde_json::to_string_pretty(&post)?);
    let mut tx = pool.begin().await?;
    let report = sync_post(&mut tx, &[POST]).await?;
    println!("{report}");
    Ok(())
}
