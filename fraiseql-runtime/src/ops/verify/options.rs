//! The options of a verification, and what a target receives.

use std::fmt;

use crate::ops::verify::report::VerifyProgress;
use crate::schema::default_schema::DefaultSchema;
use crate::view::Handle;

/// A closure that is called after each chunk.
pub(super) type OnVerifyProgress<'a> = Box<dyn FnMut(&VerifyProgress) + Send + 'a>;

/// The options that a caller set.
#[derive(Default)]
pub(super) struct VerifyOptions<'a> {
    /// How many keys a chunk has. `None`: sized by the bytes of earlier documents.
    pub(super) chunk: Option<usize>,
    /// The share of keys to verify. `None`: all of them.
    pub(super) sample: Option<f64>,
    /// The seed of the sample. `None`: a random one.
    pub(super) seed: Option<i64>,
    /// For how many drifted documents of each view the differences are reported.
    pub(super) explain: usize,
    pub(super) repair: bool,
    pub(super) progress: Option<OnVerifyProgress<'a>>,
}

impl fmt::Debug for VerifyOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyOptions")
            .field("chunk", &self.chunk)
            .field("sample", &self.sample)
            .field("seed", &self.seed)
            .field("explain", &self.explain)
            .field("repair", &self.repair)
            .finish_non_exhaustive()
    }
}

/// The views that a target verifies, with the options.
#[derive(Debug)]
pub struct VerifyRequest<'a> {
    pub(super) views: Vec<Handle>,
    pub(super) options: VerifyOptions<'a>,
}

impl VerifyRequest<'_> {
    /// The same request for the views in a schema.
    pub(super) fn in_schema(mut self, schema: DefaultSchema) -> Self {
        for view in &mut self.views {
            *view = view.in_schema(schema);
        }
        self
    }
}
