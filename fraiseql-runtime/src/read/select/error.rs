//! Errors of selections, and of documents that do not have what is selected.

use std::fmt;

/// Why a selection is invalid: its text cannot be parsed, or the struct does not have its fields.
///
/// ```
/// use fraiseql_runtime::{Projection, Selection, TView};
///
/// #[derive(TView)]
/// struct Post { id: i64, title: String }
///
/// # fn main() {
/// let error = Selection::parse("{ id, title(length: 5) }").unwrap_err();
/// assert_eq!(error.line_and_column(), Some((1, 12)));
/// assert_eq!(
///     error.to_string(),
///     "1:12: fields of documents do not take arguments; leave (..) out"
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
    line_and_column: Option<(usize, usize)>,
}

/// The maximum number of messages in one error.
const MAX_MESSAGES: usize = 20;

impl SelectionError {
    /// A text that cannot be parsed at this line and column.
    pub(super) fn at(line: usize, column: usize, message: fmt::Arguments<'_>) -> Self {
        Self {
            messages: vec![format!("{line}:{column}: {message}")],
            line_and_column: Some((line, column)),
        }
    }

    /// A selection that does not fit a struct.
    pub(super) fn of(mut messages: Vec<String>) -> Self {
        if messages.len() > MAX_MESSAGES {
            let more = messages.len() - MAX_MESSAGES;
            messages.truncate(MAX_MESSAGES);
            messages.push(format!("and {more} more"));
        }
        Self {
            messages,
            line_and_column: None,
        }
    }

    /// The messages, one for each mistake. A struct reports all mistakes of a selection at once.
    #[must_use]
    pub fn messages(&self) -> &[String] {
        &self.messages
    }

    /// The line and the column, from 1, at which a text cannot be parsed. `None` if the text is
    /// valid, and the struct does not have its fields.
    #[must_use]
    pub fn line_and_column(&self) -> Option<(usize, usize)> {
        self.line_and_column
    }
}

impl fmt::Display for SelectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.messages.join("\n"))
    }
}

impl std::error::Error for SelectionError {}

/// A document does not have what is selected, or is not JSON.
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

/// A step on the path to a value in the output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// The name of a field in the output.
    Name(String),
    /// The index in a list, from 0.
    Index(usize),
}

impl ProjectionError {
    /// The path to the value in the output. Empty if the document itself is the problem.
    #[must_use]
    pub fn path(&self) -> &[Segment] {
        &self.path
    }

    /// What is wrong with the value, without the path to it.
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
