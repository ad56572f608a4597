//! `Feed`: where streams of changes and of documents begin.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::stream::Stream;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::error::Result;
use crate::feed::changes::{DocumentChange, changes};
use crate::feed::health::FeedHealth;
use crate::feed::interest::Interest;
use crate::feed::shared::Shared;
use crate::feed::subscription::Subscription;
use crate::feed::watch::watch;
use crate::mutex::lock;
use crate::read::error::not_deserialized;
use crate::read::find::find;
use crate::read::list::{List, ListError};
use crate::read::readers::Readers;
use crate::read::scope::Scope;
use crate::read::scoped::Scoped;
use crate::read::typed::TView;
use crate::schema::key::Key;
use crate::view::{Handle, ViewDef, WithoutTenant};

/// Tells which documents change. See [the module](super).
///
/// It is cheap to clone. One for a process is enough: all its streams share one reader.
#[derive(Clone)]
pub struct Feed {
    shared: Arc<Shared>,
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed")
            .field("health", &self.health())
            .finish_non_exhaustive()
    }
}

impl Feed {
    pub(super) const fn of(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// The keys of the documents of a view that change. Of a view with a tenant: [`changes_of`](Self::changes_of).
    pub fn changes<T: TView + WithoutTenant>(
        &self,
    ) -> impl Stream<Item = DocumentChange<T::Key>> + Send + Unpin + use<T>
    where
        T::Key: Unpin,
    {
        self.changes_in(T::handle(), &Scope::Whole)
    }

    /// The keys of the documents that change of one tenant, `Ticket::of(org)`, or of all tenants.
    pub fn changes_of<T: TView>(
        &self,
        documents: &Scoped<T>,
    ) -> impl Stream<Item = DocumentChange<T::Key>> + Send + Unpin + use<T>
    where
        T::Key: Unpin,
    {
        self.changes_in(T::handle(), documents.scope())
    }

    fn changes_in<K: Key + Unpin>(
        &self,
        view: Handle,
        scope: &Scope,
    ) -> impl Stream<Item = DocumentChange<K>> + Send + Unpin + use<K> {
        let view = view.in_schema(self.shared.schema);
        let interest = Interest::in_scope(view, scope);
        changes(view, self.subscribe(interest, true))
    }

    /// The document of a key: as it is, and whenever it has changed; `None` while there is none.
    ///
    /// After an error, it is read again a second later.
    pub fn document<T: TView + WithoutTenant + 'static>(
        &self,
        key: T::Key,
    ) -> impl Stream<Item = Result<Option<T>>> + Send + Unpin + use<T>
    where
        T::Key: Clone,
    {
        self.document_in(Scope::Whole, key)
    }

    /// The document of a key, if it is one of a tenant: `feed.document_of(&Ticket::of(org), 7)`.
    pub fn document_of<T: TView + 'static>(
        &self,
        documents: &Scoped<T>,
        key: T::Key,
    ) -> impl Stream<Item = Result<Option<T>>> + Send + Unpin + use<T>
    where
        T::Key: Clone,
    {
        self.document_in(documents.scope().clone(), key)
    }

    fn document_in<T: ViewDef + 'static>(
        &self,
        scope: Scope,
        key: T::DocumentKey,
    ) -> impl Stream<Item = Result<Option<T>>> + Send + Unpin + use<T>
    where
        T::DocumentKey: Clone,
    {
        let view = T::handle().in_schema(self.shared.schema);
        let text = T::DocumentKey::collect(std::iter::once(&key));
        let interest = Interest::Document {
            table: view.view.table.to_string(),
            key: text.texts().next().unwrap_or_default(),
        };
        let readers = self.shared.readers.clone();
        let read = move || -> futures_util::future::BoxFuture<'static, _> {
            let (readers, scope, key) = (readers.clone(), scope.clone(), key.clone());
            Box::pin(async move {
                let name = T::DocumentKey::collect(std::iter::once(&key));
                let found: Option<Box<RawValue>> = find(&readers, view, scope, key).await?;
                let Some(json) = found else {
                    return Ok((Vec::new(), None));
                };
                let value = parse(view, &json, || name.to_string())?;
                Ok((json.get().as_bytes().to_vec(), Some(value)))
            })
        };
        watch(self.subscribe(interest, false), Box::new(read))
    }

    /// A list: as it is, and whenever it has changed.
    ///
    /// The list is read again when any document of its view changes, of its tenant if it has one. Sets of changes that are
    /// found together are one read.
    pub fn list<T: DeserializeOwned + Send + 'static>(
        &self,
        list: List<T>,
    ) -> impl Stream<Item = Result<Vec<T>, ListError>> + Send + Unpin + use<T> {
        let view = list.view().in_schema(self.shared.schema);
        let interest = Interest::in_scope(view, list.scope());
        let readers = self.shared.readers.clone();
        let list = Arc::new(list);
        let read = move || -> futures_util::future::BoxFuture<'static, _> {
            let (readers, list) = (readers.clone(), Arc::clone(&list));
            Box::pin(async move {
                let found: Vec<Box<RawValue>> = list.fetch(&readers).await?;
                let mut bytes = Vec::new();
                let mut values = Vec::with_capacity(found.len());
                for json in &found {
                    bytes.extend_from_slice(json.get().as_bytes());
                    bytes.push(b'\n');
                    values.push(parse(view, json, || "of a list".to_owned())?);
                }
                Ok((bytes, values))
            })
        };
        watch(self.subscribe(interest, false), Box::new(read))
    }

    /// How the feed is doing. It asks no database.
    #[must_use]
    pub fn health(&self) -> FeedHealth {
        let streams = lock(&self.shared.hub).count();
        lock(&self.shared.health).report(streams)
    }

    /// Subscribes. With `keys`, the keys of the documents are collected.
    #[doc(hidden)]
    #[must_use]
    pub fn subscribe(&self, interest: Interest, keys: bool) -> Subscription {
        let max_keys = if keys {
            self.shared.settings.max_keys
        } else {
            0
        };
        Subscription::new(Arc::clone(&self.shared), interest, max_keys)
    }

    /// The number of looks that have found something. A document that is read while it is `n` has every change that a
    /// subscription was told of by then.
    #[doc(hidden)]
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.shared.generation.load(Ordering::Acquire)
    }

    /// A view in the schema of the feed.
    #[doc(hidden)]
    #[must_use]
    pub fn view(&self, view: Handle) -> Handle {
        view.in_schema(self.shared.schema)
    }

    /// What reads the documents of the feed.
    #[doc(hidden)]
    #[must_use]
    pub fn readers(&self) -> &Readers {
        &self.shared.readers
    }
}

/// A document as a struct.
fn parse<T: DeserializeOwned>(
    view: Handle,
    json: &RawValue,
    key: impl FnOnce() -> String,
) -> Result<T> {
    serde_json::from_str(json.get()).map_err(|error| not_deserialized(view, key(), error))
}
