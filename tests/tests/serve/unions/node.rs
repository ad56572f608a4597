//! The root field `node`: a document of any view, by its global id.

use async_graphql::{
    EmptyMutation, EmptySubscription, Executor, MergedObject, Object, Request, SDLExportOptions,
    Schema, SimpleObject,
};
use axum::body::to_bytes;
use fraiseql_graphql::http::GraphQl;
use fraiseql_graphql::{Prepared, Query, Views, WithNode};
use fraiseql_runtime::{GlobalId, ReadModel, TView};
use fraiseql_tests::executed::Executed;
use serde_json::{Value, json};
use sqlx::PgPool;
use tower_service::Service as _;

use crate::traced::Traced;

const TABLES: &str = "
CREATE TABLE tb_ticket (org_id int4, no int4, title text NOT NULL, PRIMARY KEY (org_id, no));
CREATE TABLE tb_label (number int8 PRIMARY KEY, name text NOT NULL);
CREATE TABLE tb_country (id int4 PRIMARY KEY);
INSERT INTO tb_ticket SELECT o, n, o || '/' || n FROM generate_series(1, 2) AS o, generate_series(1, 3) AS n;
INSERT INTO tb_label VALUES (7, 'seven'), (8, 'eight');
INSERT INTO tb_country VALUES (1);
";

#[derive(Debug, TView)]
#[allow(dead_code)]
struct Ticket {
    #[tview(key, tenant)]
    org_id: i32,
    #[tview(key)]
    no: i32,
    #[tview(global_id)]
    id: GlobalId,
    title: String,
}

#[derive(Debug, TView)]
#[allow(dead_code)]
struct Label {
    #[tview(key)]
    number: i64,
    #[tview(global_id)]
    id: GlobalId,
    name: String,
}

#[derive(Debug, TView)]
#[tview(plural = "countries")]
#[allow(dead_code)]
struct Country {
    id: i32,
}

type Set = (Ticket, Label, Country);

#[derive(Clone, Copy)]
struct Org(i32);

async fn world() -> PgPool {
    let pool = fraiseql_tests::pool().await;
    fraiseql_tests::run(&pool, TABLES).await;
    let model = ReadModel::builder().view::<Ticket>().view::<Label>();
    let model = model.view::<Country>().build().unwrap();
    model.migrate(&pool).await.unwrap();
    model.sync_all(&pool).await.unwrap();
    pool
}

fn query(pool: &PgPool) -> WithNode<Query<Set>> {
    let query = Query::<Set>::scoped(pool.clone(), |ctx| ctx.data::<Org>().map(|org| org.0));
    query.node()
}

fn schema(pool: &PgPool) -> Schema<WithNode<Query<Set>>, EmptyMutation, EmptySubscription> {
    Schema::build(query(pool), EmptyMutation, EmptySubscription)
        .extension(Prepared::default())
        .finish()
}

fn pool() -> PgPool {
    PgPool::connect_lazy("postgres://").unwrap()
}

fn ticket(org: i32, no: i32) -> GlobalId {
    GlobalId::of::<Ticket>(&(org, no))
}

/// The data, and the messages of errors with their paths.
async fn answer(schema: &impl Executor, query: &str, org: i32) -> (Value, Vec<(String, Value)>) {
    let response = schema.execute(Request::new(query).data(Org(org))).await;
    let errors = response.errors.iter();
    let errors = errors.map(|error| (error.message.clone(), json!(error.path)));
    let errors = errors.collect();
    (
        serde_json::to_value(&response).unwrap()["data"].clone(),
        errors,
    )
}

#[tokio::test]
async fn the_views_with_a_global_id_are_nodes() {
    let sdl = schema(&pool()).sdl();
    for definition in [
        "interface Node {\n\tid: ID!\n}",
        "type Ticket implements Node {",
        "type Label implements Node {",
        "type Country {",
        "\tnode(id: ID!): Node\n",
    ] {
        assert!(sdl.contains(definition), "{definition}: {sdl}");
    }
}

