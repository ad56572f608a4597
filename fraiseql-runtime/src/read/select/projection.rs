//! A selection, compiled against a struct.

use std::fmt;
use std::sync::Arc;

use super::compile;
use super::compile::{Empty, Plan};
use super::error::{ProjectionError, Segment, SelectionError};
use super::order::StoredKeys;
use super::selection::Selection;
use super::write;
use crate::schema::embed::Embed;
use crate::schema::{Shape, Source};

/// A selection, compiled against the table of a struct: writes documents with the fields that
/// were selected, in the order of the selection.
///
/// Compile it once and keep it: it can be cloned and shared at no cost.
///
/// ```
/// use fraiseql_runtime::{Embed, Projection, TView};
///
/// #[derive(TView)]
/// struct Post {
///     id: i64,
///     title: String,
///     #[tview(one(fk = "editor_id"))]
///     editor: Option<Editor>,
/// }
///
/// #[derive(Embed)]
/// #[tview(table = "tb_user")]
/// struct Editor { id: i64, full_name: String }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let projection = Projection::of::<Post>(&"{ __typename n: id editor { fullName } }".parse()?)?;
/// let mut answer = Vec::new();
/// projection.write(br#"{"id": 7, "title": "Notes", "editor": null}"#, &mut answer)?;
/// assert_eq!(answer, br#"{"__typename":"Post","n":7,"editor":null}"#);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Projection {
    shape: &'static Shape,
    selection: Arc<Selection>,
    stored: StoredKeys,
    /// `None` where documents are copied as they are.
    plan: Option<Arc<Plan>>,
    /// Everything is wanted, as it is stored.
    all: bool,
}

impl Projection {
    /// Compiles a selection of the fields of `T`.
    ///
    /// # Errors
    /// When `T` has no such field, an object is without a selection of its fields, a scalar is
    /// with one, or one name of the answer stands for two fields. All faults are told at once.
    pub fn of<T: Embed>(selection: &Selection) -> Result<Self, SelectionError> {
        Self::of_shape(T::SHAPE, selection)
    }

