//! From an HTTP request to its answer.

use std::convert::Infallible;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::task::{Context, Poll};
use std::time::Duration;

use async_graphql::parser::types::{OperationType, Selection, SelectionSet};
use async_graphql::{Data, Executor, Request, Response as Outcome, ServerError};
use axum::body::{Body, Bytes, HttpBody};
use axum::http::header::{ALLOW, CONTENT_LENGTH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, join_all};
use http_body_util::BodyExt as _;
use tower_service::Service;

use crate::error::error;
use crate::http::GraphQl;
use crate::http::accept::{Format, check_body, negotiate, wants_page};
use crate::http::answer;
use crate::http::answer::Answer;
use crate::http::graphiql;
use crate::http::mask::{mask, panicked};
use crate::http::refusal::Refusal;
use crate::http::request::{Asked, from_body, from_query};
use crate::http::settings::Settings;
use crate::request::context::AlreadyRead;
use crate::response::null_failed_fields;
use crate::spec::operation::operation;
use crate::spec::variables as given;

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, OPTIONS");
const ONLY_POST: HeaderValue = HeaderValue::from_static("POST");

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
            Ok(endpoint.answer(parts, Body::new(body)).await)
        })
    }
}

impl<E: Executor> GraphQl<E> {
    async fn answer(&self, parts: Parts, body: Body) -> Response<Body> {
        let settings = &*self.settings;
        let reads = parts.method == Method::GET || parts.method == Method::HEAD;
        if reads && settings.graphiql && wants_page(&parts.headers) {
            return graphiql::page();
        }
        let format = negotiate(&parts.headers);
        let answer = match format {
            // Whoever asks what there is need not accept it.
            _ if parts.method == Method::OPTIONS => return answer::options(METHODS),
            None => Err(Refusal::new(
                StatusCode::NOT_ACCEPTABLE,
                "an answer is application/graphql-response+json or application/json",
            )),
            Some(_) => {
                let served = AssertUnwindSafe(self.serve(&parts, body, reads)).catch_unwind();
                served.await.unwrap_or_else(|panic| {
                    let mut errors = [panicked(&*panic)];
                    mask(&mut errors, settings);
                    Ok(Answer::Failed(errors.into()))
                })
            }
        };
        answer::write(answer, format.unwrap_or(Format::Json))
    }

    async fn serve(&self, parts: &Parts, body: Body, reads: bool) -> Result<Answer, Refusal> {
        let settings = &*self.settings;
        let clock = Clock::new(settings.timeout);
        if !reads && parts.method != Method::POST {
            let refusal = Refusal::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "send a query with GET, and anything with POST",
            );
            return Err(refusal.with_header(ALLOW, METHODS));
        }
        if !reads {
            check_body(&parts.headers)?;
            check_length(&parts.headers, settings.max_body)?;
        }
        // Before the body is read: who is not let in need not be listened to.
        let mut fills = Vec::with_capacity(settings.data.len());
        for hook in &settings.data {
            fills.push(clock.limit(hook(parts)).await.ok_or_else(too_slow)??);
        }
        let asked = if reads {
            Asked::One(Box::new(from_query(parts.uri.query().unwrap_or(""))?))
        } else {
            let body = clock.limit(read(body, settings.max_body)).await;
            let body = body.ok_or_else(|| {
                Refusal::new(
                    StatusCode::REQUEST_TIMEOUT,
                    "the request was not sent within the time limit",
                )
            })??;
            from_body(&body, settings.max_batch)?
        };
        let fill = |request: &mut Request| {
            let mut data = Data::default();
            for fill in &fills {
                fill(&mut data);
            }
            request.data = data;
        };
        let executed = async {
            match asked {
                Asked::One(mut request) => {
                    fill(&mut request);
                    self.one(*request, reads).await
                }
                Asked::Batch(requests) => {
                    let outcomes = requests.into_iter().map(async |mut request| {
                        fill(&mut request);
                        self.execute(request, reads).await
                    });
                    let outcomes: Result<_, _> = join_all(outcomes).await.into_iter().collect();
                    Ok(Answer::Batch(outcomes?))
                }
            }
        };
        clock.limit(executed).await.ok_or_else(too_slow)?
    }

    /// Answers one request, directly where it was answered so before.
    async fn one(&self, request: Request, reads: bool) -> Result<Answer, Refusal> {
        // Extensions of the schema may have a use for those of the request.
        let asks_more = !request.extensions.is_empty();
        let known = self.settings.queries.known(&request.query);
        let direct = known
            .filter(|_| !asks_more)
            .and_then(|query| query.direct(request.operation_name.as_deref(), &request.variables));
        if let Some(direct) = direct
            && let Some(body) = direct.answer().await
        {
            return Ok(Answer::Written(body));
        }
        Ok(Answer::One(Box::new(self.execute(request, reads).await?)))
    }

    /// Executes one request, if it is one that may be executed.
    async fn execute(&self, mut request: Request, reads: bool) -> Result<Outcome, Refusal> {
        let settings = &*self.settings;
        // A document that `ApolloPersistedQueries` has, which came through here when it was new.
        // Not with GET: it may be a mutation.
        let is_stored = !reads && request.query.is_empty() && !request.extensions.is_empty();
        if !is_stored && let Err(error) = check(&mut request, settings, reads)? {
            return Ok(Outcome::from_errors(vec![error]));
        }
        if !settings.introspection {
            request = request.disable_introspection();
        }
        let mut outcome = self.executor.execute(request).await;
        null_failed_fields(&mut outcome);
        mask(&mut outcome.errors, settings);
        Ok(outcome)
    }
}

