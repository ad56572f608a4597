//! Views with a tenant in a schema: each request reads the documents of its tenant, also if its answer
//! is direct, its plan is cached or its query is persisted; and no request reads those of another.

use std::collections::BTreeSet;

use async_graphql::extensions::apollo_persisted_queries::{
    ApolloPersistedQueries, LruCacheStorage,
};
use async_graphql::{
    Context, EmptyMutation, EmptySubscription, MergedObject, Object, Request, Schema,
};
use axum::body::to_bytes;
use axum::http::{Request as HttpRequest, StatusCode};
use fraiseql_graphql::http::GraphQl;
use fraiseql_graphql::{Prepared, Query, RequestData, TvConnection, TvDoc, TvList, Views};
use fraiseql_runtime::list::Page;
use fraiseql_runtime::{ReadModel, Readers, TView};
use fraiseql_tests::executed::Executed;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};
use sqlx::PgPool;
use tower_service::Service as _;

const TABLES: &str = "
CREATE TABLE tb_ticket (
    id int8 PRIMARY KEY, org_id int4 NOT NULL, owner int4 NOT NULL, title text NOT NULL, priority int4);
CREATE TABLE tb_country (id int4 PRIMARY KEY, name text NOT NULL);
INSERT INTO tb_ticket
    SELECT n, 1 + n % 3, 1 + n % 3, 'Ticket ' || n / 3, nullif(n % 7, 0) FROM generate_series(1, 60) AS n;
INSERT INTO tb_country VALUES (1, 'Norway'), (2, 'Chile');
";

#[derive(Debug, TView)]
#[allow(dead_code)]
struct Ticket {
    id: i64,
    #[tview(tenant, hidden)]
    org_id: i32,
    owner: i32,
    #[tview(filter, sort)]
    title: String,
    #[tview(filter, sort)]
    priority: Option<i32>,
}

#[derive(Debug, TView)]
#[tview(plural = "countries")]
#[allow(dead_code)]
struct Country {
    id: i32,
    name: String,
}

/// Who sends a request.
#[derive(Clone)]
struct Session {
    org: Option<i32>,
}

impl Session {
    fn org(&self) -> async_graphql::Result<i32> {
        self.org
            .ok_or_else(|| async_graphql::Error::new("sign in first"))
    }
}

fn tenant(ctx: &RequestData<'_>) -> async_graphql::Result<i32> {
    ctx.data::<Session>()?.org()
}

/// Resolvers of the application.
struct Own {
    pool: PgPool,
}

#[Object]
impl Own {
    async fn mine(
        &self,
        ctx: &Context<'_>,
        id: i64,
    ) -> async_graphql::Result<Option<TvDoc<Ticket>>> {
        let org = ctx.data::<Session>()?.org()?;
        Ok(TvDoc::find_in(&Ticket::of(org), &self.pool, id).await?)
    }

    async fn some(
        &self,
        ctx: &Context<'_>,
        ids: Vec<i64>,
    ) -> async_graphql::Result<TvList<Ticket>> {
        let org = ctx.data::<Session>()?.org()?;
        Ok(TvList::find_in(&Ticket::of(org), &self.pool, &ids).await?)
    }

    async fn page(&self, ctx: &Context<'_>) -> async_graphql::Result<TvConnection<Ticket>> {
        let org = ctx.data::<Session>()?.org()?;
        Ok(Ticket::of(org)
            .list()
            .page(Page::first(5), &self.pool)
            .await?
            .into())
    }
}

#[derive(MergedObject)]
struct Root(Views<(Ticket, Country)>, Own);

async fn tickets() -> PgPool {
    let pool = fraiseql_tests::pool().await;
    fraiseql_tests::run(&pool, TABLES).await;
    let model = ReadModel::builder().view::<Ticket>().view::<Country>();
    let model = model.build().unwrap();
    model.migrate(&pool).await.unwrap();
    model.sync_all(&pool).await.unwrap();
    pool
}

type Served = Schema<Root, EmptyMutation, EmptySubscription>;

fn schema(pool: &PgPool, executed: &Executed, prepared: Prepared) -> Served {
    let views = Views::scoped(Readers::lending(pool.clone()), tenant).max_page(100);
    let own = Own { pool: pool.clone() };
    Schema::build(Root(views, own), EmptyMutation, EmptySubscription)
        .extension(executed.clone())
        .extension(ApolloPersistedQueries::new(LruCacheStorage::new(100)))
        .extension(prepared)
        .finish()
}

