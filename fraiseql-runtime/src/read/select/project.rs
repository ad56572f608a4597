//! Writing documents through a `Projection`.

use super::error::{ProjectionError, Segment};
use super::projection::Projection;
use super::write::{Written, write};

impl Projection {
    /// Appends the selected fields of `document` to `out`.
    ///
    /// # Errors
    /// If `document` is not a JSON object, or a value is null and its type is not an `Option`. Then
    /// nothing is appended.
    pub fn write(&self, document: &[u8], out: &mut Vec<u8>) -> Result<(), ProjectionError> {
        let start = out.len();
        let mut errors = Vec::new();
        let written = self.write_with(document, out, &mut errors);
        match errors.into_iter().next() {
            None if written => Ok(()),
            error => {
                out.truncate(start);
                Err(error.unwrap_or_else(|| ProjectionError {
                    message: "the document cannot be written".to_owned(),
                    path: Vec::new(),
                }))
            }
        }
    }

    /// Appends the selected fields of `document` to `out`, with errors handled as in GraphQL: if a
    /// value is null and its type is not an `Option`, the nearest enclosing object whose type is
    /// one becomes null, and the error is added to `errors`. Returns `false`, and appends nothing,
    /// if the whole document would be null.
    ///
    /// All such values are reported, in the order of the output. A value of another JSON type, such
    /// as a number for an object, is reported and treated as null.
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
        self.write_within(document, out, errors, usize::MAX) == Written::Fields
    }

    /// As [`write_with`](Self::write_with), unless `out` would have more than `max_len` bytes.
    #[doc(hidden)]
    pub fn write_within(
        &self,
        document: &[u8],
        out: &mut Vec<u8>,
        errors: &mut Vec<ProjectionError>,
        max_len: usize,
    ) -> Written {
        match &self.plan {
            Some(plan) => write(plan, document, out, errors, max_len),
            None => match document.trim_ascii() {
                whole if out.len().saturating_add(whole.len()) > max_len => Written::TooLong,
                whole @ [b'{', .., b'}'] => {
                    out.extend_from_slice(whole);
                    Written::Fields
                }
                _ => {
                    errors.push(ProjectionError {
                        message: "the document is not a JSON object".to_owned(),
                        path: Vec::new(),
                    });
                    Written::Null
                }
            },
        }
    }

    /// Appends a list with the selected fields of each document: `[{..},{..}]`.
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
    /// As [`write`](Self::write), for the first document that has an error. The path begins with
    /// its index in the list. Then nothing is appended.
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
