//! Snapshots of the SQL of counts, sums, averages, minima, maxima and existence.

use fraiseql_runtime::{Embed, TView};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::many::LineOfProduct;

snapshots! {
    counts => Counted,
    counts_with_conditions => CountedIf,
    a_count_of_a_whole_list => CountedList,
    sums => Summed,
    averages_and_extremes => Averaged,
    aggregates_of_distinct_values => DistinctValues,
    aggregates_of_rows_of_rows => Bought,
    groups_of_rows => Grouped,
    whether_rows_exist => Existing,
    aggregates_over_the_same_rows_are_one_query => ManyAggregates,
    aggregates_inside_parts => PartAggregates,
    promoted_aggregates => PromotedAggregates,
}

#[derive(TView)]
#[tview(table = "tb_order")]
struct Counted {
    id: i64,
    #[tview(count(table = "tb_line", fk = "order_id"))]
    line_count: i64,
}

/// The count is promoted, too; the other one counts fewer rows.
#[derive(TView)]
#[tview(table = "tb_order")]
struct CountedList {
    id: i64,
    #[tview(many(fk = "order_id", order_by = "quantity"))]
    lines: Vec<LineOfProduct>,
    #[tview(count(table = "tb_line", fk = "order_id"), sort)]
    line_count: i64,
    #[tview(count(table = "tb_line", fk = "order_id", filter = "cancelled"))]
    cancelled_count: i32,
}

#[derive(TView)]
#[tview(table = "tb_order")]
struct CountedIf {
    id: i64,
    #[tview(count(table = "tb_line", fk = "order_id", filter = "NOT cancelled"))]
    line_count: i32,
    #[tview(count(table = "tb_line", fk = "order_id", expr = "DISTINCT {}.sku"))]
    product_count: i64,
}

#[derive(TView)]
#[tview(table = "tb_order")]
struct Summed {
    id: i64,
    #[tview(sum(
        table = "tb_line",
        fk = "order_id",
        expr = "{}.quantity * {}.unit_price",
        filter = "NOT cancelled"
    ))]
    total: Decimal,
    #[tview(sum(table = "tb_line", fk = "order_id", expr = "quantity"))]
    pieces: i64,
    #[tview(sum(table = "tb_line", fk = "order_id", expr = "quantity"))]
    pieces_if_any: Option<i64>,
}

#[derive(TView)]
#[tview(table = "tb_order")]
struct Averaged {
    id: i64,
    #[tview(avg(table = "tb_line", fk = "order_id", expr = "{}.quantity"))]
    mean: Option<f64>,
    #[tview(min(table = "tb_line", fk = "order_id", expr = "{}.sku"))]
    first_sku: Option<String>,
    #[tview(max(table = "tb_line", fk = "order_id", expr = "{}.unit_price"))]
    dearest: Option<Decimal>,
}

#[derive(TView)]
#[tview(table = "tb_order")]
struct Existing {
    id: i64,
    #[tview(exists(table = "tb_line", fk = "order_id"))]
    has_lines: bool,
    #[tview(
        exists(table = "tb_line", fk = "order_id", filter = "cancelled"),
        filter
    )]
    has_cancelled: bool,
}

#[derive(TView)]
#[tview(table = "tb_order")]
struct ManyAggregates {
    id: i64,
    #[tview(count(table = "tb_line", fk = "order_id"))]
    lines: i64,
    #[tview(sum(table = "tb_line", fk = "order_id", expr = "{}.quantity"))]
    pieces: i64,
    #[tview(max(table = "tb_line", fk = "order_id", expr = "{}.unit_price"))]
    dearest: Option<Decimal>,
    #[tview(count(table = "tb_line", fk = "order_id", filter = "cancelled"))]
    cancelled: i64,
}

#[derive(Embed)]
#[tview(table = "tb_person")]
struct Buyer {
    id: Uuid,
    #[tview(count(table = "tb_order", fk = "buyer_id"))]
    order_count: i64,
    #[tview(exists(table = "tb_order", fk = "seller_id"))]
    sells: bool,
}

#[derive(TView)]
#[tview(table = "tb_order")]
struct PartAggregates {
    id: i64,
    #[tview(one(fk = "buyer_id"))]
    buyer: Buyer,
}

#[derive(TView)]
#[tview(table = "tb_order")]
struct PromotedAggregates {
    id: i64,
    #[tview(count(table = "tb_line", fk = "order_id"), sort)]
    line_count: i64,
    #[tview(
        sum(table = "tb_line", fk = "order_id", expr = "{}.unit_price"),
        filter,
        sort
    )]
    total: Decimal,
    #[tview(expr = "upper({}.note)", filter)]
    loud_note: Option<String>,
}

#[derive(TView)]
#[tview(table = "tb_order")]
struct DistinctValues {
    id: i64,
    #[tview(count(table = "tb_line", fk = "order_id", expr = "{}.sku", distinct))]
    products: i64,
    #[tview(sum(table = "tb_line", fk = "order_id", expr = "{}.quantity", distinct))]
    quantities: i64,
    #[tview(sum(table = "tb_line", fk = "order_id", expr = "{}.unit_price", distinct))]
    prices: Decimal,
    #[tview(avg(table = "tb_line", fk = "order_id", expr = "{}.unit_price", distinct))]
    mean_price: Option<Decimal>,
    #[tview(avg(table = "tb_line", fk = "order_id", expr = "{}.quantity", distinct))]
    mean: Option<f64>,
}

#[derive(TView)]
#[tview(table = "tb_person")]
struct Bought {
    id: Uuid,
    #[tview(count(
        table = "tb_line",
        fk = "order_id",
        through(table = "tb_order", fk = "buyer_id")
    ))]
    lines: i64,
    #[tview(
        sum(
            table = "tb_line",
            fk = "order_id",
            expr = "{}.quantity * {}.unit_price",
            filter = "NOT cancelled",
            through(table = "tb_order", fk = "buyer_id", filter = "note IS NOT NULL")
        ),
        sort
    )]
    spent: Decimal,
    #[tview(exists(
        table = "tb_line",
        fk = "order_id",
        filter = "cancelled",
        through(table = "tb_order", fk = "buyer_id", key = "id")
    ))]
    cancels: bool,
}

#[derive(TView)]
#[tview(table = "tb_order")]
struct Grouped {
    id: i64,
    #[tview(many(fk = "order_id", order_by = "pieces DESC"))]
    by_product: Vec<LinesOfProduct>,
    #[tview(many(fk = "order_id", order_by = "cancelled", limit = 1))]
    by_state: Vec<LinesOfState>,
}

#[derive(Embed)]
#[tview(table = "tb_line", group_by = "sku", filter = "quantity > 0")]
struct LinesOfProduct {
    #[tview(column = "sku")]
    product: String,
    #[tview(count)]
    lines: i64,
    #[tview(sum(expr = "{}.quantity", filter = "NOT cancelled"))]
    pieces: i64,
    #[tview(avg(expr = "{}.unit_price", distinct))]
    mean_price: Option<Decimal>,
}

#[derive(Embed)]
#[tview(table = "tb_line", group_by = "cancelled, quantity")]
struct LinesOfState {
    cancelled: bool,
    #[tview(max(expr = "{}.unit_price"))]
    dearest: Option<Decimal>,
}
