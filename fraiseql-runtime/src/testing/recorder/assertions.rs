//! Assertions about recorded calls.

use crate::read::typed::TView;
use crate::schema::key::Keys;
use crate::sync::request::Mode;
use crate::testing::recorder::call::{Call, table};
use crate::testing::recorder::change::Change;
use crate::testing::recorder::record::Recorder;

impl Recorder {
    /// Asserts that exactly these keys of `V` were synced by key, in any order and any number of
    /// times, and no others. To assert some keys among others, use [`synced`](Self::synced).
    ///
    /// # Panics
    /// If other keys were synced, or not all of them. It prints the missing and the unexpected
    /// keys, and all calls.
    #[track_caller]
    pub fn assert_synced<V: TView>(&self, keys: &[V::Key]) {
        self.assert_keys::<V>(Mode::Sync, "synced", keys);
    }

    /// Asserts that exactly the documents of these keys were deleted; see
    /// [`assert_synced`](Self::assert_synced).
    ///
    /// # Panics
    /// If other documents were deleted, or not all of them.
    #[track_caller]
    pub fn assert_deleted<V: TView>(&self, keys: &[V::Key]) {
        self.assert_keys::<V>(Mode::Delete, "deleted", keys);
    }

    /// Asserts that there was a full sync of `V`.
    ///
    /// # Panics
    /// If there was none.
    #[track_caller]
    pub fn assert_fully_synced<V: TView>(&self) {
        self.lock().asserted_calls.push((V::VIEW.table, Mode::Full));
        if self.fully_synced::<V>() == 0 {
            self.fail_with(&format!("expected all of {} to be synced", V::VIEW.entity));
        }
    }

    /// Asserts that nothing of `V` was synced, neither by key nor by a full sync.
    ///
    /// # Panics
    /// If something was synced.
    #[track_caller]
    pub fn assert_not_synced<V: TView>(&self) {
        if !self.synced::<V>().is_empty() || self.fully_synced::<V>() > 0 {
            self.fail_with(&format!("expected no {} to be synced", V::VIEW.entity));
        }
    }

    /// Asserts that no document of `V` was deleted.
    ///
    /// # Panics
    /// If a document was deleted.
    #[track_caller]
    pub fn assert_not_deleted<V: TView>(&self) {
        if !self.deleted::<V>().is_empty() {
            self.fail_with(&format!("expected no {} to be deleted", V::VIEW.entity));
        }
    }

    /// Asserts that there was no call at all, and no mark of changed rows.
    ///
    /// # Panics
    /// If there was one, also if it failed.
    #[track_caller]
    pub fn assert_nothing(&self) {
        if !self.lock().calls.is_empty() {
            self.fail_with("expected no call at all");
        }
        self.assert_nothing_changed();
    }

    /// Asserts that there was no call for another view or mode, and no mark for another table or
    /// column, than those of earlier assertions. Calls that failed do not count.
    ///
    /// # Panics
    /// If there was one.
    #[track_caller]
    pub fn assert_no_more(&self) {
        let more: Vec<String> = {
            let record = self.lock();
            let unexpected = |call: &&Call| {
                let is_asserted = record.asserted_calls.contains(&(call.view, call.mode));
                call.error.is_none() && !is_asserted
            };
            let unexpected_change = |change: &&Change| {
                let is_of = |(table, column): &(String, String)| {
                    *table == change.table && *column == change.column
                };
                !record.asserted_columns.iter().any(is_of)
            };
            let calls = record.calls.iter().filter(unexpected).map(Call::to_string);
            let changes = record.changes.iter().filter(unexpected_change);
            calls.chain(changes.map(Change::to_string)).collect()
        };
        if !more.is_empty() {
            self.fail_with(&format!(
                "expected no call beyond those that were asserted\n  unexpected: {}",
                more.join("; ")
            ));
        }
    }

    #[track_caller]
    fn assert_keys<V: TView>(&self, mode: Mode, verb: &str, expected: &[V::Key]) {
        self.lock().asserted_calls.push((V::VIEW.table, mode));
        let actual = self.distinct_keys::<V>(mode);
        let expected = Keys::of(expected);
        let entity = V::VIEW.entity;
        self.assert_same(&actual, &expected, || {
            if expected.is_empty() {
                format!("expected no {entity} to be {verb}")
            } else {
                format!("expected these of {entity} to be {verb}, and no others: {expected}")
            }
        });
    }

    /// Asserts that two sets of keys are equal. The message begins with `expectation`, and has the
    /// missing and the unexpected keys.
    #[track_caller]
    pub(super) fn assert_same(
        &self,
        actual: &Keys,
        expected: &Keys,
        expectation: impl FnOnce() -> String,
    ) {
        let without = |keys: &Keys, others: &Keys| {
            let mut keys = keys.clone();
            keys.remove(others);
            keys
        };
        let missing = without(expected, actual);
        let unexpected = without(actual, expected);
        if missing.is_empty() && unexpected.is_empty() {
            return;
        }
        let mut text = expectation();
        for (what, keys) in [("missing", missing), ("unexpected", unexpected)] {
            if !keys.is_empty() {
                text.push_str(&format!("\n  {what}: {keys}"));
            }
        }
        self.fail_with(&text);
    }

    /// Panics with `expectation` and all that was recorded.
    #[track_caller]
    pub(super) fn fail_with(&self, expectation: &str) -> ! {
        let record = self.lock();
        let mut recorded = if record.calls.is_empty() && !record.changes.is_empty() {
            "recorded:".to_owned()
        } else {
            table(&record.calls)
        };
        for change in &record.changes {
            recorded.push_str(&format!("\n  {change}"));
        }
        // Before the panic, which would poison the lock for other clones.
        drop(record);
        panic!("{expectation}\n{recorded}");
    }
}
