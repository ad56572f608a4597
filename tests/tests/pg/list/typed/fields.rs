//! The constants of fields of all kinds: newtypes, hidden fields, keys of several columns, tenants; names that
//! are taken; pages.

use fraiseql_runtime::list::{Filter, List, Operator, Page};
use fraiseql_runtime::{TEnum, TScalar, TView};
use fraiseql_tests::world::model;
use fraiseql_tests::{pool, run};
use sqlx::PgPool;
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq, TScalar)]
struct Sku(String);

#[derive(Clone, Copy, Debug, PartialEq, TScalar)]
struct Cents(i64);

#[derive(Clone, Copy, Debug, PartialEq, TEnum)]
enum State {
    Open,
    Shipped,
}

#[derive(Debug, TView)]
#[tview(table = "tb_line")]
struct Line {
    #[tview(key)]
    order_id: i64,
    #[tview(key)]
    product: Uuid,
    #[tview(filter)]
    sku: Sku,
    #[tview(sort, column = "cents")]
    price: Option<Cents>,
    #[tview(filter, hidden)]
    state: State,
    #[tview(filter, expr = "{}.cents IS NULL")]
    r#type: bool,
    #[tview(unique, json = "theView")]
    view: i32,
    #[tview(sort)]
    shape: i32,
    #[tview(filter, expr = "{}.shape", json = "otherShape")]
    shape_: i32,
}

fn product(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

async fn lines() -> PgPool {
    let pool = pool().await;
    run(
        &pool,
        "CREATE TABLE tb_line (order_id int8, product uuid, sku text NOT NULL, cents int8, state text NOT NULL,
             view int4 NOT NULL, shape int4 NOT NULL, PRIMARY KEY (order_id, product));
         INSERT INTO tb_line SELECT i / 4, lpad(to_hex(i % 4), 32, '0')::uuid, 'A-' || i, NULLIF(i % 5, 0) * 100,
             CASE WHEN i % 3 = 0 THEN 'open' ELSE 'shipped' END, i, i % 2 FROM generate_series(0, 39) AS i",
    )
    .await;
    model::<Line>().migrate(&pool).await.unwrap();
    sync_all_lines(&pool).await.unwrap().ensure_valid().unwrap();
    pool
}

async fn views(pool: &PgPool, list: List<Line>) -> Vec<i32> {
    let lines: Vec<Line> = list.fetch(pool).await.unwrap();
    lines.iter().map(|line| line.view).collect()
}

#[tokio::test]
async fn newtypes_enums_hidden_fields_and_columns_of_the_key_are_compared() {
    let pool = lines().await;
    let list = |filter| Line::list().filter(filter);
    let eq = list(Line::SKU.eq(Sku("A-7".into())).or(Line::SKU.like("A-1_")));
    let expected: Vec<i32> = std::iter::once(7).chain(10..20).collect();
    assert_eq!(views(&pool, eq).await, expected);
    let cheap = list(Line::PRICE.lt(Cents(200)).and(Line::STATE.eq(State::Open)));
    assert_eq!(views(&pool, cheap).await, [6, 21, 36]);
    let shipped = list(
        Line::STATE
            .is_in([State::Shipped])
            .and(Line::ORDER_ID.eq(2)),
    );
    let lines: Vec<Line> = shipped.fetch(&pool).await.unwrap();
    let found: Vec<(i32, State)> = lines.iter().map(|it| (it.view, it.state)).collect();
    assert_eq!(found, [8, 10, 11].map(|view| (view, State::Shipped)));
    let of_product = list(Line::PRODUCT.eq(product(3)).and(Line::ORDER_ID.gte(8)));
    assert_eq!(views(&pool, of_product).await, [35, 39]);
    let unpriced = list(Line::PRICE.is_null().and(Line::TYPE.eq(true)));
    assert_eq!(views(&pool, unpriced.limit(2)).await, [0, 5]);
}

