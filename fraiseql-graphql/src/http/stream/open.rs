//! From a request to a stream of responses.

use std::panic::AssertUnwindSafe;

use async_graphql::parser::types::OperationType;
use async_graphql::{Data, Executor, Response};
use futures_util::stream::{self, BoxStream, StreamExt as _};

use crate::budget::{Budget, BudgetOfElements};
use crate::http::deadline::Deadline;
use crate::http::endpoint::GraphQl;
use crate::http::lookup::{NotFound, find};
use crate::http::mask::{mask, panicked};
use crate::http::request::Asked;
use crate::http::service::too_slow;
use crate::http::stream::task::driven;
use crate::response::null_failed_fields;

impl<E: Executor> GraphQl<E> {
    /// Opens a request: a subscription is a stream of its elements, anything else of one response. What refuses the request
    /// is a response as well.
    pub(super) async fn open(
        &self,
        mut asked: Asked,
        mut data: Data,
        is_read: bool,
    ) -> BoxStream<'static, Response> {
        let settings = &self.settings;
        data.insert(BudgetOfElements {
            max: settings.max_response,
            in_flight: settings.in_flight.clone(),
        });
        let found = match find(&mut asked, settings, is_read) {
            Ok(found) => found,
            Err(NotFound::Refused(refusal)) => return one(refusal.response()),
            Err(NotFound::Unknown(response)) => return one(*response),
        };
        let mut request = asked.request;
        request.data = data;
        let prepared = match self.prepare(request, found, is_read) {
            Ok(Ok(prepared)) => prepared,
            Ok(Err(response)) => return one(*response),
            Err(refusal) => return one(refusal.response()),
        };
        if prepared.operation == Some(OperationType::Subscription) {
            let responses = self.executor.execute_stream(prepared.request, None);
            return driven(self.guarded(responses)).boxed();
        }
        let mut request = prepared.request;
        let in_flight = settings.in_flight.clone();
        request
            .data
            .insert(Budget::new(settings.max_response, Some(in_flight)));
        let deadline = Deadline::after(settings.timeout);
        let executed = deadline.limit(self.executor.execute(request));
        let executed = AssertUnwindSafe(executed);
        let response = match futures_util::FutureExt::catch_unwind(executed).await {
            Ok(Some(response)) => response,
            Ok(None) => too_slow().response(),
            Err(payload) => Response::from_errors(vec![panicked(&*payload)]),
        };
        one(self.finished(response))
    }

    /// A stream that ends with an error if a resolver panics.
    fn guarded(&self, responses: BoxStream<'static, Response>) -> BoxStream<'static, Response> {
        let endpoint = self.clone();
        AssertUnwindSafe(responses)
            .catch_unwind()
            .map(move |response| {
                let response = response
                    .unwrap_or_else(|payload| Response::from_errors(vec![panicked(&*payload)]));
                endpoint.finished(response)
            })
            .boxed()
    }

    fn finished(&self, mut response: Response) -> Response {
        null_failed_fields(&mut response);
        mask(&mut response.errors, &self.settings);
        response
    }
}

fn one(response: Response) -> BoxStream<'static, Response> {
    stream::once(std::future::ready(response)).boxed()
}
