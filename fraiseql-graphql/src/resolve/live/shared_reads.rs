//! Reads that subscriptions share: after a change, the same documents are read once for all of them.
//!
//! The feed counts the looks that have found something. A read that begins at a count has every change that anybody was told
//! of by then. So it is of use to everybody who wants the documents as long as the count is the same; later, they are read
//! again.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fraiseql_runtime::__graphql::{lock, sleep, spawn};
use fraiseql_runtime::Readers;
use fraiseql_runtime::feed::Feed;
use fraiseql_runtime::list::{Documents, List, ListError};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};

/// How long documents are kept for others.
const KEPT: Duration = Duration::from_millis(50);

/// What a read has found.
pub(super) type Read = Arc<Result<Documents, ListError>>;

/// The reads of a subscription type, by texts that tell them apart.
#[derive(Clone, Default)]
pub(super) struct SharedReads {
    by_text: Arc<Mutex<HashMap<String, SharedRead>>>,
}

#[derive(Clone)]
struct SharedRead {
    /// The count when it began.
    generation: u64,
    read: Shared<BoxFuture<'static, Read>>,
}

impl SharedReads {
    /// Reads a list. `text` tells it from others.
    pub(super) async fn read(
        &self,
        text: String,
        list: List,
        readers: &Readers,
        feed: &Feed,
    ) -> Read {
        let generation = feed.generation();
        let shared = {
            let mut by_text = lock(&self.by_text);
            let known = by_text.get(&text);
            match known.filter(|known| known.generation == generation) {
                Some(known) => known.read.clone(),
                None => {
                    let readers = readers.clone();
                    let read = async move { Arc::new(list.read(&readers).await) };
                    // In a task of its own: it does not depend on who waits for it.
                    let read = spawn(read).boxed().shared();
                    let shared = SharedRead {
                        generation,
                        read: read.clone(),
                    };
                    by_text.insert(text.clone(), shared);
                    spawn(self.clone().forget(text, generation, read.clone()));
                    read
                }
            }
        };
        shared.await
    }

    /// Forgets a read a while after it has ended.
    async fn forget(self, text: String, generation: u64, read: Shared<BoxFuture<'static, Read>>) {
        read.await;
        sleep(KEPT).await;
        let mut by_text = lock(&self.by_text);
        if by_text
            .get(&text)
            .is_some_and(|known| known.generation == generation)
        {
            by_text.remove(&text);
        }
    }
}

impl fmt::Debug for SharedReads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reads = lock(&self.by_text).len();
        f.debug_struct("SharedReads")
            .field("reads", &reads)
            .finish()
    }
}

/// Why a read has failed, for each of those who share it.
#[derive(Clone)]
pub(super) struct ReadFailed(pub(super) Read);

impl fmt::Display for ReadFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Err(error) => error.fmt(f),
            Ok(_) => Ok(()),
        }
    }
}
