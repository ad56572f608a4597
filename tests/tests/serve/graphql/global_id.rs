//! One id for the documents of all types: what is sent as `id` is found by.

use async_graphql::{EmptyMutation, EmptySubscription, Executor, Request, Schema, Variables};
use fraiseql_graphql::{Prepared, Query};
use fraiseql_runtime::{GlobalId, ReadModel, TView};
use serde_json::{Value, json};
use sqlx::PgPool;

#[derive(TView)]
#[allow(dead_code)]
struct Ticket {
    #[tview(key, tenant)]
    org_id: i32,
    #[tview(key)]
    no: i32,
    /// For caches of clients.
    #[tview(global_id)]
    id: GlobalId,
    title: String,
}

/// Keys of one column may have an id, too.
#[derive(TView)]
#[allow(dead_code)]
struct Label {
    id: i64,
    #[tview(global_id)]
    node_id: GlobalId,
    name: String,
}

const TABLES: &str = "
    CREATE TABLE tb_ticket (org_id int4, no int4, title text NOT NULL, PRIMARY KEY (org_id, no));
    CREATE TABLE tb_label (id int8 PRIMARY KEY, name text NOT NULL);
    INSERT INTO tb_ticket SELECT o, n, o || '/' || n FROM generate_series(1, 2) AS o, generate_series(1, 3) AS n;
    INSERT INTO tb_label VALUES (7, 'seven')";

struct Org(i32);

async fn world() -> PgPool {
    let pool = fraiseql_tests::pool().await;
    fraiseql_tests::run(&pool, TABLES).await;
    let model = ReadModel::builder().view::<Ticket>().view::<Label>();
    let model = model.build().unwrap();
    model.migrate(&pool).await.unwrap();
    model.sync_all(&pool).await.unwrap();
    pool
}

/// The response to a request that is sent three times: again, it is answered in another way.
async fn answer(
    schema: &impl Executor,
    query: &str,
    variables: Value,
    org: i32,
) -> (Value, Vec<String>) {
    let mut answers = Vec::new();
    for _ in 0..3 {
        let request = Request::new(query)
            .variables(Variables::from_json(variables.clone()))
            .data(Org(org));
        let response = schema.execute(request).await;
        let errors = response.errors.iter().map(|error| error.message.clone());
        let errors: Vec<String> = errors.collect();
        answers.push((response.data.into_json().unwrap(), errors));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:#?}");
    answers.remove(0)
}

#[tokio::test]
async fn a_document_is_found_by_its_id_or_by_the_fields_of_its_key() {
    let pool = world().await;
    let query: Query<(Ticket, Label)> =
        Query::scoped(pool, |request| request.data::<Org>().map(|org| org.0));
    let schema = Schema::build(query, EmptyMutation, EmptySubscription)
        .extension(Prepared::default().validate_once(true).direct(true))
        .finish();
    let sdl = schema.sdl();
    for definition in [
        "ticket(id: ID, orgId: Int, no: Int): Ticket",
        "label(nodeId: ID, id: BigInt): Label",
        "The key is `id`, or `orgId` and `no`. By default `orgId` is that of the request.",
        "The key is `nodeId`, or `id`.",
    ] {
        assert!(sdl.contains(definition), "{definition}: {sdl}");
    }
    let (data, errors) = answer(
        &schema,
        "{ tickets { id no } labels { nodeId } }",
        json!({}),
        1,
    )
    .await;
    assert!(errors.is_empty(), "{errors:?}");
    let mut found = 0;
    for ticket in data["tickets"].as_array().unwrap() {
        let id = ticket["id"].as_str().unwrap();
        let no = i32::try_from(ticket["no"].as_i64().unwrap()).unwrap();
        assert_eq!(GlobalId::from(id.to_owned()).key::<Ticket>(), Ok((1, no)));
        let by_variable = "query ($id: ID) { ticket(id: $id) { id title } }";
        let by_literal = format!("{{ ticket(id: \"{id}\") {{ id title }} }}");
        let by_fields = format!("{{ ticket(no: {no}) {{ id title }} }}");
        for (query, variables) in [
            (by_variable, json!({"id": id})),
            (&by_literal, json!({})),
            (&by_fields, json!({})),
        ] {
            let expected = json!({"ticket": {"id": id, "title": format!("1/{no}")}});
            let own = answer(&schema, query, variables.clone(), 1).await;
            assert_eq!(own, (expected, vec![]), "{query}");
        }
        // For another organization it is as one that does not exist.
        let others = answer(&schema, by_variable, json!({"id": id}), 2).await;
        assert_eq!(others, (json!({"ticket": null}), vec![]));
        found += 1;
    }
    assert_eq!(found, 3);
    let id = data["labels"][0]["nodeId"].as_str().unwrap();
    let by_id = format!("{{ a: label(nodeId: \"{id}\") {{ name }} b: label(id: 7) {{ name }} }}");
    let (data, errors) = answer(&schema, &by_id, json!({}), 1).await;
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(
        data,
        json!({"a": {"name": "seven"}, "b": {"name": "seven"}})
    );
}

#[tokio::test]
async fn what_names_no_document_is_an_error() {
    let pool = world().await;
    let scoped: Query<(Ticket, Label)> = Query::scoped(pool.clone(), |request| {
        request.data::<Org>().map(|org| org.0)
    });
    let scoped = Schema::build(scoped, EmptyMutation, EmptySubscription).finish();
    let label = GlobalId::of::<Label>(&7);
    let ticket = GlobalId::of::<Ticket>(&(1, 2));
    for (arguments, message) in [
        (
            format!("id: \"{label}\""),
            "id: this is not an id of the type Ticket",
        ),
        (
            "id: \"\"".to_owned(),
            "id: this is not an id of the type Ticket",
        ),
        (
            "id: 7".to_owned(),
            "id: this is not an id of the type Ticket",
        ),
        (
            format!("id: \"{ticket}\", no: 2"),
            "id has the whole key: leave no out",
        ),
        (
            format!("id: \"{ticket}\", orgId: 1"),
            "id has the whole key: leave orgId out",
        ),
        ("id: null".to_owned(), "no is missing, or id"),
        ("orgId: 1".to_owned(), "no is missing, or id"),
    ] {
        let query = format!("{{ ticket({arguments}) {{ title }} }}");
        let (data, errors) = answer(&scoped, &query, json!({}), 1).await;
        assert_eq!(
            (data, errors),
            (json!({"ticket": null}), vec![message.to_owned()]),
            "{query}"
        );
    }
    let (_, errors) = answer(&scoped, "{ ticket { title } }", json!({}), 1).await;
    assert_eq!(errors, ["no is missing, or id"]);
    let (_, errors) = answer(&scoped, "{ label { name } }", json!({}), 1).await;
    assert_eq!(errors, ["id is missing, or nodeId"]);

    let across = Query::<(Ticket,)>::across_tenants(pool);
    let across = Schema::build(across, EmptyMutation, EmptySubscription).finish();
    let (_, errors) = answer(&across, "{ ticket(no: 1) { title } }", json!({}), 1).await;
    assert_eq!(errors, ["orgId is missing, or id"]);
    let by_id = format!("{{ ticket(id: \"{ticket}\") {{ title }} }}");
    let (data, _) = answer(&across, &by_id, json!({}), 1).await;
    assert_eq!(data, json!({"ticket": {"title": "1/2"}}));
}
