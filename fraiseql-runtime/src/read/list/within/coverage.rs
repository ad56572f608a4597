//! The fields of documents that a GIN index has.

use crate::read::list::error::ListError;
use crate::read::list::operator::Operator;
use crate::schema::{Data, Field, Index, IndexOn, SearchText, Shape, Source, Storage, View};

/// The fields whose parts or JSON documents can be filtered by: those in a GIN index, that of the whole document or
/// of the field.
///
/// ```
/// use fraiseql_runtime::list::embedded;
/// use fraiseql_runtime::{Embed, TView};
///
/// #[derive(TView)]
/// #[tview(index(gin = "comments"))]
/// struct Post {
///     id: i64,
///     #[tview(one(fk = "author_id"))]
///     author: Author,
///     #[tview(many(fk = "post_id"))]
///     comments: Vec<Comment>,
/// }
/// # #[derive(Embed)]
/// # #[tview(table = "tb_user")]
/// # struct Author { id: i64 }
/// # #[derive(Embed)]
/// # struct Comment { id: i64 }
/// # fn main() {
/// let names: Vec<&str> = embedded(Post::VIEW).iter().map(|field| field.json).collect();
/// assert_eq!(names, ["comments"]);
/// # }
/// ```
#[must_use]
pub fn embedded(view: &'static View) -> Vec<&'static Field> {
    let fields = view.shape.shown_fields();
    let with_objects = fields.filter(|field| field.source.part().is_some() || is_json(field));
    with_objects
        .filter(|field| indexed(view, field).is_some())
        .collect()
}

/// The fields of a part that documents can be filtered by: parts, JSON, and values of which equal ones have equal
/// JSON. Those are not decimals, times and instants, whose digits vary.
#[must_use]
pub fn filterable_in(shape: &'static Shape) -> Vec<&'static Field> {
    let fields = shape.shown_fields();
    let can_filter = |field: &&Field| match field.source.scalar() {
        Some(ty) => is_json(field) || !Operator::within(ty).is_empty(),
        None => true,
    };
    fields.filter(can_filter).collect()
}

/// The names of the searches that a view has, each by a full-text index that has all of its documents: `search` is the
/// first that the view declares.
#[must_use]
pub fn searches(view: &'static View) -> Vec<&'static str> {
    searches_of(view).map(|search| search.name).collect()
}

/// A full-text index.
pub(in crate::read::list) struct Search {
    pub(in crate::read::list) name: &'static str,
    pub(in crate::read::list) texts: &'static [SearchText],
    pub(in crate::read::list) language: &'static str,
}

fn searches_of(view: &'static View) -> impl Iterator<Item = Search> + Clone {
    view.indexes.iter().filter_map(|index| match index.on {
        IndexOn::FullText {
            texts,
            language,
            search: Some(name),
        } => Some(Search {
            name,
            texts,
            language,
        }),
        _ => None,
    })
}

/// The search with a name; by default, the first.
pub(in crate::read::list) fn search(
    view: &'static View,
    name: Option<&str>,
) -> Result<Search, ListError> {
    let mut searches = searches_of(view);
    let names = searches.clone().map(|search| search.name);
    match name {
        None => searches.next().ok_or_else(|| {
            let attribute = "#[tview(index(fulltext = \"..\"))]";
            let problem = format!("documents cannot be searched: {{}} needs {attribute}");
            ListError::field("search", &problem, "Searches", names)
        }),
        Some(name) => searches.find(|search| search.name == name).ok_or_else(|| {
            let problem = "documents cannot be searched by {}: there is no such search";
            ListError::field(name, problem, "Searches", names)
        }),
    }
}

/// Where an index has the value of a field.
pub(super) struct Indexed {
    /// The path of the value that is indexed, in the document.
    pub(super) index: &'static [&'static str],
    /// The SQL/JSON path from that value to the value of the field.
    pub(super) path: String,
}

/// The index that has a field's value: that of the field before that of the whole document. A partial index does not
/// have all documents.
pub(super) fn indexed(view: &View, field: &Field) -> Option<Indexed> {
    let paths = view.indexes.iter().filter_map(|index| match index {
        Index {
            on: IndexOn::Gin(path),
            filter: None,
            ..
        } => Some(*path),
        _ => None,
    });
    let own = paths.clone().find(|path| **path == [field.json]);
    let whole = || paths.clone().find(|path| path.is_empty());
    let index = own.or_else(whole)?;
    Some(Indexed {
        index,
        path: match index {
            [] => member("$", field.json),
            _ => "$".to_owned(),
        },
    })
}

/// The field with this name that holds parts or JSON, and where an index has it.
pub(super) fn embedded_field(
    view: &'static View,
    name: &str,
) -> Result<(&'static Field, Indexed), ListError> {
    let mut fields = view.shape.shown_fields();
    let field = fields.find(|field| field.json == name);
    let reason = match field {
        None => "there is no such field".to_owned(),
        Some(field) if field.source.part().is_none() && !is_json(field) => {
            "it has neither parts nor JSON".to_owned()
        }
        Some(field) => match indexed(view, field) {
            Some(indexed) => return Ok((field, indexed)),
            None if view.data == Data::Json => {
                "documents are stored as json, of which there are no such indexes".to_owned()
            }
            None if view.storage == Storage::Live => {
                "a live view has no table, and so no index".to_owned()
            }
            None => format!("no index has what is in it; add #[tview(index(gin = \"{name}\"))]"),
        },
    };
    let problem = format!("documents cannot be filtered by what is in {{}}: {reason}");
    let names = embedded(view).into_iter().map(|field| field.json);
    Err(ListError::field(
        name,
        &problem,
        "Fields with an index",
        names,
    ))
}

/// Whether a name is that of a field with parts or JSON, which is not a column.
pub(in crate::read::list) fn is_embedded(view: &View, name: &str) -> bool {
    let mut fields = view.shape.shown_fields();
    let field = fields.find(|field| field.json == name);
    field.is_some_and(|field| field.source.part().is_some() || is_json(field))
}

/// Whether the value of a field is any JSON.
pub(super) fn is_json(field: &Field) -> bool {
    let ty = field.source.scalar();
    ty.is_some_and(|ty| ty.is_json() && ty.list.is_none())
}

/// Whether a field with a part may be null.
pub(super) fn may_be_null(source: &Source) -> bool {
    match source {
        Source::One(one) => one.nullable,
        Source::First(_) => true,
        _ => false,
    }
}

/// The SQL/JSON path to a member of an object.
pub(super) fn member(path: &str, key: &str) -> String {
    // The escapes of a text in a path are those of JSON.
    format!("{path}.{}", serde_json::Value::from(key))
}
