//! Pictures of documents: read once, and again whenever they may have changed.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, Stream, StreamExt as _};
use sqlx_core::rt;

use crate::feed::subscription::Subscription;

/// After an error, the picture is read again after this time.
const PAUSE: Duration = Duration::from_secs(1);

/// Tells whether a picture is equal to the last one, without keeping it.
#[derive(Debug, Default)]
pub struct LastPicture {
    hasher: RandomState,
    /// The hash and the length.
    last: Option<(u64, usize)>,
}

impl LastPicture {
    /// Whether these bytes differ from those of the last call.
    pub fn differs(&mut self, bytes: &[u8]) -> bool {
        let picture = Some((self.hasher.hash_one(bytes), bytes.len()));
        std::mem::replace(&mut self.last, picture) != picture
    }
}

/// What a picture is read by: its bytes, and the value that they stand for.
pub(super) type ReadPicture<T, E> =
    Box<dyn Fn() -> BoxFuture<'static, Result<(Vec<u8>, T), E>> + Send + Sync>;

struct Watch<T, E> {
    subscription: Subscription,
    read: ReadPicture<T, E>,
    last: LastPicture,
    failed: bool,
}

/// The pictures of a subscription: the first one, and each that differs from the one before.
pub(super) fn watch<T: Send + 'static, E: Send + 'static>(
    subscription: Subscription,
    read: ReadPicture<T, E>,
) -> impl Stream<Item = Result<T, E>> + Send + Unpin + use<T, E> {
    let watch = Watch {
        subscription,
        read,
        last: LastPicture::default(),
        failed: false,
    };
    stream::unfold(watch, async |mut watch| {
        loop {
            if watch.failed {
                rt::sleep(PAUSE).await;
                watch.failed = false;
            } else {
                watch.subscription.next().await;
            }
            // In a task of its own: it goes on, and gives its connection back, if nobody polls this stream.
            match rt::spawn((watch.read)()).await {
                Ok((bytes, value)) if watch.last.differs(&bytes) => {
                    return Some((Ok(value), watch));
                }
                Ok(_) => {}
                Err(error) => {
                    watch.failed = true;
                    return Some((Err(error), watch));
                }
            }
        }
    })
    .boxed()
}
