//! Which fields of a document are wanted.

use std::fmt;
use std::str::FromStr;

use super::error::SelectionError;
use super::parse;

/// Objects may be nested so deep.
pub(super) const MAX_DEPTH: usize = 64;

/// Which fields of a document are wanted, in which order, and under which names.
///
/// It knows no types: [`Projection`](crate::Projection) compiles it against those of a struct.
///
/// ```
/// use fraiseql_runtime::Selection;
/// use fraiseql_runtime::select::Selected;
///
/// let written = Selection::parse("{ id writer: author { username } }")?;
///
/// let mut made = Selection::new().field("id");
/// made.push(Selected {
///     name: "author".to_owned(),
///     alias: Some("writer".to_owned()),
///     fields: Some(Selection::new().field("username")),
/// });
/// assert_eq!(written, made);
/// assert_eq!(made.to_string(), "{ id writer: author { username } }");
/// # Ok::<(), fraiseql_runtime::select::SelectionError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    fields: Vec<Selected>,
}

/// A field that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selected {
    /// Its name in the document, or `__typename`.
    pub name: String,
    /// Its name in the answer, where that is another.
    pub alias: Option<String>,
    /// What is wanted of it, where it is an object or a list of objects.
    pub fields: Option<Selection>,
}

impl Selected {
    /// Its name in the answer.
    #[must_use]
    pub fn response_key(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.name)
    }
}

impl Selection {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field with a value of its own: a scalar.
    ///
    /// ```
    /// use fraiseql_runtime::Selection;
    ///
    /// assert_eq!(Selection::new().field("id").field("title"), "id title".parse()?);
    /// # Ok::<(), fraiseql_runtime::select::SelectionError>(())
    /// ```
    #[must_use]
    pub fn field(mut self, name: impl Into<String>) -> Self {
        self.push(Selected {
            name: name.into(),
            alias: None,
            fields: None,
        });
        self
    }

    /// Adds a field that is an object or a list of objects, with what is wanted of these.
    ///
    /// ```
    /// use fraiseql_runtime::Selection;
    ///
    /// let author = Selection::new().field("username");
    /// assert_eq!(Selection::new().nested("author", author), "author { username }".parse()?);
    /// # Ok::<(), fraiseql_runtime::select::SelectionError>(())
    /// ```
    #[must_use]
    pub fn nested(mut self, name: impl Into<String>, fields: Self) -> Self {
        self.push(Selected {
            name: name.into(),
            alias: None,
            fields: Some(fields),
        });
        self
    }

    /// Adds a field.
    pub fn push(&mut self, field: Selected) {
        self.fields.push(field);
    }

    /// The fields, in the order of the answer. One name of the answer may stand there more
    /// than once: a [`Projection`](crate::Projection) merges what is selected under it.
    #[must_use]
    pub fn fields(&self) -> &[Selected] {
        &self.fields
    }

    /// Reads the text of a selection: `{ id title author { username } }`, as it is written in
    /// GraphQL, with aliases, commas and comments. Outer braces may be left out, so that the
    /// `id,author{username}` of an URL can be read.
    ///
    /// Arguments, fragments, directives and variables are not for documents and refused. A text
    /// of more than 64 KiB is refused, and one that is nested more than 64 deep.
    ///
    /// ```
    /// use fraiseql_runtime::Selection;
    ///
    /// let selection = Selection::parse("{ id, author { name: fullName } } # whose it is")?;
    /// assert_eq!(selection, Selection::parse("id,author{name:fullName}")?);
    ///
    /// let error = Selection::parse("{ id author { fullName }").unwrap_err();
    /// assert_eq!(error.to_string(), "1:25: the text ends, and the `{` at 1:1 is open");
    /// # Ok::<(), fraiseql_runtime::select::SelectionError>(())
    /// ```
    ///
    /// # Errors
    /// When it cannot be read; the error says where.
    pub fn parse(text: &str) -> Result<Self, SelectionError> {
        parse::parse(text)
    }
}

impl FromStr for Selection {
    type Err = SelectionError;

    fn from_str(text: &str) -> Result<Self, SelectionError> {
        Self::parse(text)
    }
}

/// The text that [`Selection::parse`] reads.
impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for field in &self.fields {
            f.write_str(" ")?;
            if let Some(alias) = &field.alias {
                write!(f, "{alias}: ")?;
            }
            f.write_str(&field.name)?;
            if let Some(fields) = &field.fields {
                write!(f, " {fields}")?;
            }
        }
        f.write_str(" }")
    }
}
