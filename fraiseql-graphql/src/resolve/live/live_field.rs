//! The stream of one root field of a subscription.

use std::sync::Arc;

use async_graphql::{Context, Response, ServerResult, Value};
use fraiseql_runtime::__graphql::{
    ByteLimit, Document, Keys, LastPicture, Scope, documents_at, key_of_values, keys_of_texts,
    text_of_key,
};
use fraiseql_runtime::feed::{Feed, Interest, Notice, Subscription};
use fraiseql_runtime::list::ListError;
use futures_util::stream::{self, BoxStream, StreamExt as _};

use crate::request::tenant;
use crate::resolve::document_writer::DocumentWriter;
use crate::resolve::live::change_shape::{self, ChangeKind};
use crate::resolve::live::event::{Element, Events};
use crate::resolve::live::fields::LiveKind;
use crate::resolve::live::shared_reads::{ReadFailed, SharedReads};
use crate::resolve::views::arguments::bad_input;
use crate::resolve::views::fields::RootFieldKind;
use crate::resolve::views::key;
use crate::resolve::views::root_field::{Reads, ViewField};
use crate::resolve::views::view_set::ViewMember;
use crate::response::write_response;

/// The most documents of changes that are read at once.
const MAX_CHANGES: usize = 50;

/// After an error of the database, documents are read again after this time.
const PAUSE: std::time::Duration = std::time::Duration::from_secs(1);

/// A root field of a view in a subscription.
#[derive(Clone, Copy)]
pub(super) struct LiveField {
    pub(super) view: ViewMember,
    pub(super) kind: LiveKind,
}

impl LiveField {
    /// The stream of the field. It begins with an error, and ends, if an argument has a value that it cannot have, or if
    /// the request names no tenant.
    pub(super) fn stream<'a>(
        self,
        ctx: &'a Context<'_>,
        feed: &'a Feed,
        reads: &'a Reads,
        shared: &'a SharedReads,
    ) -> BoxStream<'a, Response> {
        let events = Events::of(ctx);
        let checked = self.check(ctx, reads);
        let (scope, interest) = match checked.and_then(|scope| {
            let interest = self.interest(ctx, feed, &scope)?;
            Ok((scope, interest))
        }) {
            Ok(checked) => checked,
            Err(error) => {
                return stream::once(async move { events.execute(error).await }).boxed();
            }
        };
        let subscription = feed.subscribe(interest, self.kind == LiveKind::Changes);
        match self.kind {
            LiveKind::Read(kind) => {
                let field = ViewField {
                    view: self.view,
                    kind,
                };
                let pictures = Pictures {
                    field,
                    live: self,
                    scope,
                    reads,
                    shared,
                    feed,
                    events,
                    subscription,
                    last: LastPicture::default(),
                    step: Step::Wait,
                };
                pictures.stream()
            }
            LiveKind::Changes => {
                let changes = Changes {
                    live: self,
                    scope,
                    reads,
                    events,
                    subscription,
                };
                changes.stream()
            }
        }
    }

    /// Whose documents the request may see, if its arguments are right.
    fn check(self, ctx: &Context<'_>, reads: &Reads) -> ServerResult<Scope> {
        let view = self.view.handle.view;
        let scope = tenant::scope(ctx, view, reads.tenant.as_ref())?;
        if let LiveKind::Read(kind) = self.kind {
            let field = ViewField {
                view: self.view,
                kind,
            };
            field.read(ctx, scope.clone(), reads.max_page)?;
        }
        Ok(scope)
    }

    fn interest(self, ctx: &Context<'_>, feed: &Feed, scope: &Scope) -> ServerResult<Interest> {
        let view = feed.view(self.view.handle);
        if self.kind != LiveKind::Read(RootFieldKind::ByKey) {
            return Ok(Interest::in_scope(view, scope));
        }
        let values = key::values(ctx, view.view, scope)?;
        let key = key_of_values(view, scope, values);
        let key = key.map_err(|_| bad_input(ctx, "the key has a value that it cannot have"))?;
        Ok(Interest::Document {
            table: view.view.table.to_string(),
            key: text_of_key(&key),
        })
    }

    /// Whether the request may still see what it saw when it began.
    fn is_allowed(self, ctx: &Context<'_>, scope: &Scope, reads: &Reads) -> ServerResult<()> {
        let view = self.view.handle.view;
        match tenant::scope(ctx, view, reads.tenant.as_ref())? {
            now if now == *scope => Ok(()),
            _ => Err(bad_input(ctx, "the tenant of the request has changed")),
        }
    }
}

/// `post` and `posts`: the picture, and each that differs from the one before.
struct Pictures<'a> {
    field: ViewField,
    live: LiveField,
    scope: Scope,
    reads: &'a Reads,
    shared: &'a SharedReads,
    feed: &'a Feed,
    events: Events,
    subscription: Subscription,
    last: LastPicture,
    step: Step,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Wait,
    /// The last read has failed.
    Again,
    End,
}

