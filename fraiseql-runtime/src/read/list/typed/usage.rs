//! What a list can do with a field: the last parameter of a `Column`.

/// A key, or a field with `#[tview(sort)]`: lists are filtered and ordered by it.
#[derive(Clone, Copy, Debug)]
pub enum FilterAndOrder {}

/// A field with `#[tview(filter)]` or `#[tview(unique)]`: lists are filtered by it.
#[derive(Clone, Copy, Debug)]
pub enum FilterOnly {}

/// A field that is not a column of the view table.
#[derive(Clone, Copy, Debug)]
pub enum NoColumn {}

/// Fields that lists are filtered by.
#[diagnostic::on_unimplemented(
    message = "lists cannot be filtered by this field: it has no #[tview(filter)]",
    label = "needs #[tview(filter)] on the field",
    note = "#[tview(filter)] makes the field a column of the view table, with an index; so do \
            #[tview(sort)] and #[tview(unique)]"
)]
pub trait CanFilter {}

impl CanFilter for FilterAndOrder {}
impl CanFilter for FilterOnly {}

/// Fields that lists are ordered by.
#[diagnostic::on_unimplemented(
    message = "lists cannot be ordered by this field: it has no #[tview(sort)]",
    label = "needs #[tview(sort)] on the field",
    note = "#[tview(sort)] makes the field a column of the view table, with an index on it and the key"
)]
pub trait CanOrder {}

impl CanOrder for FilterAndOrder {}
