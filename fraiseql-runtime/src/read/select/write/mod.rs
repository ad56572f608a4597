//! Writes the selected fields of one document, in one pass over its bytes.
//!
//! [`writer`] has the state of the pass and appends to the output; [`object`] reads an object, and
//! [`keys`] its next key; [`nested`] reads objects in objects and lists; [`deferred`] keeps values
//! until their turn in the output, and fills in nulls.

mod deferred;
mod field_state;
mod keys;
mod nested;
mod object;
mod writer;

use self::field_state::FieldState;
use self::writer::{PendingCopy, ProjectionWriter};
use super::error::ProjectionError;
use super::layout::Layout;
use super::plan::Plan;
use super::scan::space_end;
use super::violation::into_errors;

/// The maximum number of field states that are kept on the stack.
const MAX_STACK_STATES: usize = 32;

/// What became of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// Its selected fields were appended.
    Fields,
    /// Nothing was appended: it is null as a whole, or not a JSON object.
    Null,
    /// Nothing was appended: its selected fields have too many bytes.
    TooLong,
}

/// Appends the fields of `plan` to `out`, which has `max_len` bytes at most, except by the length of
/// one object.
pub(super) fn write(
    plan: &Plan,
    document: &[u8],
    out: &mut Vec<u8>,
    errors: &mut Vec<ProjectionError>,
    max_len: usize,
) -> Written {
    match Layout::of(document) {
        layout @ Layout::Json if plan.can_coalesce => {
            write_as::<true>(plan, document, layout, out, errors, max_len)
        }
        // In `jsonb`, a space follows each key and comma, so the prefixes always differ.
        layout => write_as::<false>(plan, document, layout, out, errors, max_len),
    }
}

fn write_as<const COALESCE: bool>(
    plan: &Plan,
    document: &[u8],
    layout: Layout,
    out: &mut Vec<u8>,
    errors: &mut Vec<ProjectionError>,
    max_len: usize,
) -> Written {
    let start = out.len();
    let mut few = [FieldState::Unread; MAX_STACK_STATES];
    let mut many = Vec::new();
    let states = match plan.max_states {
        0..=MAX_STACK_STATES => &mut few[..],
        more => {
            many.resize(more, FieldState::Unread);
            &mut many[..]
        }
    };
    let mut writer = ProjectionWriter::<COALESCE> {
        json: document,
        layout: layout as usize,
        pending: PendingCopy::EMPTY,
        out,
        side: &mut Vec::new(),
        max_len,
        states,
        violations: Vec::new(),
        syntax_error: None,
    };
    let read = writer.object(plan, space_end(document, 0), 0, true);
    writer.flush();
    let is_full = writer.is_full();
    let ProjectionWriter {
        violations,
        syntax_error,
        ..
    } = writer;
    if is_full {
        out.truncate(start);
        return Written::TooLong;
    }
    let Some((_, written)) = read else {
        out.truncate(start);
        let (at, expected) = syntax_error.unwrap_or((document.len(), "a value"));
        errors.push(ProjectionError {
            message: format!(
                "the document is not a JSON object: at byte {at}, {expected} is expected"
            ),
            path: Vec::new(),
        });
        return Written::Null;
    };
    if !violations.is_empty() {
        errors.extend(into_errors(plan, violations));
    }
    match written {
        true => Written::Fields,
        false => Written::Null,
    }
}
