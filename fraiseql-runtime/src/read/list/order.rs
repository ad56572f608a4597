//! In which order documents are listed.

use super::error::ListError;
use super::fields;
use super::fields::Column;
use crate::schema::View;
use crate::sql::list::Term;

/// By how many fields a list may be ordered.
const MOST_TERMS: usize = 8;

/// The direction of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The smallest first.
    Asc,
    /// The largest first.
    Desc,
}

/// Where nulls are in an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Nulls {
    /// Before all values.
    First,
    /// After all values.
    Last,
}

/// One term of an order: a field with `#[tview(sort)]`, or the key.
///
/// Values have the order of their type in PostgreSQL: texts that of the database's collation,
/// enums that of their names. Nulls are last, or first where the order is descending, as in
/// PostgreSQL, unless [`nulls`](Self::nulls) says where.
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
    /// By a field, which has its name in the document.
    pub fn new(field: impl Into<String>, direction: Direction) -> Self {
        Self {
            field: field.into(),
            direction,
            nulls: None,
        }
    }

    /// By a field, the smallest first.
    pub fn asc(field: impl Into<String>) -> Self {
        Self::new(field, Direction::Asc)
    }

    /// By a field, the largest first.
    pub fn desc(field: impl Into<String>) -> Self {
        Self::new(field, Direction::Desc)
    }

    /// Says where nulls are.
    #[must_use]
    pub fn nulls(mut self, nulls: Nulls) -> Self {
        self.nulls = Some(nulls);
        self
    }
}

/// The order of a list: what was asked for, and the key, so that no two documents have the same
/// place.
pub(super) struct Order {
    pub(super) terms: Vec<Term>,
    pub(super) columns: Vec<Column>,
}

impl Order {
    pub(super) fn of(view: &'static View, order: &[OrderBy]) -> Result<Self, ListError> {
        if order.len() > MOST_TERMS {
            return Err(ListError::TooLarge {
                what: "fields to order by",
                most: MOST_TERMS,
            });
        }
        let mut this = Self {
            terms: Vec::new(),
            columns: Vec::new(),
        };
        let mut ends = false;
        for by in order {
            let column = fields::sortable_field(view, &by.field)?;
            if this.terms.iter().any(|term| term.column == column.column) {
                return Err(ListError::Field {
                    field: column.json.to_owned(),
                    message: format!("`{}` is in the order twice", column.json),
                });
            }
            let descending = by.direction == Direction::Desc;
            let nulls_first = by.nulls.map_or(descending, |nulls| nulls == Nulls::First);
            // Behind the key there is nothing to order.
            if !ends {
                ends = column.is_key;
                this.push(column, descending, nulls_first);
            }
        }
        if !ends {
            // In the direction of the first, so that the index of (column, key) has the order.
            let descending = this.terms.first().is_some_and(|first| first.descending);
            this.push(fields::key(view), descending, descending);
        }
        Ok(this)
    }

    fn push(&mut self, column: Column, descending: bool, nulls_first: bool) {
        self.terms.push(Term {
            column: column.column,
            descending,
            nulls_first,
            is_key: column.is_key,
            as_text: column.is_as_text(),
        });
        self.columns.push(column);
    }

    /// A number that tells orders apart, and the documents they are of.
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
        crate::sql::ddl::hash(&text)
    }
}
