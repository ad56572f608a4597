//! A recorder in place of a mutation: marks of changed rows, and assertions about them.

use crate::error::Result;
use crate::mutation::changes::Changes;
use crate::read::typed::TView;
use crate::schema::Table;
use crate::schema::key::{Key, Keys};
use crate::schema::row_key::Keyed;
use crate::testing::recorder::change::{Change, ChangeKind};
use crate::testing::recorder::record::Recorder;

/// A recorder replaces a mutation in code that only marks changed rows. It does not find the
/// documents that depend on them; see [`Recorder::assert_changed`].
impl Changes for Recorder {
    fn changed<T: Keyed>(&mut self, keys: &[T::RowKey]) {
        self.mark(
            ChangeKind::Changed,
            display_name(T::SHAPE.table),
            &T::SHAPE.key_columns().to_string(),
            keys,
        );
    }

    fn inserted<T: Keyed>(&mut self, keys: &[T::RowKey]) {
        self.mark(
            ChangeKind::Inserted,
            display_name(T::SHAPE.table),
            &T::SHAPE.key_columns().to_string(),
            keys,
        );
    }

    fn changed_rows<K: Key>(&mut self, table: &str, column: &str, values: &[K]) -> Result<()> {
        let table = table.strip_prefix("public.").unwrap_or(table);
        self.mark(ChangeKind::Changed, table.to_owned(), column, values);
        Ok(())
    }

    async fn changing<T: Keyed>(&mut self, keys: &[T::RowKey]) -> Result<()> {
        self.mark(
            ChangeKind::Changing,
            display_name(T::SHAPE.table),
            &T::SHAPE.key_columns().to_string(),
            keys,
        );
        Ok(())
    }

    async fn changing_rows<K: Key>(
        &mut self,
        table: &str,
        column: &str,
        values: &[K],
    ) -> Result<()> {
        let table = table.strip_prefix("public.").unwrap_or(table);
        self.mark(ChangeKind::Changing, table.to_owned(), column, values);
        Ok(())
    }

    fn resync<V: TView>(&mut self, keys: &[V::Key]) {
        self.mark(
            ChangeKind::Resync,
            display_name(V::VIEW.table),
            &V::VIEW.key.columns.to_string(),
            keys,
        );
    }
}

/// The name as users write it, without the schema `public`.
fn display_name(table: Table) -> String {
    if table.schema == "public" {
        table.name.to_owned()
    } else {
        format!("{}.{}", table.schema, table.name)
    }
}

impl Recorder {
    /// Asserts that exactly these rows of `T`'s table were marked by `changed`, `changing` or
    /// `inserted`, in any order and any number of times, and no others.
    ///
    /// # Panics
    /// If other rows were marked, or not all of them. It prints the missing and the unexpected
    /// keys, and all that was recorded.
    #[track_caller]
    pub fn assert_changed<T: Keyed>(&self, keys: &[T::RowKey]) {
        self.assert_rows(
            &[
                ChangeKind::Changed,
                ChangeKind::Changing,
                ChangeKind::Inserted,
            ],
            &display_name(T::SHAPE.table),
            &T::SHAPE.key_columns().to_string(),
            keys,
        );
    }

    /// Asserts the same for rows of a table without a struct, by the values of one of its columns.
    ///
    /// # Panics
    /// If other rows were marked, or not all of them.
    #[track_caller]
    pub fn assert_changed_rows<K: Key>(&self, table: &str, column: &str, values: &[K]) {
        let table = table.strip_prefix("public.").unwrap_or(table);
        let kinds = [ChangeKind::Changed, ChangeKind::Changing];
        self.assert_rows(&kinds, table, column, values);
    }

    /// Asserts that exactly the documents of these keys were marked by `resync`.
    ///
    /// # Panics
    /// If other documents were marked, or not all of them.
    #[track_caller]
    pub fn assert_resynced<V: TView>(&self, keys: &[V::Key]) {
        let (table, column) = (display_name(V::VIEW.table), V::VIEW.key.columns.to_string());
        self.assert_rows(&[ChangeKind::Resync], &table, &column, keys);
    }

    /// Asserts that nothing was marked as changed.
    ///
    /// # Panics
    /// If something was marked.
    #[track_caller]
    pub fn assert_nothing_changed(&self) {
        if !self.changes().is_empty() {
            self.fail_with("expected nothing to be changed");
        }
    }

    fn mark<K: Key>(&self, kind: ChangeKind, table: String, column: &str, keys: &[K]) {
        if keys.is_empty() {
            return;
        }
        self.lock().changes.push(Change {
            kind,
            table,
            column: column.to_owned(),
            keys: Keys::of(keys),
        });
    }

    #[track_caller]
    fn assert_rows<K: Key>(&self, kinds: &[ChangeKind], table: &str, column: &str, keys: &[K]) {
        let is_asserted = |change: &&Change| {
            kinds.contains(&change.kind) && change.table == table && change.column == column
        };
        let expected = Keys::of(keys);
        let mut actual = expected.none();
        {
            let mut record = self.lock();
            for change in record.changes.iter().filter(is_asserted) {
                actual.unite(change.keys.clone());
            }
            record
                .asserted_columns
                .push((table.to_owned(), column.to_owned()));
        }
        self.assert_same(&actual, &expected, || {
            if expected.is_empty() {
                format!("expected no rows of {table} to be changed")
            } else {
                format!(
                    "expected these of {table}.{column} to be changed, and no others: {expected}"
                )
            }
        });
    }
}
