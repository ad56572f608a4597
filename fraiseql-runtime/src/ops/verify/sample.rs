//! The sample of keys that a verification reads.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use crate::error::{Error, Result};
use crate::ops::verify::options::VerifyOptions;

/// Which keys are verified.
#[derive(Clone, Copy)]
pub(super) enum Sample {
    All,
    None,
    /// The keys whose hash with the seed, a number of 63 bits, is less than the bound.
    Some {
        share: f64,
        seed: i64,
        bound: i64,
    },
}

impl Sample {
    pub(super) fn new(options: &VerifyOptions<'_>) -> Result<Self> {
        let Some(share) = options.sample else {
            return Ok(Self::All);
        };
        // NaN is not in the range either.
        if !(0.0..=1.0).contains(&share) {
            return Err(Error::Sample { share });
        }
        // The cast saturates: a share of 1 is 2^63, which becomes `i64::MAX`.
        #[expect(
            clippy::cast_possible_truncation,
            reason = "at most 2^63, and a fraction of one hash value does not matter"
        )]
        let bound = (share * 2_f64.powi(63)) as i64;
        Ok(match bound {
            0 => Self::None,
            i64::MAX => Self::All,
            bound => Self::Some {
                share,
                // One seed for all views of a request, so that a key is in the sample of each
                // view or of none.
                seed: options.seed.unwrap_or_else(random_seed),
                bound,
            },
        })
    }

    /// Estimates how many of `keys` keys are in the sample.
    pub(super) fn estimate(self, keys: u64) -> u64 {
        match self {
            Self::All => keys,
            Self::None => 0,
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_precision_loss,
                clippy::cast_sign_loss,
                reason = "an estimate"
            )]
            Self::Some { share, .. } => (keys as f64 * share).round() as u64,
        }
    }
}

/// A random number without a dependency: the standard library seeds its hash maps randomly.
fn random_seed() -> i64 {
    RandomState::new().build_hasher().finish().cast_signed()
}
