//! The bytes of a response: how many one request may use, and all requests of an endpoint together.
//!
//! Bytes are counted before they are held: those of documents as each row arrives from the database,
//! those of the response as each document is written. All fields of a request, and all requests of a
//! batch, share one [`Budget`]; once it has refused something, it refuses everything, so that what
//! still runs ends soon.

use std::fmt;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, OnceLock};

use async_graphql::{ContextBase, Pos, ServerError};

use crate::error::error;
use fraiseql_runtime::__graphql::ByteLimit;

/// The default for the maximum size of a response.
pub(crate) const DEFAULT_MAX_RESPONSE: usize = 16 << 20;
/// The default for the bytes of all responses of an endpoint.
#[cfg(feature = "http")]
pub(crate) const DEFAULT_MAX_IN_FLIGHT: usize = 256 << 20;

/// What a request may hold to count as small.
const SMALL: usize = 64 * 1024;

/// What an endpoint holds for all of its responses.
#[derive(Debug)]
pub(crate) struct InFlight {
    max: usize,
    held: AtomicUsize,
}

impl InFlight {
    #[cfg(feature = "http")]
    pub(crate) fn new(max: usize) -> Arc<Self> {
        let held = AtomicUsize::new(0);
        Arc::new(Self { max, held })
    }

    #[cfg(feature = "http")]
    pub(crate) fn max(&self) -> usize {
        self.max
    }

    /// Holds more bytes for a request that holds `own` already, if they are free. The last quarter
    /// is for requests that hold little: clients of large responses do not keep out the others.
    fn hold(&self, own: usize, more: usize) -> bool {
        let is_small = own.saturating_add(more) <= SMALL;
        let max = if is_small { self.max } else { self.max / 4 * 3 };
        let fits = |held: usize| held.checked_add(more).filter(|held| *held <= max);
        self.held.fetch_update(Relaxed, Relaxed, fits).is_ok()
    }

    fn release(&self, bytes: usize) {
        self.held.fetch_sub(bytes, Relaxed);
    }
}

/// Why a budget refuses.
#[derive(Clone, Copy, Debug)]
enum Refused {
    /// The documents of the request have too many bytes.
    Documents,
    /// The response of the request has too many bytes.
    Response,
    /// The endpoint holds too many bytes for other requests.
    InFlight,
}

/// What one request may use. In the data of the request.
pub(crate) struct Budget {
    max: usize,
    /// The bytes of documents that were read.
    read: AtomicUsize,
    /// The bytes of the response that were written.
    written: AtomicUsize,
    /// What is held for this request in `in_flight`.
    held: AtomicUsize,
    in_flight: Option<Arc<InFlight>>,
    refused: OnceLock<Refused>,
}

impl Budget {
    pub(crate) fn new(max: usize, in_flight: Option<Arc<InFlight>>) -> Arc<Self> {
        Arc::new(Self {
            max,
            read: AtomicUsize::new(0),
            written: AtomicUsize::new(0),
            held: AtomicUsize::new(0),
            in_flight,
            refused: OnceLock::new(),
        })
    }

    /// The budget of the request that is being executed. None if the request has come through neither
    /// an endpoint nor [`Prepared`](crate::Prepared).
    pub(crate) fn of<T>(ctx: &ContextBase<'_, T>) -> Option<Arc<Self>> {
        ctx.data_opt::<Arc<Self>>().map(Arc::clone)
    }

    /// The bytes that the response may still have.
    pub(crate) fn left(&self) -> usize {
        match self.refused.get() {
            Some(_) => 0,
            None => self.max.saturating_sub(self.written.load(Relaxed)),
        }
    }

    /// Counts bytes of the response. `false` if there are too many.
    pub(crate) fn write(&self, bytes: usize) -> bool {
        self.count(&self.written, bytes, Refused::Response)
    }

    /// Refuses everything from now on, since the response would have too many bytes.
    pub(crate) fn refuse(&self) {
        let _ = self.refused.set(Refused::Response);
    }

    /// Counts bytes that are held beside documents and response.
    pub(crate) fn hold(&self, bytes: usize) -> bool {
        if self.refused.get().is_some() {
            return false;
        }
        let Some(in_flight) = &self.in_flight else {
            return true;
        };
        if in_flight.hold(self.held.load(Relaxed), bytes) {
            self.held.fetch_add(bytes, Relaxed);
            return true;
        }
        let _ = self.refused.set(Refused::InFlight);
        false
    }

    fn count(&self, counter: &AtomicUsize, bytes: usize, refused: Refused) -> bool {
        let before = counter.fetch_add(bytes, Relaxed);
        if before.saturating_add(bytes) > self.max {
            let _ = self.refused.set(refused);
        }
        self.hold(bytes)
    }