#[tokio::test]
async fn a_document_of_any_type_is_found_by_one_statement() {
    let pool = world().await;
    let schema = schema(&pool);
    let traced = Traced::start("sqlx::query");
    for (id, expected) in [
        (
            ticket(1, 2),
            json!({"__typename": "Ticket", "key": ticket(1, 2), "title": "1/2"}),
        ),
        (
            GlobalId::of::<Label>(&7),
            json!({"__typename": "Label", "key": GlobalId::of::<Label>(&7), "name": "seven"}),
        ),
        (ticket(1, 9), Value::Null),
    ] {
        let query = format!(
            "{{ found: node(id: \"{id}\") {{ __typename ... on Node {{ key: id }} ... on Ticket {{ title }} ...L }} }}
             fragment L on Label {{ name }}"
        );
        traced.take();
        let answered = answer(&schema, &query, 1).await;
        assert_eq!(answered, (json!({"found": expected}), vec![]), "{query}");
        assert_eq!(traced.take().len(), 1, "{query}");
    }
    // The interface is that of root fields, too.
    let query = "{ labels(limit: 1) { ... on Node { id ... on Label { name } } } }";
    let expected = json!({"labels": [{"id": GlobalId::of::<Label>(&7), "name": "seven"}]});
    assert_eq!(answer(&schema, query, 1).await, (expected, vec![]));
    let query = format!(
        "{{ node(id: \"{id}\") {{ id }} node(id: \"{id}\") {{ ... on Ticket {{ title }} }} }}",
        id = ticket(1, 1)
    );
    let expected = json!({"node": {"id": ticket(1, 1), "title": "1/1"}});
    assert_eq!(answer(&schema, &query, 1).await, (expected, vec![]));
    pool.close().await;
}

#[tokio::test]
async fn documents_of_another_tenant_are_null() {
    let pool = world().await;
    let schema = schema(&pool);
    let by_id = |id: GlobalId| format!("{{ node(id: \"{id}\") {{ ... on Ticket {{ title }} }} }}");
    let own = answer(&schema, &by_id(ticket(2, 1)), 2).await;
    assert_eq!(own, (json!({"node": {"title": "2/1"}}), vec![]));
    let other = answer(&schema, &by_id(ticket(2, 1)), 1).await;
    assert_eq!(other, (json!({"node": null}), vec![]));

    let response = schema.execute(by_id(ticket(2, 1))).await;
    assert_eq!(response.data.into_json().unwrap(), json!({"node": null}));
    assert_eq!(response.errors.len(), 1);
    let error = serde_json::to_value(&response.errors[0]).unwrap();
    assert_eq!(error["extensions"]["code"], "UNAUTHENTICATED");
    // A view without a tenant needs none.
    let id = GlobalId::of::<Label>(&8);
    let response = schema
        .execute(format!(
            "{{ node(id: \"{id}\") {{ ... on Label {{ name }} }} }}"
        ))
        .await;
    assert_eq!(response.errors, []);
    pool.close().await;
}

#[tokio::test]
async fn an_id_of_no_view_is_null_and_a_wrong_key_is_an_error() {
    let pool = world().await;
    let schema = schema(&pool);
    let encoded = |text: &str| {
        use base64::Engine as _;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
    };
    for id in [
        String::new(),
        "garbage".to_owned(),
        "7".to_owned(),
        encoded("Country:[1]"),
        encoded("Unknown:[1]"),
        encoded("Ticket"),
    ] {
        let query = format!("{{ node(id: \"{id}\") {{ id }} }}");
        let expected = (json!({"node": null}), vec![]);
        assert_eq!(answer(&schema, &query, 1).await, expected, "{id}");
    }
    let query = format!("{{ node(id: \"{}\") {{ id }} }}", encoded("Ticket:[1]"));
    let (data, errors) = answer(&schema, &query, 1).await;
    assert_eq!(data, json!({"node": null}));
    let message = "id: this is not an id of the type Ticket".to_owned();
    assert_eq!(errors, [(message, json!(["node"]))]);
    pool.close().await;
}

