//! The endpoint as a service: from an HTTP request to its response.
//!
//! Futures of what is not a direct answer are boxed: otherwise the future of each request would have their size, and it
//! is moved several times.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_graphql::parser::types::OperationType;
use async_graphql::{Data, Executor, Request, Response as GraphQlResponse};
use axum::body::{Body, Bytes, HttpBody};
use axum::http::header::ALLOW;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, Response, StatusCode};
use fraiseql_runtime::WalPosition;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, join_all};
use tower_service::Service;

use crate::budget::Budget;
use crate::http::accept::{Format, check_content_type, negotiate, wants_events, wants_page};
use crate::http::body;
use crate::http::deadline::Deadline;
#[cfg(feature = "websocket")]
use crate::http::encode::refuse;
use crate::http::encode::{Outcome, encode, options};
use crate::http::endpoint::GraphQl;
use crate::http::etag;
use crate::http::graphiql;
use crate::http::lookup::{Found, NotFound, find};
use crate::http::mask::{mask, panicked};
use crate::http::position;
use crate::http::precheck::precheck;
use crate::http::refusal::Refusal;
use crate::http::request::{Asked, Requests, from_body, from_query_string};
use crate::http::settings::InsertData;
use crate::http::stream::lifetime::Lifetime;
use crate::http::stream::session::{Session, of_request};
#[cfg(feature = "websocket")]
use crate::http::stream::websocket;
use crate::request::direct::plan::RequestParts;
use crate::request::direct::tag::Conditional;
use crate::request::query::ReadQuery;
use crate::response::null_failed_fields;
use crate::spec::operation::operation;

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, OPTIONS");

impl<E, B> Service<axum::http::Request<B>> for GraphQl<E>
where
    E: Executor,
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: axum::http::Request<B>) -> Self::Future {
        let endpoint = self.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            Ok(endpoint.respond(parts, Body::new(body)).await)
        })
    }
}

impl<E: Executor> GraphQl<E> {
    async fn respond(&self, parts: Parts, body: Body) -> Response<Body> {
        let settings = &*self.settings;
        #[cfg(feature = "websocket")]
        if websocket::is_upgrade(&parts) {
            let upgraded = Box::pin(self.upgrade(parts)).await;
            return upgraded.unwrap_or_else(|refusal| refuse(&refusal, Format::Json));
        }
        let is_read = parts.method == Method::GET || parts.method == Method::HEAD;
        if is_read && settings.graphiql {
            if let Some(file) = graphiql::file(parts.uri.query(), &parts.headers) {
                return file;
            }
            if wants_page(&parts.headers) {
                return graphiql::page();
            }
        }
        // A HEAD has no body to stream.
        let is_stream = parts.method != Method::HEAD && wants_events(&parts.headers);
        let format = if is_stream {
            Some(Format::Json)
        } else {
            negotiate(&parts.headers)
        };
        let conditional = format
            .filter(|_| settings.etags && is_read && !is_stream)
            .map(|format| etag::read(&parts.headers, format));
        let in_flight = Arc::clone(&settings.in_flight);
        let budget = Budget::new(settings.max_response, Some(in_flight));
        let result = match format {
            // OPTIONS has no body, so any `Accept` will do.
            _ if parts.method == Method::OPTIONS => return options(METHODS),
            None => Err(Refusal::new(
                StatusCode::NOT_ACCEPTABLE,
                "a response is application/graphql-response+json, application/json or text/event-stream",
            )),
            Some(_) => {
                // Nothing is used after a panic but the settings, which are not modified: the
                // request's data and its future are dropped.
                let conditional = conditional.as_ref();
                let served = self.serve(parts, body, is_read, is_stream, &budget, conditional);
                AssertUnwindSafe(served)
                    .catch_unwind()
                    .await
                    .unwrap_or_else(|payload| {
                        let mut errors = [panicked(&*payload)];
                        mask(&mut errors, settings);
                        Ok(Outcome::Panicked(errors.into()))
                    })
            }
        };
        let format = format.unwrap_or(Format::Json);
        encode(result, format, budget, conditional.as_ref())
    }

