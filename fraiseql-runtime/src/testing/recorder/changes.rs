//! A recorder in the place of a mutation: what it is told was changed.

use std::fmt;

use crate::error::Result;
use crate::mutation::marks::Changes;
use crate::read::typed::TView;
use crate::schema::Table;
use crate::schema::key::{Key, Keys};
use crate::schema::row_key::Keyed;
use crate::testing::recorder::Recorder;

/// Rows that a recorder was told of.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// What was said of them.
    pub kind: ChangeKind,
    /// The table: `tb_comment`, or `schema.table` where that is not `public`; of
    /// [`ChangeKind::Resync`] the view table.
    pub table: String,
    /// The column that names the rows.
    pub column: String,
    /// Its values, each once and in order.
    pub keys: Keys,
}

/// What is said of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChangeKind {
    /// By `changed` or `changed_rows`.
    Changed,
    /// By `inserted`.
    Inserted,
    /// By `resync`.
    Resync,
}

impl fmt::Display for Change {
    /// `changed tb_comment.id 7, 8`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = match self.kind {
            ChangeKind::Changed => "changed",
            ChangeKind::Inserted => "inserted",
            ChangeKind::Resync => "resync",
        };
        write!(f, "{said} {}.{} {}", self.table, self.column, self.keys)
    }
}

/// A recorder takes the place of a mutation where a service only marks what it changes. It is
/// not asked which documents depend on that: see [`Recorder::assert_changed`].
impl Changes for Recorder {
    fn changed<T: Keyed>(&mut self, keys: &[T::RowKey]) {
        self.mark(
            ChangeKind::Changed,
            shown(T::SHAPE.table),
            T::SHAPE.key_column(),
            keys,
        );
    }

    fn inserted<T: Keyed>(&mut self, keys: &[T::RowKey]) {
        self.mark(
            ChangeKind::Inserted,
            shown(T::SHAPE.table),
            T::SHAPE.key_column(),
            keys,
        );
    }

    fn changed_rows<K: Key>(&mut self, table: &str, column: &str, values: &[K]) -> Result<()> {
        let table = table.strip_prefix("public.").unwrap_or(table);
        self.mark(ChangeKind::Changed, table.to_owned(), column, values);
        Ok(())
    }

    fn resync<V: TView>(&mut self, keys: &[V::Key]) {
        self.mark(
            ChangeKind::Resync,
            shown(V::VIEW.table),
            V::VIEW.key.column,
            keys,
        );
    }
}

fn shown(table: Table) -> String {
    if table.schema == "public" {
        table.name.to_owned()
    } else {
        format!("{}.{}", table.schema, table.name)
    }
}

impl Recorder {
    /// What it was told was changed, in order. A call without keys is not recorded.
    #[must_use]
    pub fn changes(&self) -> Vec<Change> {
        self.lock().changes.clone()
    }

    /// Asserts that exactly these rows of `T`'s table were said to be changed or inserted, in any
    /// order and however often, and no others.
    ///
    /// # Panics
    /// When others were. It prints what is missing, what is too much, and all that was recorded.
    #[track_caller]
    pub fn assert_changed<T: Keyed>(&self, keys: &[T::RowKey]) {
        self.assert_rows(
            &[ChangeKind::Changed, ChangeKind::Inserted],
            &shown(T::SHAPE.table),
            T::SHAPE.key_column(),
            keys,
        );
    }

    /// The same of rows of a table without a struct, by the values of one of its columns.
    ///
    /// # Panics
    /// When others were.
    #[track_caller]
    pub fn assert_changed_rows<K: Key>(&self, table: &str, column: &str, values: &[K]) {
        let table = table.strip_prefix("public.").unwrap_or(table);
        self.assert_rows(&[ChangeKind::Changed], table, column, values);
    }

    /// Asserts that exactly the documents of these keys were said to be synced again.
    ///
    /// # Panics
    /// When others were.
    #[track_caller]
    pub fn assert_resynced<V: TView>(&self, keys: &[V::Key]) {
        let (table, column) = (shown(V::VIEW.table), V::VIEW.key.column);
        self.assert_rows(&[ChangeKind::Resync], &table, column, keys);
    }

    /// Asserts that nothing was said to be changed.
    ///
    /// # Panics
    /// When something was.
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
        let is_meant = |change: &&Change| {
            kinds.contains(&change.kind) && change.table == table && change.column == column
        };
        let expected = Keys::of(keys);
        let mut actual = expected.none();
        {
            let mut record = self.lock();
            for change in record.changes.iter().filter(is_meant) {
                actual.unite(change.keys.clone());
            }
            record
                .expected_changes
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