/// Two endpoints, of which the first answers directly. They take the session from a header.
struct Endpoints {
    routers: [axum::Router; 2],
    executed: Executed,
}

impl Endpoints {
    fn new(pool: &PgPool) -> Self {
        let executed = Executed::default();
        let router = |prepared| {
            let schema = schema(pool, &executed, prepared);
            let endpoint = GraphQl::new(schema).max_batch(3).with_data(|parts| {
                let org = parts.headers.get("x-org").and_then(|org| org.to_str().ok());
                let org = org.and_then(|org| org.parse().ok());
                async move { Ok::<_, StatusCode>(Session { org }) }
            });
            axum::Router::new().route_service("/", endpoint)
        };
        let direct = Prepared::default().validate_once(true).direct(true);
        Self {
            routers: [router(direct), router(Prepared::default())],
            executed,
        }
    }

    /// The response, and whether the schema was not executed.
    async fn send(&mut self, router: usize, org: Option<i32>, body: &Value) -> (Value, bool) {
        let before = self.executed.count();
        let mut request = HttpRequest::post("/").header("content-type", "application/json");
        if let Some(org) = org {
            request = request.header("x-org", org.to_string());
        }
        let request = request.body(body.to_string()).unwrap();
        let answer = self.routers[router].call(request).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let bytes = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        let answer = serde_json::from_slice(&bytes).unwrap();
        (answer, self.executed.count() == before)
    }
}

/// The objects with an `owner`, anywhere in a response: each must be that of the tenant.
fn assert_its(value: &Value, org: i32, found: &mut usize) {
    match value {
        Value::Object(object) => {
            if let Some(owner) = object.get("owner") {
                assert_eq!(*owner, json!(org), "{value}");
                *found += 1;
            }
            object
                .values()
                .for_each(|value| assert_its(value, org, found));
        }
        Value::Array(items) => items.iter().for_each(|value| assert_its(value, org, found)),
        _ => {}
    }
}

#[tokio::test]
async fn a_repeated_request_of_another_tenant_is_answered_directly_with_its_documents() {
    let pool = tickets().await;
    let mut endpoints = Endpoints::new(&pool);
    for query in [
        "{ tickets(limit: 60) { id owner } }",
        "{ tickets(where: {title: {eq: \"Ticket 7\"}}) { owner } }",
        "{ tickets(orderBy: [{priority: DESC}], limit: 3) { id owner } }",
        "query Named { mine: tickets(limit: 1) { id owner title } }",
        "query ($n: Int! = 9, $w: TicketWhere) { tickets(limit: $n, where: $w) { owner } }",
        "{ tickets(limit: 3) { owner } ticketsConnection(first: 9) { edges { cursor node { owner } } } countries { name } }",
        "{ ticketsConnection(first: 1, where: {id: {gt: 7}}) { totalCount nodes { owner } } }",
    ] {
        let body = json!({"query": query});
        let (of_one, was_direct) = endpoints.send(0, Some(1), &body).await;
        assert!(!was_direct, "nothing is known of it: {query}");
        for org in [2, 3, 1, 2] {
            let (answer, was_direct) = endpoints.send(0, Some(org), &body).await;
            assert!(was_direct, "{query}: {answer}");
            let mut found = 0;
            assert_its(&answer, org, &mut found);
            assert!(found > 0, "{query}: {answer}");
            assert_eq!(answer == of_one, org == 1, "{query}");
            // As by the schema.
            assert_eq!(answer, endpoints.send(1, Some(org), &body).await.0);
        }
    }
    let body = json!({"query": "{ ticket(id: 3) { owner } }"});
    let found = json!({"data": {"ticket": {"owner": 1}}});
    assert_eq!(
        endpoints.send(0, Some(1), &body).await,
        (found.clone(), false)
    );
    let nothing = json!({"data": {"ticket": null}});
    assert_eq!(endpoints.send(0, Some(2), &body).await, (nothing, true));
    assert_eq!(endpoints.send(0, Some(1), &body).await, (found, true));
}

