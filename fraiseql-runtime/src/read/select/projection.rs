//! `Projection`: a selection that is compiled for a struct.

use std::fmt;
use std::sync::Arc;

use super::compile::{BigInts, EmptySelection, compile};
use super::error::SelectionError;
use super::layout::StoredKeys;
use super::plan::Plan;
use super::selection::Selection;
use crate::schema::Shape;
use crate::schema::embed::Embed;

/// A selection that is compiled for a struct. It writes the selected fields of documents, in the
/// order of the selection.
///
/// Compile it once and keep it; clones share it.
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
    /// `None` if documents are copied as they are.
    pub(super) plan: Option<Arc<Plan>>,
    big_ints: BigInts,
    /// Whether it was made by [`all`](Self::all).
    all: bool,
}

impl Projection {
    /// Compiles a selection of fields of `T`.
    ///
    /// # Errors
    /// If `T` does not have a field, if an object is selected without fields or a scalar with
    /// fields, or if one name in the output stands for two fields. All mistakes are reported at
    /// once.
    pub fn of<T: Embed>(selection: &Selection) -> Result<Self, SelectionError> {
        Self::of_shape(T::SHAPE, selection)
    }

    /// As [`of`](Self::of), for a struct's constant table.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub fn of_shape(shape: &'static Shape, selection: &Selection) -> Result<Self, SelectionError> {
        let big_ints = BigInts::Numbers;
        Self::compiled(shape, selection, EmptySelection::Rejected, big_ints)
    }

    /// As [`of_shape`](Self::of_shape), but an object of which nothing is selected is `{}`: in
    /// GraphQL, `@skip` may have removed all of its fields.
    #[doc(hidden)]
    pub fn of_request(
        shape: &'static Shape,
        selection: &Selection,
        big_ints: BigInts,
    ) -> Result<Self, SelectionError> {
        Self::compiled(shape, selection, EmptySelection::EmptyObject, big_ints)
    }

    fn compiled(
        shape: &'static Shape,
        selection: &Selection,
        empty: EmptySelection,
        big_ints: BigInts,
    ) -> Result<Self, SelectionError> {
        let plan = compile(shape, selection, StoredKeys::Json, empty, big_ints)?;
        Ok(Self {
            shape,
            selection: Arc::new(selection.clone()),
            stored: StoredKeys::Json,
            plan: Some(Arc::new(plan)),
            big_ints,
            all: false,
        })
    }

    /// The whole document as it is stored: its bytes are copied without scanning them.
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
            big_ints: BigInts::Numbers,
            all: true,
        }
    }

    /// Reads documents with these keys. The names in the output stay the same. With keys other than
    /// [`StoredKeys::Json`], [`all`](Self::all) writes documents field by field.
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
            // This does not fail: the selection has been compiled before, or is that of all
            // fields. Without fields in the struct, it is empty, which is allowed here.
            let plan = compile(
                self.shape,
                &self.selection,
                stored,
                EmptySelection::EmptyObject,
                self.big_ints,
            );
            self.plan = plan.ok().map(Arc::new);
        }
        self.stored = stored;
        self
    }

    /// The constant table of the struct that it is compiled for.
    #[must_use]
    pub fn shape(&self) -> &'static Shape {
        self.shape
    }

    /// How it writes integers of 64 bits.
    #[doc(hidden)]
    #[must_use]
    pub fn big_ints(&self) -> BigInts {
        self.big_ints
    }

    /// The selection.
    #[must_use]
    pub fn selection(&self) -> &Selection {
        &self.selection
    }

    /// What it writes around the values of documents: names, types that are asked for, and which numbers are strings.
    /// Projections with the same outline write the same of a document.
    #[doc(hidden)]
    #[must_use]
    pub fn outline(&self) -> Vec<u8> {
        let mut outline = Vec::new();
        if let Some(plan) = &self.plan {
            plan.write_outline(&mut outline);
        }
        outline
    }

    /// The keys of those lists of objects, on the top level of the document, that are not selected.
    /// The output is the same if a query removes them from the document.
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
        let lists = self.shape.shown_fields().filter(|field| {
            let selected = || {
                self.selection
                    .fields()
                    .iter()
                    .any(|one| one.name == field.json)
            };
            field.source.is_list_of_parts() && !selected()
        });
        lists.map(|field| field.json).collect()
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
