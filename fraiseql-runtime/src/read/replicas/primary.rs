//! What is known of the primary: where its log was, and when.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::db::wal_position::WalPosition;
use crate::read::server::Look;

/// How many positions of the primary are kept. With one in each probe, they reach back far beyond the
/// age at which a replica leaves the set.
const MAX_SAMPLES: usize = 512;

/// The primary, as it was last seen.
#[derive(Debug, Default)]
pub(super) struct Primary {
    last: Option<Look>,
    /// Where its log was, in ascending order, all on its present timeline.
    samples: VecDeque<(Instant, u64)>,
    /// Whether the last probe failed.
    pub(super) is_unreachable: bool,
    /// Whether the last probe found a replica in the primary's place.
    pub(super) is_standby: bool,
}

impl Primary {
    pub(super) fn note(&mut self, look: Look) {
        self.is_unreachable = false;
        self.is_standby = look.is_standby;
        if look.is_standby {
            // Where that one is says nothing of the primary.
            return;
        }
        let (at, position) = (look.at, look.position);
        let before = self.last.replace(look).map(|before| before.position);
        let is_same_history = before.is_some_and(|before| before <= position);
        if !is_same_history {
            self.samples.clear();
        }
        if self
            .samples
            .back()
            .is_none_or(|(_, lsn)| *lsn < position.lsn)
        {
            if self.samples.len() == MAX_SAMPLES {
                // The first one stays: it is where the timeline was first seen.
                self.samples.remove(1);
            }
            self.samples.push_back((at, position.lsn));
        }
    }

    pub(super) fn last(&self) -> Option<&Look> {
        self.last.as_ref()
    }

    /// Whether a replica that has replayed `replayed` has everything before `wanted`, as far as the
    /// primary itself has it.
    ///
    /// A position of an earlier timeline is one from before a promotion. What was written before it and
    /// is not lost was there when the primary was first seen on its present timeline: a replica that is
    /// that far has as much of it as the primary. So no history of timelines has to be read, which only
    /// a superuser may.
    pub(super) fn has(&self, replayed: WalPosition, wanted: WalPosition) -> bool {
        if wanted <= replayed {
            return true;
        }
        let Some(last) = &self.last else { return false };
        let is_of_primary =
            (last.position.system, last.position.timeline) == (replayed.system, replayed.timeline);
        is_of_primary
            && wanted.system == replayed.system
            && wanted.timeline < replayed.timeline
            && self
                .samples
                .front()
                .is_some_and(|(_, first)| *first <= replayed.lsn)
    }

    /// How many bytes of the primary's log a replica has not replayed, as far as is known.
    pub(super) fn lag(&self, replayed: WalPosition) -> Option<u64> {
        let last = self.last.as_ref()?;
        Some(last.position.lsn.saturating_sub(replayed.lsn))
    }

    /// How old the data of a replica is at least: since when the primary is known to have had what the
    /// replica has not. Zero if it has everything, however long ago that was written.
    pub(super) fn age(&self, replayed: WalPosition, now: Instant) -> Duration {
        let missing = self
            .samples
            .partition_point(|(_, lsn)| *lsn <= replayed.lsn);
        match self.samples.get(missing) {
            Some((at, _)) => now.saturating_duration_since(*at),
            None => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(text: &str) -> WalPosition {
        text.parse().unwrap()
    }

    fn primary(looks: &[(u64, &str)], start: Instant) -> Primary {
        let mut primary = Primary::default();
        for (seconds, at) in looks {
            let look = Look {
                at: start + Duration::from_secs(*seconds),
                is_standby: false,
                position: position(at),
                identity: String::new(),
                database: String::new(),
            };
            primary.note(look);
        }
        primary
    }

    #[test]
    fn age_counts_from_the_first_position_that_is_missing() {
        let start = Instant::now();
        let primary = primary(
            &[(0, "a-1-10"), (1, "a-1-20"), (2, "a-1-30"), (9, "a-1-30")],
            start,
        );
        let now = start + Duration::from_secs(10);
        let age = |at: &str| primary.age(position(at), now).as_secs();
        // All is there: idle time does not count.
        assert_eq!(age("a-1-30"), 0);
        assert_eq!(age("a-1-2f"), 8);
        assert_eq!(age("a-1-1f"), 9);
        assert_eq!(age("a-1-1"), 10);
        assert_eq!(primary.lag(position("a-1-1f")), Some(0x11));
    }

    #[test]
    fn a_position_of_an_earlier_timeline_is_where_the_new_one_was_first_seen() {
        let primary = primary(
            &[(0, "a-1-10"), (1, "a-2-20"), (2, "a-2-30")],
            Instant::now(),
        );
        let has = |replayed: &str, wanted: &str| primary.has(position(replayed), position(wanted));
        assert!(has("a-2-20", "a-1-15") && has("a-2-30", "a-2-30"));
        // The replica is not that far, or not on that timeline, or it is of another system.
        assert!(!has("a-2-1f", "a-1-15"));
        assert!(!has("a-1-ff", "a-2-10"));
        assert!(!has("b-2-30", "a-1-15") && !has("a-2-30", "b-1-1"));
        // A timeline that is not known yet.
        assert!(!has("a-2-30", "a-3-1"));
    }

    #[test]
    fn the_first_position_of_a_timeline_is_kept() {
        let start = Instant::now();
        let mut all = Primary::default();
        for second in 0..2_000 {
            let look = Look {
                at: start + Duration::from_secs(second),
                is_standby: false,
                position: WalPosition {
                    system: 1,
                    timeline: 2,
                    lsn: 100 + second,
                },
                identity: String::new(),
                database: String::new(),
            };
            all.note(look);
        }
        assert_eq!(all.samples.len(), MAX_SAMPLES);
        assert_eq!(all.samples[0].1, 100);
        assert_eq!(all.samples[MAX_SAMPLES - 1].1, 2_099);
    }
}