    /// Reads and executes a request within the time limit. What can refuse it comes in the order of
    /// its cost: headers, the application's hooks, the body, the query.
    async fn serve(
        &self,
        parts: Parts,
        body: Body,
        is_read: bool,
        is_stream: bool,
        budget: &Arc<Budget>,
        conditional: Option<&Conditional>,
    ) -> Result<Outcome, Refusal> {
        let settings = &*self.settings;
        let deadline = Deadline::after(settings.timeout);
        if !is_read && parts.method != Method::POST {
            let refusal = Refusal::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "send a query with GET, and anything with POST",
            );
            return Err(refusal.with_header(ALLOW, METHODS));
        }
        if !is_read {
            check_content_type(&parts.headers)?;
            body::check_length(&parts.headers, settings.max_body)?;
        }
        let position = position::read(&parts.headers)?;
        // The hooks run before the body is read: a client that they refuse cannot make the server
        // receive and parse a body.
        let inserts = deadline.limit(of_request(settings, &parts)).await;
        let inserts = inserts.ok_or_else(too_slow)??;
        let requests = if is_read {
            let query_string = parts.uri.query().unwrap_or("");
            Requests::Single(Box::new(from_query_string(query_string)?))
        } else {
            let body = deadline.limit(body::read(body, settings.max_body)).await;
            let body = body.ok_or_else(|| {
                Refusal::new(
                    StatusCode::REQUEST_TIMEOUT,
                    "the request was not sent within the time limit",
                )
            })??;
            from_body(&body, settings.max_batch)?
        };
        if is_stream {
            let Requests::Single(asked) = requests else {
                let message = "a list of requests cannot be answered with a stream of events";
                return Err(Refusal::new(StatusCode::BAD_REQUEST, message));
            };
            let lifetime = Lifetime::of(&parts.extensions);
            let session = Session::new(Arc::clone(&self.settings), parts, inserts);
            let events = Box::pin(self.events(*asked, session, lifetime, is_read));
            let events = deadline.limit(events).await.ok_or_else(too_slow)?;
            return Ok(Outcome::Stream(events));
        }
        let executed = self.execute_all(requests, &inserts, position, is_read, budget, conditional);
        deadline.limit(executed).await.ok_or_else(too_slow)?
    }

    async fn execute_all(
        &self,
        requests: Requests,
        inserts: &[InsertData],
        position: Option<WalPosition>,
        is_read: bool,
        budget: &Arc<Budget>,
        conditional: Option<&Conditional>,
    ) -> Result<Outcome, Refusal> {
        let insert_data = |request: &mut Request| {
            let mut data = Data::default();
            for insert in inserts {
                insert(&mut data);
            }
            if let Some(position) = position {
                data.insert(position);
            }
            data.insert(Arc::clone(budget));
            request.data = data;
        };
        match requests {
            Requests::Single(mut asked) => {
                insert_data(&mut asked.request);
                self.execute_single(*asked, position, is_read, budget, conditional)
                    .await
            }
            Requests::Batch(requests) => {
                let responses = requests.into_iter().map(async |mut asked| {
                    insert_data(&mut asked.request);
                    match find(&mut asked, &self.settings, is_read) {
                        Ok(found) => self.execute(asked.request, found, is_read).await,
                        Err(NotFound::Refused(refusal)) => Ok(refusal.response()),
                        Err(NotFound::Unknown(response)) => Ok(*response),
                    }
                });
                let responses = Box::pin(join_all(responses)).await;
                let responses: Result<_, _> = responses.into_iter().collect();
                Ok(Outcome::Batch(responses?))
            }
        }
    }

    /// Executes one request, or answers it directly if a plan is cached for it.
    async fn execute_single(
        &self,
        mut asked: Asked,
        position: Option<WalPosition>,
        is_read: bool,
        budget: &Arc<Budget>,
        conditional: Option<&Conditional>,
    ) -> Result<Outcome, Refusal> {
        let found = match find(&mut asked, &self.settings, is_read) {
            Ok(found) => found,
            Err(NotFound::Refused(refusal)) => return Err(refusal),
            Err(NotFound::Unknown(response)) => return Ok(Outcome::Single(response)),
        };
        let request = asked.request;
        // A direct answer depends on the query, the operation and the variables only, on the tenant, and
        // on the position as of which servers may give it. An extension of the schema may use the
        // extensions of the request.
        let query = match &found {
            _ if !request.extensions.is_empty() => None,
            Found::Trusted(query) => Some(Arc::clone(query)),
            Found::Text | Found::New(_) => self.settings.cache.get(&request.query),
            Found::StoredBySchema => None,
        };
        if let Some(query) = query {
            let parts = RequestParts {
                data: &request.data,
                position,
                budget,
                conditional,
            };
            let name = request.operation_name.as_deref();
            if let Some(body) = query.answer(name, &request.variables, parts).await {
                self.keep_automatic(found, &request.query);
                return Ok(Outcome::Direct(body));
            }
            budget.restart();
        }
        let response = Box::pin(self.execute(request, found, is_read)).await?;
        Ok(Outcome::Single(Box::new(response)))
    }

    /// Executes one request on the schema, if the checks allow it.
    async fn execute(
        &self,
        request: Request,
        found: Found,
        is_read: bool,
    ) -> Result<GraphQlResponse, Refusal> {
        let prepared = match self.prepare(request, found, is_read)? {
            Ok(prepared) => prepared,
            Err(response) => return Ok(*response),
        };
        let mut response = self.executor.execute(prepared.request).await;
        null_failed_fields(&mut response);
        mask(&mut response.errors, &self.settings);
        Ok(response)
    }

    /// Reads the document of a request and checks it, as far as that is possible without the schema.
    pub(super) fn prepare(
        &self,
        mut request: Request,
        found: Found,
        is_read: bool,
    ) -> Result<Result<PreparedRequest, Box<GraphQlResponse>>, Refusal> {
        let settings = &*self.settings;
        let read = match &found {
            Found::Trusted(query) => {
                // Extensions of the schema see the text.
                request.query = query.text.to_string();
                let query = Arc::clone(query);
                Some(Ok(ReadQuery { query, tree: None }))
            }
            Found::Text | Found::New(_) => Some(settings.cache.read(&request.query)),
            // It has no text to check. It was checked when it was stored, since it came through here.
            Found::StoredBySchema => None,
        };
        let name = request.operation_name.as_deref();
        let operation = match &read {
            Some(Ok(read)) => operation(&read.query.document, name).map(|it| it.ty),
            _ => None,
        };
        let checked = match read {
            Some(Ok(read)) => precheck(&mut request, read, settings, is_read)?,
            Some(Err(error)) => Err(error),
            None => Ok(()),
        };
        if let Err(error) = checked {
            return Ok(Err(Box::new(GraphQlResponse::from_errors(vec![error]))));
        }
        self.keep_automatic(found, &request.query);
        if !settings.introspection {
            request = request.disable_introspection();
        }
        Ok(Ok(PreparedRequest { request, operation }))
    }

    /// Keeps the text of a request, if it is to be found by its hash from now on.
    fn keep_automatic(&self, found: Found, text: &str) {
        if let (Found::New(hash), Some(queries)) = (found, &self.settings.automatic) {
            queries.keep(hash, text);
        }
    }
}

/// A request that the schema may execute.
pub(super) struct PreparedRequest {
    pub(super) request: Request,
    /// The type of its operation, if it is known.
    pub(super) operation: Option<OperationType>,
}

pub(super) fn too_slow() -> Refusal {
    Refusal::new(
        StatusCode::GATEWAY_TIMEOUT,
        "the request was not answered within the time limit",
    )
    .code("TIMEOUT")
}
