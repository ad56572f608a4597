//! Tests that twenty faults in one database are twenty findings, and that there are no others.

use chrono::{DateTime, Utc};
use fraiseql_runtime::check::FindingKind;
use fraiseql_runtime::{Embed, ReadModel, TView};
use fraiseql_tests::run;
use uuid::Uuid;

/// A shop without faults.
const TABLES: &str = "
CREATE TABLE tb_user (
    id uuid PRIMARY KEY, username text NOT NULL UNIQUE, full_name text NOT NULL, born date
);
CREATE TABLE tb_shop (
    id uuid PRIMARY KEY, name text NOT NULL, owner_id uuid NOT NULL REFERENCES tb_user,
    manager_id uuid NOT NULL REFERENCES tb_user, opened_at timestamptz NOT NULL
);
CREATE TABLE tb_product (
    id int8 PRIMARY KEY, shop_id uuid NOT NULL REFERENCES tb_shop, title text NOT NULL,
    price int4 NOT NULL, stock int4 NOT NULL, code text NOT NULL, meta jsonb NOT NULL,
    hidden boolean NOT NULL DEFAULT false
);
CREATE INDEX tb_product_shop ON tb_product (shop_id);
CREATE INDEX ON tb_shop (owner_id);
CREATE INDEX ON tb_shop (manager_id);
CREATE TABLE tb_label (id int4 PRIMARY KEY, name text NOT NULL);
CREATE TABLE tb_product_label (
    product_id int8 REFERENCES tb_product, label_id int4 REFERENCES tb_label,
    PRIMARY KEY (product_id, label_id)
);
CREATE TABLE tb_review (
    id int8 PRIMARY KEY, product_id int8 NOT NULL REFERENCES tb_product, stars int4 NOT NULL,
    author_id uuid NOT NULL REFERENCES tb_user, posted_at timestamptz NOT NULL
);
CREATE INDEX tb_review_product ON tb_review (product_id);
CREATE INDEX ON tb_review (author_id);
CREATE INDEX ON tb_product_label (label_id);
CREATE TABLE tb_visit (id int8 PRIMARY KEY, shop_id uuid NOT NULL REFERENCES tb_shop);
CREATE INDEX tb_visit_shop ON tb_visit (shop_id);
CREATE TABLE tb_news (id int8 PRIMARY KEY, shop_id uuid NOT NULL REFERENCES tb_shop);
CREATE INDEX tb_news_shop ON tb_news (shop_id);
";

#[derive(TView)]
#[allow(dead_code)]
struct Shop {
    id: Uuid,
    #[tview(sort)]
    name: String,
    #[tview(filter)]
    opened_at: DateTime<Utc>,
    #[tview(one(fk = "owner_id"))]
    owner: Person,
    #[tview(one(fk = "manager_id"))]
    manager: Person,
    #[tview(many(fk = "shop_id", order_by = "title", filter = "NOT {}.hidden"))]
    products: Vec<ShopProduct>,
    #[tview(count(table = "tb_visit", fk = "shop_id"))]
    visit_count: i64,
    #[tview(exists(table = "tb_news", fk = "shop_id"))]
    has_news: bool,
    #[tview(sum(table = "tb_product", fk = "shop_id", expr = "{}.price * {}.stock"))]
    worth: i64,
}

#[derive(Embed)]
#[tview(table = "tb_user")]
#[allow(dead_code)]
struct Person {
    id: Uuid,
    username: String,
    full_name: String,
}

#[derive(Embed)]
#[tview(table = "tb_product")]
#[allow(dead_code)]
struct ShopProduct {
    id: i64,
    title: String,
    price: i32,
}

#[derive(TView)]
#[allow(dead_code)]
struct Product {
    id: i64,
    #[tview(filter)]
    title: String,
    #[tview(sort)]
    stock: i32,
    #[tview(unique)]
    code: String,
    #[tview(expr = "upper({}.code)")]
    shown_code: String,
    meta: serde_json::Value,
    #[tview(many(through(table = "tb_product_label", fk = "product_id", to = "label_id")))]
    labels: Vec<Label>,
    #[tview(many(fk = "product_id", order_by = "posted_at DESC", limit = 3))]
    reviews: Vec<Review>,
}

#[derive(Embed)]
#[tview(table = "tb_label")]
#[allow(dead_code)]
struct Label {
    id: i32,
    name: String,
}

