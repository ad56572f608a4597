//! Tests enums and newtypes in every position of a document.

use fraiseql_runtime::{TEnum, TScalar};
use fraiseql_tests::world;
use proptest::prelude::*;
use proptest::sample::select;

use crate::types::row::{Row, check, thing};
use crate::types::texts::any_text;

#[derive(Clone, Copy, Debug, PartialEq, TEnum)]
enum Status {
    Draft,
    InReview,
    #[tview(rename = "it's \\ \"live\"", json = "PUBLIC")]
    Published,
}

#[derive(Clone, Copy, Debug, PartialEq, TEnum)]
#[tview(rename_all = "kebab-case")]
enum Kind {
    BlogPost,
    Page,
}

#[derive(Clone, Debug, PartialEq, TScalar)]
struct Slug(String);

#[derive(Clone, Debug, PartialEq, TScalar)]
struct Money {
    amount: rust_decimal::Decimal,
}

#[derive(Clone, Debug, PartialEq, TScalar)]
struct Moment(chrono::DateTime<chrono::Utc>);

#[derive(Clone, Debug, PartialEq, TScalar)]
#[tview(type_name = "State")]
struct State(Status);

thing!(status: Status, ordered);
thing!(kind: Kind, ordered);
thing!(slug: Slug, ordered);
thing!(money: Money, ordered);
thing!(moment: Moment, ordered);
thing!(state: State, ordered);

const ALL: [Status; 3] = [Status::Draft, Status::InReview, Status::Published];
const NATIVE: &str = "CREATE TYPE status AS ENUM ('draft', 'in_review', E'it''s \\\\ \"live\"');
    CREATE TYPE kind AS ENUM ('page', 'blog-post')";
/// The column is text, with the JSON name.
const BY_NAME: &str = "v.value = v.data ->> 'value'";

fn row<T: Clone + std::fmt::Debug + 'static>(
    sql: &'static str,
    text: fn(&T) -> String,
    promoted: &'static str,
    any: impl Strategy<Value = T> + 'static,
    edges: &[T],
) -> Row<T> {
    Row {
        sql,
        before: NATIVE,
        text,
        promoted,
        same: |_, _| false,
        cases: 10,
        edges: edges.to_vec(),
        any: any.boxed(),
    }
}

#[test]
fn an_enum_is_text() {
    let row = row(
        "text",
        |s: &Status| s.label().to_owned(),
        BY_NAME,
        select(ALL.to_vec()),
        &ALL,
    );
    check::<_, status::Jsonb, status::Json>(row);
}

#[test]
fn labels_of_an_enum_can_have_any_spelling() {
    let spelled = |status: &Status| match status {
        Status::Draft => "DRAFT".to_owned(),
        Status::InReview => "InReview".to_owned(),
        Status::Published => status.label().to_owned(),
    };
    let row = row("varchar(20)", spelled, BY_NAME, select(ALL.to_vec()), &ALL);
    check::<_, status::Jsonb, status::Json>(row);
}

#[test]
fn an_enum_is_char_without_its_padding() {
    let row = row(
        "char(20)",
        |s: &Status| s.label().to_owned(),
        BY_NAME,
        select(ALL.to_vec()),
        &ALL,
    );
    check::<_, status::Jsonb, status::Json>(row);
}

#[test]
fn an_enum_is_an_enum_type() {
    let row = row(
        "public.status",
        |s: &Status| s.label().to_owned(),
        BY_NAME,
        select(ALL.to_vec()),
        &ALL,
    );
    check::<_, status::Jsonb, status::Json>(row);
}

#[test]
fn a_renamed_enum_is_an_enum_type() {
    let all = [Kind::BlogPost, Kind::Page];
    let row = row(
        "public.kind",
        |k: &Kind| k.label().to_owned(),
        BY_NAME,
        select(all.to_vec()),
        &all,
    );
    check::<_, kind::Jsonb, kind::Json>(row);
}

const SAME: &str = "v.value IS NOT DISTINCT FROM t.value";

