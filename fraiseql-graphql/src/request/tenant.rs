//! The tenant of a request: taken from its data, by a function of the application.

use std::any::{Any, TypeId, type_name};
use std::fmt;
use std::sync::Arc;

use async_graphql::{Context, Data, Error, ErrorExtensionValues, ServerError, ServerResult};
use fraiseql_runtime::__graphql::Scope;
use fraiseql_runtime::Key;
use fraiseql_runtime::schema::View;

/// The code of an error of a request without a tenant.
const UNAUTHENTICATED: &str = "UNAUTHENTICATED";

/// The data of a request, of which the function in [`Views::scoped`](crate::Views::scoped) takes the
/// tenant: what [`Request::data`](async_graphql::Request::data) has, or
/// [`GraphQl::with_data`](crate::http::GraphQl::with_data) has inserted, or belongs to the session of a
/// WebSocket.
///
/// Data of the schema, and data that an extension adds to an execution, are not in it: a request that
/// is answered [directly](crate::Prepared#method.direct) has neither.
#[derive(Clone, Copy)]
pub struct RequestData<'a> {
    query: &'a Data,
    session: Option<&'a Data>,
}

impl<'a> RequestData<'a> {
    pub(crate) fn of_context(ctx: &'a Context<'_>) -> Self {
        Self {
            query: &ctx.query_env.query_data,
            session: Some(&ctx.query_env.session_data),
        }
    }

    pub(crate) const fn of_request(data: &'a Data) -> Self {
        Self {
            query: data,
            session: None,
        }
    }

    /// The value of a type.
    ///
    /// # Errors
    /// If there is none. The error is for the client, and has the code `UNAUTHENTICATED`.
    pub fn data<D: Any + Send + Sync>(&self) -> async_graphql::Result<&'a D> {
        self.data_opt().ok_or_else(|| {
            let mut extensions = ErrorExtensionValues::default();
            extensions.set("code", UNAUTHENTICATED);
            let mut error = Error::new("the request is not authenticated, and this needs a tenant");
            error.extensions = Some(extensions);
            error
        })
    }

    /// The value of a type, if there is one.
    #[must_use]
    pub fn data_opt<D: Any + Send + Sync>(&self) -> Option<&'a D> {
        let id = TypeId::of::<D>();
        let of_session = || self.session.and_then(|session| session.get(&id));
        let value = self.query.get(&id).or_else(of_session)?;
        value.downcast_ref()
    }
}

impl fmt::Debug for RequestData<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(type_name::<Self>()).finish_non_exhaustive()
    }
}

/// Where root fields take the tenant from.
#[derive(Clone)]
pub(crate) struct TenantSource(Arc<TakeScope>);

type TakeScope = dyn Fn(&RequestData<'_>) -> async_graphql::Result<Scope> + Send + Sync;

impl TenantSource {
    /// A function of the application.
    pub(crate) fn of_request<T: Key>(
        tenant: impl Fn(&RequestData<'_>) -> async_graphql::Result<T> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(move |data| {
            tenant(data).map(|tenant| Scope::of(&tenant))
        }))
    }

    /// All tenants.
    pub(crate) fn across() -> Self {
        Self(Arc::new(|_| Ok(Scope::AcrossTenants)))
    }

    /// Whose documents a request may read. `None` if it names no tenant.
    pub(crate) fn scope_of(&self, data: &Data) -> Option<Scope> {
        (self.0)(&RequestData::of_request(data)).ok()
    }
}

/// Whose documents of a view a field may read.
///
/// # Errors
/// If the request names no tenant, and the view has tenants.
pub(crate) fn scope(
    ctx: &Context<'_>,
    view: &View,
    source: Option<&TenantSource>,
) -> ServerResult<Scope> {
    // Without a source there is no view with a tenant: see `UntenantedViews`.
    let (Some(_), Some(TenantSource(take))) = (view.tenant, source) else {
        return Ok(Scope::Whole);
    };
    take(&RequestData::of_context(ctx)).map_err(|error| unauthenticated(ctx, error))
}

/// The error of a request without a tenant. One with a source is internal, and stays as it is.
fn unauthenticated(ctx: &Context<'_>, mut error: Error) -> ServerError {
    if error.source.is_none() {
        let extensions = error.extensions.get_or_insert_default();
        if extensions.get("code").is_none() {
            extensions.set("code", UNAUTHENTICATED);
        }
    }
    error.into_server_error(ctx.item.pos)
}
