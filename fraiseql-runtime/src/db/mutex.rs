//! Locks of what is never left half done.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks what nothing leaves half done, so that a panic under the lock does no harm.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