#[tokio::test]
async fn a_request_without_a_tenant_gets_an_error_and_no_document() {
    let pool = tickets().await;
    let mut endpoints = Endpoints::new(&pool);
    for query in [
        "{ tickets { owner } }",
        "{ ticket(id: 3) { owner } }",
        "{ ticketsConnection { nodes { owner } } }",
        "{ a: tickets { owner } b: ticket(id: 3) { owner } }",
        "{ mine(id: 3) { owner } }",
    ] {
        let body = json!({"query": query});
        // Also after the plan is known.
        for org in [None, Some(1), Some(1), None] {
            for router in [0, 1] {
                let (answer, _) = endpoints.send(router, org, &body).await;
                let mut found = 0;
                assert_its(&answer, org.unwrap_or(-1), &mut found);
                assert_eq!(found > 0, org.is_some(), "{query}: {answer}");
                if org.is_none() {
                    assert_eq!(answer["errors"][0]["message"], "sign in first", "{answer}");
                }
            }
        }
    }
    let body = json!({"query": "{ tickets { owner } }"});
    let (answer, _) = endpoints.send(0, None, &body).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    assert_eq!(answer["errors"][0]["path"], json!(["tickets"]));
    assert_eq!(answer["data"], Value::Null);

    // What has no tenant needs none.
    let countries = json!({"query": "{ countries { name } }"});
    for _ in 0..2 {
        let (answer, _) = endpoints.send(0, None, &countries).await;
        let expected = json!({"data": {"countries": [{"name": "Norway"}, {"name": "Chile"}]}});
        assert_eq!(answer, expected);
    }
    assert!(endpoints.send(0, None, &countries).await.1);
}

#[tokio::test]
async fn without_any_session_the_error_says_so() {
    let pool = tickets().await;
    let schema = schema(&pool, &Executed::default(), Prepared::default());
    let response = schema.execute("{ tickets { owner } }").await;
    assert_eq!(
        response.errors[0].message,
        "the request is not authenticated, and this needs a tenant"
    );
    let extensions = serde_json::to_value(&response.errors[0].extensions).unwrap();
    assert_eq!(extensions, json!({"code": "UNAUTHENTICATED"}));
    let request = Request::new("{ tickets(limit: 1) { owner } }").data(Session { org: Some(2) });
    let response = schema.execute(request).await;
    assert_eq!(
        serde_json::to_value(&response).unwrap(),
        json!({"data": {"tickets": [{"owner": 2}]}})
    );
}