#[tokio::test]
async fn a_repeated_request_is_answered_directly_if_the_type_is_the_same() {
    let pool = world().await;
    let executed = Executed::default();
    let schema = Schema::build(query(&pool), EmptyMutation, EmptySubscription)
        .extension(executed.clone())
        .extension(Prepared::default().validate_once(true).direct(true))
        .finish();
    let endpoint =
        GraphQl::new(schema).with_data(|_| async { Ok::<_, axum::http::StatusCode>(Org(1)) });
    let mut app = axum::Router::<()>::new().route_service("/", endpoint);
    let query =
        "query ($id: ID!) { node(id: $id) { id ... on Ticket { title } ... on Label { name } } }";
    let found = |id: &GlobalId, name: &str, value: &str| {
        format!(r#"{{"data":{{"node":{{"id":"{id}","{name}":"{value}"}}}}}}"#)
    };
    let null = r#"{"data":{"node":null}}"#.to_owned();
    let label = GlobalId::of::<Label>(&7);
    let other = GlobalId::of::<Label>(&8);
    let (one, two, of_others) = (ticket(1, 1), ticket(1, 2), ticket(2, 1));
    for (id, expected, is_direct) in [
        (&one, found(&one, "title", "1/1"), false),
        (&two, found(&two, "title", "1/2"), true),
        (&of_others, null.clone(), true),
        (&label, found(&label, "name", "seven"), false),
        (&other, found(&other, "name", "eight"), true),
        (&two, found(&two, "title", "1/2"), false),
        (&GlobalId::from("garbage".to_owned()), null, false),
    ] {
        let before = executed.count();
        let request = axum::http::Request::post("/").header("content-type", "application/json");
        let body = json!({"query": query, "variables": {"id": id}}).to_string();
        let response = app.call(request.body(body).unwrap()).await.unwrap();
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        assert_eq!(String::from_utf8(body.into()).unwrap(), expected);
        assert_eq!(executed.count() == before, is_direct, "{id}");
    }
    pool.close().await;
}

#[tokio::test]
async fn in_a_merged_object_each_part_finds_its_own() {
    struct Own;

    #[Object]
    impl Own {
        async fn version(&self) -> i32 {
            1
        }
    }

    #[derive(MergedObject)]
    struct Merged(WithNode<Views<(Ticket,)>>, WithNode<Views<(Label,)>>, Own);

    let pool = world().await;
    let tickets = Views::<(Ticket,)>::across_tenants(pool.clone()).node();
    let labels = Views::<(Label,)>::new(pool.clone()).node();
    let query = Merged(tickets, labels, Own);
    let schema = Schema::build(query, EmptyMutation, EmptySubscription)
        .extension(Prepared::default())
        .finish();
    let sdl = schema.sdl();
    assert!(sdl.contains("type Ticket implements Node {"), "{sdl}");
    assert!(sdl.contains("type Label implements Node {"), "{sdl}");
    for (id, name) in [
        (ticket(2, 1), "Ticket"),
        (GlobalId::of::<Label>(&7), "Label"),
    ] {
        let query =
            format!("{{ version node(id: \"{id}\") {{ __typename ... on Label {{ name }} }} }}");
        let (data, errors) = answer(&schema, &query, 1).await;
        assert_eq!(errors, []);
        assert_eq!(data["node"]["__typename"], name);
    }
    pool.close().await;
}

#[tokio::test]
async fn nodes_can_be_entities() {
    let pool = world().await;
    let schema = Schema::build(query(&pool).federation(), EmptyMutation, EmptySubscription)
        .extension(Prepared::default())
        .finish();
    let sdl = schema.sdl_with_options(SDLExportOptions::new().federation());
    let ticket_type =
        r#"type Ticket implements Node @key(fields: "orgId no") @key(fields: "id") @shareable {"#;
    assert!(sdl.contains(ticket_type), "{sdl}");
    let query = format!(
        r#"{{ node(id: "{id}") {{ id }} _entities(representations: [{{__typename: "Ticket", id: "{id}"}}]) {{
            ... on Node {{ id ... on Ticket {{ title }} }}
        }} }}"#,
        id = ticket(1, 3)
    );
    let (data, errors) = answer(&schema, &query, 1).await;
    assert_eq!(errors, []);
    assert_eq!(
        data,
        json!({
            "node": {"id": ticket(1, 3)},
            "_entities": [{"id": ticket(1, 3), "title": "1/3"}],
        })
    );
    pool.close().await;
}

#[tokio::test]
#[should_panic(expected = "none of these views has a field with #[tview(global_id)]")]
async fn views_without_a_global_id_have_no_node() {
    drop(Views::<(Country,)>::new(pool()).node());
}

#[tokio::test]
#[should_panic(
    expected = "the global id of `Named` is `nodeId` in documents, and `id` in the \
                           interface `Node`; write #[tview(global_id, json = \"id\")]"
)]
async fn a_global_id_of_another_name_is_no_node() {
    #[derive(TView)]
    #[allow(dead_code)]
    struct Named {
        id: i32,
        #[tview(global_id)]
        node_id: GlobalId,
    }

    drop(Query::<(Named, Label)>::new(pool()).node());
}

#[tokio::test]
#[should_panic(expected = "`Peer` has a root field `node` already")]
async fn a_view_has_not_the_root_field_already() {
    #[derive(TView)]
    #[tview(entity = "node")]
    #[allow(dead_code)]
    struct Peer {
        id: i32,
    }

    drop(Query::<(Peer, Label)>::new(pool()).node());
}

#[tokio::test]
#[should_panic(expected = "`Node`")]
async fn another_type_of_this_name_is_no_schema() {
    #[derive(SimpleObject)]
    struct Node {
        id: i32,
    }

    struct Own;

    #[Object]
    impl Own {
        async fn own(&self) -> Node {
            Node { id: 1 }
        }
    }

    #[derive(MergedObject)]
    struct Merged(WithNode<Views<(Label,)>>, Own);

    let query = Merged(Views::new(pool()).node(), Own);
    drop(Schema::new(query, EmptyMutation, EmptySubscription));
}
