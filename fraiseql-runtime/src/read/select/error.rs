//! What can be wrong with a selection, and with a document.

use std::fmt;

/// Why a selection cannot be: it cannot be read, or the struct has no such field.
///
/// ```
/// use fraiseql_runtime::{Projection, Selection, TView};
///
/// #[derive(TView)]
/// struct Post { id: i64, title: String }
///
/// # fn main() {
/// let error = Selection::parse("{ id, title(length: 5) }").unwrap_err();
/// assert_eq!(error.place(), Some((1, 12)));
/// assert_eq!(
///     error.to_string(),
///     "1:12: arguments are not for the fields of documents; leave (..) out"
/// );
///
/// let selection = Selection::parse("{ titel id { x } }").unwrap();
/// let error = Projection::of::<Post>(&selection).unwrap_err();
/// assert_eq!(error.messages(), [
///     "`Post` has no field `titel`; did you mean `title`? Its fields are id, title",
///     "`id` is a scalar and has no fields: leave its braces out",
/// ]);
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectionError {
    messages: Vec<String>,
    place: Option<(usize, usize)>,
}

/// So many faults are told of one selection.
const MOST: usize = 20;

impl SelectionError {
    /// A text that cannot be read further than this line and column.
    pub(super) fn at(line: usize, column: usize, message: fmt::Arguments<'_>) -> Self {
        Self {
            messages: vec![format!("{line}:{column}: {message}")],
            place: Some((line, column)),
        }
    }

    pub(super) fn of(mut messages: Vec<String>) -> Self {
        if messages.len() > MOST {
            let more = messages.len() - MOST;
            messages.truncate(MOST);
            messages.push(format!("and {more} more"));
        }
        Self {
            messages,
            place: None,
        }
    }

    /// Each fault on its own. All that a struct finds in a selection are told at once.
    #[must_use]
    pub fn messages(&self) -> &[String] {
        &self.messages
    }

    /// The line and the column, from 1, where a text could not be read. `None` where the text
    /// is right and the struct has no such fields.
    #[must_use]
    pub fn place(&self) -> Option<(usize, usize)> {
        self.place
    }
}

impl fmt::Display for SelectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.messages.join("\n"))
    }
}

impl std::error::Error for SelectionError {}

/// A document does not have what was selected.
///
/// ```
/// use fraiseql_runtime::select::Segment;
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
/// struct Comment { id: i64, content: String }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let projection = Projection::of::<Post>(&"{ comments { text: content } }".parse()?)?;
/// let stored = br#"{"id": 7, "comments": [{"id": 1, "content": null}]}"#;
/// let error = projection.write(stored, &mut Vec::new()).unwrap_err();
/// assert_eq!(error.to_string(), "comments[0].text: `content` of `Comment` is null, and cannot be");
/// assert_eq!(error.path()[1], Segment::Index(0));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectionError {
    pub(super) message: String,
    pub(super) path: Vec<Segment>,
}

/// A step of the way to a value in an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// The name of a field in the answer.
    Name(String),
    /// The place in a list, from 0.
    Index(usize),
}

impl ProjectionError {
    /// Where in the answer it is. Empty where it is the document that cannot be read.
    #[must_use]
    pub fn path(&self) -> &[Segment] {
        &self.path
    }

    /// What is wrong there, without the way to it.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for ProjectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, segment) in self.path.iter().enumerate() {
            match segment {
                Segment::Name(name) if index == 0 => f.write_str(name)?,
                Segment::Name(name) => write!(f, ".{name}")?,
                Segment::Index(at) => write!(f, "[{at}]")?,
            }
        }
        if !self.path.is_empty() {
            f.write_str(": ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for ProjectionError {}