#[tokio::test]
async fn operators_read_across_tenants() {
    let pool = tickets().await;
    let query = Query::<(Ticket, Country)>::across_tenants(pool.clone());
    let schema = Schema::build(query, EmptyMutation, EmptySubscription)
        .extension(Prepared::default())
        .finish();
    let response = schema.execute("{ tickets(limit: 60) { owner } }").await;
    let data = serde_json::to_value(&response.data).unwrap();
    let owners: BTreeSet<i64> = data["tickets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|ticket| ticket["owner"].as_i64().unwrap())
        .collect();
    assert_eq!(owners, BTreeSet::from([1, 2, 3]));
}

#[tokio::test]
async fn a_hidden_field_is_in_no_object_type() {
    let pool = tickets().await;
    let sdl = schema(&pool, &Executed::default(), Prepared::default()).sdl();
    assert!(sdl.contains("type Ticket {"), "{sdl}");
    assert!(!sdl.contains("orgId"), "{sdl}");
    let request = Request::new("{ tickets { orgId } }").data(Session { org: Some(1) });
    let schema = schema(&pool, &Executed::default(), Prepared::default());
    assert!(!schema.execute(request).await.errors.is_empty());
}

/// A random query, and its variables.
fn random_query(random: &mut StdRng, cursors: &[String]) -> Value {
    let cursor = match cursors.is_empty() {
        true => String::new(),
        false => cursors[random.random_range(0..cursors.len())].clone(),
    };
    let id = random.random_range(1..=60);
    let fields = [
        "owner id",
        "id title owner",
        "owner ... on Ticket { priority }",
    ][random.random_range(0..3)];
    let filter = [
        "".to_owned(),
        format!("where: {{id: {{in: [{id}, 3, 4, 5]}}}}"),
        "where: {or: [{title: {like: \"%\"}}, {priority: {isNull: true}}]}".to_owned(),
        "where: {not: {id: {eq: 1}}}".to_owned(),
    ][random.random_range(0..4)]
    .clone();
    let order =
        ["", "orderBy: [{priority: DESC}]", "orderBy: [{title: ASC}]"][random.random_range(0..3)];
    let arguments = |more: &str| {
        let text = format!("{filter} {order} {more}");
        match text.trim() {
            "" => String::new(),
            text => format!("({text})"),
        }
    };
    let alias = ["", "own: ", "tickets: "][random.random_range(0..3)];
    match random.random_range(0..10) {
        0 => json!({"query": format!("{{ {alias}ticket(id: {id}) {{ {fields} }} }}")}),
        1 => json!({
            "query": format!("query ($id: BigInt!) {{ ticket(id: $id) {{ {fields} }} }}"),
            "variables": {"id": id},
        }),
        2 => {
            json!({"query": format!("{{ {alias}tickets{} {{ {fields} }} }}", arguments("limit: 60"))})
        }
        3 => json!({
            "query": format!("query ($w: TicketWhere) {{ tickets(where: $w, limit: 60) {{ {fields} }} }}"),
            "variables": {"w": {"id": {"gt": id - 30}}},
        }),
        4 => json!({"query": format!(
            "{{ ticketsConnection{} {{ edges {{ cursor node {{ {fields} }} }} nodes {{ owner }} pageInfo {{ endCursor startCursor }} }} }}",
            arguments("first: 9")
        )}),
        5 if !cursor.is_empty() => json!({
            "query": format!("query ($c: String) {{ ticketsConnection({order} first: 20, after: $c) {{ edges {{ cursor node {{ {fields} }} }} }} }}"),
            "variables": {"c": cursor},
        }),
        6 if !cursor.is_empty() => json!({"query": format!(
            "{{ ticketsConnection({order} last: 20, before: \"{cursor}\") {{ nodes {{ {fields} }} pageInfo {{ startCursor }} }} }}"
        )}),
        7 => {
            json!({"query": format!("{{ mine(id: {id}) {{ {fields} }} some(ids: [{id}, 1, 2, 3]) {{ {fields} }} page {{ nodes {{ {fields} }} }} }}")})
        }
        8 => json!({"query": format!(
            "{{ a: tickets(limit: 60) {{ ...f }} b: ticket(id: {id}) {{ ...f }} ...more }} fragment f on Ticket {{ {fields} }} fragment more on Root {{ a: tickets(limit: 60) {{ title }} }}"
        )}),
        _ => json!({"query": "{ tickets(limit: 60) { owner } }"}),
    }
}

/// The cursors in a response.
fn collect_cursors(value: &Value, cursors: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                match value.as_str() {
                    Some(text) if name.to_lowercase().ends_with("cursor") => {
                        cursors.push(text.to_owned());
                    }
                    _ => collect_cursors(value, cursors),
                }
            }
        }
        Value::Array(items) => items
            .iter()
            .for_each(|value| collect_cursors(value, cursors)),
        _ => {}
    }
}

/// Random requests of random tenants, alone and in batches, with rows that move meanwhile; each also as
/// a persisted query.
#[tokio::test]
async fn no_request_returns_a_document_of_another_tenant() {
    let pool = tickets().await;
    let mut endpoints = Endpoints::new(&pool);
    let mut random = StdRng::seed_from_u64(17);
    let mut cursors = Vec::new();
    let (mut found, mut direct, mut failed) = (0, 0, 0);
    for round in 0..1_500 {
        if round % 10 == 0 {
            let id: i64 = random.random_range(1..=60);
            let org: i32 = random.random_range(1..=3);
            sqlx::query("UPDATE tb_ticket SET org_id = $2, owner = $2 WHERE id = $1")
                .bind(id)
                .bind(org)
                .execute(&pool)
                .await
                .unwrap();
            sync_ticket(&pool, &[id]).await.unwrap();
        }
        let org = random.random_range(1..=3);
        let router = usize::from(random.random_bool(0.3));
        let mut body = random_query(&mut random, &cursors);
        if random.random_bool(0.1) {
            body = json!([body, random_query(&mut random, &cursors)]);
        } else if random.random_bool(0.1) {
            let hash: String =
                sqlx::query_scalar("SELECT encode(sha256(convert_to($1, 'UTF8')), 'hex')")
                    .bind(body["query"].as_str().unwrap())
                    .fetch_one(&pool)
                    .await
                    .unwrap();
            body["extensions"] = json!({"persistedQuery": {"version": 1, "sha256Hash": hash}});
            endpoints.send(router, Some(org), &body).await;
            // Another tenant sends the hash only.
            body.as_object_mut().unwrap().remove("query");
        }
        let (answer, was_direct) = endpoints.send(router, Some(org), &body).await;
        assert_its(&answer, org, &mut found);
        direct += usize::from(was_direct);
        failed += usize::from(answer.get("errors").is_some());
        collect_cursors(&answer, &mut cursors);
        let drop = cursors.len().saturating_sub(300);
        cursors.drain(..drop);
    }
    assert!(found > 5_000 && direct > 100, "{found} {direct}");
    // Cursors of another order, only.
    assert!(failed < 300, "{failed}");
}

