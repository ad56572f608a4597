//! `read_unless`: the one document of a list, unless the caller has it.

use super::error::ListError;
use super::spec::ListSpec;
use crate::read::by_key::version;
use crate::read::document::Document;
use crate::read::error::read_failed;
use crate::read::list_rows::ListRow;
use crate::read::target::ReadTarget;

/// What [`List::read_unless`](super::List::read_unless) has found.
#[derive(Debug)]
pub enum DocumentUnless {
    /// There is no document.
    Missing,
    /// The caller has the document in this version.
    Unchanged(String),
    /// The document, of which the caller has another version or none.
    Document {
        /// The document.
        document: Document,
        /// `None` if the document was built now: it is stale, or the view does not store documents in a table.
        version: Option<String>,
    },
}

impl ListSpec {
    pub(super) async fn read_unless(
        mut self,
        held: Vec<String>,
        target: impl ReadTarget,
    ) -> Result<DocumentUnless, ListError> {
        self.held = Some(held);
        let list = self.on(&target);
        let rows = target.list(list.statement()?).await?;
        let document = match rows.into_iter().next() {
            None | Some(ListRow::Rebuilt(_, None)) => return Ok(DocumentUnless::Missing),
            Some(ListRow::Rebuilt(_, Some(document))) => {
                let version = None;
                return Ok(DocumentUnless::Document { document, version });
            }
            Some(ListRow::Stored(document)) => document,
        };
        let version = version(&document.row).map_err(read_failed(list.view))?;
        let version = version.map(str::to_owned);
        Ok(match version {
            Some(version) if document.is_held() => DocumentUnless::Unchanged(version),
            version => DocumentUnless::Document { document, version },
        })
    }
}
