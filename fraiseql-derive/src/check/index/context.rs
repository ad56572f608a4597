//! The properties of a view that its indexes are checked against.

use crate::model::Field;

/// A view whose indexes are checked.
pub(crate) struct Context<'a> {
    pub(crate) fields: &'a [Field],
    /// Whether `fields` has all fields. If not, an unknown name may be that of an invalid field.
    pub(crate) complete: bool,
    /// Whether documents are stored as json.
    pub(crate) json_text: bool,
    /// The columns beside the key and the promoted columns that an index can be on.
    pub(crate) bookkeeping: &'static [&'static str],
    pub(crate) partitioned: bool,
    /// Whether it is partitioned by the tenant, with which indexes begin that are not `global`.
    pub(crate) by_tenant: bool,
    pub(crate) has_tenant: bool,
    /// The name of the view table.
    pub(crate) table: &'a str,
}