#[derive(Debug, TView)]
#[allow(dead_code)]
struct Project {
    #[tview(key, tenant)]
    org_id: i32,
    #[tview(key)]
    no: i32,
    name: String,
}

#[derive(Debug, TView)]
#[allow(dead_code)]
struct Org {
    #[tview(tenant)]
    id: i32,
    name: String,
}

#[tokio::test]
async fn a_tenant_of_the_key_is_that_of_the_request_unless_it_is_given() {
    let pool = fraiseql_tests::pool().await;
    let tables = "
        CREATE TABLE tb_org (id int4 PRIMARY KEY, name text NOT NULL);
        CREATE TABLE tb_project (org_id int4, no int4, name text NOT NULL, PRIMARY KEY (org_id, no));
        INSERT INTO tb_org SELECT o, 'org ' || o FROM generate_series(1, 3) AS o;
        INSERT INTO tb_project
            SELECT o, n, 'project ' || o || '/' || n FROM generate_series(1, 3) AS o, generate_series(1, 2) AS n";
    fraiseql_tests::run(&pool, tables).await;
    let model = ReadModel::builder().view::<Project>().view::<Org>();
    let model = model.build().unwrap();
    model.migrate(&pool).await.unwrap();
    model.sync_all(&pool).await.unwrap();

    type Views = Query<(Project, Org)>;
    let served = |query: Views| {
        let prepared = Prepared::default().validate_once(true).direct(true);
        Schema::build(query, EmptyMutation, EmptySubscription)
            .extension(prepared)
            .finish()
    };
    let scoped = served(Query::scoped(pool.clone(), tenant));
    let sdl = scoped.sdl();
    assert!(
        sdl.contains("project(orgId: Int, no: Int!): Project"),
        "{sdl}"
    );
    assert!(sdl.contains("org(id: Int): Org"), "{sdl}");
    let query = "{ project(no: 2) { name } org { name } given: project(orgId: 2, no: 1) { name } }";
    // Again and again: a request that is sent again is answered in another way.
    for org in [1, 2, 3, 2, 1] {
        let request = Request::new(query).data(Session { org: Some(org) });
        let response = scoped.execute(request).await;
        assert_eq!(response.errors, []);
        let given = (org == 2).then(|| json!({"name": "project 2/1"}));
        assert_eq!(
            response.data.into_json().unwrap(),
            json!({
                "project": {"name": format!("project {org}/2")},
                "org": {"name": format!("org {org}")},
                "given": given,
            })
        );
        for (query, name) in [
            ("{ project(no: 1) { name } }", "project"),
            ("{ org { name } }", "org"),
        ] {
            let request = Request::new(query).data(Session { org: Some(org) });
            let data = scoped.execute(request).await.data.into_json().unwrap();
            let text = data[name]["name"].as_str().unwrap();
            assert!(text.contains(&format!(" {org}")), "{data}");
        }
    }
    let nobody = scoped.execute("{ project(no: 1) { name } }").await;
    assert_eq!(nobody.errors.len(), 1, "{nobody:?}");

    // Where the documents of all tenants are read, it has to be given.
    let across = served(Query::across_tenants(pool));
    let missing = across.execute("{ project(no: 1) { name } }").await;
    assert_eq!(
        missing.errors[0].message,
        "orgId is missing: the documents of all tenants are read"
    );
    let given = across
        .execute("{ project(orgId: 3, no: 1) { name } }")
        .await;
    assert_eq!(
        given.data.into_json().unwrap(),
        json!({"project": {"name": "project 3/1"}})
    );
}
