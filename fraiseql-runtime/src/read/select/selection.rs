//! `Selection`: the fields that a reader requests, as a tree of names.

use std::fmt;

/// The maximum depth of nested objects.
pub(super) const MAX_DEPTH: usize = 64;

/// The requested fields of a document: their order, and their names in the output.
///
/// A selection has no types. [`Projection`](crate::Projection) compiles it for a struct.
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

/// A requested field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selected {
    /// Its name in the document, or `__typename`.
    pub name: String,
    /// Its name in the output, if that differs.
    pub alias: Option<String>,
    /// The requested fields of its objects, if it is an object or a list of objects.
    pub fields: Option<Selection>,
}

impl Selected {
    /// Its name in the output.
    #[must_use]
    pub fn response_key(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.name)
    }
}

impl Selection {
    /// An empty selection.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a scalar field.
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

    /// Adds a field that is an object or a list of objects, with the requested fields of these.
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

    /// The fields, in the order of the output. Several of them may have one name in the output: a
    /// [`Projection`](crate::Projection) merges their selections.
    #[must_use]
    pub fn fields(&self) -> &[Selected] {
        &self.fields
    }
}

/// Writes the text that [`Selection::parse`] parses.
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
