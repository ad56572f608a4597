//! The fields that a list can be filtered and ordered by, as columns of the view table.

use super::encode::ValueType;
use super::error::ListError;
use crate::schema::scalar::ScalarType;
use crate::schema::{Field, Source, View};

/// A field that is a column of the view table.
#[derive(Clone, Copy, Debug)]
pub(super) struct ListColumn {
    /// The field's name in the document.
    pub(super) json: &'static str,
    pub(super) column: &'static str,
    pub(super) ty: &'static ScalarType,
    pub(super) is_key: bool,
}

impl ListColumn {
    /// Whether its values are sent as text, and have to be read as text.
    pub(super) fn is_text_cast(&self) -> bool {
        matches!(ValueType::of(self.ty), ValueType::Other(_))
    }
}

/// The fields that documents can be filtered by: the key, and the fields with `#[tview(filter)]`,
/// `#[tview(sort)]` or `#[tview(unique)]`.
///
/// ```
/// use fraiseql_runtime::TView;
/// use fraiseql_runtime::list::{filterable, sortable};
///
/// #[derive(TView)]
/// struct Post {
///     id: i64,
///     title: String,
///     #[tview(filter)]
///     published: bool,
///     #[tview(sort)]
///     rating: Option<i32>,
/// }
/// # fn main() {
/// let names = |fields: Vec<&fraiseql_runtime::schema::Field>| {
///     fields.iter().map(|field| field.json).collect::<Vec<_>>()
/// };
/// assert_eq!(names(filterable(Post::VIEW)), ["id", "published", "rating"]);
/// assert_eq!(names(sortable(Post::VIEW)), ["id", "rating"]);
/// # }
/// ```
#[must_use]
pub fn filterable(view: &'static View) -> Vec<&'static Field> {
    // Not a tenant without one of these: all documents of a read have the same.
    key_and_promoted(view, |field, _| {
        let promoted = field.promoted;
        promoted.is_some_and(|promoted| promoted.filter || promoted.sort || promoted.unique)
    })
}

/// The fields that documents can be ordered by: the key, and the fields with `#[tview(sort)]`
/// that are not lists.
#[must_use]
pub fn sortable(view: &'static View) -> Vec<&'static Field> {
    key_and_promoted(view, |field, ty| {
        field.promoted.is_some_and(|promoted| promoted.sort) && ty.list.is_none()
    })
}

/// The field of the key, and the promoted fields that `include` selects.
fn key_and_promoted(
    view: &'static View,
    include: impl Fn(&Field, &ScalarType) -> bool,
) -> Vec<&'static Field> {
    let fields = view.shape.fields.iter();
    fields
        .filter(|field| {
            key_place(view, field).is_some()
                || field.promoted.is_some()
                    && field.source.scalar().is_some_and(|ty| include(field, ty))
        })
        .collect()
}

/// The place in the key of the column that a field reads. A promoted field can be read from the same
/// column of the base table, and has a column of its own in the view table.
fn key_place(view: &'static View, field: &Field) -> Option<usize> {
    let Source::Column { column, ty } = &field.source else {
        return None;
    };
    if field.promoted.is_some() {
        return None;
    }
    let mut key = view.key.iter();
    key.position(|(name, key_type)| name == *column && key_type == ty)
}

/// The columns of the key.
pub(super) fn key(view: &'static View) -> Vec<ListColumn> {
    let stored = view.key_columns();
    let columns = view.key.iter().zip(stored).enumerate();
    columns
        .map(|(place, ((name, ty), column))| {
            let mut fields = view.shape.fields.iter();
            let field = fields.find(|field| key_place(view, field) == Some(place));
            ListColumn {
                json: field.map_or(name, |field| field.json),
                column,
                ty,
                is_key: true,
            }
        })
        .collect()
}

/// How fields are used, for error messages.
struct Usage {
    verb: &'static str,
    attribute: &'static str,
    label: &'static str,
}

/// The column of a field that a filter names.
pub(super) fn filterable_field(view: &'static View, name: &str) -> Result<ListColumn, ListError> {
    let usage = Usage {
        verb: "filtered",
        attribute: "filter",
        label: "Filterable fields",
    };
    find(view, name, &filterable(view), &usage)
}

/// The column of a field that an order names.
pub(super) fn sortable_field(view: &'static View, name: &str) -> Result<ListColumn, ListError> {
    let usage = Usage {
        verb: "ordered",
        attribute: "sort",
        label: "Sortable fields",
    };
    find(view, name, &sortable(view), &usage)
}

fn find(
    view: &'static View,
    name: &str,
    fields: &[&'static Field],
    usage: &Usage,
) -> Result<ListColumn, ListError> {
    let found = fields.iter().find(|field| field.json == name);
    let Some((field, ty)) = found.and_then(|field| Some((*field, field.source.scalar()?))) else {
        return Err(unusable(view, name, fields, usage));
    };
    match field.promoted {
        Some(promoted) => Ok(ListColumn {
            json: field.json,
            column: promoted.column,
            ty,
            is_key: false,
        }),
        None => {
            let column = key_place(view, field).and_then(|place| key(view).get(place).copied());
            column.ok_or_else(|| unusable(view, name, fields, usage))
        }
    }
}

/// The error for a name that is not one of `fields`.
fn unusable(
    view: &'static View,
    name: &str,
    fields: &[&'static Field],
    usage: &Usage,
) -> ListError {
    let field = view.shape.fields.iter().find(|field| field.json == name);
    let reason = match field.map(|field| field.source.scalar()) {
        None => "there is no such field".to_owned(),
        Some(None) => "it is not a scalar field".to_owned(),
        Some(Some(ty)) if ty.list.is_some() && usage.attribute == "sort" => {
            "it is a list".to_owned()
        }
        Some(Some(_)) => format!("it has no #[tview({})]", usage.attribute),
    };
    let problem = format!("documents cannot be {} by {{}}: {reason}", usage.verb);
    let names = fields.iter().map(|field| field.json);
    ListError::field(name, &problem, usage.label, names)
}
