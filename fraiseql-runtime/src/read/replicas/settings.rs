//! Limits on age, lag and waiting, and how connections are used.

use std::time::Duration;

/// A look that is older than this is repeated, while there are reads.
pub(super) const PROBE_INTERVAL: Duration = Duration::from_millis(250);

/// If the last look is older than this, a read waits for the next one: nothing is known of what the
/// primary wrote since. It is more than an interval and a look that fails, so that reads do not wait
/// again and again for a server that is gone.
pub(super) const STALE_AFTER: Duration = Duration::from_secs(2);

/// How long a read waits for that look. Then it goes by what is known.
pub(super) const LOOK_WAIT: Duration = Duration::from_millis(250);

/// How long a look at one server may take.
pub(super) const LOOK_TIMEOUT: Duration = Duration::from_secs(1);

/// How long a read waits for a connection to a replica. Others have connections, too.
pub(super) const ACQUIRE_TIMEOUT: Duration = Duration::from_millis(500);

/// Limits on age, lag and waiting, and how connections are used.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) max_age: Duration,
    pub(super) max_lag: u64,
    pub(super) max_wait: Duration,
    /// Whether connections are lent from one read to the next.
    pub(super) lends: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            // An idle primary may keep what rolled back transactions have written from its replicas for
            // 15 seconds, until the next snapshot of running transactions is logged.
            max_age: Duration::from_secs(20),
            max_lag: u64::MAX,
            max_wait: Duration::from_millis(200),
            lends: true,
        }
    }
}