#[test]
fn a_newtype_is_its_inner_type() {
    let edges = [Slug(String::new()), Slug("a'b\\".to_owned())];
    let text = row(
        "text",
        |slug: &Slug| slug.0.clone(),
        SAME,
        any_text().prop_map(Slug),
        &edges,
    );
    check::<_, slug::Jsonb, slug::Json>(text);

    let money = |(n, scale): (i64, u32)| Money {
        amount: rust_decimal::Decimal::new(n, scale),
    };
    let some = (any::<i64>(), 0..10_u32).prop_map(money);
    let numeric = row(
        "numeric",
        |m: &Money| m.amount.to_string(),
        SAME,
        some,
        &[money((1, 2))],
    );
    check::<_, money::Jsonb, money::Json>(numeric);

    let moment = |seconds| Moment(chrono::DateTime::from_timestamp(seconds, 500_000_000).unwrap());
    let some = any::<i32>().prop_map(move |seconds| moment(seconds.into()));
    let instant = row(
        "timestamptz",
        |m: &Moment| m.0.to_rfc3339(),
        SAME,
        some,
        &[moment(0)],
    );
    check::<_, moment::Jsonb, moment::Json>(instant);

    let all = ALL.map(State);
    let state = row(
        "public.status",
        |s: &State| s.0.label().to_owned(),
        BY_NAME,
        select(all.to_vec()),
        &all,
    );
    check::<_, state::Jsonb, state::Json>(state);
}

#[test]
fn an_unknown_label_is_an_error_that_names_it() {
    use fraiseql_runtime::TView;

    #[derive(Debug, TView)]
    #[tview(table = "post")]
    struct Post {
        id: i32,
        status: Status,
        history: Vec<Status>,
    }

    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let pool = fraiseql_tests::pool().await;
        fraiseql_tests::run(
            &pool,
            "CREATE TABLE post (id int4 PRIMARY KEY, status text NOT NULL, history text[] NOT NULL);
             INSERT INTO post VALUES (1, 'draft', '{}'), (2, 'gone', '{}'), (3, 'draft', '{draft,lost}'),
                 (4, 'draft', '{{draft},{draft}}')",
        )
        .await;
        let model = world::model::<Post>();
        model.migrate(&pool).await.unwrap();
        let report = sync_post(&pool, &[1, 2, 3, 4]).await.unwrap();
        assert_eq!((report.inserted, report.invalid.len()), (1, 3), "{report}");
        let reasons = format!("{:?}", report.invalid);
        for reason in ["gone is no Status", "{draft,lost} is no Status", "{{draft},{draft}} is no Status"] {
            assert!(reasons.contains(reason), "{reasons}");
        }
        let post = Post::find(&pool, 1).await.unwrap().unwrap();
        assert_eq!((post.id, post.status), (1, Status::Draft));
        assert!(post.history.is_empty());
        assert!(Post::find_json(&pool, 2).await.unwrap().is_none());
    });
}

#[test]
fn labels_do_not_depend_on_how_the_session_reads_backslashes() {
    use fraiseql_runtime::TView;

    #[derive(Debug, PartialEq, TView)]
    #[tview(table = "post")]
    struct Post {
        id: i32,
        status: Status,
    }

    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let pool = fraiseql_tests::pool().await;
        fraiseql_tests::run(
            &pool,
            "CREATE TABLE post (id int4 PRIMARY KEY, status text NOT NULL);
             INSERT INTO post VALUES (1, E'it''s \\\\ \"live\"')",
        )
        .await;
        let model = world::model::<Post>();
        model.migrate(&pool).await.unwrap();
        let mut connection = pool.acquire().await.unwrap();
        sqlx::raw_sql("SET standard_conforming_strings = off")
            .execute(&mut *connection)
            .await
            .unwrap();
        sync_post(&mut *connection, &[1]).await.unwrap();
        connection.close().await.unwrap();
        let post = Post::find(&pool, 1).await.unwrap();
        assert_eq!(
            post,
            Some(Post {
                id: 1,
                status: Status::Published
            })
        );
    });
}
