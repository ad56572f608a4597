//! `OrderBy`: the order of the documents of a list.

use super::error::ListError;
use super::fields;
use super::fields::ListColumn;
use crate::schema::View;
use crate::schema::scalar::JsonEncoding;
use crate::sql::list::Term;

/// The maximum number of fields that a list is ordered by.
const MAX_TERMS: usize = 8;

/// The direction of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Ascending: the smallest value first.
    Asc,
    /// Descending: the largest value first.
    Desc,
}

/// The position of nulls in an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Nulls {
    /// Before all values.
    First,
    /// After all values.
    Last,
}

/// One term of an order: a field with `#[tview(sort)]`, or the key.
///
/// Values are ordered as PostgreSQL orders their type: texts by the collation of the database.
/// Enums are ordered as their variants are declared. By default nulls are last in an ascending and first in a descending order,
/// as in PostgreSQL; [`nulls`](Self::nulls) changes it.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
/// use fraiseql_runtime::list::{List, Nulls, OrderBy};
///
/// #[derive(TView)]
/// pub struct Post {
///     pub id: i64,
///     #[tview(sort)]
///     pub rating: Option<i32>,
/// }
/// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, rating int4);
/// #     INSERT INTO tb_post VALUES (7, 3), (8, NULL), (9, 5)", async |pool| {
/// # migrate::<Post>(&pool).await;
/// # sync_all_posts(&pool).await?;
/// let best = List::of::<Post>().order_by(OrderBy::desc("rating").nulls(Nulls::Last));
/// let posts = best.fetch::<Post>(&pool).await?;
/// assert_eq!(posts.iter().map(|post| post.id).collect::<Vec<_>>(), [9, 7, 8]);
/// # Ok(()) }) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OrderBy {
    field: String,
    direction: Direction,
    nulls: Option<Nulls>,
}

impl OrderBy {
    /// Orders by a field, named as in the document.
    pub fn new(field: impl Into<String>, direction: Direction) -> Self {
        Self {
            field: field.into(),
            direction,
            nulls: None,
        }
    }

    /// Orders by a field, ascending.
    pub fn asc(field: impl Into<String>) -> Self {
        Self::new(field, Direction::Asc)
    }

    /// Orders by a field, descending.
    pub fn desc(field: impl Into<String>) -> Self {
        Self::new(field, Direction::Desc)
    }

    /// Sets the position of nulls.
    #[must_use]
    pub fn nulls(mut self, nulls: Nulls) -> Self {
        self.nulls = Some(nulls);
        self
    }
}

/// The complete order of a list: the terms that the caller set, and the key, so that no two
/// documents are equal in it.
pub(super) struct Order {
    pub(super) terms: Vec<Term>,
    pub(super) columns: Vec<ListColumn>,
}

impl Order {
    /// With `by_tenant`, all documents are of one tenant: if it is of the key, the rest of the key tells them apart.
    pub(super) fn of(
        view: &'static View,
        order: &[OrderBy],
        by_tenant: bool,
    ) -> Result<Self, ListError> {
        if order.len() > MAX_TERMS {
            return Err(ListError::TooLarge {
                what: "fields to order by",
                limit: MAX_TERMS,
            });
        }
        let mut this = Self {
            terms: Vec::new(),
            columns: Vec::new(),
        };
        let mut key = fields::key(view);
        if let Some(tenant) = view.tenant.filter(|_| by_tenant && key.len() > 1) {
            key.retain(|key| key.column != tenant.column);
        }
        let is_complete = |terms: &[Term]| {
            let mut key = key.iter();
            key.all(|key| terms.iter().any(|term| term.column == key.column))
        };
        for by in order {
            let column = fields::sortable_field(view, &by.field)?;
            if this.terms.iter().any(|term| term.column == column.column) {
                return Err(ListError::Field {
                    field: column.json.to_owned(),
                    message: format!("`{}` occurs twice in the order", column.json),
                });
            }
            let descending = by.direction == Direction::Desc;
            let nulls_first = by.nulls.map_or(descending, |nulls| nulls == Nulls::First);
            // No two documents have the same key, so terms after it have no effect.
            if !is_complete(&this.terms) {
                this.push(view, column, descending, nulls_first);
            }
        }
        // In the direction of the first term, so that the index on (column, key) can be scanned in
        // this order.
        let descending = this.terms.first().is_some_and(|first| first.descending);
        for column in key.iter().copied() {
            if this.terms.iter().all(|term| term.column != column.column) {
                this.push(view, column, descending, descending);
            }
        }
        Ok(this)
    }

    fn push(&mut self, view: &View, column: ListColumn, descending: bool, nulls_first: bool) {
        self.terms.push(Term {
            column: column.column,
            descending,
            nulls_first,
            is_key: column.is_key,
            is_whole_key: column.is_key && view.key.single().is_some(),
            as_text: column.is_text_cast(),
            names: match column.ty.encoding {
                JsonEncoding::Enum(table) => Some(table),
                _ => None,
            },
        });
        self.columns.push(column);
    }

    /// A hash of the view table and the order. A cursor holds it, and is valid only for lists with
    /// the same one.
    pub(super) fn fingerprint(&self, view: &View) -> u64 {
        let mut text = view.table.to_string();
        for (term, column) in self.terms.iter().zip(&self.columns) {
            text.push_str(&format!(
                " {}:{} {} {} {}",
                term.column.len(),
                term.column,
                column.ty.sql,
                term.descending,
                term.nulls_first
            ));
        }
        crate::sql::hash::fnv1a(&text)
    }
}
