//! Snapshots of the SQL of names and sizes at the limits: schemas, reserved words, depth, many
//! fields.

use fraiseql_runtime::{Embed, TView};
use uuid::Uuid;

use super::Person;

snapshots! {
    other_schemas_and_quoted_names => OrderLine,
    reserved_words => Group,
    nesting_five_deep => Deep,
    more_than_a_hundred_fields => Wide,
    skipped_fields => Skipping,
    aliases_that_collide => Colliding,
}

#[derive(TView)]
#[tview(
    table = "app.Order Lines",
    view = "app.Order Views",
    entity = "order_line"
)]
struct OrderLine {
    #[tview(key, column = "Line Id")]
    id: i32,
    #[tview(column = "select", filter)]
    choice: String,
    #[tview(column = "say \"hi\"")]
    greeting: Option<String>,
    #[tview(one(fk = "user"))]
    group: Option<GroupPart>,
}

#[derive(Embed)]
#[tview(table = "\"app\".\"Group\"")]
struct GroupPart {
    id: i32,
    order: String,
}

#[derive(TView)]
#[tview(table = "app.Group", view = "app.user")]
struct Group {
    id: i32,
    #[tview(sort)]
    order: String,
    #[tview(many(fk = "user", order_by = "\"select\" DESC"))]
    table: Vec<LinePart>,
}

#[derive(Embed)]
#[tview(table = "app.Order Lines")]
struct LinePart {
    #[tview(key, column = "Line Id")]
    r#type: i32,
}

#[derive(TView)]
#[tview(table = "tb_label")]
struct Deep {
    id: i32,
    #[tview(many(through(table = "tb_product_label", fk = "label_id", to = "sku")))]
    products: Vec<Deep1>,
}

#[derive(Embed)]
#[tview(table = "tb_product")]
struct Deep1 {
    #[tview(key)]
    sku: String,
    #[tview(many(fk = "sku"))]
    lines: Vec<Deep2>,
}

#[derive(Embed)]
#[tview(table = "tb_line")]
struct Deep2 {
    id: i32,
    #[tview(one(fk = "order_id"))]
    order: Deep3,
}

#[derive(Embed)]
#[tview(table = "tb_order")]
struct Deep3 {
    id: i64,
    #[tview(one(fk = "seller_id"))]
    seller: Option<Deep4>,
}

#[derive(Embed)]
#[tview(table = "tb_person")]
struct Deep4 {
    name: String,
    #[tview(one(fk = "manager_id"))]
    manager: Option<Person>,
}

macro_rules! wide {
    ($($field:ident)*) => {
        #[derive(TView)]
        #[tview(table = "tb_label")]
        struct Wide {
            id: i32,
            $(#[tview(expr = "{}.name")] $field: String,)*
        }
    };
}

wide! {
    f01 f02 f03 f04 f05 f06 f07 f08 f09 f10 f11 f12 f13 f14 f15 f16 f17 f18 f19 f20
    f21 f22 f23 f24 f25 f26 f27 f28 f29 f30 f31 f32 f33 f34 f35 f36 f37 f38 f39 f40
    f41 f42 f43 f44 f45 f46 f47 f48 f49 f50 f51 f52 f53 f54 f55 f56 f57 f58 f59 f60
    g01 g02 g03 g04 g05 g06 g07 g08 g09 g10 g11 g12 g13 g14 g15 g16 g17 g18 g19 g20
    g21 g22 g23 g24 g25 g26 g27 g28 g29 g30 g31 g32 g33 g34 g35 g36 g37 g38 g39 g40
    g41 g42 g43 g44 g45 g46 g47 g48 g49 g50
}

/// In no document.
#[derive(Default)]
struct Cache;

#[derive(TView)]
#[tview(table = "tb_label")]
struct Skipping {
    id: i32,
    name: String,
    #[tview(skip)]
    _cache: Cache,
}

/// The aliases of `a.b_c` and of `a_b.c` would be the same.
#[derive(TView)]
#[tview(table = "tb_order")]
struct Colliding {
    id: i64,
    #[tview(one(fk = "buyer_id"))]
    root: Colliding1,
    #[tview(one(fk = "seller_id"))]
    root_manager: Option<Person>,
}

#[derive(Embed)]
#[tview(table = "tb_person")]
struct Colliding1 {
    id: Uuid,
    #[tview(one(fk = "manager_id"))]
    manager: Option<Person>,
}