/// A constant of the struct would hide that of the trait.
#[tokio::test]
async fn names_of_constants_of_the_traits_stay_theirs() {
    let pool = lines().await;
    assert_eq!(Line::VIEW.table.name, "tv_line");
    assert_eq!(<Line as fraiseql_runtime::Embed>::SHAPE.name, "Line");
    assert_eq!(Line::VIEW_.name(), "theView");
    assert_eq!(
        (Line::SHAPE_.name(), Line::SHAPE__.name()),
        ("shape", "otherShape")
    );
    let list = Line::list()
        .filter(Line::VIEW_.gte(30).and(Line::SHAPE_.eq(1)))
        .filter(Line::SHAPE__.ne(0))
        .order_by(Line::SHAPE_.desc());
    assert_eq!(views(&pool, list).await, [39, 37, 35, 33, 31]);
}

#[tokio::test]
async fn pages_of_typed_lists_continue_at_their_cursors() {
    let pool = lines().await;
    let list = Line::list()
        .filter(Line::PRICE.is_not_null())
        .order_by(Line::PRICE.desc())
        .order_by(Line::PRODUCT.asc());
    let (mut walked, mut cursor) = (Vec::new(), None);
    loop {
        let page = list
            .page(Page::first(7).after(cursor), &pool)
            .await
            .unwrap();
        walked.extend(page.items().map(|(_, it)| it.json().to_vec()));
        if !page.has_next() {
            break;
        }
        cursor = page.end().cloned();
    }
    let all = list.read(&pool).await.unwrap();
    let all: Vec<Vec<u8>> = all.iter().map(|it| it.json().to_vec()).collect();
    assert_eq!(all.len(), 32);
    assert_eq!(walked, all);
}

#[tokio::test]
async fn typed_and_named_filters_are_combined() {
    let pool = lines().await;
    let named = Filter::compare("theView", Operator::Lt, 10);
    let both = Filter::all([named.clone(), Line::PRICE.is_null().into()]);
    let list = Line::list().filter(both);
    assert_eq!(views(&pool, list).await, [0, 5]);
    let untyped = Line::list().of_any_view().filter(named);
    assert_eq!(untyped.read(&pool).await.unwrap().len(), 10);
}

mod tenants {
    use fraiseql_runtime::TView;

    #[derive(Debug, TView)]
    pub(super) struct Ticket {
        #[tview(key, tenant)]
        pub(super) org_id: i64,
        #[tview(key)]
        pub(super) no: i32,
        #[tview(sort)]
        pub(super) title: String,
    }
}

#[tokio::test]
async fn a_typed_filter_leads_out_of_no_tenant() {
    use tenants::Ticket;
    let pool = pool().await;
    run(
        &pool,
        "CREATE TABLE tb_ticket (org_id int8, no int4, title text NOT NULL, PRIMARY KEY (org_id, no));
         INSERT INTO tb_ticket SELECT i % 3, i, 'Ticket ' || i FROM generate_series(1, 30) AS i",
    )
    .await;
    model::<Ticket>().migrate(&pool).await.unwrap();
    tenants::sync_all_tickets(&pool).await.unwrap();
    let numbers = async |list: List<Ticket>| {
        let tickets: Vec<Ticket> = list.fetch(&pool).await.unwrap();
        assert!(
            tickets
                .iter()
                .all(|it| it.title == format!("Ticket {}", it.no))
        );
        let numbers = tickets.iter().map(|it| (it.org_id, it.no));
        numbers.collect::<Vec<_>>()
    };
    let any = Ticket::ORG_ID.is_in([0, 1, 2]).or(Ticket::NO.gt(0));
    let filtered = Ticket::of(1)
        .list()
        .filter(any)
        .order_by(Ticket::TITLE.desc());
    let own = numbers(filtered.limit(3)).await;
    assert_eq!(own, [(1, 7), (1, 4), (1, 28)]);
    let other = numbers(Ticket::of(1).list().filter(Ticket::ORG_ID.eq(2))).await;
    assert_eq!(other, []);
    let all = numbers(Ticket::across_tenants().list().filter(Ticket::NO.lte(4))).await;
    assert_eq!(all, [(0, 3), (1, 1), (1, 4), (2, 2)]);
}
