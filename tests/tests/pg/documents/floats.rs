//! Tests that `json` documents keep a difference between floats that `jsonb` does not.

use fraiseql_runtime::TView;
use fraiseql_tests::{run, world};

#[derive(Debug, TView)]
#[tview(table = "curve", data = "json")]
#[allow(dead_code)]
struct Curve {
    id: i32,
    start: f64,
    points: Vec<f64>,
    holes: Vec<Option<f32>>,
}

#[tokio::test]
async fn zero_has_no_sign_and_lists_keep_their_order() -> anyhow::Result<()> {
    let pool = fraiseql_tests::pool().await;
    run(
        &pool,
        "CREATE TABLE curve (id int4 PRIMARY KEY, start float8 NOT NULL, points float8[] NOT NULL,
             holes float4[] NOT NULL);
         INSERT INTO curve VALUES (1, '-0', '{3,-0,1.5,-2}', '{NULL,-0,0.1}')",
    )
    .await;
    let model = world::model::<Curve>();
    model.migrate(&pool).await?;
    sync_curve(&pool, &[1]).await?;
    let data: String = sqlx::query_scalar("SELECT data::text FROM tv_curve")
        .fetch_one(&pool)
        .await?;
    assert_eq!(
        data,
        r#"{"id":1,"start":0,"points":[3,0,1.5,-2],"holes":[null,0,0.1]}"#
    );
    Ok(())
}
