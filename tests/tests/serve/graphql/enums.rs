//! Enums of documents are enums of the whole schema: of arguments, too.

use async_graphql::{EmptyMutation, EmptySubscription, InputObject, Object, Schema};
use fraiseql_graphql::{Prepared, Query, TvEnum};
use fraiseql_runtime::{TEnum, TView};
use fraiseql_tests::{pool, run, world};
use serde_json::{Value, json};

#[derive(Clone, Copy, Debug, PartialEq, Eq, TEnum, async_graphql::Enum)]
enum Status {
    Draft,
    InReview,
    Published,
}

/// Without the derive of async-graphql.
#[derive(Clone, Copy, Debug, PartialEq, TEnum)]
#[tview(type_name = "PostKind")]
enum Kind {
    Essay,
    #[tview(json = "NEWS")]
    Message,
}

#[derive(Debug, TView)]
#[allow(dead_code)]
struct Post {
    id: i32,
    #[tview(filter)]
    status: Status,
    kind: Kind,
}

#[derive(InputObject)]
struct Input {
    status: Status,
    #[graphql(default_with = "TvEnum(Kind::Message)")]
    kind: TvEnum<Kind>,
    kinds: Option<Vec<TvEnum<Kind>>>,
}

struct Mutation;

#[Object]
impl Mutation {
    async fn set(&self, status: Status, kind: TvEnum<Kind>) -> TvEnum<Kind> {
        assert_ne!(status, Status::Draft);
        kind
    }

    async fn create(&self, post: Input) -> String {
        let kinds = post.kinds.unwrap_or_default();
        let kinds: Vec<Kind> = kinds.into_iter().map(|TvEnum(kind)| kind).collect();
        format!("{:?} {:?} {kinds:?}", post.status, post.kind.0)
    }

    async fn status(&self) -> Status {
        Status::InReview
    }
}

async fn schema() -> Schema<Query<(Post,)>, Mutation, EmptySubscription> {
    let pool = pool().await;
    run(
        &pool,
        "CREATE TABLE tb_post (id int4 PRIMARY KEY, status text NOT NULL, kind text NOT NULL);
         INSERT INTO tb_post VALUES (1, 'draft', 'essay'), (2, 'in_review', 'message')",
    )
    .await;
    world::model::<Post>().migrate(&pool).await.unwrap();
    sync_all_posts(&pool).await.unwrap();
    Schema::build(Query::new(pool), Mutation, EmptySubscription)
        .extension(Prepared::default())
        .finish()
}

#[tokio::test]
async fn an_enum_of_documents_is_an_argument() {
    let schema = schema().await;
    let sdl = schema.sdl();
    assert_eq!(sdl.matches("enum Status {").count(), 1, "{sdl}");
    assert_eq!(sdl.matches("enum PostKind {").count(), 1, "{sdl}");
    assert!(
        sdl.contains("set(status: Status!, kind: PostKind!): PostKind!"),
        "{sdl}"
    );
    assert!(sdl.contains("kind: PostKind! = NEWS"), "{sdl}");
    for (query, expected) in [
        (
            "mutation { set(status: PUBLISHED, kind: NEWS) }",
            json!({"set": "NEWS"}),
        ),
        ("mutation { status }", json!({"status": "IN_REVIEW"})),
        (
            "mutation { create(post: {status: IN_REVIEW, kinds: [ESSAY, NEWS]}) }",
            json!({"create": "InReview Message [Essay, Message]"}),
        ),
        (
            "{ posts(where: {status: {in: [IN_REVIEW]}}) { status kind } }",
            json!({"posts": [{"status": "IN_REVIEW", "kind": "NEWS"}]}),
        ),
    ] {
        let answer = schema.execute(query).await;
        assert_eq!(answer.errors, [], "{query}");
        assert_eq!(answer.data.into_json().unwrap(), expected, "{query}");
    }
    let request = |kind: Value| {
        let query = "mutation ($kind: PostKind!) { set(status: PUBLISHED, kind: $kind) }";
        let variables = async_graphql::Variables::from_json(json!({"kind": kind}));
        async_graphql::Request::new(query).variables(variables)
    };
    let answer = schema.execute(request(json!("ESSAY"))).await;
    assert_eq!(answer.data.into_json().unwrap(), json!({"set": "ESSAY"}));
    for wrong in [json!("MESSAGE"), json!("Essay"), json!(1), Value::Null] {
        let answer = schema.execute(request(wrong.clone())).await;
        assert_eq!(answer.errors.len(), 1, "{wrong}: {answer:?}");
    }
}

#[test]
fn an_enum_may_be_registered_by_either_derive_first() {
    struct Root;

    #[Object]
    impl Root {
        async fn a(&self) -> Status {
            Status::Draft
        }

        async fn b(&self) -> Option<fraiseql_graphql::TvDoc<Post>> {
            None
        }
    }

    let sdl = Schema::new(Root, EmptyMutation, EmptySubscription).sdl();
    assert_eq!(sdl.matches("enum Status {").count(), 1, "{sdl}");
}

#[test]
#[should_panic(expected = "give them the same names")]
fn an_enum_with_two_sets_of_names_is_refused() {
    #[derive(Clone, Copy, Debug, PartialEq, Eq, TEnum, async_graphql::Enum)]
    enum Level {
        Low,
        #[graphql(name = "TOP")]
        High,
    }

    #[derive(Debug, TView)]
    #[allow(dead_code)]
    struct Alarm {
        id: i32,
        level: Level,
    }

    struct Root;

    #[Object]
    impl Root {
        async fn a(&self) -> Level {
            Level::Low
        }

        async fn b(&self) -> Option<fraiseql_graphql::TvDoc<Alarm>> {
            None
        }
    }

    let _ = Schema::new(Root, EmptyMutation, EmptySubscription);
}

#[test]
#[should_panic(expected = "have the same GraphQL name `Color`")]
fn two_enums_of_one_name_are_refused() {
    mod other {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, async_graphql::Enum)]
        pub(super) enum Color {
            Red,
        }
    }

    #[derive(Clone, Copy, Debug, PartialEq, Eq, TEnum)]
    enum Color {
        Red,
    }

    #[derive(Debug, TView)]
    #[allow(dead_code)]
    struct Shirt {
        id: i32,
        color: Color,
    }

    struct Root;

    #[Object]
    impl Root {
        async fn a(&self) -> Option<fraiseql_graphql::TvDoc<Shirt>> {
            None
        }

        async fn b(&self) -> other::Color {
            other::Color::Red
        }
    }

    let _ = Schema::new(Root, EmptyMutation, EmptySubscription);
}
