//! Lists of scalars: one value of each row that refers to a row.

use super::composer::{Composer, SqlWriter};
use super::from::write_from;
use super::lists::array_join;
use crate::schema::{Columns, Shape, Values};
use crate::sql::text::{Sql, column};
use crate::sql::values;

impl Composer {
    /// A list of values as a join, because its encoding uses the array several times. Without rows the
    /// array is empty, and never null.
    pub(super) fn values(
        &mut self,
        list: &'static Values,
        shape: &Shape,
        row: &str,
        path: &str,
    ) -> (String, SqlWriter) {
        let inner = self.alias(path);
        let outer = self.alias(&format!("_{path}"));
        let parent = (row, list.key.unwrap_or(shape.key_columns()));
        let (link, on) = self.link(list.link, Columns::ID, &inner, parent, path);
        let (through, link) = link.unzip();
        let order = values::order(list, &inner, through.as_deref());
        let value = values::value(list, &inner);
        let alias = column(&outer, "values");
        let array: SqlWriter = Box::new(move |sql: &mut Sql| {
            match order.distinct_on {
                Some(distinct) => sql.line(format!("SELECT DISTINCT ON ({distinct}) {value}")),
                None => sql.line(format!("SELECT {value}")),
            }
            write_from(sql, list.table, &inner, list.filter.as_slice());
            if let Some(link) = link {
                sql.line(link);
            }
            sql.conditions("WHERE", &[on]);
            sql.line(format!("ORDER BY {}", order.terms.join(", ")));
            if let Some(limit) = list.limit {
                sql.line(format!("LIMIT {limit}"));
            }
        });
        (alias, array_join(outer, "values", array))
    }
}
