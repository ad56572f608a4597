//! The fields that a list can be filtered and ordered by.

use super::error::ListError;
use super::value::Kind;
use crate::schema::scalar::ScalarType;
use crate::schema::{Field, Source, View};

/// A field as a column of the view table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    /// The name in the document.
    pub(super) json: &'static str,
    pub(super) column: &'static str,
    pub(super) ty: &'static ScalarType,
    pub(super) is_key: bool,
}

impl Column {
    /// Whether its values are sent and answered as text.
    pub(super) fn is_as_text(&self) -> bool {
        matches!(Kind::of(self.ty), Kind::Other(_))
    }
}

/// The fields by which documents can be filtered: the key, and those that are promoted.
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
    fields(view, |_, _| true)
}

/// The fields by which documents can be ordered: the key, and those with `#[tview(sort)]` but
/// for lists.
#[must_use]
pub fn sortable(view: &'static View) -> Vec<&'static Field> {
    fields(view, |field, ty| {
        field.promoted.is_some_and(|promoted| promoted.sort) && ty.list.is_none()
    })
}

fn fields(
    view: &'static View,
    promoted: impl Fn(&Field, &ScalarType) -> bool,
) -> Vec<&'static Field> {
    let key = key_field(view);
    view.shape
        .fields
        .iter()
        .filter(|field| {
            key.is_some_and(|key| std::ptr::eq(key, *field))
                || field.promoted.is_some() && scalar(field).is_some_and(|ty| promoted(field, ty))
        })
        .collect()
}

/// The type of a field that is a value.
pub(super) fn scalar(field: &'static Field) -> Option<&'static ScalarType> {
    match &field.source {
        Source::Column { ty, .. } | Source::Expr { ty, .. } => Some(ty),
        Source::Aggregate(aggregate) => Some(&aggregate.ty),
        Source::One(_) | Source::Many(_) => None,
    }
}

/// The field that is the key. Others may be of the same column.
fn key_field(view: &'static View) -> Option<&'static Field> {
    view.shape.fields.iter().find(|field| {
        field.promoted.is_none()
            && matches!(&field.source, Source::Column { column, ty }
                if *column == view.key.column && *ty == view.key.ty)
    })
}

/// The key as a column.
pub(super) fn key(view: &'static View) -> Column {
    Column {
        json: key_field(view).map_or(view.key.column, |field| field.json),
        column: view.key.column,
        ty: &view.key.ty,
        is_key: true,
    }
}

pub(super) fn filterable_field(view: &'static View, name: &str) -> Result<Column, ListError> {
    find(view, name, &filterable(view), "filtered", "filter")
}

pub(super) fn sortable_field(view: &'static View, name: &str) -> Result<Column, ListError> {
    find(view, name, &sortable(view), "ordered", "sort")
}

fn find(
    view: &'static View,
    name: &str,
    fields: &[&'static Field],
    verb: &str,
    attribute: &str,
) -> Result<Column, ListError> {
    let found = fields.iter().find(|field| field.json == name);
    let Some((field, ty)) = found.and_then(|field| Some((*field, scalar(field)?))) else {
        let field = view.shape.fields.iter().find(|field| field.json == name);
        let why = match field.map(scalar) {
            None => "which they do not have".to_owned(),
            Some(None) => "which is not a value of theirs".to_owned(),
            Some(Some(ty)) if ty.list.is_some() && attribute == "sort" => {
                "which is a list".to_owned()
            }
            Some(Some(_)) => format!("which has no #[tview({attribute})]"),
        };
        let trouble = format!("documents cannot be {verb} by {{}}, {why}");
        let names = fields.iter().map(|field| field.json);
        return Err(ListError::field(name, &trouble, names));
    };
    match field.promoted {
        Some(promoted) => Ok(Column {
            json: field.json,
            column: promoted.column,
            ty,
            is_key: false,
        }),
        None => Ok(key(view)),
    }
}
