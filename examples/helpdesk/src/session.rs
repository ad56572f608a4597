//! Sessions: which agent of which organization sends a request. Reads take the tenant from here, and
//! commands ask here what the agent may do.
//!
//! It shows where a tenant comes from. How agents sign in and get a token is left out.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header::AUTHORIZATION};
use fraiseql_runtime::TEnum as _;

use crate::app::App;
use crate::error::{Error, Result};
use crate::views::{OrgId, Role};

/// An agent who is signed in.
#[derive(Clone, Copy, Debug)]
pub struct Session {
    /// The tenant.
    pub org: OrgId,
    /// The agent.
    pub agent: i32,
    /// What the agent may do.
    pub role: Role,
}

impl Session {
    /// The session of the token in the header `Authorization`.
    pub async fn of(app: &App, headers: &HeaderMap) -> Result<Self> {
        let token = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        let row: Option<(i32, i32, String)> = sqlx::query_as(
            "SELECT a.org_id, a.id, a.role::text
             FROM tb_session AS s JOIN tb_agent AS a ON (a.org_id, a.id) = (s.org_id, s.agent_id)
             WHERE s.token_hash = sha256(convert_to($1, 'UTF8')) AND s.expires_at > now()",
        )
        .bind(token)
        .fetch_optional(&app.pool)
        .await?;
        let session = row.and_then(|(org, agent, role)| {
            let (org, role) = (OrgId(org), Role::from_label(&role)?);
            Some(Self { org, agent, role })
        });
        session.ok_or_else(|| {
            let text = "the header `Authorization: Bearer ..` has no valid token";
            Error::Refused(StatusCode::UNAUTHORIZED, text.to_owned())
        })
    }

    /// Whether the agent may set the status of a ticket of this assignee.
    pub fn may_set_status(&self, assignee: Option<i32>) -> bool {
        self.role == Role::Admin || assignee == Some(self.agent)
    }

    /// Whether the agent may assign a ticket: an admin any; others take those of nobody, and give
    /// back their own.
    pub fn may_assign(&self, from: Option<i32>, to: Option<i32>) -> bool {
        let own_or_nobodys = |agent: Option<i32>| agent.is_none_or(|agent| agent == self.agent);
        self.role == Role::Admin || own_or_nobodys(from) && own_or_nobodys(to)
    }
}

impl FromRequestParts<App> for Session {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        Self::of(app, &parts.headers).await
    }
}
