//! Snapshots of the SQL of parts that are one row: required, optional, of the same table.

use fraiseql_runtime::TView;
use uuid::Uuid;

use super::{Person, ProductPart};

snapshots! {
    one_required => OrderWithBuyer,
    one_optional => OrderWithSeller,
    the_same_table_several_times => OrderWithBoth,
    one_by_another_column => LineWithProduct,
    a_self_reference => Managed,
    a_self_reference_as_list => Manager,
}

#[derive(TView)]
#[tview(table = "tb_order")]
struct OrderWithBuyer {
    id: i64,
    #[tview(one(fk = "buyer_id"))]
    buyer: Person,
}

#[derive(TView)]
#[tview(table = "tb_order")]
struct OrderWithSeller {
    id: i64,
    #[tview(one(fk = "seller_id"))]
    seller: Option<Person>,
}

#[derive(TView)]
#[tview(table = "tb_order")]
struct OrderWithBoth {
    id: i64,
    #[tview(one(fk = "buyer_id"))]
    buyer: Person,
    #[tview(one(fk = "seller_id"))]
    seller: Option<Box<Person>>,
    #[tview(one(fk = "buyer_id"))]
    invoiced: Person,
}

#[derive(TView)]
#[tview(table = "tb_line")]
struct LineWithProduct {
    id: i32,
    #[tview(one(fk = "sku", key = "sku"))]
    product: ProductPart,
}

#[derive(TView)]
#[tview(table = "tb_person")]
struct Managed {
    id: Uuid,
    name: String,
    #[tview(one(fk = "manager_id"))]
    manager: Option<Person>,
    #[tview(one(fk = "mentor_id"))]
    mentor: Option<Person>,
}

#[derive(TView)]
#[tview(table = "tb_person")]
struct Manager {
    id: Uuid,
    #[tview(many(fk = "manager_id", order_by = "name"))]
    reports: Vec<Person>,
}