    /// The error of the field that met the refusal.
    pub(crate) fn error(&self, pos: Pos) -> ServerError {
        let mut error = self.request_error();
        error.locations.push(pos);
        error
    }

    /// The error of the request as a whole.
    pub(crate) fn request_error(&self) -> ServerError {
        let max = self.max;
        let (message, code) = match self.refused.get() {
            Some(Refused::InFlight) => (
                "the server holds too many bytes for other responses; ask for less, or later"
                    .to_owned(),
                "OVERLOADED",
            ),
            Some(Refused::Documents) => (
                format!(
                    "the documents that were read for this request have more than {max} bytes; ask \
                     for fewer documents"
                ),
                "RESPONSE_TOO_LARGE",
            ),
            Some(Refused::Response) | None => (
                format!(
                    "the response has more than {max} bytes; ask for fewer documents, or for fewer \
                     of their fields"
                ),
                "RESPONSE_TOO_LARGE",
            ),
        };
        error(message, code)
    }
}

/// Makes a budget for each element of a subscription, as an endpoint has one for each request.
#[derive(Clone, Debug)]
pub(crate) struct BudgetOfElements {
    pub(crate) max: usize,
    pub(crate) in_flight: Arc<InFlight>,
}

impl BudgetOfElements {
    pub(crate) fn next(&self) -> Arc<Budget> {
        Budget::new(self.max, Some(Arc::clone(&self.in_flight)))
    }
}

#[cfg(feature = "http")]
impl Budget {
    pub(crate) fn written(&self) -> usize {
        self.written.load(Relaxed)
    }

    pub(crate) fn max_bytes(&self) -> usize {
        self.max
    }

    /// Gives back what is held beyond this many bytes: the documents of the request are dropped.
    pub(crate) fn keep(&self, bytes: usize) {
        let held = self.held.load(Relaxed);
        let rest = held.saturating_sub(bytes);
        self.held.fetch_sub(rest, Relaxed);
        if let Some(in_flight) = &self.in_flight {
            in_flight.release(rest);
        }
    }

    /// Holds exactly this many bytes from now on, also after a refusal. `false` if there is no room.
    pub(crate) fn settle(&self, bytes: usize) -> bool {
        let held = self.held.load(Relaxed);
        if bytes <= held {
            self.keep(bytes);
            return true;
        }
        let Some(in_flight) = &self.in_flight else {
            return true;
        };
        if in_flight.hold(held, bytes - held) {
            self.held.store(bytes, Relaxed);
            return true;
        }
        let _ = self.refused.set(Refused::InFlight);
        false
    }

    pub(crate) fn has_refused(&self) -> bool {
        self.refused.get().is_some()
    }

    /// If nothing was refused, counts from the beginning again.
    pub(crate) fn restart(&self) {
        if !self.has_refused() {
            self.read.store(0, Relaxed);
            self.written.store(0, Relaxed);
            self.keep(0);
        }
    }
}

/// The documents that a request reads.
impl ByteLimit for Budget {
    fn take(&self, bytes: usize) -> bool {
        self.count(&self.read, bytes, Refused::Documents)
    }

    fn max(&self) -> usize {
        self.max
    }
}

impl Drop for Budget {
    fn drop(&mut self) {
        if let Some(in_flight) = &self.in_flight {
            in_flight.release(*self.held.get_mut());
        }
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Budget")
            .field("max", &self.max)
            .field("read", &self.read)
            .field("written", &self.written)
            .field("refused", &self.refused)
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, feature = "http"))]
mod tests {
    use super::*;

    #[test]
    fn large_responses_leave_room_for_small_ones() {
        let in_flight = InFlight::new(64 << 20);
        // Each takes all that it gets.
        let greedy: Vec<_> = (0..100)
            .map(|_| {
                let budget = Budget::new(1 << 20, Some(Arc::clone(&in_flight)));
                while budget.write(64 * 1024) {}
                budget
            })
            .collect();
        let small = Budget::new(1 << 20, Some(Arc::clone(&in_flight)));
        assert!(small.write(50_000), "{in_flight:?}");
        assert!(in_flight.held.load(Relaxed) < 64 << 20);
        drop((greedy, small));
        assert_eq!(in_flight.held.load(Relaxed), 0);
    }

    #[test]
    fn a_refusal_lasts() {
        let budget = Budget::new(100, None);
        assert!(budget.write(60) && budget.take(100));
        assert_eq!(budget.left(), 40);
        assert!(!budget.take(1));
        assert!(!budget.write(1));
        assert_eq!(budget.left(), 0);
        let error = budget.request_error();
        assert!(
            error.message.contains("documents that were read"),
            "{error:?}"
        );
    }
}
