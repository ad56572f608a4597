//! What the resolvers of root fields record for a plan.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use fraiseql_runtime::__graphql::lock;

use crate::request::direct::plan::RecordedField;

/// In the data of an execution whose plan may be kept: resolvers of root fields record here how they
/// read.
#[derive(Clone, Default)]
pub(crate) struct PlanRecorder {
    fields: Arc<Mutex<HashMap<String, RecordedField>>>,
    /// Whether resolvers only record, and read nothing.
    pub(crate) is_planning: bool,
}

impl PlanRecorder {
    pub(crate) fn new(is_planning: bool) -> Self {
        Self {
            is_planning,
            ..Self::default()
        }
    }

    pub(crate) fn record(&self, response_key: &str, field: RecordedField) {
        lock(&self.fields).insert(response_key.to_owned(), field);
    }

    /// What was recorded, by response keys.
    pub(super) fn take(&self) -> HashMap<String, RecordedField> {
        std::mem::take(&mut *lock(&self.fields))
    }
}
