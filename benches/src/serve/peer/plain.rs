//! The contender `axum`: handlers that return what `ours-json` stores, as one would write them without GraphQL.
//!
//! Documents are returned as they are, whatever a client needs of them. The list has no document: its rows are structs.

use axum::Router;
use axum::extract::{Json, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::post;
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use sqlx::types::Json as Stored;
use uuid::Uuid;

use crate::serve::operation::Operation;

#[derive(Deserialize)]
struct Asked {
    operation: Operation,
    id: Uuid,
}

#[derive(Serialize, sqlx::FromRow)]
struct Row {
    id: Uuid,
    title: String,
    published: bool,
}

pub(super) fn router(pool: PgPool) -> Router {
    Router::new()
        .route("/graphql", post(respond))
        .with_state(pool)
}

async fn respond(
    State(pool): State<PgPool>,
    Json(asked): Json<Asked>,
) -> Result<impl IntoResponse, (StatusCode, String)> {
    let body = body(&pool, asked)
        .await
        .map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    Ok(([(CONTENT_TYPE, "application/json")], body))
}

async fn body(pool: &PgPool, asked: Asked) -> anyhow::Result<String> {
    let limit = i64::from(asked.operation.limit().unwrap_or(1));
    Ok(match asked.operation {
        Operation::List => {
            let sql = "SELECT id, title, published FROM tv_post_json ORDER BY id LIMIT $1";
            let rows: Vec<Row> = sqlx::query_as(sql).bind(limit).fetch_all(pool).await?;
            format!(
                "{{\"data\":{{\"posts\":{}}}}}",
                serde_json::to_string(&rows)?
            )
        }
        Operation::Query => {
            let sql = "SELECT data FROM tv_post_json ORDER BY id LIMIT $1";
            let documents: Vec<Stored<Box<serde_json::value::RawValue>>> =
                sqlx::query_scalar(sql).bind(limit).fetch_all(pool).await?;
            let documents: Vec<&str> = documents.iter().map(|document| document.0.get()).collect();
            format!("{{\"data\":{{\"posts\":[{}]}}}}", documents.join(","))
        }
        Operation::Post | Operation::PostConstant | Operation::Rename => {
            let sql = "SELECT data FROM tv_post_json WHERE id = $1";
            let document: Option<Stored<Box<serde_json::value::RawValue>>> =
                sqlx::query_scalar(sql)
                    .bind(asked.id)
                    .fetch_optional(pool)
                    .await?;
            let document = document
                .as_ref()
                .map_or("null", |document| document.0.get());
            format!("{{\"data\":{{\"post\":{document}}}}}")
        }
    })
}
