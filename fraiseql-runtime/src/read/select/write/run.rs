//! Parts of the document that follow each other in the answer, too, are copied at once.
//!
//! What is copied waits as a run, and grows while the next part begins where it ends. It may
//! always be appended earlier: a run only has to be there before what is not the document's.

use super::super::compile::Wanted;
use super::super::piece::{Piece, append};
use super::Pass;

/// A part of the document that is not appended yet.
#[derive(Clone, Copy)]
pub(super) struct Run {
    at: usize,
    end: usize,
}

impl Run {
    pub(super) const EMPTY: Self = Self { at: 0, end: 0 };
}

/// How far the answer is, to come back to.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    len: usize,
    run: Run,
}

impl<const RUNS: bool> Pass<'_, RUNS> {
    #[inline(always)]
    pub(super) fn mark(&self) -> Mark {
        Mark {
            len: self.out.len(),
            run: self.run,
        }
    }

    /// Takes back what was written since.
    pub(super) fn back(&mut self, mark: Mark) {
        self.out.truncate(mark.len);
        self.run = mark.run;
    }

    /// Appends the run.
    #[inline(always)]
    pub(super) fn flush(&mut self) {
        if RUNS && self.run.at < self.run.end {
            append(self.out, self.json, self.run.at, self.run.end);
            self.run.at = self.run.end;
        }
    }

    /// Writes a part of the document.
    #[inline(always)]
    pub(super) fn copy(&mut self, at: usize, end: usize) {
        if !RUNS {
            append(self.out, self.json, at, end);
            return;
        }
        if self.run.end != at {
            self.flush();
            self.run.at = at;
        }
        self.run.end = end;
    }

    /// Writes a bracket or a comma, which may be the next byte of the run.
    #[inline(always)]
    pub(super) fn byte(&mut self, byte: u8) {
        if RUNS && self.json.get(self.run.end) == Some(&byte) {
            self.run.end += 1;
        } else {
            self.flush();
            self.out.push(byte);
        }
    }

    #[inline(always)]
    pub(super) fn piece(&mut self, piece: &Piece) {
        self.flush();
        piece.append(self.out);
    }

    /// Writes what stands before the value of a field, which is at `value`. `key` is where the
    /// document has the same bytes before it.
    #[inline(always)]
    pub(super) fn before(&mut self, field: &Wanted, key: Option<usize>, value: usize) {
        match key {
            Some(key) if RUNS => self.copy(key, value),
            _ => self.piece(&field.before),
        }
    }
}
