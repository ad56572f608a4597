//! A pass over all documents: page by page, each stored when it was written, so that a restart goes on from there.

use crate::error::{Error, Operation, Result};
use crate::feed::sink::document::{Sink, SinkDocument};
use crate::feed::sink::run::{BATCH, Next, Run, failed, next};
use crate::feed::sink::state::{Held, SinkState};
use crate::read::list::{Cursor, List, ListError, Page};
use crate::read::scope::Scope;
use crate::view::Handle;

/// Where a pass is: in a view, after a cursor. Stored as `"public"."tv_post" <cursor>`.
struct Place {
    view: usize,
    after: Option<Cursor>,
}

impl<S: Sink> Run<'_, S> {
    /// One page of a pass.
    pub(super) async fn pass(&mut self, state: &SinkState) -> Result<Next> {
        let Some((text, since)) = &state.pass else {
            return Ok(Next::Idle);
        };
        let place = self.place(text);
        let Some(view) = self.views.get(place.view).copied() else {
            let ended = self.row.step(&self.row.sql.end_pass, &[]).await?;
            return Ok(next(ended));
        };
        let Some(version) = self.row.version().await? else {
            return Ok(Next::Lost);
        };
        let size = u32::try_from(BATCH).unwrap_or(1);
        let page = Page::first(size).after(place.after);
        let list = List::scoped(view, Scope::AcrossTenants);
        let page = list.page(page, self.readers).await.map_err(of_list)?;
        let mut documents = Vec::with_capacity(page.len());
        for (cursor, document) in page.items() {
            documents.push(SinkDocument {
                view: view.view.entity,
                key: key_of(view, cursor)?,
                version,
                json: Some(document.json().to_vec()),
            });
        }
        self.write_all(documents).await?;
        let place = match page.end().filter(|_| page.has_next()) {
            Some(cursor) => format!("{} {cursor}", view.view.table),
            None => {
                let removed = self.sink.remove_older(view.view.entity, *since).await;
                removed.map_err(|error| failed("removing older documents", error.into()))?;
                match self.views.get(place.view + 1) {
                    Some(view) => format!("{} ", view.view.table),
                    None => return self.end().await,
                }
            }
        };
        let moved = self.row.step(&self.row.sql.advance_pass, &[&place]).await?;
        Ok(next(moved))
    }

    async fn end(&self) -> Result<Next> {
        let ended: Held = self.row.step(&self.row.sql.end_pass, &[]).await?;
        Ok(next(ended))
    }

    /// The place that a text stands for. A view that does not exist any more is where the pass begins again.
    fn place(&self, text: &str) -> Place {
        let first = Place {
            view: 0,
            after: None,
        };
        let Some((table, cursor)) = text.rsplit_once(' ') else {
            return first;
        };
        let mut views = self.views.iter();
        let found = views.position(|view| view.view.table.to_string() == table);
        found.map_or(first, |view| Place {
            view,
            after: cursor.parse().ok(),
        })
    }
}

/// The key that a cursor stands for, as PostgreSQL prints it.
fn key_of(view: Handle, cursor: &Cursor) -> Result<String> {
    cursor.key(view).ok_or_else(|| {
        let message = format!("a cursor of {} has no key", view.view.table);
        let decode = sqlx::Error::Decode(message.into());
        Error::database(Operation::Read)(decode)
    })
}

fn of_list(error: ListError) -> Error {
    match error {
        ListError::Read(error) => error,
        error => {
            let source = sqlx::Error::Configuration(Box::new(error));
            Error::database(Operation::Read)(source)
        }
    }
}
