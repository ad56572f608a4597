//! The selection of all fields of a struct.

use super::selection::{MAX_DEPTH, Selected, Selection};
use crate::schema::Shape;

impl Selection {
    /// All fields of a struct and of its parts, in the order of the struct.
    pub(super) fn everything(shape: &'static Shape) -> Self {
        everything(shape, MAX_DEPTH)
    }
}

fn everything(shape: &'static Shape, depth: usize) -> Selection {
    let mut selection = Selection::new();
    for field in shape.shown_fields() {
        let fields = field.source.part();
        selection.push(Selected {
            name: field.json.to_owned(),
            alias: None,
            // The derives reject types that contain themselves. A constant table that was written
            // by hand may still do so, and ends here.
            fields: match fields {
                Some(_) if depth == 0 => continue,
                fields => fields.map(|shape| everything(shape, depth - 1)),
            },
        });
    }
    selection
}