/// Reads a query and looks at it before it is executed. The inner error is one of GraphQL.
fn check(
    request: &mut Request,
    settings: &Settings,
    reads: bool,
) -> Result<Result<(), ServerError>, Refusal> {
    let query = match settings.queries.read(&request.query) {
        Ok(query) => query,
        Err(error) => return Ok(Err(error)),
    };
    let document = &query.document;
    // Where it is not said which one is meant, the executor says so.
    let operation = operation(document, request.operation_name.as_deref());
    if reads && operation.is_some_and(|operation| operation.ty == OperationType::Mutation) {
        let refusal = Refusal::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "a mutation is sent with POST",
        );
        return Err(refusal.with_header(ALLOW, ONLY_POST));
    }
    let definitions = operation.map(|operation| &operation.variable_definitions);
    for variable in definitions.into_iter().flatten() {
        // Else the executor notices when it needs it, with half of a mutation done.
        if let Some(what) = given::not_provided(&variable.node, &request.variables) {
            let mut error = error(what, "BAD_USER_INPUT");
            error.locations.push(variable.pos);
            return Ok(Err(error));
        }
    }
    if !settings.introspection {
        let operations = document.operations.iter();
        let fragments = document.fragments.values();
        let mut selections = operations
            .map(|(_, operation)| &operation.node.selection_set.node)
            .chain(fragments.map(|fragment| &fragment.node.selection_set.node));
        if selections.any(introspects) {
            let what = "introspection is switched off";
            return Ok(Err(error(what, "INTROSPECTION_DISABLED")));
        }
    }
    request.set_parsed_query(document.clone());
    request.data.insert(AlreadyRead(query));
    Ok(Ok(()))
}

/// Whether a selection asks for the schema. Its depth is known to be within limits.
fn introspects(selection: &SelectionSet) -> bool {
    selection.items.iter().any(|item| match &item.node {
        Selection::Field(field) => {
            matches!(field.node.name.node.as_str(), "__schema" | "__type")
                || introspects(&field.node.selection_set.node)
        }
        Selection::InlineFragment(fragment) => introspects(&fragment.node.selection_set.node),
        Selection::FragmentSpread(_) => false,
    })
}

/// The time that is left for a request.
struct Clock(Option<tokio::time::Instant>);

impl Clock {
    fn new(limit: Duration) -> Self {
        Self(tokio::time::Instant::now().checked_add(limit))
    }

    /// `None` where the time is over.
    async fn limit<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        match self.0 {
            Some(end) => tokio::time::timeout_at(end, work).await.ok(),
            None => Some(work.await),
        }
    }
}

fn too_slow() -> Refusal {
    Refusal::new(
        StatusCode::GATEWAY_TIMEOUT,
        "the request was not answered within the time limit",
    )
    .code("TIMEOUT")
}

fn too_large(most: usize) -> Refusal {
    Refusal::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("the body of a request has {most} bytes at most"),
    )
}

/// A client that says how much it will send is refused before it does.
fn check_length(headers: &HeaderMap, most: usize) -> Result<(), Refusal> {
    let length = headers.get(CONTENT_LENGTH).and_then(|it| it.to_str().ok());
    match length.and_then(|length| length.parse::<u64>().ok()) {
        Some(length) if length > most as u64 => Err(too_large(most)),
        _ => Ok(()),
    }
}

async fn read(mut body: Body, most: usize) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| {
            Refusal::new(StatusCode::BAD_REQUEST, "the body of the request broke off")
        })?;
        if let Ok(data) = frame.into_data() {
            if data.len() > most - bytes.len() {
                return Err(too_large(most));
            }
            bytes.extend_from_slice(&data);
        }
    }
    Ok(bytes)
}
