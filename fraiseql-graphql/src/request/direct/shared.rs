//! Equal requests that come at the same time are answered once.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::iter::repeat_n;

use async_graphql::Variables;
use axum::body::Bytes;
use fraiseql_runtime::__graphql::{Coalescer, Limits, Scope, Turn};
use fraiseql_runtime::WalPosition;

use crate::request::direct::answer::DirectAnswer;
use crate::request::direct::plan::{CachedPlan, PlannedField, RequestParts};

/// The requests to a plan that are being answered.
pub(super) type SharedAnswers = Coalescer<SameAnswer, (), DirectAnswer>;

/// What an answer by a plan depends on, beside the documents.
#[derive(Clone, PartialEq)]
pub(super) struct SameAnswer {
    /// The hash of the variables, whose type has none.
    hash: u64,
    variables: Variables,
    scopes: Vec<Scope>,
    position: Option<WalPosition>,
}

/// Numbers in variables are those of JSON, each of which equals itself.
impl Eq for SameAnswer {}

impl Hash for SameAnswer {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl SameAnswer {
    fn new(variables: &Variables, scopes: &[Scope], position: Option<WalPosition>) -> Self {
        let mut hasher = HashWriter(DefaultHasher::new());
        // It fails neither to write nor to represent what was read from JSON.
        let _ = serde_json::to_writer(&mut hasher, variables);
        Self {
            hash: hasher.0.finish(),
            variables: variables.clone(),
            scopes: scopes.to_vec(),
            position,
        }
    }
}

/// Hashes what is written.
struct HashWriter(DefaultHasher);

impl io::Write for HashWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The answers by a plan of these fields. None if it would be of no use.
pub(super) fn shared_answers(fields: &[PlannedField]) -> Option<SharedAnswers> {
    let fields = fields.iter();
    let running = fields.filter_map(|field| field.recorded.read.max_running());
    let limits = Limits {
        running: running.min()?,
        items: usize::MAX,
    };
    Some(Coalescer::new(limits))
}

impl CachedPlan {
    /// Answers a request without a tag, or takes the answer to an equal one whose documents were read after both had
    /// come.
    pub(super) async fn answer_once(
        &self,
        variables: &Variables,
        scopes: &[Scope],
        request: RequestParts<'_>,
    ) -> Option<DirectAnswer> {
        let mut batch = None;
        if let Some(shared) = &self.shared {
            let same = SameAnswer::new(variables, scopes, request.position);
            batch = match shared.turn(same, ()).await {
                Turn::Done(answer) => {
                    let bytes = answer.body.as_ref().map_or(0, Bytes::len);
                    return request.budget.write(bytes).then_some(answer);
                }
                Turn::Run(batch) => Some(batch),
                Turn::Alone => None,
            };
        }
        let found = self.read(variables, scopes, request, None).await?;
        let answer = self.written(&found, None, request)?;
        match batch {
            Some(batch) => {
                let count = batch.items().len();
                batch.finish(repeat_n(answer, count))
            }
            None => Some(answer),
        }
    }
}
