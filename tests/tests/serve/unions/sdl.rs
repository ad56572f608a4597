//! The types in a schema.

use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};
use fraiseql_graphql::{Prepared, Query, TvAny};
use fraiseql_runtime::{TUnion, TView};
use serde_json::{Value, json};

use super::{Content, Found, Set, Titled, Written, schema};

fn pool() -> sqlx::PgPool {
    sqlx::PgPool::connect_lazy("postgres://").unwrap()
}

#[tokio::test]
async fn the_sdl_has_unions_and_interfaces() {
    let schema = Schema::build(Query::<Set>::new(pool()), EmptyMutation, EmptySubscription)
        .register_output_type::<Option<TvAny<Found>>>()
        .register_output_type::<Vec<TvAny<Content>>>()
        .register_output_type::<TvAny<Titled>>()
        .register_output_type::<TvAny<Written>>()
        .finish();
    let sdl = schema.sdl();
    let wanted = ["Content", "Found", "HasTitle", "Written", "Post", "Page"];
    let definitions = sdl.split("\n\n").filter(|definition| {
        let line = definition.lines().find(|line| {
            ["type ", "union ", "interface "]
                .iter()
                .any(|it| line.starts_with(it))
        });
        let name = line.and_then(|line| line.split(' ').nth(1));
        name.is_some_and(|name| wanted.contains(&name))
    });
    let definitions: Vec<_> = definitions.map(str::trim).collect();
    insta::assert_snapshot!(definitions.join("\n\n"));
}

#[tokio::test]
async fn introspection_names_members_and_interfaces() {
    let schema = schema(&pool(), Prepared::default());
    let response = schema
        .execute(
            r#"{
            found: __type(name: "Found") { kind description possibleTypes { name } fields { name } }
            content: __type(name: "Content") { kind description possibleTypes { name }
                fields { name description type { kind ofType { name } } } }
            post: __type(name: "Post") { interfaces { name } }
            user: __type(name: "User") { interfaces { name } }
        }"#,
        )
        .await;
    assert_eq!(response.errors, []);
    let data: Value = response.data.into_json().unwrap();
    let field = |name: &str, of: &str, docs: Option<&str>| json!({"name": name, "description": docs, "type": {"kind": "NON_NULL", "ofType": {"name": of}}});
    let members = |names: [&str; 2]| names.map(|name| json!({"name": name}));
    assert_eq!(
        data,
        json!({
            "found": {"kind": "UNION", "description": "What a search finds.", "fields": null,
                "possibleTypes": members(["Post", "User"])},
            "content": {"kind": "INTERFACE", "description": "What has an author.",
                "possibleTypes": members(["Post", "Page"]),
                "fields": [
                    field("id", "Int", None),
                    field("title", "String", Some("What it is called.")),
                    field("author", "Author", None),
                ]},
            "post": {"interfaces": members(["Content", "HasTitle"]).into_iter().chain([json!({"name": "Written"})]).collect::<Vec<_>>()},
            "user": {"interfaces": []},
        })
    );
}

mod other {
    use super::{TUnion, TView};

    #[derive(TView)]
    #[tview(type_name = "OtherPost", table = "tb_other", view = "tv_other")]
    #[allow(dead_code)]
    pub(crate) struct Post {
        id: i32,
    }

    #[derive(TUnion)]
    pub(crate) enum Found {
        Post(Post),
    }
}

#[test]
#[should_panic(
    expected = "have the same GraphQL name `Found`; give one of them another with \
                           #[tview(type_name = \"..\")]"
)]
fn two_unions_of_one_name_are_no_schema() {
    struct Root;

    #[Object]
    impl Root {
        async fn one(&self) -> Option<TvAny<Found>> {
            None
        }

        async fn other(&self) -> Option<TvAny<other::Found>> {
            None
        }
    }

    drop(Schema::new(Root, EmptyMutation, EmptySubscription));
}
