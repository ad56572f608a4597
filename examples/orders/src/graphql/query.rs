//! Queries: each is one statement that selects stored documents, on the connections for queries.
//!
//! A field with `max_age` may be cached for this number of seconds; a response is cached if all of its fields may.
//! `no_cache` is for the others, and becomes `no-store` in [`http`](crate::http).

use async_graphql::{Context, ID, Object};
use axum::http::header::AGE;
use fraiseql_graphql::{TvDoc, TvEnum, TvList, position};
use fraiseql_runtime::list::List;
use fraiseql_runtime::{Replicas, TView as _};

use super::error::Result;
use super::mutation::key;
use crate::app::App;
use crate::error::OrderError;
use crate::views::{
    AuditEntry, CustomerOrders, OrderDetails, OrderStatus, OrderSummary, ProductInventory,
    RevenueByProduct,
};

/// The most documents of one list.
const MAX_LIMIT: u32 = 100;

/// The query type.
#[derive(Debug, Default)]
pub struct Query;

#[Object]
impl Query {
    /// The newest orders, newest first; with `status`, those that are there.
    #[graphql(
        cache_control(no_cache),
        complexity = "limit as usize * child_complexity"
    )]
    async fn orders_summary(
        &self,
        ctx: &Context<'_>,
        status: Option<TvEnum<OrderStatus>>,
        #[graphql(default = 20)] limit: u32,
    ) -> Result<TvList<OrderSummary>> {
        let mut orders = OrderSummary::list()
            .order_by(OrderSummary::PLACED_AT.desc())
            .limit(within(limit)?.into());
        if let Some(TvEnum(status)) = status {
            orders = orders.filter(OrderSummary::STATUS.eq(status));
        }
        list(ctx, orders).await
    }

    /// An order with items and payments.
    #[graphql(cache_control(no_cache))]
    async fn order_details(
        &self,
        ctx: &Context<'_>,
        id: ID,
    ) -> Result<Option<TvDoc<OrderDetails>>> {
        Ok(TvDoc::find(queries(ctx), key(&id)?).await?)
    }

    /// A customer with the latest orders.
    #[graphql(cache_control(no_cache))]
    async fn customer_orders(
        &self,
        ctx: &Context<'_>,
        customer_id: ID,
    ) -> Result<Option<TvDoc<CustomerOrders>>> {
        Ok(TvDoc::find(queries(ctx), key(&customer_id)?).await?)
    }

    /// Products with their stock, by number; with `lowStock`, those whose stock is low, or is not.
    #[graphql(
        cache_control(max_age = 5, private),
        complexity = "limit as usize * child_complexity"
    )]
    async fn product_inventory(
        &self,
        ctx: &Context<'_>,
        low_stock: Option<bool>,
        #[graphql(default = 20)] limit: u32,
    ) -> Result<TvList<ProductInventory>> {
        let mut products = ProductInventory::list()
            .order_by(ProductInventory::SKU.asc())
            .limit(within(limit)?.into());
        if let Some(low_stock) = low_stock {
            products = products.filter(ProductInventory::LOW_STOCK.eq(low_stock));
        }
        list(ctx, products).await
    }

    /// Products by what they have brought in, most first. It is refreshed every minute; the header `Age` has
    /// the seconds since then.
    #[graphql(
        cache_control(max_age = 60, private),
        complexity = "limit as usize * child_complexity"
    )]
    async fn revenue_by_product(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 20)] limit: u32,
    ) -> Result<TvList<RevenueByProduct>> {
        let App {
            orders, queries, ..
        } = app(ctx);
        // Before the documents: a refresh in between makes them younger than it says, and not older.
        if let Some(age) = orders.age::<RevenueByProduct>(queries.primary()).await? {
            ctx.insert_http_header(AGE, age.as_secs().to_string());
        }
        let products = RevenueByProduct::list()
            .order_by(RevenueByProduct::REVENUE.desc())
            .limit(within(limit)?.into());
        list(ctx, products).await
    }

    /// The newest commands on a row, newest first.
    #[graphql(
        cache_control(no_cache),
        complexity = "limit as usize * child_complexity"
    )]
    async fn audit_log(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = "order")] entity: String,
        id: ID,
        #[graphql(default = 20)] limit: u32,
    ) -> Result<TvList<AuditEntry>> {
        let entries = AuditEntry::list()
            .filter(AuditEntry::ENTITY.eq(entity))
            .filter(AuditEntry::ENTITY_ID.eq(key(&id)?))
            .order_by(AuditEntry::ID.desc())
            .limit(within(limit)?.into());
        list(ctx, entries).await
    }
}

fn app<'c>(ctx: &Context<'c>) -> &'c App {
    ctx.data_unchecked()
}

/// The servers that queries read, with what this client has written.
fn queries(ctx: &Context<'_>) -> Replicas {
    app(ctx).queries.at_least(position::at_least(ctx))
}

fn within(limit: u32) -> Result<u32> {
    if limit > MAX_LIMIT {
        let message = format!("the limit is {limit}; the largest is {MAX_LIMIT}");
        Err(OrderError::Invalid(message))?;
    }
    Ok(limit)
}

async fn list<T>(ctx: &Context<'_>, list: List<T>) -> Result<TvList<T>> {
    let documents = list.read(queries(ctx)).await?;
    Ok(documents.into_iter().collect())
}
