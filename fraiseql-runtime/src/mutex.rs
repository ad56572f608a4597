//! Locks a mutex and ignores poison: no guarded value is inconsistent after a panic.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks the mutex, also after a thread panicked while it held the lock.
///
/// Use it for values that are consistent between any two statements under the lock. Then one panic
/// does not turn every later call into another one.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
