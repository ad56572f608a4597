//! Commands as GraphQL mutations. Each returns the document of the order, which is read on the connections
//! for commands: a replica may not have it yet.
//!
//! Every field is nullable: one that fails is null, and the other fields of the request keep their data.

use async_graphql::{Context, ID, InputObject, Object};
use fraiseql_graphql::{TvDoc, TvEnum, position};
use fraiseql_runtime::WalPosition;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::Caller;
use super::error::Result;
use crate::app::App;
use crate::commands::{self, Call, NewItem};
use crate::error::OrderError;
use crate::views::{OrderDetails, OrderStatus};

/// The mutation type.
#[derive(Debug, Default)]
pub struct Mutation;

/// A product and how many units of it are ordered.
#[derive(InputObject)]
struct OrderItemInput {
    product_id: ID,
    #[graphql(default = 1)]
    quantity: i32,
}

/// The document of an order after a command. It may include later commands of others.
type Order = Option<TvDoc<OrderDetails>>;

#[Object]
impl Mutation {
    /// Creates an order with items, which may be none.
    async fn create_order(
        &self,
        ctx: &Context<'_>,
        customer_id: ID,
        #[graphql(default)] items: Vec<OrderItemInput>,
    ) -> Result<Order> {
        let items = items
            .iter()
            .map(|item| new_item(&item.product_id, item.quantity));
        let items = items.collect::<Result<Vec<NewItem>>>()?;
        let who = call(ctx, None).who;
        let id = commands::create_order(app(ctx), key(&customer_id)?, &items, who).await?;
        order(ctx, id).await
    }

    /// Adds a product to a pending order, at its price of today.
    async fn add_order_item(
        &self,
        ctx: &Context<'_>,
        order_id: ID,
        product_id: ID,
        #[graphql(default = 1)] quantity: i32,
        expected_version: Option<i32>,
    ) -> Result<Order> {
        let id = key(&order_id)?;
        let item = new_item(&product_id, quantity)?;
        commands::add_order_item(app(ctx), id, item, call(ctx, expected_version)).await?;
        order(ctx, id).await
    }

    /// Takes a payment of the amount due, or of a part of it. The last one makes the order paid.
    async fn process_payment(
        &self,
        ctx: &Context<'_>,
        order_id: ID,
        amount: Decimal,
        expected_version: Option<i32>,
    ) -> Result<Order> {
        let id = key(&order_id)?;
        commands::process_payment(app(ctx), id, amount, call(ctx, expected_version)).await?;
        order(ctx, id).await
    }

    /// Cancels an order that is not shipped: its products are in stock again, and what was paid is
    /// refunded.
    async fn cancel_order(
        &self,
        ctx: &Context<'_>,
        order_id: ID,
        expected_version: Option<i32>,
    ) -> Result<Order> {
        let id = key(&order_id)?;
        commands::cancel_order(app(ctx), id, call(ctx, expected_version)).await?;
        order(ctx, id).await
    }

    /// Moves an order to its next status: `PAID`, `SHIPPED`, `DELIVERED`.
    async fn update_order_status(
        &self,
        ctx: &Context<'_>,
        order_id: ID,
        status: TvEnum<OrderStatus>,
        expected_version: Option<i32>,
    ) -> Result<Order> {
        let (id, TvEnum(status)) = (key(&order_id)?, status);
        commands::update_order_status(app(ctx), id, status, call(ctx, expected_version)).await?;
        order(ctx, id).await
    }
}

fn app<'c>(ctx: &Context<'c>) -> &'c App {
    ctx.data_unchecked()
}

fn call<'c>(ctx: &Context<'c>, expected_version: Option<i32>) -> Call<'c> {
    let caller = ctx.data_opt::<Caller>();
    Call {
        who: caller.map_or("unknown", |caller| &caller.0),
        expected_version,
    }
}

fn new_item(product_id: &ID, quantity: i32) -> Result<NewItem> {
    Ok(NewItem {
        product_id: key(product_id)?,
        quantity,
    })
}

/// The key that a client has sent.
pub(super) fn key(id: &ID) -> Result<Uuid> {
    let key = Uuid::parse_str(id);
    Ok(key.map_err(|_| OrderError::Invalid(format!("`{}` is not a UUID", id.as_str())))?)
}

async fn order(ctx: &Context<'_>, id: Uuid) -> Result<Order> {
    let mut connection = app(ctx).commands.acquire().await?;
    // For what the client reads next. A function has committed, so its position is asked for here; where it
    // cannot be, only that is missing.
    position::wrote(ctx, WalPosition::current(&mut connection).await.ok());
    Ok(TvDoc::find(&mut connection, id).await?)
}
