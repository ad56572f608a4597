//! Values that are null or of the wrong kind where they cannot be.

use super::compile::{Kind, Plan};
use super::error::{ProjectionError, Segment};

/// What is wrong with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wrong {
    Null,
    NoObject,
    NoList,
}

/// A value that is wrong, and the way to it: the places of fields in plans, and in lists.
pub(super) struct Violation {
    wrong: Wrong,
    /// From the value up, while it is found.
    path: Vec<usize>,
}

impl Violation {
    pub(super) fn new(wrong: Wrong) -> Self {
        Self {
            wrong,
            path: Vec::new(),
        }
    }

    /// It is in the field or the item at this place.
    pub(super) fn below(&mut self, place: usize) {
        self.path.push(place);
    }
}

/// The errors, in the order of the answer.
pub(super) fn told(plan: &Plan, mut violations: Vec<Violation>) -> Vec<ProjectionError> {
    for violation in &mut violations {
        violation.path.reverse();
    }
    violations.sort_by(|a, b| (&a.path, a.wrong).cmp(&(&b.path, b.wrong)));
    let told = violations.iter().map(|violation| error(plan, violation));
    told.collect()
}

fn error(mut plan: &Plan, violation: &Violation) -> ProjectionError {
    let mut path = Vec::new();
    let mut what = String::new();
    let mut steps = violation.path.iter();
    while let Some(field) = steps.next().and_then(|&step| plan.fields.get(step)) {
        path.push(Segment::Name(field.name.clone()));
        what = format!("`{}` of `{}`", field.json, plan.shape.type_name);
        match &field.kind {
            Kind::One(child) => plan = child,
            Kind::Many(_) | Kind::Elements => {
                let Some(&index) = steps.next() else { break };
                path.push(Segment::Index(index));
                // Where the way ends here, it is the item.
                if steps.len() == 0 {
                    what = format!("an item of {what}");
                }
                if let Kind::Many(child) = &field.kind {
                    plan = child;
                }
            }
            Kind::Scalar | Kind::TypeName => {}
        }
    }
    let wrong = match violation.wrong {
        Wrong::Null => "is null, and cannot be",
        Wrong::NoObject => "is no object in the document",
        Wrong::NoList => "is no list in the document",
    };
    ProjectionError {
        message: format!("{what} {wrong}"),
        path,
    }
}
