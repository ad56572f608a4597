//! `DocumentChange`: the keys of documents that have changed, as a stream.

use futures_util::stream::{self, Stream};

use crate::feed::interest::Notice;
use crate::feed::subscription::Subscription;
use crate::schema::key::Key;
use crate::view::Handle;

/// An element of [`Feed::changes`](crate::feed::Feed::changes).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DocumentChange<K> {
    /// All documents may have changed: read what you have of them again. It is the first element, after which no change is
    /// missed, so that a picture that is read then is the right beginning. It comes again when changes
    /// may have been missed, or when too many waited.
    Reset,
    /// Documents of these keys were written or deleted, in no order. A key may be there without a visible difference.
    Changed(Vec<K>),
}

/// The keys that arrive at a subscription.
pub(super) fn changes<K: Key + Unpin>(
    view: Handle,
    mut subscription: Subscription,
) -> impl Stream<Item = DocumentChange<K>> + Send + Unpin + use<K> {
    let none = view.no_keys();
    stream::poll_fn(move |context| {
        subscription.poll_next(context).map(|notice| {
            let Notice::Changed(texts) = notice else {
                return Some(DocumentChange::Reset);
            };
            let mut keys = Vec::with_capacity(texts.len());
            match none.parse(&texts) {
                Some(parsed) => K::each(&parsed, &mut |key| keys.push(key)),
                // The table is not that of the view: nothing is known of its documents.
                None => return Some(DocumentChange::Reset),
            }
            Some(DocumentChange::Changed(keys))
        })
    })
}
