//! JSON null is a value of a JSON column, and not the absence of one.

use async_graphql::{EmptyMutation, EmptySubscription, Schema};
use axum::http::Request;
use fraiseql_graphql::http::GraphQl;
use fraiseql_graphql::{Prepared, TvDoc, Views};
use fraiseql_runtime::{Embed, TScalar, TView};
use fraiseql_tests::{pool, run, world};
use serde_json::{Value, json};
use sqlx::PgPool;
use tower_service::Service as _;

/// JSON with a name of its own.
#[derive(Debug, Clone, TScalar)]
#[tview(type_name = "Settings")]
struct Settings(#[allow(dead_code)] Value);

#[derive(Debug, TView)]
#[allow(dead_code)]
struct Page {
    id: i32,
    meta: Value,
    settings: Settings,
    blocks: Vec<Value>,
    #[tview(expr = "{}.meta -> 'none'")]
    none: Option<Value>,
    #[tview(one(fk = "parent_id"))]
    parent: Option<Parent>,
    #[tview(many(fk = "parent_id"))]
    children: Vec<Parent>,
}

/// The same rows, as text.
#[derive(Debug, TView)]
#[tview(
    table = "tb_page",
    view = "tv_text_page",
    entity = "text_page",
    data = "json"
)]
#[allow(dead_code)]
struct TextPage {
    id: i32,
    meta: Value,
    blocks: Vec<Value>,
}

#[derive(Debug, Embed)]
#[tview(table = "tb_page")]
#[allow(dead_code)]
struct Parent {
    id: i32,
    meta: Value,
    blocks: Vec<Value>,
}

struct Own;

#[async_graphql::Object]
impl Own {
    async fn own(
        &self,
        ctx: &async_graphql::Context<'_>,
    ) -> async_graphql::Result<Option<TvDoc<Page>>> {
        Ok(TvDoc::find(ctx.data::<PgPool>()?, 1).await?)
    }
}

#[derive(async_graphql::MergedObject)]
struct Query(Views<(Page, TextPage)>, Own);

async fn pages() -> PgPool {
    let pool = pool().await;
    run(
        &pool,
        "CREATE TABLE tb_page (id int4 PRIMARY KEY, parent_id int4 REFERENCES tb_page,
             meta jsonb NOT NULL, settings jsonb NOT NULL, blocks jsonb[] NOT NULL);
         CREATE INDEX ON tb_page (parent_id);
         INSERT INTO tb_page VALUES (1, NULL, 'null', 'null', ARRAY['null', '[null]']::jsonb[]),
             (2, 1, '{\"a\": null}', '1', '{}'), (3, 1, 'null', 'null', ARRAY['null']::jsonb[])",
    )
    .await;
    world::model::<Page>().migrate(&pool).await.unwrap();
    world::model::<TextPage>().migrate(&pool).await.unwrap();
    sync_all_pages(&pool).await.unwrap().ensure_valid().unwrap();
    sync_all_text_pages(&pool)
        .await
        .unwrap()
        .ensure_valid()
        .unwrap();
    pool
}

#[tokio::test]
async fn json_null_stays_in_its_field() {
    let pool = pages().await;
    let query = Query(Views::new(pool.clone()), Own);
    let schema = Schema::build(query, EmptyMutation, EmptySubscription)
        .extension(Prepared::default().validate_once(true).direct(true))
        .data(pool)
        .finish();
    let sdl = schema.sdl();
    for field in [
        "meta: JSON\n",
        "settings: Settings\n",
        "blocks: [JSON]!\n",
        "none: JSON\n",
    ] {
        assert!(sdl.contains(field), "{field}: {sdl}");
    }
    let mut router = axum::Router::<()>::new().route_service("/", GraphQl::new(schema));

    let part =
        |id: i32, meta: Value, blocks: Value| json!({"id": id, "meta": meta, "blocks": blocks});
    let (one, two) = (
        part(1, Value::Null, json!([null, [null]])),
        part(2, json!({"a": null}), json!([])),
    );
    let three = part(3, Value::Null, json!([null]));
    let fields = "id meta blocks";
    let cases = [
        (
            format!("{{ page(id: 1) {{ {fields} }} }}"),
            json!({"page": one}),
        ),
        (
            format!("{{ pages {{ {fields} }} }}"),
            json!({"pages": [one, two, three]}),
        ),
        (
            format!("{{ textPages {{ {fields} }} }}"),
            json!({"textPages": [one, two, three]}),
        ),
        (
            format!(
                "{{ pagesConnection {{ nodes {{ {fields} }} edges {{ node {{ {fields} }} }} }} }}"
            ),
            json!({"pagesConnection": {
                "nodes": [one, two, three],
                "edges": [{"node": one}, {"node": two}, {"node": three}],
            }}),
        ),
        (
            format!(
                "{{ page(id: 1) {{ children {{ {fields} }} }} other: page(id: 3) {{ parent {{ {fields} }} }} }}"
            ),
            json!({"page": {"children": [two, three]}, "other": {"parent": one}}),
        ),
        (format!("{{ own {{ {fields} }} }}"), json!({"own": one})),
        (
            "{ page(id: 1) { settings a: meta b: meta none } }".to_owned(),
            json!({"page": {"settings": null, "a": null, "b": null, "none": null}}),
        ),
    ];
    for (query, expected) in cases {
        // The second time, the answer may be a direct one.
        for _ in 0..2 {
            let request = Request::post("/").header("content-type", "application/json");
            let body = json!({"query": query}).to_string();
            let answer = router.call(request.body(body).unwrap()).await.unwrap();
            let answer = axum::body::to_bytes(answer.into_body(), 1 << 20)
                .await
                .unwrap();
            let answer: Value = serde_json::from_slice(&answer).unwrap();
            assert_eq!(answer, json!({"data": expected}), "{query}");
        }
    }
}

#[tokio::test]
async fn the_absence_of_a_json_value_is_still_an_error() {
    let pool = pages().await;
    // As another program would write it.
    run(
        &pool,
        "UPDATE tv_page SET data = data - 'children' - 'id' WHERE id = 1",
    )
    .await;
    let schema = Schema::build(
        Views::<(Page,)>::new(pool),
        EmptyMutation,
        EmptySubscription,
    )
    .extension(Prepared::default())
    .finish();
    let answer = schema.execute("{ page(id: 1) { meta id } }").await;
    assert_eq!(answer.errors.len(), 1, "{answer:?}");
    assert_eq!(answer.data.into_json().unwrap(), json!({"page": null}));
}