#[derive(Embed)]
#[tview(table = "tb_review")]
#[allow(dead_code)]
struct Review {
    id: i64,
    stars: i32,
    #[tview(one(fk = "author_id"))]
    author: Person,
}

#[derive(TView)]
#[tview(filter = "{}.born IS NOT NULL")]
#[allow(dead_code)]
struct User {
    id: Uuid,
    username: String,
    born: chrono::NaiveDate,
}

/// The faults, each independent of the others.
const FAULTS: [(FindingKind, &str); 20] = {
    use FindingKind as K;
    [
        // Shop
        (K::MissingColumn, "ALTER TABLE tb_shop RENAME name TO title"),
        (
            K::Type,
            "ALTER TABLE tb_shop ALTER COLUMN opened_at TYPE timestamp",
        ),
        (
            K::NullableLink,
            "ALTER TABLE tb_shop ALTER COLUMN owner_id DROP NOT NULL",
        ),
        (
            K::NoForeignKey,
            "ALTER TABLE tb_shop DROP CONSTRAINT tb_shop_manager_id_fkey",
        ),
        (K::MissingIndex, "DROP INDEX tb_product_shop"),
        (
            K::Nullable,
            "ALTER TABLE tb_product ALTER COLUMN price DROP NOT NULL",
        ),
        (K::MissingTable, "DROP TABLE tb_news"),
        (
            K::MissingIndex,
            "DROP INDEX tb_visit_shop; CREATE INDEX ON tb_visit (shop_id) WHERE id > 0",
        ),
        (K::MissingViewTable, "DROP TABLE tv_shop"),
        (
            K::Fragment,
            "ALTER TABLE tb_product RENAME hidden TO is_hidden",
        ),
        // Product
        (
            K::NotUnique,
            "ALTER TABLE tb_product DROP CONSTRAINT tb_product_pkey CASCADE;
             ALTER TABLE tb_product ALTER COLUMN id SET NOT NULL",
        ),
        (
            K::Nullable,
            "ALTER TABLE tb_label ALTER COLUMN name DROP NOT NULL",
        ),
        (
            K::Type,
            "ALTER TABLE tb_product ALTER COLUMN meta TYPE text",
        ),
        (
            K::PromotedType,
            "ALTER TABLE tb_product ALTER COLUMN title TYPE date USING NULL",
        ),
        (
            K::LinkType,
            "ALTER TABLE tb_review DROP CONSTRAINT IF EXISTS tb_review_product_id_fkey;
             ALTER TABLE tb_review ALTER COLUMN product_id TYPE text",
        ),
        (
            K::OrderBy,
            "ALTER TABLE tb_review ALTER COLUMN posted_at TYPE json USING to_json(posted_at)",
        ),
        (
            K::Type,
            "CREATE DOMAIN stars AS numeric(2, 1);
             ALTER TABLE tb_review ALTER COLUMN stars TYPE stars",
        ),
        (
            K::OutdatedViewTable,
            "ALTER TABLE tv_product DROP COLUMN stock",
        ),
        // User
        (
            K::ViewKey,
            "ALTER TABLE tv_user DROP CONSTRAINT tv_user_pkey",
        ),
        (
            K::ViewColumnType,
            "ALTER TABLE tv_user ALTER COLUMN data TYPE json",
        ),
    ]
};

fn model() -> ReadModel {
    ReadModel::builder()
        .view::<Shop>()
        .view::<Product>()
        .view::<User>()
        .build()
        .unwrap()
}

#[tokio::test]
async fn twenty_faults_are_twenty_findings() {
    let pool = fraiseql_tests::pool().await;
    run(&pool, TABLES).await;
    model().migrate(&pool).await.unwrap();
    let before = fraiseql_tests::without_server(model().check(&pool).await.unwrap());
    assert_eq!(before.to_string(), "check: 0 errors, 0 warnings");
    for (_, fault) in FAULTS {
        run(&pool, fault).await;
    }
    let report = fraiseql_tests::without_server(model().check(&pool).await.unwrap());
    let mut planted = FAULTS.map(|(kind, _)| kind);
    let mut found: Vec<FindingKind> = report.findings().iter().map(|one| one.kind).collect();
    planted.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, planted, "{report}");
    insta::assert_snapshot!(report);
}
