//! The state of the pass over one document, and appending to its output.
//!
//! Ranges of the document that follow each other in the output, too, are copied together: a copy
//! is pending, and is extended while the next range starts where it ends. It may be appended at any
//! time, but must be before anything that does not come from the document.

use super::field_state::FieldState;
use crate::read::select::append::{PaddedBytes, append};
use crate::read::select::plan::OutputField;
use crate::read::select::scan::{uuid_end, value_end};
use crate::read::select::violation::Violation;

/// The pass over one document.
///
/// `COALESCE` is whether ranges of the document are copied together. If no fields of the plan allow
/// it, the checks for it are not compiled in.
pub(super) struct ProjectionWriter<'d, const COALESCE: bool> {
    pub(super) json: &'d [u8],
    /// The [`Layout`](crate::read::select::layout::Layout) of the document, as an index.
    pub(super) layout: usize,
    /// The end of the output that is not appended to `out` yet.
    pub(super) pending: PendingCopy,
    /// The output.
    pub(super) out: &'d mut Vec<u8>,
    /// The buffer for objects and lists that are deferred. While one of them is written, `out` and
    /// `side` are swapped.
    pub(super) side: &'d mut Vec<u8>,
    /// The most bytes that `out` and `side` may have together.
    pub(super) max_len: usize,
    /// The states of the fields of the current object, and of those that it is in.
    pub(super) states: &'d mut [FieldState],
    pub(super) violations: Vec<Violation>,
    /// Where the document is not JSON, and what was expected there.
    pub(super) syntax_error: Option<(usize, &'static str)>,
}

/// A range of the document that is part of the output, and not appended yet.
#[derive(Clone, Copy)]
pub(super) struct PendingCopy {
    start: usize,
    end: usize,
}

impl PendingCopy {
    pub(super) const EMPTY: Self = Self { start: 0, end: 0 };
}

/// A position in the output, to return to.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    len: usize,
    pending: PendingCopy,
}

impl<const COALESCE: bool> ProjectionWriter<'_, COALESCE> {
    /// Records a syntax error. The first one is reported.
    #[cold]
    #[inline(never)]
    pub(super) fn expected<T>(&mut self, at: usize, what: &'static str) -> Option<T> {
        self.syntax_error.get_or_insert((at, what));
        None
    }

    /// The end of the value at `at`. If `is_uuid`, it is expected to be a UUID.
    #[inline(always)]
    pub(super) fn value_end(&mut self, at: usize, is_uuid: bool) -> Option<usize> {
        if is_uuid && let Some(end) = uuid_end(self.json, at) {
            return Some(end);
        }
        match value_end(self.json, at) {
            None => self.expected(at, "a value"),
            end => end,
        }
    }

    /// Whether the output has reached its maximum. It is looked at wherever a byte of the document
    /// may be written more than once: after an element of a list, after a further alias, after an
    /// object. In between, the output grows by the document and the selection at most.
    #[inline(always)]
    pub(super) fn is_full(&self) -> bool {
        self.out.len() + self.side.len() > self.max_len
    }

    /// The current position in the output.
    #[inline(always)]
    pub(super) fn mark(&self) -> Mark {
        Mark {
            len: self.out.len(),
            pending: self.pending,
        }
    }

    /// Removes what was written after a mark.
    pub(super) fn rewind(&mut self, mark: Mark) {
        // If the copy that was pending has been appended since, it is removed and pending again.
        self.out.truncate(mark.len);
        self.pending = mark.pending;
    }

    /// Appends the pending copy.
    #[inline(always)]
    pub(super) fn flush(&mut self) {
        if COALESCE && self.pending.start < self.pending.end {
            append(self.out, self.json, self.pending.start, self.pending.end);
            // Its end stays: the next range may start there and become the pending copy.
            self.pending.start = self.pending.end;
        }
    }

    /// Writes a range of the document.
    #[inline(always)]
    pub(super) fn copy(&mut self, start: usize, end: usize) {
        if !COALESCE {
            append(self.out, self.json, start, end);
            return;
        }
        if self.pending.end != start {
            self.flush();
            self.pending.start = start;
        }
        self.pending.end = end;
    }

    /// Writes the value of a field, which is a range of the document.
    #[inline(always)]
    pub(super) fn value(&mut self, field: &OutputField, start: usize, end: usize) {
        if field.quotes {
            self.quoted(start, end);
        } else {
            self.copy(start, end);
        }
    }

    /// Writes a number, or a list of numbers, as strings. Nulls stay as they are.
    #[inline(never)]
    fn quoted(&mut self, start: usize, end: usize) {
        let json = &self.json[start..end];
        if json.contains(&b'"') {
            // Another program has written strings.
            return self.copy(start, end);
        }
        self.flush();
        let mut in_number = false;
        for byte in json {
            let is_digit = matches!(byte, b'-' | b'0'..=b'9');
            if is_digit != in_number {
                self.out.push(b'"');
                in_number = is_digit;
            }
            if !byte.is_ascii_whitespace() {
                self.out.push(*byte);
            }
        }
        if in_number {
            self.out.push(b'"');
        }
    }

    /// Writes a bracket or a comma, which may be the byte after the pending copy.
    #[inline(always)]
    pub(super) fn byte(&mut self, byte: u8) {
        if COALESCE && self.json.get(self.pending.end) == Some(&byte) {
            self.pending.end += 1;
        } else {
            self.flush();
            self.out.push(byte);
        }
    }

    /// Writes bytes that do not come from the document.
    #[inline(always)]
    pub(super) fn bytes(&mut self, bytes: &PaddedBytes) {
        self.flush();
        bytes.append_to(self.out);
    }

    /// Writes the prefix of a field whose value is at `value`. If the document has the same bytes
    /// before it, `prefix` is where they start.
    #[inline(always)]
    pub(super) fn prefix(&mut self, field: &OutputField, prefix: Option<usize>, value: usize) {
        match prefix {
            Some(start) if COALESCE => self.copy(start, value),
            _ => self.bytes(&field.prefix),
        }
    }
}
