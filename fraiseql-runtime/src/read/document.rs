//! `Document`: the JSON of a document in the row that it was received in.

use serde::ser::{Error as _, Serialize, Serializer};
use serde_json::value::RawValue;
use sqlx::postgres::{PgRow, PgValueFormat};
use sqlx::{Row, ValueRef as _};

/// The column of the document in every statement that reads documents.
const DATA: usize = 0;

/// A document as it was received: its JSON is not copied out of the row. With
/// [`List::only`](crate::list::List::only) it may have been written from columns.
///
/// `serde_json` writes it as it is stored, also within a struct of yours:
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
/// use fraiseql_runtime::list::{Cursor, Page};
/// use fraiseql_runtime::read::Document;
///
/// #[derive(TView)]
/// #[tview(data = "json")]
/// pub struct Post {
///     pub id: i64,
///     pub title: String,
/// }
///
/// #[derive(serde::Serialize)]
/// struct Response<'p> {
///     items: Vec<&'p Document>,
///     next: Option<String>,
/// }
/// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL);
/// #     INSERT INTO tb_post VALUES (7, 'Notes'), (8, 'More')", async |pool| {
/// # migrate::<Post>(&pool).await;
/// # sync_all_posts(&pool).await?;
/// let page = Post::list().page(Page::first(10), &pool).await?;
/// let response = Response {
///     items: page.items().map(|(_, document)| document).collect(),
///     next: page.end().filter(|_| page.has_next()).map(Cursor::to_string),
/// };
/// assert_eq!(
///     serde_json::to_string(&response)?,
///     r#"{"items":[{"id":7,"title":"Notes"},{"id":8,"title":"More"}],"next":null}"#
/// );
/// # Ok(()) }) }
/// ```
pub struct Document {
    pub(super) row: PgRow,
    /// The JSON that was written from columns of the row, if it has no document.
    written: Option<Box<[u8]>>,
}

impl Document {
    pub(crate) const fn new(row: PgRow) -> Self {
        Self { row, written: None }
    }

    /// A row of columns, from which this JSON was written.
    pub(super) fn of_columns(row: PgRow, json: Vec<u8>) -> Self {
        Self {
            row,
            written: Some(json.into()),
        }
    }

    /// Whether the row says that the caller has the document.
    pub(super) fn is_held(&self) -> bool {
        let data = self.row.try_get_raw(DATA);
        data.is_ok_and(|data| data.is_null())
    }

    /// The JSON of the document, as it is stored.
    #[must_use]
    pub fn json(&self) -> &[u8] {
        if let Some(written) = &self.written {
            return written;
        }
        let Ok(value) = self.row.try_get_raw(DATA) else {
            return b"null";
        };
        let format = value.format();
        // The binary format of `jsonb` is a version byte, 1, and the text. That of `json` is the
        // text alone.
        match (value.as_bytes(), format) {
            (Ok([1, json @ ..]), PgValueFormat::Binary) => json,
            (Ok(json), _) => json,
            (Err(_), _) => b"null",
        }
    }
}

/// Other formats than JSON get what they get of a [`RawValue`].
impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let json: &RawValue = serde_json::from_slice(self.json()).map_err(S::Error::custom)?;
        json.serialize(serializer)
    }
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Document")
            .field(&String::from_utf8_lossy(self.json()))
            .finish()
    }
}
