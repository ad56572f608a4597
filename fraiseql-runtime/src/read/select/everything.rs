//! The selection of everything.

use super::selection::{MAX_DEPTH, Selected, Selection};
use crate::schema::{Shape, Source};

impl Selection {
    /// All fields of a shape and of what is in it, in the struct's order.
    pub(super) fn everything(shape: &'static Shape) -> Self {
        everything(shape, MAX_DEPTH)
    }
}

fn everything(shape: &'static Shape, depth: usize) -> Selection {
    let mut selection = Selection::new();
    for field in shape.fields {
        let fields = match &field.source {
            Source::One(one) => Some((one.shape)()),
            Source::Many(many) => Some((many.shape)()),
            Source::Column { .. } | Source::Expr { .. } | Source::Aggregate(_) => None,
        };
        selection.push(Selected {
            name: field.json.to_owned(),
            alias: None,
            // A table that holds itself is refused when compiling; one made by hand ends here.
            fields: match fields {
                Some(_) if depth == 0 => continue,
                fields => fields.map(|shape| everything(shape, depth - 1)),
            },
        });
    }
    selection
}
