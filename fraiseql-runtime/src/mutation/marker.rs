//! `Marker`: adds marks of a mutation or of a savepoint, and notices those that match nothing.

use std::panic::Location;

use crate::error::{Error, Result};
use crate::mutation::change_set::ChangeSet;
use crate::mutation::dependents::index::DependencyIndex;
use crate::read::typed::TView;
use crate::schema::Table;
use crate::schema::columns::ColumnNames;
use crate::schema::key::{Key, Keys};
use crate::schema::naming::table_name;
use crate::schema::row_key::Keyed;

/// The columns that a user names for values of the type `K`.
///
/// # Errors
/// If they are more or fewer than the values have.
pub(crate) fn named_columns<K: Key>(table: Table, names: &str) -> Result<ColumnNames> {
    let columns = match K::COLUMNS {
        1 => ColumnNames::from(names),
        _ => ColumnNames::separated(names),
    };
    if columns.names().len() == K::COLUMNS {
        return Ok(columns);
    }
    Err(Error::ColumnCount {
        table: table_name(table),
        columns: names.to_owned(),
        values: K::COLUMNS,
    })
}

/// Adds marks to those of a mutation or of a savepoint.
pub(super) struct Marker<'m> {
    pub(super) index: &'m DependencyIndex,
    pub(super) marks: &'m mut ChangeSet,
}

impl Marker<'_> {
    #[track_caller]
    pub(super) fn changed<T: Keyed>(self, keys: &[T::RowKey]) {
        match self.known::<T>("changed") {
            Ok(table) => self.marks.changed_rows(table, T::SHAPE.key_columns(), keys),
            Err(mistake) => self.note(mistake),
        }
    }

    #[track_caller]
    pub(super) fn inserted<T: Keyed>(self, keys: &[T::RowKey]) {
        match self.known::<T>("inserted") {
            Ok(table) => self
                .marks
                .inserted_rows(table, T::SHAPE.key_columns(), keys),
            Err(mistake) => self.note(mistake),
        }
    }

    pub(super) fn changed_rows<K: Key>(
        self,
        table: &str,
        column: &str,
        values: &[K],
    ) -> Result<()> {
        let table = self.index.table_named(table)?;
        let columns = named_columns::<K>(table, column)?;
        self.marks.changed_rows(table, columns, values);
        Ok(())
    }

    pub(super) fn resync<V: TView>(self, keys: &[V::Key]) {
        let view = V::handle().in_schema(self.index.schema());
        self.marks.resync(view, Keys::of(keys));
    }

    /// The table of `T`.
    ///
    /// # Errors
    /// If no document is made of its rows.
    #[track_caller]
    pub(super) fn known<T: Keyed>(&self, method: &str) -> Result<Table> {
        let table = self.index.schema().table(T::SHAPE.table);
        // A mark of a view that the read model lacks expects its documents to be synced, also if
        // others are made of the same rows.
        let is_foreign_view = T::IS_VIEW && !self.index.contains(T::SHAPE);
        if self.index.knows(table) && !is_foreign_view {
            return Ok(table);
        }
        let name = table_name(table);
        Err(Error::UnknownMark {
            mark: format!("{method}::<{}>", T::SHAPE.name),
            near: self.index.nearest_table(&name).filter(|_| !T::IS_VIEW),
            table: name,
            view: T::IS_VIEW,
            location: Location::caller(),
        })
    }

    fn note(self, mistake: Error) {
        self.marks.mistake.get_or_insert(mistake);
    }
}
