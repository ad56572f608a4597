//! Tables in constants.

use crate::const_check::compare::same;
use crate::const_check::message::Message;
use crate::schema::Table;

/// Appends `schema.table`.
pub(super) const fn push_name(message: Message, table: Table) -> Message {
    message.push(table.schema).push(".").push(table.name)
}

pub(super) const fn same_table(a: Table, b: Table) -> bool {
    same(a.schema, b.schema) && same(a.name, b.name)
}
