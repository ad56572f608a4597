//! Values that do not fit the type of their field, and the errors that report them.

use super::error::{ProjectionError, Segment};
use super::plan::{Plan, ValuePlan};

/// How a value differs from the type of its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mismatch {
    Null,
    NotAnObject,
    NotAList,
}

/// A value that does not fit, and its path: indexes of fields in plans, and of elements in lists.
pub(super) struct Violation {
    mismatch: Mismatch,
    /// From the value outwards, while the document is read.
    path: Vec<usize>,
}

impl Violation {
    pub(super) fn new(mismatch: Mismatch) -> Self {
        Self {
            mismatch,
            path: Vec::new(),
        }
    }

    /// Extends the path outwards, by the index of the field or the element that has the value.
    pub(super) fn inside(&mut self, index: usize) {
        self.path.push(index);
    }
}

/// The errors of a document, in the order of the output.
pub(super) fn into_errors(plan: &Plan, mut violations: Vec<Violation>) -> Vec<ProjectionError> {
    for violation in &mut violations {
        violation.path.reverse();
    }
    // They were found in the order of the document.
    violations.sort_by(|a, b| (&a.path, a.mismatch).cmp(&(&b.path, b.mismatch)));
    let errors = violations.iter().map(|violation| error(plan, violation));
    errors.collect()
}

fn error(mut plan: &Plan, violation: &Violation) -> ProjectionError {
    let mut path = Vec::new();
    let mut what = String::new();
    let mut indexes = violation.path.iter();
    while let Some(field) = indexes.next().and_then(|&index| plan.fields.get(index)) {
        path.push(Segment::Name(field.response_key.clone()));
        what = format!("`{}` of `{}`", field.json, plan.shape.type_name);
        match &field.value {
            ValuePlan::Object(child) => plan = child,
            ValuePlan::List(_) | ValuePlan::NonNullElements => {
                let Some(&index) = indexes.next() else { break };
                path.push(Segment::Index(index));
                // If the path ends here, the value is the element.
                if indexes.len() == 0 {
                    what = format!("an item of {what}");
                }
                if let ValuePlan::List(child) = &field.value {
                    plan = child;
                }
            }
            ValuePlan::Scalar | ValuePlan::TypeName => {}
        }
    }
    let mismatch = match violation.mismatch {
        Mismatch::Null => "is null, and cannot be",
        Mismatch::NotAnObject => "is not an object in the document",
        Mismatch::NotAList => "is not a list in the document",
    };
    ProjectionError {
        message: format!("{what} {mismatch}"),
        path,
    }
}