impl<'a> Pictures<'a> {
    fn stream(self) -> BoxStream<'a, Response> {
        stream::unfold(self, async |mut pictures| {
            let response = pictures.next().await?;
            Some((response, pictures))
        })
        .boxed()
    }

    async fn next(&mut self) -> Option<Response> {
        loop {
            match self.step {
                Step::Wait => {
                    self.subscription.next().await;
                }
                Step::Again => fraiseql_runtime::__graphql::sleep(PAUSE).await,
                Step::End => return None,
            }
            self.step = Step::Wait;
            let Self {
                field,
                live,
                scope,
                reads,
                shared,
                feed,
                step,
                ..
            } = self;
            let picture = Picture {
                field: *field,
                live: *live,
                scope,
                reads,
                shared,
                feed,
                step,
            };
            let response = self.events.execute(picture).await;
            // An internal error, such as one of the database.
            let has_failed = response.errors.iter().any(|error| {
                let source = error.source.as_ref();
                source.is_some_and(|source| source.is::<ReadFailed>())
            });
            if has_failed && self.step == Step::Wait {
                self.step = Step::Again;
            }
            let mut bytes = Vec::new();
            write_response(&response, &mut bytes);
            if self.last.differs(&bytes) {
                return Some(response);
            }
        }
    }
}

/// One reading of a picture.
struct Picture<'a> {
    field: ViewField,
    live: LiveField,
    scope: &'a Scope,
    reads: &'a Reads,
    shared: &'a SharedReads,
    feed: &'a Feed,
    step: &'a mut Step,
}

impl Element for Picture<'_> {
    async fn value(mut self, ctx: &Context<'_>) -> ServerResult<Value> {
        if let Err(error) = self.live.is_allowed(ctx, self.scope, self.reads) {
            *self.step = Step::End;
            return Err(error);
        }
        let value = self.read(ctx).await;
        self.field.nulled(ctx, value)
    }
}

impl Picture<'_> {
    async fn read(&mut self, ctx: &Context<'_>) -> ServerResult<Value> {
        let (text, list) = self
            .field
            .shared_list(ctx, self.scope.clone(), self.reads)?;
        let readers = &self.reads.readers;
        let read = self.shared.read(text, list, readers, self.feed).await;
        match &*read {
            Ok(documents) => self.field.of_documents(ctx, documents).await,
            Err(error) if !matches!(error, ListError::Read(_)) => {
                *self.step = Step::End;
                Err(bad_input(ctx, &error.to_string()))
            }
            Err(_) => {
                let failed = async_graphql::Error::new_with_source(ReadFailed(read));
                Err(failed.into_server_error(ctx.item.pos))
            }
        }
    }
}

/// `postChanged`: a change for each document.
struct Changes<'a> {
    live: LiveField,
    scope: Scope,
    reads: &'a Reads,
    events: Events,
    subscription: Subscription,
}

/// A change before it is a response.
struct Change {
    kind: ChangeKind,
    key: Vec<serde_json::Value>,
    document: Option<Document>,
}

impl<'a> Changes<'a> {
    fn stream(self) -> BoxStream<'a, Response> {
        stream::unfold(
            (self, Vec::new(), false),
            async |(mut changes, mut waiting, ended)| {
                if ended {
                    return None;
                }
                if waiting.is_empty() {
                    waiting = changes.next().await;
                    waiting.reverse();
                }
                let change = waiting.pop()?;
                let (response, ends) = changes.response(&change).await;
                Some((response, (changes, waiting, ends)))
            },
        )
        .boxed()
    }

    /// The changes that come next. There is at least one.
    async fn next(&mut self) -> Vec<Change> {
        let reset = || Change {
            kind: ChangeKind::Reset,
            key: Vec::new(),
            document: None,
        };
        let Notice::Changed(texts) = self.subscription.next().await else {
            return vec![reset()];
        };
        let Some(keys) = keys_of_texts(self.live.view.handle, &texts) else {
            return vec![reset()];
        };
        let mut changes = Vec::new();
        for keys in keys.chunks(MAX_CHANGES) {
            // What cannot be read now may be read by the client, later.
            match self.read(keys).await {
                Ok(read) => changes.extend(read),
                Err(_) => return vec![reset()],
            }
        }
        changes
    }

    async fn read(
        &self,
        keys: &[(Keys, Vec<serde_json::Value>)],
    ) -> fraiseql_runtime::Result<Vec<Change>> {
        let view = self.live.view.handle;
        let wanted = keys.iter().map(|(key, _)| key.clone()).collect();
        let limit: Option<Arc<dyn ByteLimit>> = None;
        let readers = &self.reads.readers;
        let documents = documents_at(readers, view, self.scope.clone(), wanted, limit).await?;
        let changes = keys
            .iter()
            .zip(documents)
            .map(|((_, key), document)| Change {
                kind: match document {
                    Some(_) => ChangeKind::Changed,
                    None => ChangeKind::Deleted,
                },
                key: key.clone(),
                document,
            });
        Ok(changes.collect())
    }

    /// The response, and whether it is the last one.
    async fn response(&self, change: &Change) -> (Response, bool) {
        let mut ends = false;
        let element = OfChange {
            change,
            changes: self,
            ends: &mut ends,
        };
        let response = self.events.execute(element).await;
        (response, ends)
    }
}

/// One change.
struct OfChange<'a> {
    change: &'a Change,
    changes: &'a Changes<'a>,
    ends: &'a mut bool,
}

impl Element for OfChange<'_> {
    async fn value(self, ctx: &Context<'_>) -> ServerResult<Value> {
        let Changes {
            live, scope, reads, ..
        } = self.changes;
        if let Err(error) = live.is_allowed(ctx, scope, reads) {
            *self.ends = true;
            return Err(error);
        }
        let Change {
            kind,
            key,
            document,
        } = self.change;
        let shape = (live.view.change)();
        let inner = ctx.with_selection_set(&ctx.item.node.selection_set);
        let mut writer = DocumentWriter::of(&inner, shape)?;
        let view = live.view.handle.view;
        let json = change_shape::json(view, shape, *kind, key, document.as_ref());
        writer.document(&json, None)?;
        writer.finish().await
    }
}