    /// [`of`](Self::of), for a struct that is known by its table.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub fn of_shape(shape: &'static Shape, selection: &Selection) -> Result<Self, SelectionError> {
        Self::compiled(shape, selection, Empty::Refused)
    }

    /// [`of_shape`](Self::of_shape), where an object of which nothing is selected is `{}`: in
    /// GraphQL all of its fields can have been left out by `@skip`.
    #[doc(hidden)]
    pub fn of_asked(shape: &'static Shape, selection: &Selection) -> Result<Self, SelectionError> {
        Self::compiled(shape, selection, Empty::Written)
    }

    fn compiled(
        shape: &'static Shape,
        selection: &Selection,
        empty: Empty,
    ) -> Result<Self, SelectionError> {
        let plan = compile::compile(shape, selection, StoredKeys::Json, empty)?;
        Ok(Self {
            shape,
            selection: Arc::new(selection.clone()),
            stored: StoredKeys::Json,
            plan: Some(Arc::new(plan)),
            all: false,
        })
    }

    /// Everything that is in a document, as it is stored: the bytes are copied, and nothing is
    /// looked for in them.
    ///
    /// ```
    /// use fraiseql_runtime::{Projection, TView};
    ///
    /// #[derive(TView)]
    /// struct Post { id: i64, title: String }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut answer = Vec::new();
    /// Projection::all::<Post>().write(br#"{"id": 7, "title": "Notes"}"#, &mut answer)?;
    /// assert_eq!(answer, br#"{"id": 7, "title": "Notes"}"#);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn all<T: Embed>() -> Self {
        Self {
            shape: T::SHAPE,
            selection: Arc::new(Selection::everything(T::SHAPE)),
            stored: StoredKeys::Json,
            plan: None,
            all: true,
        }
    }

    /// Reads documents that call their fields by other names. The names in the answer stay;
    /// what would be copied by [`all`](Self::all) is written field by field.
    ///
    /// ```
    /// use fraiseql_runtime::select::StoredKeys;
    /// use fraiseql_runtime::{Projection, TView};
    ///
    /// #[derive(TView)]
    /// struct User { id: i64, full_name: String }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let projection = Projection::of::<User>(&"{ fullName }".parse()?)?.reading(StoredKeys::Rust);
    /// let mut answer = Vec::new();
    /// projection.write(br#"{"id": 7, "full_name": "Ada"}"#, &mut answer)?;
    /// assert_eq!(answer, br#"{"fullName":"Ada"}"#);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn reading(mut self, stored: StoredKeys) -> Self {
        if self.all && stored == StoredKeys::Json {
            self.plan = None;
        } else if stored != self.stored {
            // It was compiled before, or is of the table itself: a struct without fields has
            // nothing to be called otherwise.
            let plan = compile::compile(self.shape, &self.selection, stored, Empty::Written);
            self.plan = plan.ok().map(Arc::new);
        }
        self.stored = stored;
        self
    }

    /// The table of the struct that it was compiled against.
    #[must_use]
    pub fn shape(&self) -> &'static Shape {
        self.shape
    }

    /// What was selected.
    #[must_use]
    pub fn selection(&self) -> &Selection {
        &self.selection
    }

    /// The keys of the document's own lists of objects that are not selected. SQL that leaves
    /// them out does not change the answer.
    ///
    /// ```
    /// use fraiseql_runtime::{Embed, Projection, TView};
    ///
    /// #[derive(TView)]
    /// struct Post {
    ///     id: i64,
    ///     #[tview(many(fk = "post_id"))]
    ///     comments: Vec<Comment>,
    /// }
    ///
    /// #[derive(Embed)]
    /// struct Comment { id: i64 }
    ///
    /// # fn main() -> Result<(), fraiseql_runtime::select::SelectionError> {
    /// assert_eq!(Projection::of::<Post>(&"{ id }".parse()?)?.unselected_lists(), ["comments"]);
    /// assert!(Projection::all::<Post>().unselected_lists().is_empty());
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn unselected_lists(&self) -> Vec<&'static str> {
        let lists = self.shape.fields.iter().filter(|field| {
            let selected = || {
                self.selection
                    .fields()
                    .iter()
                    .any(|one| one.name == field.json)
            };
            matches!(field.source, Source::Many(_)) && !selected()
        });
        lists.map(|field| field.json).collect()
    }

    /// Appends what was selected of `document` to `out`.
    ///
    /// # Errors
    /// When `document` is no JSON object, or a value is null that cannot be. Then nothing is
    /// appended.
    pub fn write(&self, document: &[u8], out: &mut Vec<u8>) -> Result<(), ProjectionError> {
        let start = out.len();
        let mut errors = Vec::new();
        let written = self.write_with(document, out, &mut errors);
        match errors.into_iter().next() {
            None if written => Ok(()),
            error => {
                out.truncate(start);
                Err(error.unwrap_or_else(|| ProjectionError {
                    message: "nothing of it could be written".to_owned(),
                    path: Vec::new(),
                }))
            }
        }
    }

    /// Appends what was selected of `document` to `out`, as GraphQL answers: where a value is
    /// null that cannot be, the nearest object around it that can be is null, and the error is
    /// told. `false`, with nothing appended, where the whole document would be null.
    ///
    /// All such values are told, in the order of the answer. A value of the wrong kind, such as
    /// a number for an object, is told and is null.
    ///
    /// ```
    /// use fraiseql_runtime::{Embed, Projection, TView};
    ///
    /// #[derive(TView)]
    /// struct Post {
    ///     id: i64,
    ///     #[tview(one(fk = "editor_id"))]
    ///     editor: Option<Editor>,
    /// }
    ///
    /// #[derive(Embed)]
    /// #[tview(table = "tb_user")]
    /// struct Editor { id: i64, name: String }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let projection = Projection::of::<Post>(&"{ id editor { name } }".parse()?)?;
    /// let (mut answer, mut errors) = (Vec::new(), Vec::new());
    /// let document = br#"{"id": 7, "editor": {"id": 1, "name": null}}"#;
    /// assert!(projection.write_with(document, &mut answer, &mut errors));
    /// assert_eq!(answer, br#"{"id":7,"editor":null}"#);
    /// assert_eq!(errors[0].to_string(), "editor.name: `name` of `Editor` is null, and cannot be");
    /// # Ok(()) }
    /// ```
    pub fn write_with(
        &self,
        document: &[u8],
        out: &mut Vec<u8>,
        errors: &mut Vec<ProjectionError>,
    ) -> bool {
        match &self.plan {
            Some(plan) => write::write(plan, document, out, errors),
            None => match document.trim_ascii() {
                whole @ [b'{', .., b'}'] => {
                    out.extend_from_slice(whole);
                    true
                }
                _ => {
                    errors.push(ProjectionError {
                        message: "the document is no JSON object".to_owned(),
                        path: Vec::new(),
                    });
                    false
                }
            },
        }
    }

    /// Appends the list of what was selected of each document: `[{..},{..}]`.
    ///
    /// ```
    /// use fraiseql_runtime::{Projection, TView};
    ///
    /// #[derive(TView)]
    /// struct Post { id: i64, title: String }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let projection = Projection::of::<Post>(&"{ title }".parse()?)?;
    /// let mut answer = Vec::new();
    /// let stored = [r#"{"id": 1, "title": "a"}"#, r#"{"id": 2, "title": "b"}"#];
    /// projection.write_list(stored, &mut answer)?;
    /// assert_eq!(answer, br#"[{"title":"a"},{"title":"b"}]"#);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`write`](Self::write), for the first document that has one; the path begins with its
    /// place in the list. Then nothing is appended.
    pub fn write_list<D: AsRef<[u8]>>(
        &self,
        documents: impl IntoIterator<Item = D>,
        out: &mut Vec<u8>,
    ) -> Result<(), ProjectionError> {
        let start = out.len();
        out.push(b'[');
        for (index, document) in documents.into_iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            if let Err(mut error) = self.write(document.as_ref(), out) {
                out.truncate(start);
                error.path.insert(0, Segment::Index(index));
                return Err(error);
            }
        }
        out.push(b']');
        Ok(())
    }
}

impl fmt::Debug for Projection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Projection")
            .field("shape", &self.shape.name)
            .field("selection", &self.selection.to_string())
            .field("stored", &self.stored)
            .finish_non_exhaustive()
    }
}
